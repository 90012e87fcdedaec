"""Operations that deal with the person for the application: fax and digits. Layer: simulator.

They follow the event sequences of PROTOCOL 11.6 and 12 with one believable outcome each.
"""

from __future__ import annotations

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.sounds import digit_tones

__all__ = ["ReceiveFax", "SendDigits", "SendFax"]

PAGE_S = 2.0


class SendDigits(Operation):
    """``calling.send_digits``: the tones are heard, then ``finished``."""

    event_type = "calling.call.send_digits"
    started_message = "Sending Digits"

    def start(self) -> dict[str, object]:
        """Send the tones."""
        tones = digit_tones(read_text(self.params.get("digits")) or "")
        self.call.hear(tones)
        self.after(tones.length_s, self.stop)
        return {}

    def stop(self) -> None:
        """Report ``finished``."""
        self.finish(state="finished")


class SendFax(Operation):
    """``calling.send_fax``: one page, then finished."""

    event_type = "calling.call.fax"
    started_message = "Sending fax"
    direction = "send"

    def start(self) -> dict[str, object]:
        """Send one page."""
        self.after(PAGE_S, self._page_is_done)
        return {}

    def stop(self) -> None:
        """End before the last page was through: finished, without success."""
        self._end(is_success=False)

    def _page_is_done(self) -> None:
        self.report(fax={"type": "page", "params": {"direction": self.direction, "number": "1"}})
        self.after(PAGE_S, lambda: self._end(is_success=True))

    def _end(self, *, is_success: bool) -> None:
        here, there = self.call.number("to_number"), self.call.number("from_number")
        params: dict[str, object] = {
            "direction": self.direction,
            "identity": read_text(self.params.get("identity")) or here,
            "remote_identity": there,
            "document": self.params.get("document") or f"https://files.example.com/fax/{self.control_id}.pdf",
            "success": is_success,
            "result": "0" if is_success else "49",
            "result_text": "" if is_success else "The call dropped prematurely",
            "pages": "1" if is_success else "0",
            "format": "pdf",
        }
        self.finish(fax={"type": "finished", "params": params})


class ReceiveFax(SendFax):
    """``calling.receive_fax``: one page, then finished."""

    started_message = "Receiving fax"
    direction = "receive"
