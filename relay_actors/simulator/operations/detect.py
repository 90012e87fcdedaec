"""Finding out who, or what, is on the line. Layer: simulator. Source: PROTOCOL 11.5, 13.5."""

from __future__ import annotations

from typing import Final

from relay_actors.protocol.readers import read_flag, read_number, read_object, read_text
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.personas import Persona
from relay_actors.simulator.replies import Reply, refused

__all__ = ["Detect"]

TIMEOUT_S: Final = 30.0
VERDICT_S: Final = 1.5

END_SILENCE_S: Final = 1.0
"""How long a detector listens before it believes that a greeting is over, when there was none to be heard."""

KINDS: Final = ("machine", "fax", "digit")


class Detect(Operation):
    """``calling.detect``: what was found, if anything was, then ``finished``."""

    event_type = "calling.call.detect"
    started_message = "Detecting"
    is_listening = True

    def begin(self) -> Reply:
        """Refuse what no detector looks for; otherwise as every operation."""
        kind = (read_object(self.params.get("detect")) or {}).get("type")
        if kind not in KINDS:
            return refused("400", f"Invalid parameters: detect.type must be one of {', '.join(KINDS)}, not {kind!r}")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Look for what the command names."""
        detect = read_object(self.params.get("detect")) or {}
        settings = read_object(detect.get("params")) or {}
        self._kind = str(detect["type"])
        self._digits = read_text(settings.get("digits")) or "0123456789#*"
        persona = self.call.persona
        timeout_s = read_number(self.params.get("timeout"))
        # The time-out is asked for first, so that a verdict that is due at the same moment comes too late.
        self.after(TIMEOUT_S if timeout_s is None else timeout_s, self.stop)
        if self._kind == "machine":
            ends = read_flag(settings.get("detect_message_end"))
            self.after(VERDICT_S, lambda: self._tell_verdict(persona, waits_for_end=ends is not False))
        elif self._kind == "fax" and persona.kind == "fax":
            wanted = read_text(settings.get("tone")) or "CED"
            if (persona.fax_tone or ("CNG" if self.call.direction == "inbound" else "CED")) == wanted:
                self.after(VERDICT_S, lambda: self._find_and_finish(wanted))
        return {}

    def stop(self) -> None:
        """Close the detector."""
        self.finish(detect=self._found("finished"))

    def digit_pressed(self, digit: str) -> bool:
        """Find a key, if keys are looked for."""
        if self._kind != "digit" or digit not in self._digits:
            return False
        self._find_and_finish(digit)
        return True

    def _tell_verdict(self, persona: Persona, *, waits_for_end: bool) -> None:
        if persona.kind != "machine":
            self._find_and_finish("HUMAN")
            return
        self.report(detect=self._found("MACHINE"))
        if not waits_for_end:
            self.stop()
            return
        self.report(detect=self._found("NOT_READY"))
        self.after(max(END_SILENCE_S, self.call.ready_in_s), lambda: self._greeting_is_over(persona))

    def _greeting_is_over(self, persona: Persona) -> None:
        self.report(detect=self._found("READY", **({"beep": True} if persona.has_beep else {})))
        self.stop()

    def _find_and_finish(self, event: str) -> None:
        self.report(detect=self._found(event))
        self.stop()

    def _found(self, event: str, **more: object) -> dict[str, object]:
        return {"type": self._kind, "params": {"event": event, **more}}
