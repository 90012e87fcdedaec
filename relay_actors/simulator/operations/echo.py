"""Letting somebody hear themselves: ``calling.echo``. Layer: simulator. Source: PROTOCOL 12."""

from __future__ import annotations

from collections.abc import Iterable

from relay_actors.protocol.readers import read_number
from relay_actors.simulator.calls import Call
from relay_actors.simulator.operations.base import Operation

__all__ = ["Echo"]


class Echo(Operation):
    """``calling.echo``: the person hears what they say and press, until the time-out or the end of the call.

    It has no control id on the wire.
    """

    event_type = "calling.call.echo"
    started_message = "Echo started"
    is_named_on_the_wire = False

    def start(self) -> dict[str, object]:
        """Begin; a time-out of 0, or none, is never."""
        self.call.circles.append(self)
        self.report(state="echoing")
        if (timeout_s := read_number(self.params.get("timeout")) or 0.0) > 0:
            self.after(timeout_s, self.stop)
        return {}

    def stop(self) -> None:
        """Fall silent, and report ``finished``."""
        if self.close():
            self.call.circles.remove(self)
            self.report(state="finished")

    def hearers(self, leg: Call) -> Iterable[Call]:
        """Return the leg itself."""
        return (leg,)
