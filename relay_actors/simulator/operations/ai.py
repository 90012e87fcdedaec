"""An AI agent that talks to the person on the line. Layer: simulator. Source: PROTOCOL 11.11, 12."""

from __future__ import annotations

from relay_actors.simulator.operations.base import Operation

__all__ = ["Ai"]


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
