"""What is known of one leg of a call, kept while its actor is restarted. Layer: hall.

Written in the turns of the call's actor only. Other threads may read its plain attributes: each is replaced, never
changed in place.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, cast

from relay_actors.actors.actions import Action
from relay_actors.actors.blocking import BlockingWait
from relay_actors.actors.course import Course
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.kept_as_text import kept_of, text_of, value_of
from relay_actors.actors.under_way import UnderWay
from relay_actors.actors.waits import Reply, Wait
from relay_actors.errors import CallEnded, FlowChanged, RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.call_events import device_number
from relay_actors.protocol.commands import Hangup
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, DialEvent, RelayEvent
from relay_actors.protocol.frozen import NOTHING
from relay_actors.protocol.states import CallState, advance, is_at_or_past
from relay_actors.runtime.base import Dispatcher, Runnable, TimerHandle
from relay_actors.runtime.context import here

__all__ = ["MOST_UNTAKEN", "EndWait", "Leg", "Listener", "StateWait"]

MOST_UNTAKEN: Final = 64
"""How many messages are kept for a flow that has not asked for them."""

_ENDED: Final = CallState.ENDED  # looked up once: a member of an enum costs as much as two calls

Listener = Callable[[Any], Any]

# Guards the making of the application's data, of all calls. Re-entrant, because a finaliser may run in the middle, and
# ask for some.
_making = threading.RLock()


class StateWait(Wait[RelayEvent]):
    """A wait for a state, or for an event; settled with that event.

    Args:
        accepts: of an event whether it is what is waited for; or the state that is waited for, or one past it.
        dispatcher: see `CallFuture`.
        owner: see `CallFuture`.
    """

    __slots__ = ("_accepts",)

    def __init__(
        self,
        accepts: Callable[[RelayEvent], bool] | str,
        dispatcher: Dispatcher | None = None,
        owner: Runnable | None = None,
    ) -> None:
        super().__init__(dispatcher, owner)
        self._accepts = accepts

    def offer(self, event: RelayEvent) -> bool:
        """Settle it if this is what it waits for; return whether it is over.

        What the user's predicate raises is raised where somebody waits: no event is lost by it, and no call harmed.
        """
        accepts = self._accepts
        try:
            if self.is_settled:
                return True
            if isinstance(accepts, str):
                if isinstance(event, CallStateEvent) and is_at_or_past(event.call_state, accepts):
                    self.try_set(event)
            elif accepts(event):
                self.try_set(event)
        except Exception as error:
            self.try_fail(error)
        return self.is_settled


class EndWait(StateWait):
    """A wait for the end of a call. To a flow of that call, which asks for it, `CallEnded` is not raised as well."""

    __slots__ = ()

    _notes_who_takes = True

    def get(self, *, timeout: float | None = None) -> RelayEvent:
        """Wait for the event and return it; see `CallFuture.get`."""
        event = super().get(timeout=timeout)
        flow: Any = getattr(here.turn, "flow", None)
        if flow is not None and here.turn is self.settled_by:
            flow.forgo(CallEnded)
        return event


class Leg:
    """One leg: identity, state, data, what runs on it, and who waits for it.

    Attributes:
        call_id: "" until an outbound call has been answered.
        node_id: the server's node; goes with every command.
        tag: of the dial, or "".
        cause: the id of the inbound text whose handler has dialled it, or "".
        context: the routing label of an inbound call; the session's name for an outbound one.
        direction: ``inbound`` or ``outbound``.
        peer: the leg that this one is or was bridged to, ``{call_id, node_id, …}``.
        is_bridged: whether it is bridged to another now, by a ``connect``.
        state: the last known state; only ever moves forward (SEMANTICS X1).
        stale_states: how many earlier states have come later, and were ignored.
        end_reason: why it ended, or "".
        ended_event: what told of the end.
        begun: whether the offer of an inbound call was told, or the dial of an outbound one sent.
        hand_on: the reply to a transfer or pass that is under way.
        is_handed_on: transferred or passed: no longer ours to hang up.
        is_let_go: left to the server by a client that has disconnected (PROTOCOL 6.2).
        left_because: set when nobody attends to the call any more: the reason with which it is to be hung up.
        hang_up: the reply to the one hang-up, once it was asked for.
        actions: running operations by control id.
        replies: to commands that have not been answered.
        under_way: what was sent and has no certain outcome yet, by its order, or by the dial.
        stall_watch: pending while it is watched how long commands take.
        waits: for events and states.
        pauses: what an incarnation waits for by itself, such as the end of a sleep.
        blockings: what blocking code of an incarnation has still to bring.
        backlog: what the user's handler has still to be told, oldest first; survives a crash of that handler.
        untaken: what is kept of what a flow has not asked for yet, newest last; see `keep_untaken`, `message_of`.
        dialling: the dial procedure of an outbound call.
        flow_changed: why ``run()`` could not be brought to where it was before the process ended, and has begun anew.
        course: how far it has come, as the journal is told.
        flow_is_over: whether ``run()`` has returned, so that a restart does not run it again.
        is_orphaned: whether a former process has been told that the session of this call is gone.
        is_cut_off: whether there is no connection, so that nothing can be heard of the call.
        expected_end: the reason with which the call will count as ended if no end event comes; "" if none is due.
        end_watch: pending while an end event, or the answer of a dial, is expected.
        lingers: whether it is only waited for what is late.
        has_lingered: whether nothing late will come any more.
        end_timer: pending while it lingers.
        has_listeners: whether anybody has listened to events.
    """

    # No dictionary: one of so many attributes would be four times as large, and every live call has it.
    __slots__ = (
        "_data", "_device", "_listeners", "actions", "backlog", "begun", "blockings", "call_id", "cause", "context",
        "course", "dialling", "direction", "end_reason", "end_timer", "end_watch", "ended_event", "expected_end",
        "flow_changed", "flow_is_over", "hand_on", "hang_up", "has_lingered", "has_listeners", "is_bridged",
        "is_cut_off", "is_handed_on", "is_let_go", "is_orphaned", "left_because", "lingers", "node_id", "pauses",
        "peer", "project_id", "replies", "segment_id", "stale_states", "stall_watch", "state", "tag", "under_way",
        "untaken", "waits",
    )  # fmt: skip

    def __init__(self, *, direction: Literal["inbound", "outbound"], data: dict[str, Any] | None = None) -> None:
        self.call_id = self.node_id = self.tag = self.segment_id = self.project_id = self.context = self.state = ""
        self.cause = self.end_reason = self.left_because = self.expected_end = ""
        self.begun = self.is_bridged = self.has_listeners = self.flow_is_over = self.lingers = self.has_lingered = False
        self.is_handed_on = self.is_let_go = self.is_cut_off = self.is_orphaned = False
        self.stale_states = 0
        self.direction: str = direction
        self._data = data
        self.course = Course()
        self.backlog: list[object] = []  # no deque: an empty one is as large as all the rest
        # What many calls never have. All have the same then: it is replaced by what is there, and never added to.
        self._device: str | JsonObject = NOTHING
        self.peer: JsonObject = NOTHING
        self.actions: dict[str, Action] = NOTHING
        self.replies: dict[Reply, None] = NOTHING  # a set in the order in which they came
        self.under_way: dict[Any, UnderWay] = NOTHING
        self.untaken: Sequence[object] = ()
        self.waits: Sequence[StateWait] = ()
        self.pauses: Sequence[Wait[Any]] = ()
        self.blockings: Sequence[BlockingWait[Any]] = ()
        self._listeners: Mapping[str, list[tuple[int | None, Listener]]] = NOTHING
        self.ended_event: CallStateEvent | None = None
        self.hand_on: Reply | None = None
        self.hang_up: Reply | None = None
        self.dialling: Dialling | None = None
        self.flow_changed: FlowChanged | None = None
        self.end_watch: TimerHandle | None = None
        self.stall_watch: TimerHandle | None = None
        self.end_timer: TimerHandle | None = None

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def data(self) -> dict[str, Any]:
        """The application's own; survives restarts. Made when it is first asked for. Any thread."""
        if self._data is None:
            with _making:
                if self._data is None:
                    self._data = {}
        return self._data

    @property
    def has_data(self) -> bool:
        """Whether the application has anything in `data`."""
        return bool(self._data)

    @property
    def device(self) -> JsonObject:
        """``{type, params}`` of the other party."""
        device = self._device
        if isinstance(device, str):
            return cast("JsonObject", value_of(device))
        return device

    @device.setter
    def device(self, device: JsonObject) -> None:
        # As text, for every live call has it, and few are asked for it often.
        text = text_of(device) if device else None
        self._device = device if text is None else text

    @property
    def is_ended(self) -> bool:
        """Whether the call has ended."""
        return self.state == _ENDED

    @property
    def is_being_hung_up(self) -> bool:
        """Whether a hang-up was sent, and not refused or lost."""
        return self.hang_up is not None and self.hang_up.error is None

    @property
    def needs_hang_up(self) -> bool:
        """Whether the call would stay up if its actor went now (SEMANTICS X7)."""
        is_over_for_us = self.is_ended or self.is_handed_on or self.is_let_go
        return bool(self.call_id) and not (is_over_for_us or self.is_being_hung_up)

    @property
    def waits_to_be_dialled(self) -> bool:
        """Whether its dial waits for a connection, and goes out on the next one, whichever session that has."""
        known = None if self.dialling is None or self.dialling.is_over else self.under_way.get(self.dialling)
        return known is not None and known.error is None

    @property
    def is_ours(self) -> bool:
        """Whether it is up, or being dialled, and nobody else's."""
        return not (self.is_ended or self.is_handed_on or self.is_let_go)

    @property
    def name(self) -> str:
        """Its call id, or the tag of its dial as long as it has none."""
        return self.call_id or self.tag

    @property
    def subject(self) -> str:
        """Under which name all of it stands in the journal: its call id, or the tag of its dial."""
        return self.tag if self.dialling is not None else self.call_id

    @property
    def ids(self) -> JsonObject:
        """What goes with every command. Source: PROTOCOL 8.7."""
        return {"node_id": self.node_id, "call_id": self.call_id}

    def number(self, end: Literal["from", "to"]) -> str:
        """Return the number, or SIP address, at one end of the call, or ""."""
        return device_number(self.device, end)

    def has_reached(self, state: str) -> bool:
        """Return whether the call is in ``state`` or past it: states are levels, not edges (PROTOCOL 8.4).

        Never for "", which is no state.
        """
        return is_at_or_past(self.state, state)

    def state_event(self) -> CallStateEvent:
        """Return the present state as an event, for those who wait for one that has been reached (PROTOCOL 8.4)."""
        if self.ended_event is not None:
            return self.ended_event
        return CallStateEvent("calling.call.state", {"call_state": self.state}, self.call_id, 0.0, self.state)

    def present_event(self) -> CallStateEvent:
        """Return the present state as the event that told of it, as far as is known."""
        if self.ended_event is not None:
            return self.ended_event
        told: JsonObject = {"call_state": self.state, "direction": self.direction, "device": self.device, **self.ids}
        told |= {"segment_id": self.segment_id, "tag": self.tag}
        return CallStateEvent.from_payload({"event_type": "calling.call.state", "params": told})

    def ended_error(self) -> RelayActorsError:
        """Return what ends everything that waits for this call: it has ended, or nobody has answered its dial."""
        if self.dialling is not None and self.dialling.error is not None:
            return self.dialling.error
        otherwise = "" if self.is_ended else "handed on" if self.is_handed_on else "its actor has ended"
        return CallEnded(self.name, self.end_reason or otherwise)

    # -- what the wire tells -----------------------------------------------------------------------------------------

    def received(self, event: CallReceiveEvent) -> None:
        """Take what the offer of an inbound call says."""
        self.call_id = event.call_id
        self.node_id = _once(event.node_id)
        self.tag = event.tag
        self.segment_id = event.segment_id
        self.project_id = _once(event.project_id)
        self.context = _once(event.context)
        self.device = event.device
        self.state = _once(advance(self.state, event.call_state or CallState.CREATED))

    def moved(self, event: CallStateEvent) -> bool:
        """Take a new state; return False for a stale one, which is counted and changes nothing (SEMANTICS X1)."""
        new = advance(self.state, event.call_state)
        if new == self.state:
            self.stale_states += 1
            return False
        self.state = _once(new)
        if event.node_id not in ("", self.node_id):
            self.node_id = _once(event.node_id)
        if event.device:
            self.device = event.device
        if "segment_id" in event.params:  # few say this, and few that
            self.segment_id = event.segment_id or self.segment_id
        if "peer" in event.params:
            self.peer = event.peer or self.peer
        self.end_reason = event.end_reason or self.end_reason
        return True

    def won(self, event: DialEvent) -> None:
        """Take the leg that has won a dial. Source: PROTOCOL 9.3."""
        call = event.call
        self.call_id = event.winner_call_id
        self.node_id = event.winner_node_id or event.node_id
        device, segment_id = call.get("device"), call.get("segment_id")
        if isinstance(device, dict):
            self.device = device
        if isinstance(segment_id, str):
            self.segment_id = segment_id
        self.state = advance(self.state, CallState.ANSWERED)

    # -- who waits and who listens -----------------------------------------------------------------------------------

    def wait(self, waiting: StateWait) -> None:
        """Note who waits, and forget those that wait no more."""
        self.waits = (*(known for known in self.waits if not known.is_settled), waiting)

    def pause(self, wait: Wait[Any]) -> None:
        """Note what an incarnation waits for by itself, and forget what it waits for no more."""
        self.pauses = (*(known for known in self.pauses if not known.is_settled), wait)

    def end_pauses(self, error: BaseException) -> None:
        """End all that an incarnation waits for by itself."""
        pauses, self.pauses = self.pauses, ()
        for wait in pauses:
            wait.try_fail(error)

    def note_blocking(self, wait: BlockingWait[Any]) -> None:
        """Note what runs elsewhere, and forget what has brought what it was to bring."""
        self.blockings = (*(known for known in self.blockings if known.is_owed), wait)

    def abandon_blockings(self) -> None:
        """Nobody will ask any more what has become of an incarnation's blocking code: errors are for the log."""
        blockings, self.blockings = self.blockings, ()
        for wait in blockings:
            wait.abandon()

    def settle_waits(self, event: RelayEvent) -> None:
        """Give ``event`` to those who wait for such a one."""
        for waiting in self.waits:
            if waiting.offer(event):
                self.waits = tuple(known for known in self.waits if known is not waiting)

    def listen(self, event_type: str, listener: Listener, incarnation: int | None) -> None:
        """Note who listens; with an ``incarnation``, only as long as the actor is not restarted."""
        known = self._listeners.get(event_type, ())
        still = [one for one in known if one[0] is None or incarnation is None or one[0] == incarnation]
        self._listeners = {**self._listeners, event_type: [*still, (incarnation, listener)]}
        self.has_listeners = True

    def is_answered_for(self, reply: Reply) -> None:
        """Forget a pending reply. A table that is empty again is given back: it would stay as large as it was."""
        self.replies.pop(reply, None)
        if not self.replies:
            self.replies = NOTHING

    def keep_untaken(self, messages: list[Any], kinds: type[Any] | tuple[type[Any], ...] = object) -> None:
        """Keep what a flow has not asked for yet: the latest `MOST_UNTAKEN`.

        Args:
            messages: oldest first; what is kept is taken out of it.
            kinds: at the first one that is none of these it stops.
        """
        known = self.untaken
        while messages and isinstance(message := messages[0], kinds):
            del messages[0]
            # With the offer the flow has begun; and once it is over, nobody asks any more.
            if type(message) is not CallReceiveEvent and not self.flow_is_over:
                known = (*known[-MOST_UNTAKEN + 1 :], kept_of(message))
        self.untaken = known

    def take_listeners(self, old: Leg) -> None:
        """Take over who listens to another leg, as far as they belong to no incarnation."""
        for event_type, known in old._listeners.items():
            for born, listener in known:
                if born is None:
                    self.listen(event_type, listener, None)

    def listeners(self, event_type: str, incarnation: int) -> list[tuple[bool, Listener]]:
        """Return who listens to a type of events, and whether by this incarnation's own code, or by that of others."""
        known = self._listeners.get(event_type, ())
        return [(born is not None, listener) for born, listener in known if born is None or born == incarnation]

    def close(self, error: BaseException | None = None) -> None:
        """Let nobody wait any more, and nothing be due: what they wait for will not come (SEMANTICS X2). Idempotent.

        Args:
            error: what they are told; by default, that the call has ended.
        """
        if self.course.replay is not None:
            self.course.replay.done.try_set(None)
        for timer in (self.end_watch, self.end_timer):
            if timer is not None:
                timer.cancel()
        self.end_watch = self.end_timer = None
        for due in tuple(self.course.timers.values()):  # such as the time-out of a race that was given up
            due.cancel()
        self.end_stall_watch()
        self.abandon_blockings()
        if self.pauses or self.under_way or self.waits or self.replies or self.actions:
            self._end_all(error)
        if self.hang_up is not None and self.hang_up.is_settled:
            self.hang_up.settled_by = None  # whose cell has the leg: only the garbage collector undoes a circle

    def end_stall_watch(self) -> None:
        """It is not watched any more how long commands take. Idempotent."""
        watch, self.stall_watch = self.stall_watch, None
        if watch is not None:
            watch.cancel()

    def _end_all(self, error: BaseException | None) -> None:
        error = error if error is not None else self.ended_error()
        self.end_pauses(error)
        self.fail_waits(error)
        actions, self.actions = self.actions, NOTHING
        for action in actions.values():
            action.refuse(error)

    def fail_waits(self, error: BaseException) -> None:
        """End all waits and pending replies with ``error``; hang-ups are over when the call is, and have succeeded."""
        under_way, self.under_way = self.under_way, NOTHING
        for known in under_way.values():
            known.stop_clock()
        waits, self.waits = self.waits, ()
        for waiting in waits:
            waiting.try_fail(error)
        replies, self.replies = self.replies, NOTHING
        for reply in replies:
            if self.is_ended and isinstance(reply.command, Hangup):
                reply.try_set({})
            else:
                reply.try_fail(error)


def _once(text: str) -> str:
    """Return the one text of all that are equal: call after call says the same few words, and keeps them."""
    return sys.intern(text) if type(text) is str else text  # by hand it may be the member of an enum
