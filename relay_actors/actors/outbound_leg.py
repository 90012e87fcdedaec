"""The engine of a call that this side has dialled, and how any call's actor comes to its end. Layer: hall.

Source: PROTOCOL 9; SEMANTICS X2, X3, X9.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.leg_actor import LegActor
from relay_actors.actors.notices import DialFailed
from relay_actors.actors.orders import Begin, Order, Perform, WaitFor
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.routing import Claim, DialOver
from relay_actors.errors import DialFailedError, NotSentError, RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Hangup
from relay_actors.protocol.events import CallStateEvent, DialEvent, RelayEvent
from relay_actors.protocol.states import CallState
from relay_actors.runtime.signals import Internal

__all__ = ["OutboundLegActor"]


class OutboundLegActor(LegActor):
    """Adds dialling, lingering and stopping to the engine."""

    # -- dialling ----------------------------------------------------------------------------------------------------

    def begin_dial(self) -> None:
        """Send the dial, unless there is none or it is on its way."""
        dialling, cell = self.leg.dialling, self._cell
        if dialling is None or self.leg.begun:
            return
        self.leg.begun = True

        def on_answer(_result: JsonObject | None, error: RelayActorsError | None) -> None:
            cell.tell_control(_DialAnswered(cell, error))

        self.office.send(Outgoing(dialling.command.method, dialling.command.to_params(), on_answer, dialling.tag))

    def on_dial_answered(self, error: RelayActorsError | None) -> None:
        """The server has accepted the dial, or not."""
        dialling, cell = self.leg.dialling, self._cell
        if dialling is None or dialling.is_over:
            return
        if error is not None:
            self.fail_dial(error)
            return

        def overdue() -> None:
            cell.tell_control(_DialOverdue(cell))

        self.leg.end_watch = cell.call_later(dialling.timeout_s, overdue)

    def on_dial_overdue(self) -> None:
        """Nobody has answered in time: end the legs that ring."""
        dialling = self.leg.dialling
        if dialling is None or dialling.is_over:
            return
        self._end_legs(dialling.give_up())
        self.fail_dial(DialFailedError(dialling.tag, f"Dial timed out waiting for answer (tag={dialling.tag})"))

    def fail_dial(self, error: RelayActorsError) -> None:
        """Nobody has answered: everyone who waits is told, and the actor ends."""
        leg, dialling = self.leg, self.leg.dialling
        if dialling is None:
            return
        dialling.is_over = True
        dialling.error = error
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        leg.state = CallState.ENDED
        leg.end_reason = leg.end_reason or "failed"
        leg.fail_waits(error)
        leg.backlog.append(DialFailed(dialling.tag, error))
        self.office.tell_connection(DialOver(dialling.tag))
        self.linger()

    def _on_event(self, event: RelayEvent) -> None:
        leg, dialling = self.leg, self.leg.dialling
        if dialling is None:
            super()._on_event(event)
        elif isinstance(event, DialEvent):
            self._on_dial_event(dialling, event)
        elif isinstance(event, CallStateEvent) and event.call_id != leg.call_id:
            self._end_legs(dialling.on_leg(event))
        else:
            super()._on_event(event)

    def _on_dial_event(self, dialling: Dialling, event: DialEvent) -> None:
        was_over = dialling.is_over
        self._end_legs(dialling.on_dial(event))
        if was_over:
            return
        self.take_event(event)
        if dialling.winner:
            self._win(dialling, event)
        elif dialling.is_over:
            reason = event.params.get("reason")
            because = f": {reason}" if isinstance(reason, str) and reason else ""
            self.leg.end_reason = reason if isinstance(reason, str) else ""
            self.fail_dial(DialFailedError(dialling.tag, f"Dial failed (tag={dialling.tag}){because}"))

    def _win(self, dialling: Dialling, event: DialEvent) -> None:
        leg = self.leg
        if leg.end_watch is not None:
            leg.end_watch.cancel()
            leg.end_watch = None
        leg.won(event)
        leg.context = self.office.relay_protocol
        self._cell.register(("call", leg.call_id))
        self.office.tell_connection(Claim(leg.call_id, self._cell.ref, is_call=True))
        # The leg's own event may have come before, may come later, or never: whoever waits shall not depend on that.
        answered = dialling.answered or CallStateEvent.from_payload(
            {
                "event_type": "calling.call.state",
                "timestamp": event.timestamp,
                "params": {**event.call, "call_state": CallState.ANSWERED.value, "tag": dialling.tag},
            }
        )
        self.take_event(answered)
        self.on_won()

    def on_won(self) -> None:
        """The dial was answered. For `call` to extend."""

    def _end_legs(self, legs: Iterable[JsonObject]) -> None:
        for ids in legs:
            self.office.send(Outgoing("calling.end", {**ids, "reason": "cancel"}, _ignore_answer, str(ids["call_id"])))

    def _do(self, order: Order) -> None:
        leg, dialling = self.leg, self.leg.dialling
        if dialling is not None and dialling.error is not None and isinstance(order, WaitFor):
            order.refuse(dialling.error)  # the same answer as for those who asked before it failed
            return
        if dialling is None or leg.call_id or leg.is_ended:
            super()._do(order)
            return
        match order:
            case Perform(command=Hangup(), reply=reply):
                leg.end_reason = "cancel"
                self._end_legs(dialling.give_up())
                reply.try_set({})
                self.fail_dial(DialFailedError(dialling.tag, f"Dial cancelled (tag={dialling.tag})"))
                self.hand_out()
            case Perform(command=command) | Begin(action=command):
                order.refuse(
                    NotSentError(
                        f"{getattr(command, 'method', None) or order.action.command.method} was not sent: nobody has "  # type: ignore[union-attr]
                        f"answered the dial yet (tag={dialling.tag}). Wait for it: wait_for_answered()"
                    )
                )
            case _:
                super()._do(order)

    def start_action(self, command: ActionCommand) -> Any:
        """Start an operation from a command that another actor has sent; its end is told as `ActionCompleted`."""
        return self._begin(ACTION_HANDLES[command.method], command, None)

    # -- the end -----------------------------------------------------------------------------------------------------

    def end_lost(self) -> None:
        """The session that would tell of this call is gone: end it, and ask the server to (SEMANTICS K8, X7)."""
        leg, dialling = self.leg, self.leg.dialling
        if dialling is not None and not dialling.is_over:
            self.fail_dial(DialFailedError(dialling.tag, "Connection closed during dial"))
            return
        if leg.is_ended:
            return
        if leg.needs_hang_up:
            params: JsonObject = {**leg.ids, "reason": "error"}
            self.office.send(Outgoing("calling.end", params, _ignore_answer, leg.call_id))
        self.end_without_event("lost")

    def on_leg_ended(self) -> None:
        """The call has ended: stay a moment for what is late, and then stop."""
        self.linger()

    def on_handed_on(self) -> None:
        """The call is somebody else's: stay a moment for what is late, and then stop."""
        self.linger()

    def linger(self) -> None:
        """Stop after ``timing.linger_s``, when the flow is over, too; at the latest after ``timing.wrap_up_s``."""
        leg, cell, timing = self.leg, self._cell, self.office.timing
        if leg.lingers:
            return
        leg.lingers = True

        def lingered() -> None:
            cell.tell_control(_Lingered(cell, is_last=False))

        def wrapped_up() -> None:
            cell.tell_control(_Lingered(cell, is_last=True))

        leg.end_timers = [
            cell.call_later(timing.linger_s, lingered),
            cell.call_later(timing.linger_s + timing.wrap_up_s, wrapped_up),
        ]

    def on_lingered(self, *, is_last: bool) -> None:
        """Nothing late will come now."""
        leg = self.leg
        leg.has_lingered = True
        for key in self.system.registry.keys_of(self._cell):
            self.system.registry.unregister(key, self._cell)
        if is_last and self.is_flow_running:
            self.log.warning("flow still runs after its call, stopping it call_id=%s", leg.call_id)
        if is_last or not self.is_flow_running:
            self._stop_now()

    def stop_if_over(self) -> None:
        """Stop, if only the flow was still waited for."""
        if self.leg.has_lingered:
            self._stop_now()

    def _stop_now(self) -> None:
        leg = self.leg
        for timer in leg.end_timers:
            timer.cancel()
        leg.fail_waits(self.ended_error())
        self.stop()

    @property
    def is_flow_running(self) -> bool:
        """Whether a flow runs. For `call` to extend."""
        return False


class _DialAnswered(Internal):
    """The answer to a dial."""

    __slots__ = ("_cell", "_error")

    def __init__(self, cell: Any, error: RelayActorsError | None) -> None:
        self._cell = cell
        self._error = error

    def deliver(self) -> None:
        """Hand it to the present incarnation."""
        self._cell.actor.on_dial_answered(self._error)
        self._cell.actor.hand_out()


class _DialOverdue(Internal):
    """A dial takes too long."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Any) -> None:
        self._cell = cell

    def deliver(self) -> None:
        """Give it up."""
        self._cell.actor.on_dial_overdue()
        self._cell.actor.hand_out()


class _Lingered(Internal):
    """A call that has ended has waited for what is late."""

    __slots__ = ("_cell", "_is_last")

    def __init__(self, cell: Any, *, is_last: bool) -> None:
        self._cell = cell
        self._is_last = is_last

    def deliver(self) -> None:
        """Stop."""
        self._cell.actor.on_lingered(is_last=self._is_last)


def _ignore_answer(_result: JsonObject | None, _error: RelayActorsError | None) -> None:
    """Nobody waits: the call is ended either way, and an error means that it has ended already."""
