"""Joining a leg to the first caller of a queue: ``calling.connect`` with a queue device. Layer: simulator.

Source: PROTOCOL 12, 13.2 (the device), 8.1 (the peer).
"""

from __future__ import annotations

from relay_actors.protocol.readers import read_number, read_object, read_text
from relay_actors.simulator.bridging import Bridge
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.dialling import Device
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.queues import Place, Queue
from relay_actors.simulator.timers import Timer
from relay_actors.simulator.world import World

__all__ = ["QueueBridge", "is_queue", "queue_name"]

QUEUE: dict[str, object] = {"type": "queue", "params": {}}
"""How the peer's device is named in the events of the leg that asked for it."""


def is_queue(device: Device) -> bool:
    """Whether a device of a connect is a queue."""
    return device.get("type") == "queue"


def queue_name(device: Device) -> str:
    """Return which queue a device means: ``queue_name`` of its params, or ``name``; empty if neither is there."""
    params = read_object(device.get("params")) or {}
    return read_text(params.get("queue_name")) or read_text(params.get("name")) or ""


class QueueBridge(Bridge):
    """A connect to whoever is first in a queue, now or before the time-out; then it fails with ``noAnswer``.

    Both legs had a life of their own before, so both live on when one ends, and the caller's application, which may be
    another one, is told of the connection too.

    Args:
        world: for the time-out.
        manners: how long an empty queue is waited at.
        first: the leg that is connected to somebody.
        queue: the queue.
        device: how the client named it; ``timeout`` in its params is in simulated seconds.
        params: of the command.
    """

    def __init__(
        self,
        world: World,
        manners: Manners,
        *,
        first: Call,
        queue: Queue,
        device: Device,
        params: Params,
    ) -> None:
        super().__init__(first=first, params=params)
        self._world = world
        self._queue = queue
        settings = read_object(device.get("params")) or {}
        self._wait_s = read_number(settings.get("timeout")) or manners.connect_ring_s
        self._time_out: Timer | None = None

    def seek(self) -> None:
        """Take the first caller, or wait for one."""
        self._time_out = self._world.after(self._wait_s, self._waited_too_long)
        self._queue.await_caller(self)

    def give_up(self) -> None:
        """Wait no more."""
        self._queue.await_no_more(self)
        if self._time_out is not None:
            self._time_out.cancel()

    def take(self, place: Place) -> None:
        """Talk to this caller."""
        self.give_up()
        self.join(place.call)
        self._tell_caller("connected")

    def separate(self) -> None:
        """Separate the legs, and tell both; both live on."""
        super().separate()
        self._tell_caller("disconnected")
        self.second = None

    def time_is_up(self, leg: Call) -> None:
        """Separate the legs."""
        self.part()

    def leg_is_ending(self, leg: Call) -> None:
        """Report the parting before either leg reports its own end."""
        self.separate()

    def leg_ended(self, leg: Call) -> None:
        """Let the other one live on."""

    def describe(self, leg: Call) -> dict[str, object]:
        """Return a leg as the other one's events name it: the caller comes out of the queue."""
        return {
            **super().describe(leg),
            "device": QUEUE,
            "queue_id": self._queue.queue_id,
            "queue_name": self._queue.name,
        }

    def _waited_too_long(self) -> None:
        self.give_up()
        self.fail("noAnswer")

    def _tell_caller(self, state: str) -> None:
        if self.second is not None:
            peer = {"call_id": self.first.call_id, "node_id": self.first.node_id, "device": self.first.device}
            self.second.emit("calling.call.connect", {"connect_state": state, "peer": peer})
