"""Operations that deal with the person for the application: fax, pay, AI, echo, digits, refer. Layer: simulator.

They follow the event sequences of PROTOCOL 11.6, 11.10, 11.11 and 12 with one believable outcome each.
"""

from __future__ import annotations

from relay_actors.protocol.readers import read_number, read_object, read_text
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.sounds import digit_tones

__all__ = ["Ai", "Echo", "Pay", "ReceiveFax", "Refer", "SendDigits", "SendFax"]

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


class Echo(Operation):
    """``calling.echo``: echoing, then finished at its time-out or with the call. It has no control id on the wire."""

    event_type = "calling.call.echo"
    started_message = "Echo started"
    is_named_on_the_wire = False

    def start(self) -> dict[str, object]:
        """Begin; a time-out of 0, or none, is never."""
        self.report(state="echoing")
        if (timeout_s := read_number(self.params.get("timeout")) or 0.0) > 0:
            self.after(timeout_s, self.stop)
        return {}

    def stop(self) -> None:
        """Report ``finished``."""
        self.finish(state="finished")


class Refer(Operation):
    """``calling.refer``: inProgress, then success; for a leg that is not SIP: error. No control id on the wire."""

    event_type = "calling.call.refer"
    started_message = "Starting SIP REFER"
    is_named_on_the_wire = False

    def start(self) -> dict[str, object]:
        """Ask the phone to call elsewhere."""
        device = read_object(self.params.get("device")) or {}
        self._to = read_text((read_object(device.get("params")) or {}).get("to")) or ""
        if self.call.device.get("type") != "sip":
            self.finish(state="error", sip_refer_to=self._to, sip_refer_response_code="501")
            return {}
        self.report(state="inProgress", sip_refer_to=self._to, sip_refer_response_code="202")
        self.after(1.0, self._succeed)
        return {}

    def stop(self) -> None:
        """Report ``cancel``: the call ended under it."""
        self.finish(state="cancel", sip_refer_to=self._to, sip_refer_response_code="202")

    def _succeed(self) -> None:
        codes = {"sip_refer_response_code": "202", "sip_notify_response_code": "200"}
        self.finish(state="success", sip_refer_to=self._to, **codes)


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


class Pay(Operation):
    """``calling.pay``: asks for the card, then succeeds. No card is ever entered: the data are made up and masked."""

    event_type = "calling.call.pay"
    started_message = "Payment started"

    def start(self) -> dict[str, object]:
        """Ask for the card number."""
        self._tell("payment-card-number", error_type="", attempt=1)
        self.after(3.0, lambda: self._tell("payment-processing", error_type="", attempt=1))
        self.after(5.0, self._succeed)
        return {}

    def stop(self) -> None:
        """Cancel because the client asks for it."""
        self.finish(**{"for": "payment-canceled", "result": "relay-pay-stop"})

    def call_ends(self) -> None:
        """Cancel because the person hung up."""
        self.finish(**{"for": "payment-canceled", "result": "caller-hung-up"})

    def _tell(self, asked_for: str, **fields: object) -> None:
        method = read_text(self.params.get("payment_method")) or "credit-card"
        self.report(**{"for": asked_for, "payment_method": method, **fields})

    def _succeed(self) -> None:
        card = {"payment_card_number": "************1111", "payment_card_type": "visa"}
        token = {"payment_token": f"tok_{self.control_id[:8]}", "payment_confirmation_code": self.control_id[:8]}
        self.finish(**{"for": "payment-completed", "result": "success", **card, **token, "payment_error": ""})


class Ai(Operation):
    """``calling.ai``: runs until it is stopped; at the end of the call it says nothing, as the real one."""

    event_type = "calling.call.ai"
    started_message = "AI started"

    def start(self) -> dict[str, object]:
        """Begin to talk."""
        return {}

    def stop(self) -> None:
        """Report ``finished``."""
        self.finish(state="finished")

    def call_ends(self) -> None:
        """End without an event. Source: PROTOCOL 10.5, 11.11."""
        self.close()
