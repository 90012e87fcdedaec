"""Who gets an inbound call or message: the sessions of its context, in turn. Layer: simulator.

Source: PROTOCOL 4, 8.3, 8.8, 19.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from relay_actors.protocol.readers import read_object
from relay_actors.protocol.states import CallState
from relay_actors.simulator.calls import Call
from relay_actors.simulator.exchange import Exchange
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.sessions import Session, Sessions
from relay_actors.simulator.world import World

__all__ = ["Switchboard"]

_OTHER_WAY_ROUND: Final = {"to_number": "from_number", "from_number": "to_number", "to": "from", "from": "to"}
"""What the keys of a device are when the one who was called calls."""


class Switchboard:
    """Offers calls to sessions; a call that nobody takes waits, rings, and ends with ``noAnswer``."""

    def __init__(self, world: World, exchange: Exchange, sessions: Sessions, manners: Manners) -> None:
        self._world = world
        self._exchange = exchange
        self._sessions = sessions
        self._manners = manners
        self._turns: Counter[str] = Counter()
        self._waiting: dict[Call, str] = {}
        self._passed_by: dict[str, list[Session]] = {}

    def next_session(self, context: str, excluding: Collection[Session] = ()) -> Session | None:
        """Return whose turn it is for ``context``; a client that is away only if no other is there."""
        subscribed = [
            session
            for session in self._sessions.all()
            if context in session.contexts and not any(session is other for other in excluding)
        ]
        candidates = [session for session in subscribed if session.is_attached] or subscribed
        if not candidates:
            return None
        chosen = candidates[self._turns[context] % len(candidates)]
        self._turns[context] += 1
        return chosen

    def place(self, call: Call) -> None:
        """Offer an inbound call, and let it ring for as long as the manners say."""
        self._offer(call)
        self._world.after(self._manners.inbound_ring_s, lambda: self._nobody_answered(call))

    def pass_on(self, call: Call) -> None:
        """Take a call back from its session and offer it to the next one, which sees the same call id."""
        if call.session is not None:
            self._passed_by.setdefault(call.call_id, []).append(call.session)
        call.session = None
        self._offer(call)

    def transfer(self, call: Call, dest: str) -> None:
        """Hand a call on: to a context as a new inbound leg, or to something that is not simulated.

        The old leg is gone for its session, without an event; the new one has a call id of its own, because the same
        client may be subscribed to both contexts and would take a known id for a redelivery.
        """
        context = dest.removeprefix("context:")
        is_context = context != dest or any(context in session.contexts for session in self._sessions.all())
        ear, call.ear = call.ear, None
        call.let_go()
        self._exchange.retire(call)
        onward: Call | None = None
        if is_context:
            onward = self._exchange.new_call(
                session=None,
                direction="inbound",
                device=_as_caller(call),
                created_by="receive",
                context=context,
                segment_id=call.segment_id,
            )
            onward.ear = ear
        if ear is not None:
            ear.on_handed_on(context if is_context else dest, onward)
        if onward is not None:
            self.place(onward)

    def contexts_changed(self, session: Session) -> None:
        """Offer calls that waited for somebody to subscribe, and tell the others what there is by now."""
        for call in list(self._waiting):
            if call.is_over:
                del self._waiting[call]
            elif call.context in session.contexts:
                del self._waiting[call]
                self._offer(call)
            else:
                self._let_wait(call)

    def nobody_takes(self, context: str) -> str:
        """Say why nobody gets what comes for ``context`` now."""
        sessions = [session for session in self._sessions.all() if session.is_attached]
        if not sessions:
            return "no application is logged in"
        if any(context in session.contexts for session in sessions):
            return f"everybody who takes context {context!r} has passed it on"
        contexts = dict.fromkeys(other for session in sessions for other in session.contexts)
        subscribed = ", ".join(map(repr, contexts)) or "none at all"
        return f"nobody takes context {context!r}; the contexts that are subscribed to: {subscribed}"

    def clear(self) -> None:
        """Forget who waits and whose turn it is."""
        self._turns.clear()
        self._waiting.clear()
        self._passed_by.clear()

    def _offer(self, call: Call) -> None:
        session = self.next_session(call.context, self._passed_by.get(call.call_id, ()))
        if session is None:
            self._let_wait(call)
            return
        call.session = session
        call.offer()
        if call.ear is not None and not session.is_attached:
            why = self.nobody_takes(call.context)
            call.ear.on_change(f"nobody there: {why}; the call waits for one that was logged in")

    def _let_wait(self, call: Call) -> None:
        why = self.nobody_takes(call.context)
        if call.ear is not None and self._waiting.get(call) != why:
            call.ear.on_change(f"nobody there: {why}")
        self._waiting[call] = why

    def _nobody_answered(self, call: Call) -> None:
        self._passed_by.pop(call.call_id, None)
        self._waiting.pop(call, None)
        if call.state in (CallState.CREATED, CallState.RINGING):
            call.end("noAnswer")


def _as_caller(call: Call) -> dict[str, object]:
    """Return the device of a leg for an inbound one: its person calls, also one who was called before."""
    if call.direction == "inbound":
        return call.device
    params = read_object(call.device.get("params")) or {}
    turned = {theirs: params[ours] for ours, theirs in _OTHER_WAY_ROUND.items() if ours in params}
    return {**call.device, "params": turned or params}
