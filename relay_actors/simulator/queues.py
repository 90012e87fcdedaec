"""Queues of waiting callers: entering, leaving, and being taken out. Layer: simulator. Source: PROTOCOL 12."""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.replies import Reply, accepted, refused

__all__ = ["Place", "Queue", "Queues"]


class Place(Operation):
    """One leg's place in one queue; it is given up with the call."""

    event_type = "calling.call.queue"
    started_message = "Entering Queue"

    queue: Queue

    def start(self) -> dict[str, object]:
        """Go to the end of the queue."""
        self.since_ms = self.call.world.wall_ms()
        self.queue.places.append(self)
        self._tell("enqueue", size=len(self.queue.places))
        return {}

    def stop(self) -> None:
        """Leave."""
        if self.is_done:
            return
        self._tell("leave", size=len(self.queue.places) - 1, leave_ts=self.call.world.wall_ms() * 1000)
        self.queue.places.remove(self)
        self.close()

    def _tell(self, status: str, **fields: object) -> None:
        waiting = self.queue.places
        now_ms = self.call.world.wall_ms()
        times = {"enqueue_ts": self.since_ms * 1000, "dequeue_ts": 0, "leave_ts": 0}
        described: dict[str, object] = {
            "id": self.queue.queue_id,
            "name": self.queue.name,
            "position": waiting.index(self) + 1,
            "avg_time": sum(now_ms - place.since_ms for place in waiting) // (1000 * len(waiting)),
        }
        self.report(status=status, **{**described, **times, **fields})


class Queue:
    """One queue by name."""

    def __init__(self, name: str, queue_id: str) -> None:
        self.name = name
        self.queue_id = queue_id
        self.places: list[Place] = []


class Queues:
    """All queues that were ever entered, by name."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Queue] = {}

    def enter(self, call: Call, params: Params) -> Reply:
        """Do ``calling.queue.enter``."""
        name = read_text(params.get("queue_name")) or ""
        if self._place_of(call, name) is not None:
            return refused("409", "The call is already in this queue")
        queue = self._by_name.setdefault(name, Queue(name, self._new_id()))
        place = Place(call, read_text(params.get("control_id")) or self._new_id(), params)
        place.queue = queue
        return place.begin()

    def leave(self, call: Call, params: Params) -> Reply:
        """Do ``calling.queue.leave``."""
        place = self._place_of(call, read_text(params.get("queue_name")) or "")
        if place is None:
            return refused("404", "The call is not in this queue")
        place.stop()
        return accepted("Leaving Queue", call_id=call.call_id, control_id=params.get("control_id"))

    def clear(self) -> None:
        """Forget all of them."""
        self._by_name.clear()

    def _place_of(self, call: Call, name: str) -> Place | None:
        queue = self._by_name.get(name)
        places = queue.places if queue is not None else []
        return next((place for place in places if place.call is call), None)
