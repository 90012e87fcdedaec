"""The engine of a call's actor: events, commands, operations, the end. Layer: hall.

What users write is on top of it, in `call`. Everything here keeps its state in the `Leg`, which survives when the
user's part crashes.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Coroutine
from typing import Any, cast

from relay_actors.actors.action_actor import ActionActor, BeginAnswered, CallGone
from relay_actors.actors.actions import Action
from relay_actors.actors.leg import Leg
from relay_actors.actors.notices import ActionCompleted, CommandFailed
from relay_actors.actors.office import Office
from relay_actors.actors.orders import Begin, Control, Listen, Order, Perform, WaitFor
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.verbs import AllVerbs
from relay_actors.errors import (
    CallEnded,
    CommandRejectedError,
    ConnectionLostError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import Answer, Hangup, Pass, Transfer
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, ConnectEvent, RelayEvent
from relay_actors.protocol.states import ActionState, CallState
from relay_actors.runtime.actor import Actor, ActorRef
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.context import here
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.signals import Internal

__all__ = ["CallRef", "Kept", "LegActor"]

_log = logging.getLogger("relay_actors.calls")


class Kept:
    """What a call's actor keeps over its restarts: its leg, and where everything else is."""

    __slots__ = ("leg", "office")

    def __init__(self, leg: Leg, office: Office) -> None:
        self.leg = leg
        self.office = office


class CallRef(ActorRef[Any]):
    """A reference to a call's actor, by which verbs reach it from outside."""

    @property
    def kept(self) -> Kept:
        """What the actor keeps."""
        return cast("Kept", self._cell.keep)

    def post(self, order: Order) -> None:
        """Have the actor do something, ahead of what others tell it. Any thread."""
        if self._cell.tell_control(order):
            return
        leg = self.kept.leg
        match order:
            case WaitFor() if leg.dialling is not None and leg.dialling.error is not None:
                order.refuse(leg.dialling.error)
            case WaitFor(state=state) if state and leg.has_reached(state) and leg.ended_event is not None:
                order.waiting.wait.try_set(leg.ended_event)
            case _:
                order.refuse(CallEnded(leg.call_id or leg.tag, leg.end_reason or "its actor has ended"))


class LegActor(Actor, AllVerbs):
    """One leg of a call, as an actor."""

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref of a call. For the cell."""
        return CallRef(cell)

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def leg(self) -> Leg:
        """What is known of the call."""
        return cast("Kept", self._cell.keep).leg

    @property
    def office(self) -> Office:
        """Where everything else is."""
        return cast("Kept", self._cell.keep).office

    @property
    def runs_on(self) -> Dispatcher:
        """Who runs it."""
        return self._cell.dispatcher

    def _new_id(self) -> str:
        return self.office.system.new_id()

    def _post(self, order: Order) -> None:
        if here.turn is self._cell:
            self._do(order)
        else:
            cast("CallRef", self._cell.ref).post(order)

    def finish(self) -> None:
        """End in order, and let nobody wait: a supervisor that is stopping itself does not look after it any more."""
        super().finish()
        leg = self.leg
        gone = CallEnded(leg.call_id or leg.tag, leg.end_reason or "its actor was stopped")
        leg.fail_waits(gone)
        for action in list(leg.actions.values()):
            action.refuse(gone)

    # -- what reaches it ---------------------------------------------------------------------------------------------

    def receive(self, message: object) -> Any:
        """Do what the framework has to do with a message, and hand the user what is theirs."""
        match message:
            case RelayEvent():
                self._on_event(message)
            case Perform() | Begin() | Control() | WaitFor() | Listen():
                self._do(message)
            case _:
                return super().receive(message)
        self.hand_out()
        return None

    def hand_out(self) -> None:
        """Hand the user what has gathered, oldest first; what a crash leaves is handed to the next incarnation."""
        backlog = self.leg.backlog
        while backlog:
            self.hand_to_user(backlog.popleft())

    def hand_to_user(self, message: object) -> None:
        """Hand the user one message. For `call` to extend."""
        self.on_receive(message)

    # -- events ------------------------------------------------------------------------------------------------------

    def _on_event(self, event: RelayEvent) -> None:
        leg = self.leg
        if leg.is_ended:
            _log.debug("late event dropped call_id=%s event=%s", leg.call_id, event.event_type)
            return
        match event:
            case CallStateEvent() if not leg.moved(event):
                return
            case CallStateEvent(call_state=CallState.ENDED):
                self.end_leg(event)
                return
            case ConnectEvent():
                leg.peer = event.peer or leg.peer
            case CallReceiveEvent() if leg.begun:
                return  # delivered again: the handler is not started again (PROTOCOL 8.3)
            case CallReceiveEvent():
                leg.begun = True
        self.take_event(event)

    def take_event(self, event: RelayEvent) -> None:
        """Feed the operation it belongs to, those who wait, those who listen, and the user."""
        leg = self.leg
        action = leg.actions.get(event.control_id) if event.control_id else None
        if action is not None and action.actor_ref is not None:
            self.deliver_now(action.actor_ref, event)
        leg.settle_waits(event)
        leg.backlog.append(event)
        if action is not None:
            self._report(action)
        for listener in tuple(leg.listeners.get(event.event_type, ())):
            self.call_guarded(listener, event)

    def _report(self, action: Action) -> None:
        """Tell of an operation that is over."""
        if action.is_done and self.leg.actions.pop(action.control_id, None) is not None and action.result is not None:
            self.leg.backlog.append(ActionCompleted(action, action.result))
            coroutine = action.take_callback(action.result)
            if coroutine is not None:
                self.run_aside(coroutine, "on_completed")

    def call_guarded(self, function: Any, event: RelayEvent) -> None:
        """Call a listener; what it raises is logged and harms nothing (SEMANTICS X13)."""
        try:
            given = function(event)
        except Exception:
            _log.exception("listener raised call_id=%s event=%s", self.leg.call_id, event.event_type)
            return
        if inspect.iscoroutine(given):
            self.run_aside(given, "listener")

    def run_aside(self, coroutine: Coroutine[Any, Any, Any], what: str) -> None:
        """Run a coroutine beside the flow, in this actor's turns; what it raises is logged and harms nothing."""

        async def guarded() -> None:
            try:
                await coroutine
            except Exception:
                _log.exception("%s raised call_id=%s", what, self.leg.call_id)

        Flow(self._cell, guarded(), lambda _result: None).begin()

    # -- commands ----------------------------------------------------------------------------------------------------

    def _do(self, order: Order) -> None:
        """Do what a verb asks. In the turn."""
        leg = self.leg
        match order:
            case Perform(command=Hangup()):
                self._hang_up(order)
            case _ if leg.state == CallState.ENDED:
                self._after_the_end(order)
            case Perform(command=Answer(), reply=reply) if leg.has_reached(CallState.ANSWERED):
                reply.try_set({})
            case Perform(command=command, reply=reply):
                leg.replies.add(reply)
                self._send(command.method, {**leg.ids, **command.to_params()}, order)
            case Begin(action=action):
                leg.actions[action.control_id] = action
                action.actor_ref = self.spawn_inline(ActionActor, action, self._send_control)
                self._send(action.command.method, {**leg.ids, **action.command.to_params()}, order)
            case Control(action=action, reply=reply):
                if action.actor_ref is not None and not action.is_done:
                    self.deliver_now(action.actor_ref, order)
                else:
                    reply.try_set({})
            case WaitFor(waiting=waiting, state=state):
                if state and leg.has_reached(state):
                    waiting.wait.try_set(self.state_event())
                else:
                    leg.waits.append(waiting)
            case Listen(event_type=event_type, listener=listener):
                leg.listeners.setdefault(event_type, []).append(listener)

    def _after_the_end(self, order: Order) -> None:
        match order:
            case WaitFor(waiting=waiting, state=state) if state:
                waiting.wait.try_set(self.leg.ended_event or self.state_event())
            case Begin(action=action):  # a completed action, as the seed has it (PROTOCOL 10.4)
                action.complete(ActionState.CALL_ENDED, RelayEvent("", {}))
                coroutine = action.take_callback(RelayEvent("", {}))
                if coroutine is not None:
                    self.run_aside(coroutine, "on_completed")
            case Control(reply=reply):
                reply.try_set({})
            case _:
                order.refuse(self.ended_error())

    def _hang_up(self, order: Perform) -> None:
        leg = self.leg
        if leg.is_ended:
            order.reply.try_set({})
        elif leg.hang_up is not None and leg.hang_up.error is None:
            first = leg.hang_up
            first.add_done_callback(lambda _done: _settle_like(first, order.reply))
        else:
            leg.hang_up = order.reply
            self.send_hang_up(order)

    def send_hang_up(self, order: Perform) -> None:
        """Send the one hang-up, or send it again while it is unknown whether it was done; not once the call is over."""
        if self.leg.is_ended:
            order.reply.try_set({})
            return
        self.leg.replies.add(order.reply)
        self._send(order.command.method, {**self.leg.ids, **order.command.to_params()}, order)

    def _send_control(self, order: Control) -> None:
        self.leg.replies.add(order.reply)
        self._send(order.command.method, {**self.leg.ids, **order.command.to_params()}, order)

    def _send(self, method: str, params: JsonObject, order: Order) -> None:
        cell = self._cell

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            cell.tell_control(_Answered(cell, order, result, error))

        self.office.send(Outgoing(method, params, on_answer, self.leg.call_id or self.leg.tag))

    def on_answered(self, order: Order, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Take the server's answer to a command. In the turn."""
        match order:
            case Begin(action=action):
                self._on_begin_answered(action, error)
            case Perform(command=Hangup()) if isinstance(error, ConnectionLostError | RequestTimeoutError):
                # Whether it was done is unknown. Done twice it does no harm; not done, the caller is left in silence.
                self.send_hang_up(order)
            case Perform(command=command, reply=reply) | Control(command=command, reply=reply):
                self.leg.replies.discard(reply)
                if isinstance(error, CommandRejectedError) and error.call_is_gone:
                    _log.warning("the call is gone call_id=%s method=%s: %s", self.leg.call_id, command.method, error)
                    self.expect_end("lost")
                    result, error = {}, None
                if error is not None:
                    if reply.try_fail(error) and not reply.is_wanted:
                        self.leg.backlog.append(CommandFailed(command, error))
                elif reply.try_set(result if result is not None else {}):
                    self._on_accepted(command)
        self.hand_out()

    def _on_begin_answered(self, action: Action, error: RelayActorsError | None) -> None:
        if action.actor_ref is None or action.is_done:
            return
        self.deliver_now(action.actor_ref, BeginAnswered(error))
        if action.state is ActionState.REJECTED:
            self.leg.actions.pop(action.control_id, None)
            if error is not None and not action.is_wanted:
                self.leg.backlog.append(CommandFailed(action.command, error))
        elif action.state is ActionState.CALL_ENDED:
            self.expect_end("lost")
            self._report(action)

    def _on_accepted(self, command: object) -> None:
        match command:
            case Hangup(reason=reason):
                self.expect_end(reason)
            case Transfer() | Pass():
                self.leg.is_handed_on = True
                self.on_handed_on()

    # -- the end -----------------------------------------------------------------------------------------------------

    def expect_end(self, reason: str) -> None:
        """If no end event comes within ``timing.end_timeout_s``, end without (SEMANTICS X3)."""
        leg, cell = self.leg, self._cell
        if leg.is_ended or leg.end_watch is not None:
            return

        def overdue() -> None:
            cell.tell_control(_EndOverdue(cell, reason))

        # Not one of the actor's own timers: those end with a restart, and this concerns the call.
        leg.end_watch = cell.call_later(self.office.timing.end_timeout_s, overdue)

    def end_without_event(self, reason: str) -> None:
        """End the call as far as we are concerned: nothing more will be heard of it."""
        leg = self.leg
        if leg.is_ended:
            return
        _log.warning("ending without an end event call_id=%s reason=%s", leg.call_id, reason)
        params: JsonObject = {**leg.ids, "call_state": CallState.ENDED.value, "end_reason": reason, "tag": leg.tag}
        event = CallStateEvent.from_payload({"event_type": "calling.call.state", "params": params})
        if leg.moved(event):
            self.end_leg(event)

    def end_leg(self, event: RelayEvent) -> None:
        """The call has ended: everything that waits for it ends, in this turn (SEMANTICS X2)."""
        leg = self.leg
        leg.ended_event = event
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        leg.settle_waits(event)
        self.on_leg_ended()
        for action in list(leg.actions.values()):
            if action.actor_ref is not None:
                self.deliver_now(action.actor_ref, CallGone(event))
            self._report(action)
        leg.fail_waits(self.ended_error())
        leg.backlog.append(event)
        for listener in tuple(leg.listeners.get(event.event_type, ())):
            self.call_guarded(listener, event)

    def on_leg_ended(self) -> None:
        """The call has ended; those who wait for just that are settled, the others not yet. For `call` to extend."""

    def on_handed_on(self) -> None:
        """The call is somebody else's now. For `call` to extend."""

    def ended_error(self) -> CallEnded:
        """Return the error that ends what waits for this call."""
        return CallEnded(self.leg.call_id or self.leg.tag, self.leg.end_reason)

    def state_event(self) -> RelayEvent:
        """Return the present state as an event, for those who wait for one that has been reached (PROTOCOL 8.4)."""
        return CallStateEvent(
            "calling.call.state", {"call_state": self.leg.state}, self.leg.call_id, 0.0, self.leg.state
        )


class _Answered(Internal):
    """The answer to a command, on its way to the turn of the call that gave it."""

    __slots__ = ("_cell", "_error", "_order", "_result")

    def __init__(self, cell: Any, order: Order, result: JsonObject | None, error: RelayActorsError | None) -> None:
        self._cell = cell
        self._order = order
        self._result = result
        self._error = error

    def deliver(self) -> None:
        """Hand it to the present incarnation."""
        self._cell.actor.on_answered(self._order, self._result, self._error)


class _EndOverdue(Internal):
    """The end event of a call is overdue."""

    __slots__ = ("_cell", "_reason")

    def __init__(self, cell: Any, reason: str) -> None:
        self._cell = cell
        self._reason = reason

    def deliver(self) -> None:
        """End the call without it."""
        self._cell.actor.end_without_event(self._reason)
        self._cell.actor.hand_out()


def _settle_like(done: Any, reply: Any) -> None:
    if done.error is not None:
        reply.try_fail(done.error)
    else:
        reply.try_set(done.get(timeout=0))
