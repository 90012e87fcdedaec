"""Queues of waiting callers: entering, moving up, leaving, being taken out. Layer: simulator. Source: PROTOCOL 12."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from relay_actors.protocol.readers import read_text
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.replies import Reply, accepted, refused
from relay_actors.simulator.sounds import music

__all__ = ["Place", "Queue", "QueueSnapshot", "Queues", "Taker"]

BOUND: Final = 1000
"""How many queues are remembered, unless more are in use."""


@dataclass(frozen=True, slots=True)
class QueueSnapshot:
    """A queue as it was at one moment: its name, and the numbers of those who wait, the first one first."""

    name: str
    queue_id: str
    waiting: tuple[str, ...]


class Taker(Protocol):
    """Who waits for the next caller of a queue: an agent's leg that is being connected to it."""

    def take(self, place: Place) -> None:
        """Take this caller, who has just been taken out of the queue."""


class Place(Operation):
    """One leg's place in one queue; it is given up with the call.

    ``enqueue`` tells the place at the end, ``waiting`` each place further in front, and ``dequeue`` or ``leave`` is the
    last. Meanwhile the caller hears music.
    """

    event_type = "calling.call.queue"
    started_message = "Entering Queue"

    queue: Queue

    @property
    def position(self) -> int:
        """Which place it is, counted from 1."""
        return self.queue.places.index(self) + 1

    def start(self) -> dict[str, object]:
        """Go to the end of the queue, and be taken at once if somebody waits for callers."""
        self.since_ms = self.call.world.wall_ms()
        self.queue.places.append(self)
        self._tell("enqueue")
        self._music = Player(self.call, [music("queue", self.params.get("wait_url"))], loops=0, at_end=_nothing)
        self._music.start()
        self.note(f"entered queue {self.queue.name} at position {self.position}")
        self.queue.serve()
        return {}

    def stop(self) -> None:
        """Leave."""
        if self.close():
            self._tell("leave", size=len(self.queue.places) - 1, leave_ts=self.call.world.wall_ms() * 1000)
            self._go(f"left queue {self.queue.name}")

    def taken(self) -> None:
        """Be taken out: somebody talks to the caller now."""
        if self.close():
            self._tell("dequeue", dequeue_ts=self.call.world.wall_ms() * 1000)
            self._go(f"taken out of queue {self.queue.name}")

    def moved_up(self) -> None:
        """Report that somebody in front has gone."""
        self._tell("waiting")
        self.note(f"moved up to position {self.position} of queue {self.queue.name}")

    def note(self, what: str) -> None:
        """Have it noticed on the line."""
        if self.call.ear is not None:
            self.call.ear.on_change(what)

    def _go(self, what: str) -> None:
        self._music.stop()
        behind = self.queue.places[self.position :]
        self.queue.places.remove(self)
        self.note(what)
        for place in behind:
            place.moved_up()

    def _tell(self, status: str, **fields: object) -> None:
        waiting = self.queue.places
        now_ms = self.call.world.wall_ms()
        event: dict[str, object] = {
            "status": status,
            "id": self.queue.queue_id,
            "name": self.queue.name,
            "position": self.position,
            "size": len(waiting),
            "avg_time": sum(now_ms - place.since_ms for place in waiting) // (1000 * len(waiting)),
            "enqueue_ts": self.since_ms * 1000,
            "dequeue_ts": 0,
            "leave_ts": 0,
            **fields,
        }
        self.report(**event)


class Queue:
    """One queue by name: who waits in it, and who waits for them."""

    def __init__(self, name: str, queue_id: str) -> None:
        self.name = name
        self.queue_id = queue_id
        self.places: list[Place] = []
        self._takers: list[Taker] = []

    def await_caller(self, taker: Taker) -> None:
        """Give ``taker`` the first caller, now or when there is one; who has waited longest comes first."""
        self._takers.append(taker)
        self.serve()

    def await_no_more(self, taker: Taker) -> None:
        """Take back `await_caller`. Idempotent."""
        self._takers = [known for known in self._takers if known is not taker]

    def serve(self) -> None:
        """Bring together who waits on either side."""
        while self.places and self._takers:
            place, taker = self.places[0], self._takers.pop(0)
            place.taken()
            taker.take(place)

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits in it, and nobody for who might come."""
        return not self.places and not self._takers

    def snapshot(self) -> QueueSnapshot:
        """Return the queue as it is now."""
        return QueueSnapshot(self.name, self.queue_id, tuple(place.call.own_number for place in self.places))


class Queues:
    """All queues that were ever entered or waited at, by name; of too many, the oldest idle ones are forgotten."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_name: dict[str, Queue] = {}

    def enter(self, call: Call, params: Params) -> Reply:
        """Do ``calling.queue.enter``."""
        name = read_text(params.get("queue_name"))
        if not name:
            return refused("400", "A queue needs a name")
        if (place := self.place_of(call)) is not None:
            return refused("409", f"The call is already in queue {place.queue.name}")
        if call.joint is not None:
            return refused("409", "The call is connected to somebody, or about to be: it has to be disconnected first")
        place = Place(call, read_text(params.get("control_id")) or self._new_id(), params)
        place.queue = self.queue(name)
        return place.begin()

    def leave(self, call: Call, params: Params) -> Reply:
        """Do ``calling.queue.leave``."""
        place = self.place_of(call)
        if place is None or place.queue.name != params.get("queue_name"):
            return refused("409", "The call is not in this queue")
        place.stop()
        return accepted("Leaving Queue", call_id=call.call_id, control_id=params.get("control_id"))

    def queue(self, name: str) -> Queue:
        """Return the queue of that name, made at the first time."""
        known = self._by_name.get(name)
        if known is None:
            idle = [other for other, queue in self._by_name.items() if queue.is_idle]
            for other in idle[: max(0, len(self._by_name) + 1 - BOUND)]:
                del self._by_name[other]
            known = self._by_name[name] = Queue(name, self._new_id())
        return known

    def place_of(self, call: Call) -> Place | None:
        """Return the place of a leg that waits; it can wait in one queue at a time."""
        return next((running for running in call.running.values() if isinstance(running, Place)), None)

    def snapshots(self) -> tuple[QueueSnapshot, ...]:
        """Return every queue that is remembered, also those in which nobody waits any more, the oldest first."""
        return tuple(queue.snapshot() for queue in self._by_name.values())

    def clear(self) -> None:
        """Forget all of them."""
        self._by_name.clear()


def _nothing() -> None:
    """Do nothing."""
