"""Joining a leg to somebody else: ``calling.connect`` and ``calling.disconnect``. Layer: simulator.

Source: PROTOCOL 8.1, 12.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from relay_actors.protocol.readers import read_number, read_text
from relay_actors.simulator.calls import Call, Params
from relay_actors.simulator.dialling import Device, Hunt
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.sounds import Sound, UnplayableError, sounds_of
from relay_actors.simulator.world import World

__all__ = ["Bridge", "DeviceBridge"]

RINGBACK = [Sound("ringtone", "ringback", 4.0)]


class Bridge(ABC):
    """One connect: from looking for somebody until the two legs part.

    Its ``calling.call.connect`` events are sent on the first leg and name the other one as ``peer``. A subclass says
    how the other one is found.

    Args:
        first: the leg that is connected to somebody; it must not be joined or about to be.
        params: of the command: ``tag`` is the client's name for the other leg; ``ringback`` are media items that the
            first leg hears meanwhile, a ring tone if they make no sense; ``max_duration`` is in minutes, from the
            joining on; ``status_url`` is told by HTTP what the events say.
    """

    def __init__(self, *, first: Call, params: Params) -> None:
        self.first = first
        self.second: Call | None = None
        self.tag = read_text(params.get("tag")) or ""
        self._longest_s = 60.0 * (read_number(params.get("max_duration")) or 0.0)
        self._status_url = params.get("status_url")
        try:
            sounds = sounds_of(params.get("ringback"))
        except UnplayableError:
            sounds = RINGBACK
        self._ringback = Player(first, sounds, loops=0, at_end=_nothing)

    @abstractmethod
    def seek(self) -> None:
        """Begin to look for the other leg; at the end comes `join` or `fail`."""

    @abstractmethod
    def give_up(self) -> None:
        """Look no more. Idempotent."""

    def start(self) -> None:
        """Look for somebody, and let the first leg hear that it rings."""
        self.first.joint = self
        self.report("connecting")
        self._ringback.start()
        self.seek()

    def join(self, leg: Call) -> None:
        """Let both hear each other."""
        self._ringback.stop()
        self.second = leg
        leg.joint = self
        for one, other in ((self.first, leg), (leg, self.first)):
            if one.ear is not None:
                one.ear.on_change(f"connected to {other.own_number}")
        self.report("connected", peer=self.describe(leg), segment_id=self.first.segment_id)
        if self._longest_s > 0:
            self.first.world.after(self._longest_s, self._has_lasted_long_enough)

    def fail(self, reason: str) -> None:
        """Report that there is nobody."""
        self._ringback.stop()
        self.first.joint = None
        self.report("failed", failed_reason=reason)

    def part(self) -> None:
        """Separate the legs; both live on. Who is still looked for is not found: that is told, too."""
        is_seeking = self.second is None
        self.separate()
        if is_seeking:
            self.report("failed", failed_reason="cancel")

    def separate(self) -> None:
        """Look for nobody any more, and tell of the parting if there is one."""
        self.give_up()
        self._ringback.stop()
        self.first.joint = None
        if self.second is None:
            return
        self.second.joint = None
        self.report("disconnected", peer=self.describe(self.second))
        for leg in (self.first, self.second):
            if leg.ear is not None and not leg.is_over:
                leg.ear.on_change("disconnected")

    def is_joined(self) -> bool:
        """Whether both can hear each other now."""
        return self.second is not None

    def other(self, leg: Call) -> Call | None:
        """Return the leg at the other end, once there is one."""
        return self.second if leg is self.first else self.first

    def leg_is_ending(self, leg: Call) -> None:
        """Report the parting before the first leg reports its own end, or it would come too late."""
        if leg is self.first:
            self.separate()

    def leg_ended(self, leg: Call) -> None:
        """End the second leg with the first; when the second ends, the first lives on."""
        if leg is not self.first:
            self.part()
        elif self.second is not None:
            self.second.end("hangup")

    def time_is_up(self, leg: Call) -> None:
        """End the second leg: it has been joined for as long as it may be."""
        leg.end("max_duration")

    def describe(self, leg: Call) -> dict[str, object]:
        """Return the second leg as the first one's events name it."""
        tag = {"tag": self.tag} if self.tag else {}
        return {"call_id": leg.call_id, "node_id": leg.node_id, **tag, "device": leg.device}

    def report(self, state: str, **fields: object) -> None:
        """Send ``calling.call.connect`` on the first leg, and tell the same by HTTP."""
        tag = {"tag": self.tag} if self.tag else {}
        params: dict[str, object] = {"connect_state": state, **tag, **fields}
        self.first.emit("calling.call.connect", params)
        ids = {"call_id": self.first.call_id, "node_id": self.first.node_id}
        self.first.world.webhooks.report(self._status_url, "calling.call.connect", {**params, **ids})

    def _has_lasted_long_enough(self) -> None:
        if self.first.joint is self and self.second is not None:
            self.time_is_up(self.second)


class DeviceBridge(Bridge):
    """A connect to telephones; the events of the leg that is made go to the same client.

    Args:
        world: for the ring time-outs.
        exchange: makes the other leg, and reaches its phone.
        manners: how long it rings.
        first: the leg that is connected to somebody.
        groups: whom to ring, as in a dial.
        params: of the command.
    """

    def __init__(
        self,
        world: World,
        exchange: Exchange,
        manners: Manners,
        *,
        first: Call,
        groups: list[list[Device]],
        params: Params,
    ) -> None:
        super().__init__(first=first, params=params)
        self._exchange = exchange
        self._hunt = Hunt(
            world,
            exchange,
            groups,
            ring_s=manners.connect_ring_s,
            make_leg=self._make_leg,
            on_group=_nothing,
            on_answered=self._answered,
            on_failed=self.fail,
            all_answer=lambda: manners.losers_answer_too,
        )

    def seek(self) -> None:
        """Ring the devices."""
        self._hunt.start()

    def give_up(self) -> None:
        """Stop ringing."""
        self._hunt.cancel()

    def _make_leg(self, device: Device) -> Call:
        leg = self._exchange.new_call(
            session=self.first.session,
            direction="outbound",
            device=device,
            created_by="connect",
            tag=self.tag,
            segment_id=self.first.segment_id,
            origin=self.first,
        )
        leg.report_state()
        return leg

    def _answered(self, leg: Call, cancel_losers: Callable[[], None]) -> None:
        leg.answer()
        self.join(leg)
        cancel_losers()


def _nothing() -> None:
    """Do nothing."""
