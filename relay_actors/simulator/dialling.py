"""Looking for somebody who answers: groups of devices one after the other, the devices of a group at once.

Layer: simulator. Source: PROTOCOL 9.
"""

from __future__ import annotations

from collections.abc import Callable

from relay_actors.protocol.readers import read_number, read_object
from relay_actors.simulator.calls import Call
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.sessions import Session
from relay_actors.simulator.world import World

__all__ = ["Device", "Dial", "Hunt", "groups_of"]

Device = dict[str, object]


def groups_of(devices: object) -> list[list[Device]]:
    """Return the groups of a ``devices`` parameter; what is no device is left out, and so is an empty group."""
    if not isinstance(devices, list):
        return []
    groups = [[device for device in group if isinstance(device, dict)] for group in devices if isinstance(group, list)]
    return [group for group in groups if group]


class Hunt:
    """Rings one group after the other until somebody answers.

    Args:
        world: for the ring time-outs.
        exchange: reaches the phones.
        groups: not empty.
        ring_s: how long a device rings when it does not say.
        make_leg: makes a leg for a device, already reported as created.
        on_group: called when the legs of a group are made and before they ring.
        on_answered: told the winner, and whom to cancel; it decides the order of events.
        on_failed: told the end reason of the last leg.
        all_answer: says whether who loses has answered, too, at the same moment.
    """

    def __init__(
        self,
        world: World,
        exchange: Exchange,
        groups: list[list[Device]],
        *,
        ring_s: float,
        make_leg: Callable[[Device], Call],
        on_group: Callable[[], None],
        on_answered: Callable[[Call, Callable[[], None]], None],
        on_failed: Callable[[str], None],
        all_answer: Callable[[], bool] = lambda: False,
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._all_answer = all_answer
        self._groups = list(groups)
        self._ring_s = ring_s
        self._make_leg = make_leg
        self._on_group = on_group
        self._on_answered = on_answered
        self._on_failed = on_failed
        self._ringing: list[Call] = []
        self._is_starting = False
        self._is_over = False
        self._is_won = False
        self._last_reason = "noAnswer"

    def start(self) -> None:
        """Ring the first group."""
        while self._groups and not self._ringing and not self._is_over:
            self._ring(self._groups.pop(0))
        if not self._ringing and not self._is_over:
            self._is_over = True
            self._on_failed(self._last_reason)

    def cancel(self) -> None:
        """Stop ringing everywhere. Idempotent."""
        self._is_over = True
        self._cancel_ringing()

    def _ring(self, group: list[Device]) -> None:
        legs = [self._make_leg(device) for device in group]
        self._ringing = list(legs)
        self._on_group()
        # A phone may answer, or be busy, at once: the next group must wait until this one is rung through.
        self._is_starting = True
        for leg in legs:
            leg.on_picked_up = self._picked_up
            leg.at_end.append(self._leg_ended)
            if leg.is_over:
                continue
            ring_s = read_number(_settings(leg).get("timeout")) or self._ring_s
            self._world.after(ring_s, lambda leg=leg: self._rang_too_long(leg))  # type: ignore[misc]  # bound early
            if not self._exchange.reach(leg):
                leg.cancel("not_found")
        self._is_starting = False

    def _rang_too_long(self, leg: Call) -> None:
        if leg in self._ringing:
            leg.cancel("noAnswer")

    def _picked_up(self, leg: Call) -> None:
        if leg not in self._ringing:
            return
        self._is_over = self._is_won = True
        self._ringing.remove(leg)
        leg.on_picked_up = None
        self._on_answered(leg, self._cancel_ringing)
        if (longest_s := read_number(_settings(leg).get("max_duration")) or 0.0) > 0:
            self._world.after(longest_s, lambda: leg.end("max_duration"))

    def _cancel_ringing(self) -> None:
        losers, self._ringing = self._ringing, []
        for leg in losers:
            if self._is_won and self._all_answer():
                leg.answer()
            leg.cancel("cancel")

    def _leg_ended(self, leg: Call) -> None:
        if leg not in self._ringing:
            return
        self._ringing.remove(leg)
        self._last_reason = leg.end_reason
        if not self._is_starting:
            self.start()


class Dial:
    """One ``calling.dial``: its legs, and the events that tell of it by tag.

    Args:
        session: who dials and will own the legs.
        tag: names the dial in every event.
        on_over: called when it has been decided.
    """

    def __init__(
        self,
        world: World,
        exchange: Exchange,
        manners: Manners,
        *,
        session: Session,
        tag: str,
        groups: list[list[Device]],
        max_duration_s: float,
        emit: Callable[[str, dict[str, object]], None],
        on_over: Callable[[], None],
    ) -> None:
        self._world = world
        self._exchange = exchange
        self._manners = manners
        self._session = session
        self._tag = tag
        self._max_duration_s = max_duration_s
        self._emit = emit
        self._on_over = on_over
        self._hunt = Hunt(
            world,
            exchange,
            groups,
            ring_s=manners.ring_s,
            make_leg=self._make_leg,
            on_group=lambda: self._report("dialing"),
            on_answered=self._answered,
            on_failed=self._failed,
            all_answer=lambda: manners.losers_answer_too,
        )

    def start(self) -> None:
        """Begin to ring."""
        self._hunt.start()

    def _make_leg(self, device: Device) -> Call:
        leg = self._exchange.new_call(
            session=self._session, direction="outbound", device=device, created_by="dial", tag=self._tag
        )
        leg.report_state()
        return leg

    def _answered(self, leg: Call, cancel_losers: Callable[[], None]) -> None:
        self._on_over()
        if self._manners.losers_end_first:
            cancel_losers()
        if self._manners.dial_event_first:
            self._report_winner(leg)
            leg.answer()
        else:
            leg.answer()
            self._report_winner(leg)
        cancel_losers()
        if self._max_duration_s > 0:
            self._world.after(self._max_duration_s, lambda: leg.end("max_duration"))

    def _failed(self, reason: str) -> None:
        self._on_over()
        self._report("failed", reason=reason)

    def _report_winner(self, leg: Call) -> None:
        winner = {
            "call_id": leg.call_id,
            "node_id": leg.node_id,
            "tag": leg.tag,
            "device": leg.device,
            "dial_winner": True,
            "call_state": "answered",
            "direction": leg.direction,
            "segment_id": leg.segment_id,
        }
        self._report("answered", call=winner)

    def _report(self, state: str, **fields: object) -> None:
        params: dict[str, object] = {"node_id": self._exchange.node_id, "tag": self._tag, "dial_state": state}
        self._emit("calling.call.dial", {**params, **fields})


def _settings(leg: Call) -> dict[str, object]:
    """Return the params of a leg's device; ``timeout`` and ``max_duration`` are seconds. Source: PROTOCOL 13.2."""
    return read_object(leg.device.get("params")) or {}
