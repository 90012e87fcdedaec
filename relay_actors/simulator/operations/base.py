"""What all operations have in common: an id, events of one type, and exactly one end. Layer: simulator.

Source: PROTOCOL 10.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from relay_actors.protocol.readers import read_number
from relay_actors.simulator.calls import Call, Params, Running
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.timers import Timer

__all__ = ["Operation", "read_seconds"]


class Operation(Running):
    """One running operation on one leg.

    A subclass says how it starts and what its last event looks like; this class sees to it that there is only one.

    Args:
        call: the leg.
        control_id: the client's name for the operation, or one made up here where the wire has none.
        params: the params of the command that started it.
    """

    event_type: ClassVar[str]
    started_message: ClassVar[str]
    is_named_on_the_wire: ClassVar[bool] = True
    """Whether its answer and its events carry the control id."""
    is_listening: bool = False

    def __init__(self, call: Call, control_id: str, params: Params) -> None:
        self.call = call
        self.control_id = control_id
        self.params = params
        self.is_done = False
        self._timers: list[Timer] = []
        self._name: dict[str, object] = {"control_id": control_id} if self.is_named_on_the_wire else {}

    def begin(self) -> Reply:
        """Start, and return the answer to the command."""
        if self.control_id in self.call.running:
            return refused("409", f"control_id {self.control_id} is in use on this call")
        self.call.running[self.control_id] = self
        fields = self.start()
        return accepted(self.started_message, call_id=self.call.call_id, **self._name, **fields)

    @abstractmethod
    def start(self) -> dict[str, object]:
        """Begin; return what the answer carries beside the ids."""

    @abstractmethod
    def stop(self) -> None:
        """Come to an end because the client asks for it; the terminal event goes out."""

    def call_ends(self) -> None:
        """Come to an end because the call does."""
        self.stop()

    def report(self, **fields: object) -> None:
        """Send an event of this operation, and tell the same by HTTP."""
        self.call.emit(self.event_type, {**self._name, **fields})
        self.tell_by_http(**fields)

    def tell_by_http(self, **fields: object) -> None:
        """Tell the ``status_url`` of the command, if it names one, what an event says."""
        ids = {"call_id": self.call.call_id, "node_id": self.call.node_id}
        url, method = self.params.get("status_url"), self.params.get("status_url_method")
        self.call.world.webhooks.report(url, self.event_type, {**self._name, **fields, **ids}, method=method)

    def finish(self, **fields: object) -> None:
        """End with this last event; whatever comes later is ignored."""
        if self.close():
            self.report(**fields)

    def close(self) -> bool:
        """End without a word; return whether it was still running."""
        if self.is_done:
            return False
        self.is_done = True
        for timer in self._timers:
            timer.cancel()
        if self.call.running.get(self.control_id) is self:
            del self.call.running[self.control_id]
        return True

    def after(self, simulated_s: float, call: Callable[[], None]) -> Timer:
        """Have ``call`` made after so many simulated seconds, unless the operation is over by then."""
        timer = self.call.world.after(simulated_s, call)
        self._timers = [known for known in self._timers if known.call is not None]
        self._timers.append(timer)
        return timer


def read_seconds(settings: Params, key: str, default: float) -> float:
    """Return how long something takes by the settings of a command; what is no time counts as not set."""
    value = read_number(settings.get(key))
    return default if value is None or value < 0 else value
