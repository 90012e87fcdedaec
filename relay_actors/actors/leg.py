"""What is known of one leg of a call, kept while its actor is restarted. Layer: hall.

Written in the turns of the call's actor only. Other threads may read its plain attributes: each is replaced, never
changed in place.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Literal

from relay_actors.actors.actions import Action
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.waits import Reply, Wait
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.call_events import device_number
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, DialEvent, RelayEvent
from relay_actors.protocol.states import CallState, advance, is_at_or_past
from relay_actors.runtime.base import TimerHandle

__all__ = ["Leg", "Listener", "StateWait"]

Listener = Callable[[RelayEvent], Any]


class StateWait:
    """Somebody waits for a state, or for an event."""

    __slots__ = ("accepts", "wait")

    def __init__(self, accepts: Callable[[RelayEvent], bool], wait: Wait[RelayEvent]) -> None:
        self.accepts = accepts
        self.wait = wait


class Leg:
    """One leg: identity, state, data, what runs on it, and who waits for it.

    Attributes:
        call_id: "" until an outbound call has been answered.
        node_id: the server's node; goes with every command.
        tag: of the dial, or "".
        context: the routing label of an inbound call; the session's name for an outbound one.
        direction: ``inbound`` or ``outbound``.
        device: ``{type, params}`` of the other party.
        state: the last known state; only ever moves forward (SEMANTICS X1).
        end_reason: why it ended, or "".
        data: the application's own; survives restarts.
        is_handed_on: transferred or passed: no longer ours to hang up.
        hang_up: the reply to the one hang-up, once it was asked for.
        actions: running operations by control id.
        backlog: what the user's handler has still to be told, oldest first; survives a crash of that handler.
        untaken: what a flow has not asked for yet, newest last.
        dialling: the dial procedure of an outbound call.
        flow_is_over: whether ``run()`` has returned, so that a restart does not run it again.
        end_watch: pending while an end event, or the answer of a dial, is expected.
        lingers: whether it is only waited for what is late.
        has_lingered: whether nothing late will come any more.
        end_timers: pending while it lingers.
    """

    def __init__(self, *, direction: Literal["inbound", "outbound"], data: dict[str, Any] | None = None) -> None:
        self.call_id = ""
        self.node_id = ""
        self.tag = ""
        self.segment_id = ""
        self.project_id = ""
        self.context = ""
        self.direction: str = direction
        self.device: JsonObject = {}
        self.peer: JsonObject = {}
        self.state: str = ""
        self.end_reason = ""
        self.stale_states = 0
        self.data: dict[str, Any] = data if data is not None else {}
        self.is_handed_on = False
        self.hang_up: Reply | None = None
        self.ended_event: RelayEvent | None = None
        self.actions: dict[str, Action] = {}
        self.replies: set[Reply] = set()
        self.waits: list[StateWait] = []
        self.listeners: dict[str, list[Listener]] = {}
        self.backlog: deque[object] = deque()
        self.untaken: deque[object] = deque(maxlen=64)
        self.dialling: Dialling | None = None
        self.begun = False
        self.flow_is_over = False
        self.end_watch: TimerHandle | None = None
        self.lingers = False
        self.has_lingered = False
        self.end_timers: list[TimerHandle] = []

    @property
    def is_ended(self) -> bool:
        """Whether the call has ended."""
        return self.state == CallState.ENDED

    @property
    def is_answered(self) -> bool:
        """Whether the call was answered and has not begun to end."""
        return self.state == CallState.ANSWERED

    @property
    def needs_hang_up(self) -> bool:
        """Whether the call would stay up if its actor went now (SEMANTICS X7)."""
        return bool(self.call_id) and not (self.is_ended or self.is_handed_on or self.hang_up is not None)

    @property
    def ids(self) -> JsonObject:
        """What goes with every command. Source: PROTOCOL 8.7."""
        return {"node_id": self.node_id, "call_id": self.call_id}

    def number(self, end: Literal["from", "to"]) -> str:
        """Return the number, or SIP address, at one end of the call, or ""."""
        return device_number(self.device, end)

    def received(self, event: CallReceiveEvent) -> None:
        """Take what the offer of an inbound call says."""
        self.call_id = event.call_id
        self.node_id = event.node_id
        self.tag = event.tag
        self.segment_id = event.segment_id
        self.project_id = event.project_id
        self.context = event.context
        self.device = event.device
        self.state = advance(self.state, event.call_state or CallState.CREATED)

    def moved(self, event: CallStateEvent) -> bool:
        """Take a new state; return False for a stale one, which is counted and changes nothing (SEMANTICS X1)."""
        new = advance(self.state, event.call_state)
        if new == self.state:
            self.stale_states += 1
            return False
        self.state = new
        self.node_id = event.node_id or self.node_id
        self.device = event.device or self.device
        self.segment_id = event.segment_id or self.segment_id
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

    def has_reached(self, state: str) -> bool:
        """Return whether the call is in ``state`` or past it: states are levels, not edges (PROTOCOL 8.4)."""
        return is_at_or_past(self.state, state)

    def settle_waits(self, event: RelayEvent) -> None:
        """Give ``event`` to those who wait for such a one."""
        for waiting in [w for w in self.waits if w.wait.is_settled or w.accepts(event)]:
            self.waits.remove(waiting)
            waiting.wait.try_set(event)

    def fail_waits(self, error: BaseException) -> None:
        """End all waits and pending replies with ``error``: what they wait for will not come any more (X2)."""
        waits, self.waits = self.waits, []
        for waiting in waits:
            waiting.wait.try_fail(error)
        replies, self.replies = self.replies, set()
        for reply in replies:
            reply.try_fail(error)
