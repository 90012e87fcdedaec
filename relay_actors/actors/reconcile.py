"""Commands of unknown outcome: what shows that they were carried out, and which are sent once more. Layer: hall.

An answer may not come in time, or be lost with its socket (SEMANTICS K6). Then the command is *in doubt*, and its
caller waits on: the server sends again what it has told and we have not acknowledged, so that after a resume a moment's
silence means something. What is known by then decides: an event that the command has caused, or its late answer,
settles it. If there is none, what can be repeated without harm is sent again, under the same ids, and all else fails as
unknown. What the call asks for after a command that was lost waits for it, or it would overtake what is sent again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from relay_actors.actors.dialling import Dialling
from relay_actors.actors.holding import HoldBack, Release
from relay_actors.actors.leg_life import LegLife, count, say
from relay_actors.actors.orders import Begin, Control, Perform
from relay_actors.actors.under_way import UnderWay
from relay_actors.errors import CommandRejectedError, ConnectionLostError, RelayActorsError, RequestTimeoutError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import (
    AIHold,
    AIUnhold,
    Answer,
    ClearDigitBindings,
    Connect,
    Denoise,
    DenoiseStop,
    Disconnect,
    Echo,
    Hangup,
    Hold,
    JoinConference,
    JoinRoom,
    LeaveConference,
    LeaveRoom,
    LiveTranscribe,
    LiveTranslate,
    Pause,
    QueueEnter,
    QueueLeave,
    Refer,
    RelayCommand,
    SendDigits,
    Unhold,
)
from relay_actors.protocol.events import (
    CallStateEvent,
    ConferenceEvent,
    ConnectEvent,
    DenoiseEvent,
    EchoEvent,
    HoldEvent,
    QueueEvent,
    ReferEvent,
    RelayEvent,
    SendDigitsEvent,
)
from relay_actors.protocol.frozen import NOTHING
from relay_actors.protocol.states import ActionState, CallState, ConnectState, is_at_or_past

__all__ = ["MOST_REPEATS", "Reconciling", "Sent", "is_repeatable", "shows"]

Sent: TypeAlias = Perform | Begin | Control | Dialling
"""What can be in doubt: an order of a call, or the dial that makes it."""

MOST_REPEATS: Final = 3
"""How often a command is sent again, if each time its answer is lost with the socket. One that the server does not
answer in time is sent again once: it has had its chance."""

_IN_USE: Final = 409
"""What a repeated command is refused with when it had been carried out the first time. Source: PROTOCOL 2.5."""

_Shows: TypeAlias = Callable[[RelayCommand, RelayEvent], bool]


class _Rule(NamedTuple):
    """What is known of one command.

    Attributes:
        shows: whether an event shows that it was carried out.
        is_repeatable: whether it does no harm when it is sent twice: the second one is refused, or changes nothing.
    """

    shows: _Shows
    is_repeatable: bool = True


def _nothing_shows(_command: RelayCommand, _event: RelayEvent) -> bool:
    return False


def _has_reached(state: CallState) -> _Shows:
    return lambda _command, event: isinstance(event, CallStateEvent) and is_at_or_past(event.call_state, state)


def _holds(state: str) -> _Shows:
    return lambda _command, event: isinstance(event, HoldEvent) and event.state == state


def _denoised(is_on: bool) -> _Shows:
    return lambda _command, event: isinstance(event, DenoiseEvent) and event.denoised is is_on


def _queue(*states: str) -> _Shows:
    return lambda _command, event: isinstance(event, QueueEvent) and event.status in states


def _bridges(_command: RelayCommand, event: RelayEvent) -> bool:
    # Not one that has parted: that may be the end of the bridge before.
    return isinstance(event, ConnectEvent) and event.connect_state != ConnectState.DISCONNECTED


def _parts(_command: RelayCommand, event: RelayEvent) -> bool:
    return isinstance(event, ConnectEvent) and event.connect_state == ConnectState.DISCONNECTED


def _joins(command: RelayCommand, event: RelayEvent) -> bool:
    is_it = isinstance(event, ConferenceEvent) and event.name == command.to_params().get("name")
    return is_it and isinstance(event, ConferenceEvent) and event.participant_call_id in ("", event.call_id)


def _presses(command: RelayCommand, event: RelayEvent) -> bool:
    return isinstance(event, SendDigitsEvent) and event.control_id == command.to_params().get("control_id")


_RULES: Final[Mapping[str, _Rule]] = MappingProxyType(
    {
        AIHold.method: _Rule(_nothing_shows),
        AIUnhold.method: _Rule(_nothing_shows),
        Answer.method: _Rule(_has_reached(CallState.ANSWERED)),
        ClearDigitBindings.method: _Rule(_nothing_shows),
        Connect.method: _Rule(_bridges),
        Denoise.method: _Rule(_denoised(True)),
        DenoiseStop.method: _Rule(_denoised(False)),
        Disconnect.method: _Rule(_parts),
        Echo.method: _Rule(lambda _command, event: isinstance(event, EchoEvent)),
        Hangup.method: _Rule(_has_reached(CallState.ENDING)),
        Hold.method: _Rule(_holds("hold")),
        JoinConference.method: _Rule(_joins),
        JoinRoom.method: _Rule(_nothing_shows),
        LeaveConference.method: _Rule(_nothing_shows),
        LeaveRoom.method: _Rule(_nothing_shows),
        QueueEnter.method: _Rule(_queue("enqueue", "waiting", "dequeue")),
        QueueLeave.method: _Rule(_queue("leave")),
        Refer.method: _Rule(lambda _command, event: isinstance(event, ReferEvent)),
        # Its only event comes when all keys are pressed, which may take longer than anybody waits for it.
        SendDigits.method: _Rule(_presses, is_repeatable=False),
        Unhold.method: _Rule(_holds("unhold")),
    }
)
"""By their methods, because a command of the journal has no other class any more.

Commands that are not named here are not looked for, and not repeated: `Pass`, `Transfer`, `UserEvent`, …"""

_LIVE: Final = frozenset({LiveTranscribe.method, LiveTranslate.method})
_SWITCHES: Final = frozenset({"start", "stop"})
"""What is done to them that changes nothing the second time, or is refused."""

_UNKNOWN: Final = _Rule(_nothing_shows, is_repeatable=False)


def shows(sent: Sent, event: RelayEvent) -> bool:
    """Return whether an event shows that ``sent`` was carried out. What it is about has taken the event already."""
    match sent:
        case Dialling(tag=tag):
            return event.tag == tag
        case Begin(action=action):
            return bool(event.control_id) and event.control_id == action.control_id
        case Control(action=action, command=command):
            return action.is_done or (isinstance(command, Pause) and action.state is ActionState.PAUSED)
        case Perform(command=command):
            return _RULES.get(command.method, _UNKNOWN).shows(command, event)


def is_repeatable(sent: Sent) -> bool:
    """Return whether ``sent`` may be sent twice.

    What has a name of its own is refused the second time, or begins nothing new; what is done to a running operation
    is done to the same one.
    """
    if not isinstance(sent, Perform):
        return True
    command = sent.command
    return _switches(command) if command.method in _LIVE else _RULES.get(command.method, _UNKNOWN).is_repeatable


def _switches(command: RelayCommand) -> bool:
    """Return whether a command switches a live transcription or translation, rather than having something said."""
    action: Any = command.to_params().get("action")
    return {action} <= _SWITCHES if isinstance(action, str) else isinstance(action, Mapping) and {*action} <= _SWITCHES


def _is_hang_up(sent: Sent) -> bool:
    return isinstance(sent, Perform) and isinstance(sent.command, Hangup)


class Reconciling(LegLife):
    """Adds to the life of a call's actor what becomes of commands of unknown outcome. All of it in the turn."""

    def put_in_doubt(self, order: Sent) -> None:
        """Nobody knows what has become of a command: find out, repeat it, or fail it, for its answer was lost.

        Nothing is found out while the connection is lost; its return begins the time that is waited. What the call
        asks for meanwhile waits as well.

        Args:
            order: what was sent. An operation stands among the leg's actions already.
        """
        leg = self.leg
        if leg.is_ended and not isinstance(order, Dialling):
            order.too_late(leg)
            return
        if isinstance(order, Perform | Control):
            leg.replies = {**leg.replies, order.reply: None}
        self.tell_connection(HoldBack(leg.subject))
        self._noted(order).is_holding = True
        self._doubt(order, ConnectionLostError())

    def is_certain(self, order: Sent) -> UnderWay | None:
        """Forget a command whose outcome is known, and return what was known of it; None if it was not under way."""
        known = self.leg.under_way.pop(order, None)
        if known is not None:
            known.stop_clock()
            self._let_others_go(known)
        return known

    def take_answer(
        self, order: Sent, result: JsonObject | None, error: RelayActorsError | None
    ) -> tuple[JsonObject | None, RelayActorsError | None] | None:
        """Return the certain outcome that an answer tells; None if it tells nothing new, or leaves all in doubt."""
        is_lost = isinstance(error, ConnectionLostError) and not error.is_final
        if is_lost and self.leg.course.replay is not None:  # the present connection has lost nothing
            self.tell_connection(HoldBack(self.leg.subject))
        known = self.leg.under_way.get(order)
        if known is None:  # the call has ended, or an event has told it already
            if is_lost:
                self.tell_connection(Release(self.leg.subject))
            return None
        if error is not None and (is_lost or isinstance(error, RequestTimeoutError)):
            known.is_holding = is_lost
            self._doubt(order, error)
            return None
        self.is_certain(order)
        if known.repeats and isinstance(error, CommandRejectedError) and error.code == _IN_USE:
            return {}, None  # by itself: the first one had arrived
        return result, error

    def take_evidence(self, event: RelayEvent, asked_before: Iterable[Sent]) -> None:
        """Look whether an event settles what is in doubt; and remember it for what may be in doubt later.

        Args:
            event: that the wire has told.
            asked_before: what was under way when it came. Of what a listener has asked for since it says nothing.
        """
        for order in asked_before:
            known = self.leg.under_way.get(order)
            if known is not None and not known.is_shown and shows(order, event):
                known.is_shown = True
                if known.error is not None:
                    self._settle_shown(order)

    def on_doubt_due(self, order: Sent) -> None:
        """Time is over for a command in doubt: nothing was heard of it."""
        leg = self.leg
        known = leg.under_way.get(order)
        if known is None or known.error is None or leg.is_cut_off or not leg.is_ours:
            return
        error = known.error
        if self._may_be_repeated(order, known):
            known.sent_again(self.office.clock.now())
            count(self, "commands.repeated")
            say(self, logging.INFO, "sent once more call_id=%s method=%s", leg.name, order.command.method)
            self.send_again(order)
            self._let_others_go(known)  # behind it
        else:
            self.is_certain(order)
            self.take_outcome(order, None, error)
        self.hand_out()

    def pause_doubts(self) -> None:
        """Nothing can be heard now, so that nothing can be concluded from silence."""
        for known in self.leg.under_way.values():
            known.stop_clock()

    def go_on_with_doubts(self) -> None:
        """The session goes on: what the server has to tell comes now."""
        for order, known in tuple(self.leg.under_way.items()):
            if known.error is not None:
                self._start_clock(order, known)

    def end_leg(self, event: CallStateEvent) -> None:
        """The call has ended: what is held back, or waits for a connection, is not sent any more."""
        if self.leg.under_way:
            self.tell_connection(Release(self.leg.subject, is_over=True))
        super().end_leg(event)

    def forget_what_is_under_way(self) -> None:
        """Nothing more is wanted: what is held back, or waits for a connection, is not sent, and no answer is news."""
        leg = self.leg
        if leg.under_way:
            under_way, leg.under_way = leg.under_way, NOTHING
            for known in under_way.values():
                known.stop_clock()
            self.tell_connection(Release(leg.subject, is_over=True))

    def send_again(self, order: Sent) -> None:
        """Send a command under the same ids. For subclasses to extend."""

    def take_outcome(self, order: Sent, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Do what follows from a certain outcome. For subclasses to extend."""

    def _noted(self, order: Sent) -> UnderWay:
        leg = self.leg
        known = leg.under_way.get(order)
        if known is None:
            known = UnderWay(self.office.clock.now())
            if leg.under_way:
                leg.under_way[order] = known
            else:
                leg.under_way = {order: known}
        return known

    def _doubt(self, order: Sent, error: RelayActorsError) -> None:
        known = self._noted(order)
        known.error = error
        count(self, "commands.in_doubt")
        say(self, logging.INFO, "in doubt call_id=%s method=%s: %s", self.leg.name, order.command.method, error)
        if known.is_shown or self._is_so_already(order):
            self._settle_shown(order)
        elif not self.leg.is_cut_off:
            self._start_clock(order, known)

    def _settle_shown(self, order: Sent) -> None:
        say(self, logging.INFO, "carried out, as events show call_id=%s method=%s", self.leg.name, order.command.method)
        self.is_certain(order)
        self.take_outcome(order, {}, None)

    def _let_others_go(self, known: UnderWay) -> None:
        if known.is_holding:
            known.is_holding = False
            self.tell_connection(Release(self.leg.subject))

    def _start_clock(self, order: Sent, known: UnderWay) -> None:
        known.stop_clock()
        known.clock = self.call_in(
            f"doubt {known.number}", self.office.timing.reconcile_s, lambda actor: actor.on_doubt_due(order)
        )

    def _is_so_already(self, order: Sent) -> bool:
        """Return whether the call is as the command wants it, whatever has told of it."""
        match order:
            case Begin(action=action):
                return action.is_done or action.state not in (ActionState.NEW, ActionState.REQUESTED)
            case Control(action=action):
                return action.is_done
            case Perform(command=Answer()):
                return self.leg.has_reached(CallState.ANSWERED)
            case Perform(command=Hangup()):
                return self.leg.has_reached(CallState.ENDING)
            case _:
                return False

    def _may_be_repeated(self, order: Sent, known: UnderWay) -> bool:
        is_lost = isinstance(known.error, ConnectionLostError)
        if known.is_given_up or known.repeats >= (MOST_REPEATS if is_lost else 1) or not is_repeatable(order):
            return False
        if _is_hang_up(order) or not self.leg.is_being_hung_up:
            return True
        # On a call that is being hung up nothing makes sense any more; unless the hang-up is held back behind this.
        sent = list(self.leg.under_way)
        return is_lost and any(map(_is_hang_up, sent[sent.index(order) :]))
