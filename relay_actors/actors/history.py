"""What the journal knows of one call, in the order in which its actor has lived it. Layer: hall; pure.

Two clocks order it. What the wire told (events, and answers to the call's commands) stands in the journal in the order
in which the actor was told it, and is counted: 1, 2, 3, … Everything else says after how many of these it was: a
command that was given, and what was noted. So the order holds although commands and notes reach the journal a little
later than the actor has given them. Source: SEMANTICS J4.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeGuard

from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
)
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, RelayEvent, parse_event
from relay_actors.protocol.states import CallState

__all__ = ["CHECKPOINTS", "Answered", "Asked", "History", "Item", "Learnt", "Told", "history_of"]

CHECKPOINTS: Final = ("saved", "restarted")
"""Notes that say how far the actor has come: what was before is not lived again by the code of its class."""


@dataclass(frozen=True, slots=True)
class Told:
    """The wire told of an event."""

    event: RelayEvent
    at: float


@dataclass(frozen=True, slots=True)
class Answered:
    """The wire told how a command has ended."""

    number: int
    result: JsonObject | None
    error: RelayActorsError | None
    at: float


@dataclass(frozen=True, slots=True)
class Asked:
    """The call gave a command.

    Attributes:
        number: which of the call's commands.
        method: of the wire.
        params: complete, as far as they are no secrets.
        is_own: whether the code of the call's class wanted it.
        at: wall-clock seconds.
    """

    number: int
    method: str
    params: Mapping[str, Any]
    is_own: bool
    at: float


@dataclass(frozen=True, slots=True)
class Learnt:
    """The call noted something: what it was told by others than the wire, or how far it had come.

    Attributes:
        what: ``began``, ``recovered``, ``stalled``, ``timer``, ``result``, ``awaited``, ``sent``, ``told``,
            ``lost``, ``restored``; ``data``, ``now``; or one of `CHECKPOINTS`.
        values: what it was.
        at: wall-clock seconds.
    """

    what: str
    values: Mapping[str, Any]
    at: float

    @property
    def is_asked_for(self) -> bool:
        """Whether the call's code asked for it at that moment, rather than being told it."""
        return self.what == "now"


Item: TypeAlias = Told | Answered | Asked | Learnt


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that the journal knows of one call.

    Attributes:
        subject: under which it stands there.
        started: who has the call; None if nobody had it yet.
        items: what has happened, in order.
        last_words: ids of legs that were to be hung up by nobody in particular, and their nodes.
        frame_ids: of the events, as far as they had one.
        last_at: when the last of it was written, in wall-clock seconds.
    """

    subject: str
    started: CallStarted | None = None
    items: tuple[Item, ...] = ()
    last_words: Mapping[str, str] = field(default_factory=dict)
    frame_ids: tuple[object, ...] = ()
    last_at: float = 0.0

    @property
    def offer(self) -> CallReceiveEvent | None:
        """The event with which the call came in, or None."""
        told = (item.event for item in self.items if isinstance(item, Told))
        return next((event for event in told if isinstance(event, CallReceiveEvent)), None)

    @property
    def actor(self) -> str:
        """The class that has had it last, by name; "" if nobody had it."""
        return self.actors[-1] if self.actors else ""

    @property
    def actors(self) -> list[str]:
        """The classes that have had it, one after the other, by name."""
        first = [] if self.started is None else [self.started.actor]
        return [*first, *(str(item.values.get("actor")) for item in self.items if _is_restart(item))]

    @property
    def dial(self) -> Mapping[str, Any] | None:
        """The params of the command that has dialled it, or was to; None for an inbound call."""
        dial = {} if self.started is None else self.started.settings.get("dial")
        return dial if isinstance(dial, dict) and dial else None

    @property
    def legs(self) -> list[JsonObject]:
        """``node_id`` and ``call_id`` of all legs that it speaks of, and of those that were to be hung up."""
        nodes = dict(self.last_words)
        for item in self.items:
            if isinstance(item, Told) and item.event.call_id:
                nodes[item.event.call_id] = item.event.node_id or nodes.get(item.event.call_id, "")
        return [{"node_id": node_id, "call_id": call_id} for call_id, node_id in nodes.items()]

    @property
    def has_ended(self) -> bool:
        """Whether the wire has told of the end of the call."""
        return any(
            isinstance(item, Told)
            and isinstance(item.event, CallStateEvent)
            and item.event.call_state == CallState.ENDED
            for item in self.items
        )

    @property
    def checkpoint(self) -> int:
        """The place of the last note that says how far the code of the class has come; -1 if there is none."""
        for at in range(len(self.items) - 1, -1, -1):
            item = self.items[at]
            if isinstance(item, Learnt) and item.what in CHECKPOINTS:
                return at
        return -1


def _is_restart(item: Item) -> TypeGuard[Learnt]:
    return isinstance(item, Learnt) and item.what == "restarted"


def history_of(subject: str, entries: Iterable[Entry]) -> History:
    """Return the history of one call from its entries, which are complete and in order (`relay_actors.journal.replay`).

    Nothing has an effect but its result (SEMANTICS J3).
    """
    started: CallStarted | None = None
    told: list[Item] = []
    beside: dict[int, list[Item]] = defaultdict(list)
    numbers: dict[str, tuple[int, str]] = {}
    last_words: dict[str, str] = {}
    frame_ids: list[object] = []
    last_at = 0.0
    for entry in entries:
        last_at = max(last_at, entry.at)
        match entry:
            case CallStarted():
                started = started or entry
            case EventReceived(payload=payload, frame_id=frame_id):
                told.append(Told(parse_event(dict(payload)), entry.at))
                if frame_id is not None:
                    frame_ids.append(frame_id)
            case CommandIntended(number=0, method="calling.end", params=params):
                last_words[str(params.get("call_id", ""))] = str(params.get("node_id", ""))
            case CommandIntended(number=number, method=method, params=params) if number:
                numbers[entry.request_id] = number, method
                beside[entry.after].append(Asked(number, method, params, entry.by == "call", entry.at))
            case CommandSettled(request_id=request_id) if request_id in numbers:
                number, method = numbers[request_id]
                error = _error(entry, method)
                told.append(Answered(number, None if error else dict(entry.result), error, entry.at))
            case Noted(what=what, values=values):
                beside[entry.after].append(Learnt(what, values, entry.at))
    return History(
        subject=subject,
        started=started,
        items=tuple(_in_order(_offer_first(told), beside)),
        last_words=last_words,
        frame_ids=tuple(frame_ids),
        last_at=last_at,
    )


def _offer_first(told: list[Item]) -> list[Item]:
    """What came before the call was offered was kept for its actor, and told to it after the offer (SEMANTICS K4)."""
    for at, item in enumerate(told):
        if isinstance(item, Told) and isinstance(item.event, CallReceiveEvent):
            return [item, *told[:at], *told[at + 1 :]]
    return told


def _in_order(told: list[Item], beside: Mapping[int, list[Item]]) -> Iterable[Item]:
    yield from beside.get(0, ())
    for count, item in enumerate(told, start=1):
        yield item
        yield from beside.get(count, ())
    for count in sorted(beside):  # of a journal whose end was damaged
        if count > len(told):
            yield from beside[count]


def _error(settled: CommandSettled, method: str) -> RelayActorsError | None:
    text = str(settled.result.get("message", ""))
    match settled.outcome:
        case Outcome.OK:
            return None
        case Outcome.REJECTED:
            return CommandRejectedError(method, settled.code, text)
        case Outcome.NOT_SENT:
            return NotSentError(text)
        case _ if settled.result.get("error") == RequestTimeoutError.__name__:
            return RequestTimeoutError(method)
        case _:
            return ConnectionLostError(text)
