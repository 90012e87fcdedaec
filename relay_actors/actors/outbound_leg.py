"""The engine of a call that this side has dialled, and what any call does about the connection. Layer: hall.

Source: PROTOCOL 9; SEMANTICS X9, K1, K8.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.actors.dialling import Dialling, counted_as
from relay_actors.actors.leg_actor import LegActor
from relay_actors.actors.leg_life import count
from relay_actors.actors.notices import ConnectionLost, ConnectionRestored, DialFailed
from relay_actors.actors.orders import Begin, Order, Perform
from relay_actors.actors.reconcile import Sent
from relay_actors.actors.routing import Claim
from relay_actors.actors.waits import Reply
from relay_actors.errors import CommandRejectedError, DialFailedError, NotSentError, RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import ActionCommand, Hangup, RelayCommand, SubCommand
from relay_actors.protocol.events import CallStateEvent, DialEvent, RelayEvent
from relay_actors.protocol.states import CallState

__all__ = ["OutboundLegActor"]


class OutboundLegActor(LegActor):
    """Adds dialling, commands from other actors, and the loss of the connection to the engine."""

    def receive(self, message: object) -> Any:
        """Do what commands from other actors say, and see to a connection that is lost or restored.

        Who asks, and does not only tell, gets what the verb of that name gives: a handle, or a reply.
        """
        given: Action | Reply | None = None
        if isinstance(message, RelayEvent):  # it is nearly always one
            self.take_wire_event(message)
            return None
        match message:
            case RelayCommand() if message.needs_call:
                given = self._do_for_others(message)
            case ConnectionLost():
                self.keep_note("lost", {})
                self.leg.backlog.append(message)
                self._on_cut_off()
            case ConnectionRestored(resumed=resumed):
                self.keep_note("restored", {"resumed": resumed, "gap_s": message.gap_s})
                self.leg.backlog.append(message)
                self._on_restored(resumed=resumed)
            case _:
                return super().receive(message)
        self.hand_out()
        return given

    def _do_for_others(self, command: RelayCommand) -> Action | Reply | None:
        outer, self._is_ordered_by_others = self._is_ordered_by_others, True
        try:
            if isinstance(command, ActionCommand):
                own = copy.copy(command)  # who has told it may tell it to others, too
                return self._begin(ACTION_HANDLES.get(command.method, Action), own, None)
            if isinstance(command, SubCommand):
                action = self.leg.actions.get(command.control_id)
                return None if action is None else self.control_action(action, command)
            return self.perform(command)
        finally:
            self._is_ordered_by_others = outer

    # -- dialling ----------------------------------------------------------------------------------------------------

    def begin_dial(self) -> None:
        """Send the dial, unless there is none, it is on its way, or nobody wants it any more."""
        leg, dialling = self.leg, self.leg.dialling
        if dialling is None or leg.begun or dialling.is_over or not dialling.is_known:
            return
        leg.begun = True
        # First who it is, then what it wants: no event of the dial can come before the connection knows its owner (K5).
        self.tell_connection(Claim(dialling.tag, self._cell.ref, is_call=True))
        self._send_dial(dialling)

    def _send_dial(self, dialling: Dialling) -> None:
        self.note_sent(dialling)
        self.ask_server(dialling, dialling.command.method, dialling.command.to_params())

    def send_again(self, order: Sent) -> None:
        """Send a command again, or the dial under its tag."""
        if isinstance(order, Dialling):
            self._send_dial(order)
        else:
            super().send_again(order)

    def take_outcome(self, order: Sent, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Do what follows from the outcome of a command; or from that of the dial: accepted, or not."""
        if not isinstance(order, Dialling):
            super().take_outcome(order, result, error)
        elif order.is_over:
            pass
        elif error is not None:
            order.is_over_there = isinstance(error, CommandRejectedError)
            self._give_up_dial(order, error, counted_as("", error))
        else:
            self.leg.end_watch = self.call_in("dial", order.timeout_s, lambda actor: actor.on_dial_overdue())

    def on_dial_overdue(self) -> None:
        """Nobody has answered in time: end the legs that ring."""
        dialling = self.leg.dialling
        if dialling is not None and not dialling.is_over:
            text = f"Dial timed out waiting for answer (tag={dialling.tag})"
            self._give_up_dial(dialling, DialFailedError(dialling.tag, text), counted_as("timeout"))

    def _give_up_dial(self, dialling: Dialling, error: RelayActorsError, counts_as: str) -> None:
        """Nobody wants the dial any more: hang up what rings, and fail."""
        self._end_legs(dialling.give_up())
        self._fail_dial(dialling, error, counts_as)
        self.hand_out()

    def _fail_dial(self, dialling: Dialling, error: RelayActorsError, counts_as: str) -> None:
        """Nobody has answered: everyone who waits is told, and the actor ends."""
        leg = self.leg
        count(self, counts_as)
        dialling.error = error
        leg.state = CallState.ENDED
        leg.end_reason = leg.end_reason or "failed"
        self.forget_what_is_under_way()
        leg.fail_waits(error)
        leg.backlog.append(DialFailed(dialling.tag, error))
        self.tell_connection(dialling.to_over())
        self.linger()

    def _on_event_of_dial(self, dialling: Dialling, event: RelayEvent) -> None:
        if isinstance(event, DialEvent):
            self._on_dial_event(dialling, event)
        elif event.call_id == self.leg.call_id:
            self._on_event(event)
        elif isinstance(event, CallStateEvent):
            self._end_legs(dialling.on_leg(event))
        else:
            dialling.hold(event)

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
            self.leg.end_reason = reason if isinstance(reason, str) else ""
            because = f": {self.leg.end_reason}" if self.leg.end_reason else ""
            error = DialFailedError(dialling.tag, f"Dial failed (tag={dialling.tag}){because}")
            self._fail_dial(dialling, error, counted_as(self.leg.end_reason))

    def _win(self, dialling: Dialling, event: DialEvent) -> None:
        leg = self.leg
        count(self, "dials.answered")
        if leg.end_watch is not None:
            leg.end_watch.cancel()
        self.is_certain(dialling)
        leg.won(event)
        leg.context = self.office.relay_protocol
        self._cell.register(("call", leg.call_id))
        self.tell_connection(Claim(leg.call_id, self._cell.ref, is_call=True))
        told = dialling.take_events()
        if not any(_is_answer(one) for one in told):
            # The leg's own word may come later, or never: whoever waits shall not depend on that.
            params = {**event.call, "call_state": CallState.ANSWERED.value, "tag": dialling.tag}
            envelope = {"event_type": "calling.call.state", "timestamp": event.timestamp, "params": params}
            self.take_event(CallStateEvent.from_payload(envelope))
        for one in told:
            if _is_answer(one):
                self.take_event(one)
            else:
                self._on_event_of_dial(dialling, one)
        self.on_won()

    def on_won(self) -> None:
        """The dial was answered. For `call` to extend."""

    def _end_legs(self, legs: Iterable[JsonObject]) -> None:
        for ids in legs:
            self.send_last_word(ids, "cancel")

    def _take_order_of_dial(self, dialling: Dialling, order: Order) -> bool:
        leg = self.leg
        if leg.is_ended:
            return False
        match order:
            case Perform(command=Hangup(), reply=reply):
                leg.end_reason = "cancel"
                reply.try_set({})
                self._end_legs(dialling.give_up())
                error = DialFailedError(dialling.tag, f"Dial cancelled (tag={dialling.tag})")
                self._fail_dial(dialling, error, counted_as("cancel"))
                self.later(lambda actor: actor.hand_out())  # not now: this may be in the middle of the user's handler
            case Perform() | Begin():
                text = (
                    f"{order.command.method} was not sent: nobody has answered the dial yet (tag={dialling.tag}). "
                    "Wait for it: wait_for_answered()"
                )
                self.refuse(order, NotSentError(text))
            case _:
                return False
        return True

    # -- the connection ----------------------------------------------------------------------------------------------

    def _on_cut_off(self) -> None:
        leg = self.leg
        leg.is_cut_off = True
        self.pause_doubts()
        # A dial goes on, and so does its deadline: whoever rings rings, and is told of when the session is resumed.
        if leg.end_watch is not None and not self._is_dialling:
            leg.end_watch.cancel()

    def _on_restored(self, *, resumed: bool) -> None:
        leg = self.leg
        leg.is_cut_off = False
        if not resumed:
            self._on_session_gone()
            return
        self.go_on_with_doubts()
        self.go_on_watching()
        if leg.hang_up is not None and not leg.is_being_hung_up and leg.hand_on is None:
            self.perform(Hangup(reason=leg.expected_end or "hangup"))  # it may have been lost on its way (X7)
        elif leg.expected_end:
            self.expect_end(leg.expected_end)

    def _on_session_gone(self) -> None:
        """The session that would tell of this call is gone, and the new one hears nothing of it (SEMANTICS K8)."""
        leg, dialling = self.leg, self.leg.dialling
        if dialling is None or dialling.is_over:
            self.end_without_event("lost")
            return
        if leg.waits_to_be_dialled:
            return
        count(self, "calls.lost")
        error = DialFailedError(dialling.tag, "Connection closed during dial")
        self._give_up_dial(dialling, error, counted_as("lost"))

    @property
    def _is_dialling(self) -> bool:
        dialling = self.leg.dialling
        return dialling is not None and not dialling.is_over


def _is_answer(event: RelayEvent) -> bool:
    return isinstance(event, CallStateEvent) and event.call_state == CallState.ANSWERED
