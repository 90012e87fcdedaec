"""Joining a leg to somebody else: ``calling.connect`` and ``calling.disconnect``. Layer: simulator.

Source: PROTOCOL 8.1, 12.
"""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.simulator.calls import Call
from relay_actors.simulator.dialling import Device, Hunt
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.operations.play import Player
from relay_actors.simulator.sounds import Sound, UnplayableError, sounds_of
from relay_actors.simulator.world import World

__all__ = ["Bridge"]

RINGBACK = [Sound("ringtone", "ringback", 4.0)]


class Bridge:
    """One connect: from ringing the devices until the two legs part.

    Its ``calling.call.connect`` events are all sent on the first leg and name the other one as ``peer``; the other
    one's own state events go to the same client.

    Args:
        first: the leg that is connected to somebody; it must not be joined or about to be.
        groups: whom to ring, as in a dial.
        tag: the client's name for the other leg.
        ringback: media items that the first leg hears meanwhile; a ring tone if they make no sense.
    """

    def __init__(
        self,
        world: World,
        exchange: Exchange,
        manners: Manners,
        *,
        first: Call,
        groups: list[list[Device]],
        tag: str,
        ringback: object,
    ) -> None:
        self._first = first
        self._second: Call | None = None
        self._exchange = exchange
        self._tag = tag
        try:
            sounds = sounds_of(ringback)
        except UnplayableError:
            sounds = RINGBACK
        self._ringback = Player(first, sounds, loops=0, at_end=_nothing)
        self._hunt = Hunt(
            world,
            exchange,
            groups,
            ring_s=manners.connect_ring_s,
            make_leg=self._make_leg,
            on_group=_nothing,
            on_answered=self._answered,
            on_failed=self._failed,
        )

    def start(self) -> None:
        """Ring the devices, and let the first leg hear that it rings."""
        self._first.joint = self
        self._report("connecting")
        self._ringback.start()
        self._hunt.start()

    def part(self) -> None:
        """Separate the legs; both live on."""
        self._hunt.cancel()
        self._ringback.stop()
        self._first.joint = None
        if self._second is None:
            return
        self._second.joint = None
        self._report("disconnected", peer=self._describe(self._second))
        for leg in (self._first, self._second):
            if leg.ear is not None and not leg.is_over:
                leg.ear.on_change("disconnected")

    def is_joined(self) -> bool:
        """Whether both can hear each other now."""
        return self._second is not None

    def other(self, leg: Call) -> Call | None:
        """Return the leg at the other end, once there is one."""
        return self._second if leg is self._first else self._first

    def leg_is_ending(self, leg: Call) -> None:
        """Report the parting before the first leg reports its own end, or it would come too late."""
        if leg is self._first:
            second = self._second
            self.part()
            self._second = second

    def leg_ended(self, leg: Call) -> None:
        """End the second leg with the first; when the second ends, the first lives on."""
        if leg is not self._first:
            self.part()
        elif self._second is not None:
            self._second.end("hangup")

    def _make_leg(self, device: Device) -> Call:
        leg = self._exchange.new_call(
            session=self._first.session,
            direction="outbound",
            device=device,
            created_by="connect",
            tag=self._tag,
            segment_id=self._first.segment_id,
            origin=self._first,
        )
        leg.report_state()
        return leg

    def _answered(self, leg: Call, cancel_losers: Callable[[], None]) -> None:
        self._ringback.stop()
        leg.answer()
        self._second = leg
        leg.joint = self
        self._report("connected", peer=self._describe(leg), segment_id=self._first.segment_id)
        for one, other in ((self._first, leg), (leg, self._first)):
            if one.ear is not None:
                one.ear.on_change(f"connected to {other.number('to_number' if other is leg else 'from_number')}")
        cancel_losers()

    def _failed(self, reason: str) -> None:
        self._ringback.stop()
        self._first.joint = None
        self._report("failed", failed_reason=reason)

    def _describe(self, leg: Call) -> dict[str, object]:
        tag = {"tag": self._tag} if self._tag else {}
        return {"call_id": leg.call_id, "node_id": leg.node_id, **tag, "device": leg.device}

    def _report(self, state: str, **fields: object) -> None:
        tag = {"tag": self._tag} if self._tag else {}
        self._first.emit("calling.call.connect", {"connect_state": state, **tag, **fields})


def _nothing() -> None:
    """Do nothing."""
