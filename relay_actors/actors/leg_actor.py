"""The engine of a call's actor: what the wire tells it, and what its verbs ask of it. Layer: hall.

What users write is on top of it, in `call`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from relay_actors.actors.actions import Action, OnAction
from relay_actors.actors.arranged import note_callback, note_hang_up
from relay_actors.actors.call_ref import CallRef
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.for_others import is_run_again
from relay_actors.actors.history import Answered, Asked, Told
from relay_actors.actors.holding import TakeBack
from relay_actors.actors.leg_life import say
from relay_actors.actors.notices import CommandFailed
from relay_actors.actors.orders import (
    Again,
    Begin,
    Control,
    Follow,
    HangUpAfter,
    LetGo,
    Listen,
    Order,
    Perform,
    WaitFor,
)
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.outwards import Silenced
from relay_actors.actors.reconcile import Sent
from relay_actors.actors.stalls import Stalling
from relay_actors.actors.waits import follow
from relay_actors.errors import (
    ActorDead,
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import (
    AIHold,
    AIMessage,
    AIUnhold,
    Answer,
    ClearDigitBindings,
    DenoiseStop,
    Dial,
    Disconnect,
    Hangup,
    LeaveConference,
    LeaveRoom,
    LiveTranscribe,
    LiveTranslate,
    Pass,
    QueueLeave,
    RelayCommand,
    Transfer,
    Unhold,
)
from relay_actors.protocol.commands.doubts import can_be_doubtful
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, ConnectEvent, RelayEvent
from relay_actors.protocol.frozen import NOTHING
from relay_actors.protocol.states import CALL_MOVES, ActionState, CallState, ConnectState
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import NORMAL, ChildFailed, ExitReason
from relay_actors.runtime.signals import Stop, Unwrapped

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["LegActor"]

_log = logging.getLogger("relay_actors.calls")


_ABOUT_SOMETHING_ELSE: Final = frozenset(
    command.method
    for command in (
        AIHold,
        AIMessage,
        AIUnhold,
        ClearDigitBindings,
        DenoiseStop,
        Disconnect,
        LeaveConference,
        LeaveRoom,
        LiveTranscribe,
        LiveTranslate,
        QueueLeave,
        Unhold,
    )
)
"""A 404 to these may say that what they are about is gone, a room or an agent; the call may be quite well."""


_HAND_ON: Final = (Transfer, Pass)

# Looked up once: a member of an enum costs as much as two calls.
_ANSWERED: Final = CallState.ANSWERED
_ENDED: Final = CallState.ENDED

_ABOUT_THE_CALL: Final = (CallStateEvent, CallReceiveEvent, ConnectEvent)
"""Events that say something of the call itself, and not of what runs on it."""


class _Answer(Unwrapped):
    """The answer to one of a call's commands: told to this, which tells whichever incarnation is there."""

    __slots__ = ("_cell", "_error", "_is_told", "_number", "_result")

    def __init__(self, cell: Cell, number: int) -> None:
        self._cell: Any = cell
        self._number = number
        self._is_told = False

    def __call__(self, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Take how the command ended. In the connection's turn."""
        if self._is_told:  # that it has taken too long: the answer comes after all, and that may still be on its way
            _Answer(self._cell, self._number)(result, error)
            return
        self._is_told = True
        self._result = result
        self._error = error
        self._cell.tell_control(self)

    def deliver(self) -> None:
        """Have it taken."""
        self._cell.actor.on_told_answer(self._number, self._result, self._error)


class LegActor(Stalling):
    """Adds events and commands to the life of a call's actor."""

    _is_ordered_by_others: bool = False

    def _post(self, order: Order) -> None:
        cell = self._cell
        if here.turn is not cell:
            cast("CallRef", cell.ref).post(order)
        elif isinstance(order, Listen):  # a listener of this incarnation's: the next one brings its own
            self.office.doubts.look_at_event_type(order.event_type, self.leg.name)
            self.leg.listen(order.event_type, order.listener, cell.incarnation)
        elif isinstance(cell.outward, Silenced) and not isinstance(order, WaitFor | LetGo):
            order.refuse(Silenced.refusal())
        elif is_run_again(self):
            self.take_order(order)
        else:  # a former incarnation, which may have left it behind, may know the call as it was when that has crashed
            cast("LegActor", cell.actor).take_others_order(order)

    def leave_behind(self, asides: Mapping[Any, bool]) -> None:
        """Close those coroutines of the former incarnation that this one runs again; what they still do is not done."""
        cell, outward = self._cell, self._cell.outward
        cell.outward = Silenced(self)
        try:
            for aside in [aside for aside, is_own in asides.items() if is_own]:
                aside.close()
        finally:
            cell.outward = outward

    # -- what reaches it ---------------------------------------------------------------------------------------------

    def take_wire_event(self, event: RelayEvent) -> None:
        """Do what the framework has to do with an event, and hand the user what is theirs."""
        leg = self.leg
        course = leg.course
        course.told += 1
        if course.replay is None:
            course.entries += 1
            if course.record is not None:
                course.write(Told(event, self.office.clock.wall()), self.office.limits.recorded_per_call)
        asked_before = tuple(leg.under_way) if leg.under_way else ()
        if leg.dialling is not None:
            self._on_event_of_dial(leg.dialling, event)
        elif leg.expected_end or isinstance(event, _ABOUT_THE_CALL):
            self._on_event(event)
        else:
            self.take_event(event)
        if asked_before:
            self.take_evidence(event, asked_before)
        if leg.backlog:
            self.hand_out()

    # -- events ------------------------------------------------------------------------------------------------------

    def _on_event_of_dial(self, dialling: Dialling, event: RelayEvent) -> None:
        """Take an event of a call that this side has dialled. For subclasses to extend."""

    def _on_event(self, event: RelayEvent) -> None:
        leg = self.leg
        if isinstance(event, CallStateEvent):
            if event.call_state in CALL_MOVES and not leg.moved(event):
                return
            if event.call_state == _ENDED:
                self.end_leg(event)
                return
        elif isinstance(event, CallReceiveEvent):
            if leg.begun:
                self._on_offered_again(event)
                return
            leg.begun = True
        elif isinstance(event, ConnectEvent):
            leg.peer = event.peer or leg.peer
            leg.is_bridged = event.connect_state == ConnectState.CONNECTED
        if leg.expected_end:
            self._seems_alive()
        self.take_event(event)

    def _on_offered_again(self, event: CallReceiveEvent) -> None:
        leg = self.leg
        if leg.hand_on is None:
            return  # delivered again: the handler is not started again (PROTOCOL 8.3)
        # It was given back to routing, which brings it here again: a new call, for a new actor.
        leg.is_handed_on = True
        leg.is_answered_for(leg.hand_on)
        leg.hand_on.try_set({})  # whatever becomes of its answer
        self.system.registry.unregister(("call", leg.call_id), self._cell)
        self.forget_what_is_under_way()  # first: the new actor's commands have the same subject
        self.tell_connection(event)
        self.linger()

    def take_event(self, event: RelayEvent) -> None:
        """Feed the operation it belongs to, its callback, those who listen, those who wait, and the user.

        In this order: who goes on after a wait finds that the others have been told. The official client's do, too.
        """
        leg = self.leg
        action = leg.actions.get(event.control_id) if leg.actions else None
        if action is None:
            leg.backlog.append(event)
            if leg.has_listeners:
                self._tell_listeners(event)
        else:
            try:
                order = action.on_event(event)
            except Exception as error:  # noqa: BLE001  # logged, and told
                self._drop_action(action, event, error)
            else:
                if order is not None:
                    self._send_control(cast("Control", order))
            leg.backlog.append(event)
            if action.is_over:
                self._report(action)
            if leg.has_listeners:
                self._tell_listeners(event)
            if action.result is not None:
                action.release()
        if leg.waits:
            leg.settle_waits(event)

    def drive_action(self, action: Action, step: Callable[[Any], OnAction | None], what: Any) -> None:
        """Tell an operation something. If it fails by that, only that operation has failed (SEMANTICS X6)."""
        try:
            order = step(what)
        except Exception as error:  # noqa: BLE001  # logged, and told
            self._drop_action(action, what, error)
        else:
            if order is not None:
                self._send_control(cast("Control", order))

    def _send_control(self, order: Control) -> None:
        """Send a command on an operation as whose it is: it may have waited for what has happened just now."""
        outer, self._is_ordered_by_others = self._is_ordered_by_others, order.is_others
        try:
            self.send_order(order)
        finally:
            self._is_ordered_by_others = outer

    def _drop_action(self, action: Action, what: Any, error: Exception) -> None:
        reason = ExitReason("error", cause=error)
        _log.error("operation failed call_id=%s action=%s", self.leg.name, action, exc_info=error)
        self.leg.actions.pop(action.control_id, None)
        action.refuse(ActorDead(f"nobody follows this operation any more: {reason}"))
        self.leg.backlog.append(ChildFailed(action, reason, what))

    # -- commands ----------------------------------------------------------------------------------------------------

    def take_order(self, order: Order) -> None:
        """Do what a verb asks. In the turn."""
        leg = self.leg
        if leg.dialling is not None and not leg.call_id and self._take_order_of_dial(leg.dialling, order):
            return
        if leg.state == _ENDED and not isinstance(order, Listen):
            self.run_code(not self._is_ordered_by_others, order.too_late, leg)
            if isinstance(order, Begin):
                self._call_back(order.action)
            return
        if leg.is_let_go and not isinstance(order, WaitFor | Listen | LetGo):  # whoever still cleans up, or comes late
            order.refuse(NotSentError("nothing is sent any more: the call was left to the server"))
            return
        match order:
            case Perform(command=command, reply=reply):
                if isinstance(command, Hangup):
                    self._hang_up(order)
                elif isinstance(command, Answer) and leg.has_reached(_ANSWERED):
                    reply.try_set({})
                else:
                    if isinstance(command, _HAND_ON):
                        leg.hand_on = reply
                    self.send_order(order)
            case Follow(action=action):
                known = leg.actions.get(action.control_id)
                if known is not None:
                    action.follow(known, self._call_back)
                    return
                leg.actions = {**leg.actions, action.control_id: action}
                action.begin()
                self.drive_action(action, action.on_begin_answered, None)
            case Begin(action=action) if action.control_id in leg.actions:
                self.refuse(order, NotSentError(f"{action!r} was not begun: its control_id is in use on this call"))
            case Begin(action=action):
                leg.actions = {**leg.actions, action.control_id: action}
                action.begin()
                self._send(order)
                if action.on_completed is not None:
                    note_callback(self, action, is_own=not self._is_ordered_by_others)
            case Again():
                self._take_again(order)
            case HangUpAfter(hang_up=hang_up):
                self.leg.replies = {**leg.replies, hang_up.reply: None}
                note_hang_up(self, order, is_own=not self._is_ordered_by_others)
            case Control(action=action, reply=reply):
                order.is_others = self._is_ordered_by_others
                if action.is_followed and not action.is_over:
                    self.drive_action(action, action.on_order, order)
                else:
                    reply.try_set({})  # there is nothing to do any more (SEMANTICS X5, PROTOCOL 10.6)
            case WaitFor(waiting=waiting, event_type=event_type):
                if event_type:
                    self.office.doubts.look_at_event_type(event_type, leg.name)
                if order.is_reached(leg):
                    waiting.try_set(order.reached_event(leg))
                else:
                    leg.wait(waiting)
            case Listen(event_type=event_type, listener=listener):
                self.office.doubts.look_at_event_type(event_type, leg.name)
                leg.listen(event_type, listener, None)
            case LetGo(error=error, done=done):
                leg.is_let_go = True
                leg.close(error)
                # Its code is cancelled before it sees the error, which is no reason to crash, or to do it again. Who
                # dials stays until the connection is closed: of a dial whose actor has ended, the legs are hung up.
                if leg.call_id:
                    self._cell.signal(Stop(NORMAL))
                done.try_set(None)

    def _take_again(self, again: Again) -> None:
        """Find what another call had asked for in a former process, or before it was restarted; or do it now."""
        leg, order = self.leg, again.order
        known = None if leg.course.others is None else leg.course.others.get(order.name)
        if known is not None:
            again.follow(known, self._call_back)
        elif isinstance(order, Begin) and (running := leg.actions.get(order.name)) is not None:
            again.follow(Begin(running), self._call_back)
        elif again.may_be_lost and leg.course.others is not None:
            self.take_order(order)  # it is on record before it leaves: this one has never left
        else:
            again.refuse(ConnectionLostError("what became of it is not known any more"))

    def _take_order_of_dial(self, dialling: Dialling, order: Order) -> bool:
        """Do what a verb asks while nobody has answered; return whether that is all. For subclasses to extend."""
        return False

    def refuse(self, order: Perform | Begin, error: RelayActorsError) -> None:
        """Refuse an order without sending anything; if nobody asks what became of it, the user is told."""
        order.refuse(error)
        # Not now: who has just called the verb has had no time to ask.
        self.later(lambda actor: actor.tell_refusal(order, error))

    def tell_refusal(self, order: Perform | Begin, error: RelayActorsError) -> None:
        """Tell the user of a refusal, if nobody has asked for it by now."""
        self._note_refusal(order, error)
        self.hand_out()

    def _note_refusal(self, order: Perform | Begin | Control, error: RelayActorsError) -> None:
        """Have the user told of a refusal that nobody has asked for: nothing fails in silence."""
        if not order.is_wanted:
            self.leg.backlog.append(CommandFailed(order.command, error))

    def _hang_up(self, order: Perform) -> None:
        first = self.leg.hang_up
        if first is not None and first.error is None:
            self.leg.is_answered_for(order.reply)  # one that was to come later has been waiting there
            follow(order.reply, first)
        else:
            self.leg.hang_up = order.reply
            self.send_order(order)

    def send_order(self, order: Perform | Control) -> None:
        """Send a command that has a reply."""
        leg = self.leg
        if leg.replies:
            leg.replies[order.reply] = None
        else:
            leg.replies = {order.reply: None}
        self._send(order)

    def _send(self, order: Perform | Begin | Control) -> None:
        leg = self.leg
        command = order.command
        params = command.with_params({"node_id": leg.node_id, "call_id": leg.call_id})  # PROTOCOL 8.7
        if can_be_doubtful(command):
            self.office.doubts.look_at_params(command, params, leg.call_id)
        self.note_sent(order)
        if leg.course.replay is None:
            self.give_command(order, command.method, params)
        else:
            self.ask_server(order, command.method, params)

    def ask_server(self, asking: Any, method: str, params: JsonObject) -> None:
        """Give a command; while the call is rebuilt, it is compared with what was given then.

        Args:
            asking: the order, or the dial; told the answer.
            method: of the wire.
            params: complete.
        """
        replay = self.leg.course.replay
        if replay is None:
            self.give_command(asking, method, params)
        else:
            replay.ask(self, asking, method, params)

    def give_command(self, asking: Any, method: str, params: JsonObject, after: int | None = None) -> None:
        """Give a command to the connection, and note who is told the answer; see `ask_server`."""
        leg = self.leg
        course = leg.course
        if course.recovered_at is not None:
            self.note_recovery()
        course.commands += 1
        course.entries += 1
        number = course.commands
        if course.asked:
            course.asked[number] = asking
        else:
            course.asked = {number: asking}
        known = leg.under_way.get(asking)
        if known is not None:
            known.number = number
        is_repeat = known is not None and known.repeats > 0
        by = getattr(asking, "name", "") or "other" if self._is_ordered_by_others else "call"
        if course.record is not None:
            asked = Asked(number, method, params, by == "call", self.office.clock.wall())
            course.write(asked, self.office.limits.recorded_per_call, after)
        told = course.told if after is None else after
        answer = _Answer(self._cell, number)
        self.office.send(Outgoing(method, params, answer, leg.subject, number, told, by, answer, is_repeat))

    def take_back(self, asked: Future[Any]) -> None:
        """Have a command not sent, if it has not left yet, and not again, if its answer is lost. In the turn.

        Args:
            asked: its reply, or the handle of what it begins.
        """

        def is_it(asking: Any) -> bool:
            return asked is (asking.action if isinstance(asking, Begin) else getattr(asking, "reply", None))

        leg, subject = self.leg, self.leg.subject
        for asking, known in leg.under_way.items():
            known.is_given_up |= is_it(asking)
        numbers = [number for number, asking in leg.course.asked.items() if is_it(asking)]
        if numbers:
            self.tell_connection(TakeBack(lambda outgoing: outgoing.subject == subject and outgoing.number in numbers))

    def ask_again(self, asked: Asked, asking: Any = None) -> None:
        """Have the engine know of a command that was given then, and is not given again.

        Args:
            asked: what was given.
            asking: who gave it, if that is still known.
        """
        from relay_actors.actors.orders_again import order_of  # here, for a call that has a past only

        if asked.method == Dial.method:  # the engine begins that by itself
            return
        course, order = self.leg.course, order_of(self, asked.method, asked.params) if asking is None else asking
        if asking is None and not asked.is_own and course.others is not None:
            course.others = {**course.others, asked.by or order.name: order}
        self.take_order(order)

    def take_others_order(self, order: Order) -> None:
        """Do what somebody else asks of the call. In the turn."""
        wanted = order.order if isinstance(order, Again) else order
        if isinstance(wanted, Begin):
            wanted.action.is_others = True
        outer, self._is_ordered_by_others = self._is_ordered_by_others, True
        try:
            self.take_order(order)
        finally:
            self._is_ordered_by_others = outer

    def on_told_answer(self, number: int, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Take the server's answer to one of the call's commands. In the turn."""
        course = self.leg.course
        course.told += 1
        if course.replay is None:
            course.entries += 1
            if course.record is not None:
                told = Answered(number, result, error, self.office.clock.wall())
                course.write(told, self.office.limits.recorded_per_call)
        asked = course.asked
        if error is None or not isinstance(error, RequestTimeoutError):  # otherwise the answer may still come
            asking = asked.pop(number, None)
            if not asked:
                course.asked = NOTHING
        else:
            asking = asked.get(number)
        if asking is not None:
            self.on_answered(asking, result, error)

    def found_unanswered(self, asking: Any) -> None:
        """A command was given before the end of the process, and nobody knows what became of it (SEMANTICS J5)."""
        known = self.leg.under_way.get(asking)
        if known is not None and known.error is None:
            self.put_in_doubt(asking)

    def send_again(self, order: Sent) -> None:
        """Send a command under the same ids."""
        assert isinstance(order, Perform | Begin | Control)
        self._send(order)

    def on_answered(self, order: Sent, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Take the server's answer to a command, or that none has come (yet). In the turn."""
        if error is None and self.leg.expected_end:
            self._seems_alive()  # whatever was asked for: it was accepted on this call
        known = self.leg.under_way.get(order) if error is None else None
        if known is not None and known.clock is None and not known.is_holding:  # as nearly always: it went well
            del self.leg.under_way[order]
            if not self.leg.under_way:
                self.leg.under_way = NOTHING
            if isinstance(order, Begin):
                self._on_begin_answered(order, order.action, None)
            else:
                self.take_outcome(order, result, None)
            if self.leg.backlog:
                self.hand_out()
            return
        outcome = self.take_answer(order, result, error)
        if outcome is not None:
            self.take_outcome(order, *outcome)
        self.hand_out()

    def take_outcome(self, order: Sent, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Do what follows from the certain outcome of a command, and tell who waits for it."""
        is_gone = isinstance(error, CommandRejectedError) and error.call_is_gone
        if is_gone:
            say(self, logging.WARNING, "gone call_id=%s method=%s: %s", self.leg.call_id, order.command.method, error)
        match order:
            case Begin(action=action):
                self._on_begin_answered(order, action, error)
            case Perform(reply=reply) | Control(reply=reply):
                self.leg.is_answered_for(reply)
                is_news = reply.try_set(result or {}) if error is None or is_gone else reply.try_fail(error)
                if is_news and error is not None and not is_gone:
                    self._note_refusal(order, error)
                if isinstance(order, Perform):
                    self._on_outcome(order.command, error, is_gone=is_gone)

    def _on_begin_answered(self, order: Begin, action: Action, error: RelayActorsError | None) -> None:
        if not action.is_followed or action.is_over:
            return
        self.drive_action(action, action.on_begin_answered, error)
        if error is None:
            return
        if action.state is ActionState.REJECTED:
            self.leg.actions.pop(action.control_id, None)
            self._note_refusal(order, error)
        elif action.state is ActionState.CALL_ENDED:
            self.expect_end("lost")
            self._report(action)
            action.release()

    def _on_outcome(self, command: RelayCommand, error: RelayActorsError | None, *, is_gone: bool) -> None:
        leg = self.leg
        if isinstance(command, Hangup):
            self.expect_end(command.reason)  # also when it has failed: then it will be tried once more
        elif isinstance(command, _HAND_ON):
            if error is None:
                leg.is_handed_on = True
                self.linger()
            else:
                # Another one may still be under way, and be taken.
                leg.hand_on = next((reply for reply in leg.replies if isinstance(reply.command, _HAND_ON)), None)
                if leg.left_because:
                    self.leave(leg.left_because)
        if is_gone and command.method not in _ABOUT_SOMETHING_ELSE:
            self.expect_end("lost")
        elif error is None and leg.expected_end:
            self._seems_alive()
