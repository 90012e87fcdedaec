"""The engine of a call's actor: events, commands, operations, the end. Layer: hall.

What users write is on top of it, in `call`. Everything here keeps its state in the `Leg`, which survives when the
user's part crashes.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, cast

from relay_actors.actors.action_actor import ActionActor, BeginAnswered, CallGone
from relay_actors.actors.actions import Action
from relay_actors.actors.in_turn import InTurn, tell_in_turn
from relay_actors.actors.leg import Leg
from relay_actors.actors.notices import ActionCompleted, CommandFailed
from relay_actors.actors.office import Office
from relay_actors.actors.orders import Begin, Control, Listen, Order, Perform, WaitFor
from relay_actors.actors.outgoing import Outgoing, last_word
from relay_actors.actors.verbs import AllVerbs
from relay_actors.actors.waits import follow
from relay_actors.errors import (
    ActorDead,
    CallEnded,
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import Answer, Hangup, Pass, RelayCommand, Transfer
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, ConnectEvent, RelayEvent
from relay_actors.protocol.states import CALL_MOVES, ActionState, CallState
from relay_actors.runtime.actor import Actor, ActorRef
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ChildFailed

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

    @property
    def runs_as(self) -> Runnable:
        """The actor's cell."""
        return self._cell

    def post(self, order: Order) -> None:
        """Have the actor do something, ahead of what others tell it. Any thread.

        Whenever the actor ends, before this, meanwhile or after, the order is settled: nobody waits for ever.
        """
        cell = self._cell
        lost: Future[None] = Future(cell.dispatcher)
        lost.add_done_callback(lambda _lost: self._too_late(order))
        turn = InTurn(cell, lambda actor: actor.take_order(order))
        if cell.mailbox.put_control(Envelope(turn, lost)):  # an envelope that is not handled fails its reply
            cell.wake()
        else:
            self._too_late(order)

    def _too_late(self, order: Order) -> None:
        order.too_late(self.kept.leg)
        if isinstance(order, Begin) and (coroutine := order.action.take_callback()) is not None:
            coroutine.close()
            _log.warning("on_completed was not run, nobody is left to drive it action=%s", order.action)


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

    @property
    def runs_as(self) -> Runnable:
        """Its cell."""
        return self._cell

    def _new_id(self) -> str:
        return self.office.system.new_id()

    def _post(self, order: Order) -> None:
        if here.turn is not self._cell:
            cast("CallRef", self._cell.ref).post(order)
        elif isinstance(order, Listen):  # a listener of this incarnation's: the next one brings its own
            self.leg.listen(order.event_type, order.listener, self._cell.incarnation)
        else:
            self._do(order)

    def later(self, do: Callable[[Any], object]) -> None:
        """Have ``do(actor)`` done in a turn of its own, by whichever incarnation is there then."""
        tell_in_turn(self._cell, do)

    # -- what reaches it ---------------------------------------------------------------------------------------------

    def receive(self, message: object) -> Any:
        """Do what the framework has to do with a message, and hand the user what is theirs."""
        match message:
            case RelayEvent():
                self._on_event(message)
                self.hand_out()
                return None
            case ChildFailed(ref=ref, reason=reason):
                self._on_action_failed(ref, ActorDead(f"nobody follows this operation any more: {reason}"))
        return super().receive(message)

    def take_order(self, order: Order) -> None:
        """Do what a verb has asked from outside."""
        self._do(order)
        self.hand_out()

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
        match event:
            case CallReceiveEvent() if leg.begun:
                self._on_offered_again(event)
                return
            case CallReceiveEvent():
                leg.begun = True
            case CallStateEvent(call_state=state) if state in CALL_MOVES and not leg.moved(event):
                return
            case CallStateEvent(call_state=CallState.ENDED):
                self.end_leg(event)
                return
            case ConnectEvent():
                leg.peer = event.peer or leg.peer
        self._seems_alive()
        self.take_event(event)

    def _on_offered_again(self, event: CallReceiveEvent) -> None:
        leg = self.leg
        if not leg.is_handed_on and leg.hand_on is None:
            return  # delivered again: the handler is not started again (PROTOCOL 8.3)
        # It was given back to routing, which brings it here again: a new call, for a new actor.
        leg.is_handed_on = True
        self.system.registry.unregister(("call", leg.call_id), self._cell)
        self.office.tell_connection(event)
        self.on_handed_on()

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
        self._tell_listeners(event)

    def _report(self, action: Action) -> None:
        """Tell of an operation that is over."""
        leg = self.leg
        if action.is_done and leg.actions.get(action.control_id) is action:
            del leg.actions[action.control_id]
            if action.result is not None:
                leg.backlog.append(ActionCompleted(action, action.result))
                self._call_back(action)

    def _call_back(self, action: Action) -> None:
        coroutine = action.take_callback()
        if coroutine is not None:
            self.run_aside(coroutine, "on_completed")

    def _on_action_failed(self, ref: object, error: ActorDead) -> None:
        """The actor of an operation has failed, and with it only that operation (SEMANTICS X6)."""
        for action in [action for action in self.leg.actions.values() if action.actor_ref == ref]:
            del self.leg.actions[action.control_id]
            action.refuse(error)

    def _tell_listeners(self, event: RelayEvent) -> None:
        """Call who listens; what one raises is logged, and harms nothing (SEMANTICS X13)."""
        for listener in self.leg.listeners(event.event_type, self._cell.incarnation):
            try:
                given = listener(event)
            except Exception:
                _log.exception("listener raised call_id=%s event=%s", self.leg.call_id, event.event_type)
            else:
                if inspect.iscoroutine(given):
                    self.run_aside(given, "listener")

    def run_aside(self, coroutine: Coroutine[Any, Any, Any], what: str) -> None:
        """Run a coroutine beside the flow, in this actor's turns; what it raises is logged and harms nothing."""

        async def guarded() -> None:
            try:
                await coroutine
            except CallEnded as ended:
                _log.debug("%s ended with its call: %s", what, ended)
            except Exception:
                _log.exception("%s raised call_id=%s", what, self.leg.call_id)

        Flow(self._cell, guarded(), lambda _result: None).begin()

    # -- commands ----------------------------------------------------------------------------------------------------

    def _do(self, order: Order) -> None:
        """Do what a verb asks. In the turn."""
        leg = self.leg
        match order:
            case Listen(event_type=event_type, listener=listener):
                leg.listen(event_type, listener, None)
            case _ if leg.is_ended:
                order.too_late(leg)
                if isinstance(order, Begin):
                    self._call_back(order.action)
            case Perform(command=Hangup()):
                self._hang_up(order)
            case Perform(command=Answer(), reply=reply) if leg.has_reached(CallState.ANSWERED):
                reply.try_set({})
            case Perform(command=command, reply=reply):
                if isinstance(command, Transfer | Pass):
                    leg.hand_on = reply
                self.send_order(order)
            case Begin(action=action) if action.control_id in leg.actions:
                self.refuse(order, NotSentError(f"{action!r} was not begun: its control_id is in use on this call"))
            case Begin(action=action):
                leg.actions[action.control_id] = action
                action.actor_ref = self.spawn_inline(ActionActor, action, self.send_order)
                self._send(order)
            case Control(action=action, reply=reply):
                if action.actor_ref is not None and not action.is_done:
                    self.deliver_now(action.actor_ref, order)
                else:
                    reply.try_set({})
            case WaitFor(waiting=waiting, state=state):
                if state and leg.has_reached(state):
                    waiting.wait.try_set(leg.state_event())
                else:
                    leg.wait(waiting)

    def refuse(self, order: Perform | Begin, error: RelayActorsError) -> None:
        """Refuse an order without sending anything; if nobody asks what became of it, the user is told."""
        order.refuse(error)
        # Not now: who has just called the verb has had no time to ask.
        self.later(lambda actor: actor.tell_refusal(order, error))

    def tell_refusal(self, order: Perform | Begin | Control, error: RelayActorsError) -> None:
        """Tell the user of a refusal that nobody has asked for: nothing fails in silence."""
        if not order.is_wanted:
            self.leg.backlog.append(CommandFailed(order.command, error))
        self.hand_out()

    def _hang_up(self, order: Perform) -> None:
        leg = self.leg
        if leg.hang_up is not None and leg.is_being_hung_up:
            follow(order.reply, leg.hang_up)
        else:
            leg.hang_up = order.reply
            self.send_order(order)

    def send_order(self, order: Perform | Control) -> None:
        """Send a command that has a reply."""
        self.leg.replies.add(order.reply)
        self._send(order)

    def _send(self, order: Perform | Begin | Control) -> None:
        cell, leg = self._cell, self.leg

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            tell_in_turn(cell, lambda actor: actor.on_answered(order, result, error))

        params = {**leg.ids, **order.command.to_params()}
        self.office.send(Outgoing(order.command.method, params, on_answer, leg.name))

    def on_answered(
        self, order: Perform | Begin | Control, result: JsonObject | None, error: RelayActorsError | None
    ) -> None:
        """Take the server's answer to a command. In the turn."""
        is_gone = isinstance(error, CommandRejectedError) and error.call_is_gone
        if is_gone:
            _log.warning("gone call_id=%s method=%s: %s", self.leg.call_id, order.command.method, error)
        match order:
            case Begin(action=action):
                self._on_begin_answered(order, action, error)
            case Perform(command=Hangup(), reply=reply) if isinstance(error, ConnectionLostError | RequestTimeoutError):
                # Whether it was done is unknown. Done twice it does no harm; not done, the caller is left in silence.
                if not reply.is_settled:
                    self._send(order)
            case Perform(reply=reply) | Control(reply=reply):
                self.leg.replies.discard(reply)
                is_news = reply.try_set(result or {}) if error is None or is_gone else reply.try_fail(error)
                if is_news and error is not None and not is_gone:
                    self.tell_refusal(order, error)
                if is_news and isinstance(order, Perform):
                    self._on_outcome(order.command, error, is_gone=is_gone)
        self.hand_out()

    def _on_begin_answered(self, order: Begin, action: Action, error: RelayActorsError | None) -> None:
        if action.actor_ref is None or action.is_done:
            return
        self.deliver_now(action.actor_ref, BeginAnswered(error))
        if action.state is ActionState.REJECTED and error is not None:
            self.leg.actions.pop(action.control_id, None)
            self.tell_refusal(order, error)
        elif action.state is ActionState.CALL_ENDED:
            self.expect_end("lost")
            self._report(action)

    def _on_outcome(self, command: RelayCommand, error: RelayActorsError | None, *, is_gone: bool) -> None:
        leg = self.leg
        match command:
            case Hangup(reason=reason):
                self.expect_end(reason)  # also when it has failed: then it will be tried once more
            case Transfer() | Pass() if error is None:
                leg.is_handed_on = True
                self.on_handed_on()
            case Transfer() | Pass():
                leg.hand_on = None
                if leg.left_because:
                    self.leave(leg.left_because)
        if is_gone:
            self.expect_end("lost")
        elif error is None:
            self._seems_alive()

    # -- the end -----------------------------------------------------------------------------------------------------

    def leave(self, reason: str) -> None:
        """Nobody attends to the call any more: hang it up, unless it is, or may yet become, somebody else's."""
        leg = self.leg
        leg.left_because = reason
        if leg.hand_on is None and not leg.is_ended and not leg.is_handed_on:
            self.perform(Hangup(reason=reason))

    def expect_end(self, reason: str) -> None:
        """If no end event comes within ``timing.end_timeout_s``, end without (SEMANTICS X3)."""
        leg = self.leg
        if leg.is_ended or leg.is_handed_on:
            return
        leg.expected_end = reason
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        if not leg.is_cut_off:  # as long as nothing can be heard, it says nothing that nothing is heard
            # Not one of the actor's own timers: those end with a restart, and this concerns the call.
            overdue = partial(self.later, lambda actor: actor.end_without_event(reason))
            leg.end_watch = self._cell.call_later(self.office.timing.end_timeout_s, overdue)

    def _seems_alive(self) -> None:
        """Whatever a refusal has said, the call is there: something was heard of it."""
        leg = self.leg
        if leg.expected_end and leg.hang_up is None:
            leg.expected_end = ""
            if leg.end_watch is not None:
                leg.end_watch.cancel()

    def end_without_event(self, reason: str) -> None:
        """End the call as far as we are concerned, and on the wire too if it may still be up there."""
        leg = self.leg
        if leg.is_ended or leg.is_handed_on:
            return
        _log.warning("ending without an end event call_id=%s reason=%s", leg.call_id, reason)
        if leg.needs_hang_up:
            self.office.send(last_word(leg.ids, "error"))
        params: JsonObject = {**leg.ids, "call_state": CallState.ENDED.value, "end_reason": reason, "tag": leg.tag}
        event = CallStateEvent.from_payload({"event_type": "calling.call.state", "params": params})
        if leg.moved(event):
            self.end_leg(event)
        self.hand_out()

    def end_leg(self, event: RelayEvent) -> None:
        """The call has ended: everything that waits for it ends, in this turn (SEMANTICS X2)."""
        leg = self.leg
        leg.ended_event = event
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        leg.settle_waits(event)
        self.on_leg_ended()
        for action in tuple(leg.actions.values()):
            if action.actor_ref is not None:
                self.deliver_now(action.actor_ref, CallGone(event))
            action.complete(ActionState.CALL_ENDED, event)  # also one whose own actor has failed
            self._report(action)
        leg.fail_waits(leg.ended_error())
        leg.backlog.append(event)
        self._tell_listeners(event)

    def finish(self) -> None:
        """End in order: nobody is left waiting."""
        try:
            super().finish()
        finally:
            self.leg.close()

    def on_leg_ended(self) -> None:
        """The call has ended; those who wait for just that are settled, the others not yet. For `call` to extend."""

    def on_handed_on(self) -> None:
        """The call is somebody else's now. For `call` to extend."""
