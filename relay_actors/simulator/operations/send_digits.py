"""Sending keys to whoever is at the other end. Layer: simulator. Source: PROTOCOL 12."""

from __future__ import annotations

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.sounds import digit_tones

__all__ = ["SendDigits"]


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
