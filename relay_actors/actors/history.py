"""What the journal knows of one call, in the order in which its actor has lived it. Layer: hall; pure.

Two clocks order it. What the wire told (events, and answers to the call's commands) stands in the journal in the order
in which the actor was told it, and is counted: 1, 2, 3, … Everything else says after how many of these it was: a
command that was given, and what was noted. So the order holds although commands and notes reach the journal a little
later than the actor has given them. Source: SEMANTICS J4.

The past of a long call may have been summed up (`compacting`): then it begins with those entries that still matter, in
the order in which they were lived, and the counting goes on where it was.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final, NamedTuple, TypeAlias, cast

from relay_actors.actors.kept_as_text import kept_of, message_of
from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    JournalError,
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
    Snapshot,
)
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, RelayEvent, parse_event
from relay_actors.protocol.states import CallState

__all__ = [
    "BESIDE",
    "CHECKPOINTS",
    "Answered",
    "Asked",
    "History",
    "Item",
    "Kept",
    "Learnt",
    "Line",
    "Lived",
    "Told",
    "data_apart",
    "history_of",
    "is_of_the_code",
    "is_output",
    "is_told",
    "item_of",
    "kept_apart",
    "lived",
    "said",
]

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
        by: the name that it has for the code of another call, which wanted it; "" if it has none.
    """

    number: int
    method: str
    params: Mapping[str, Any]
    is_own: bool
    at: float
    by: str = ""


BESIDE: Final = ("progress", "aside", "pipes", "silence", "watches")
"""What a handler has beside its data and timers, by the names in its notes."""

_NEWEST: Final = frozenset({"data", "timers", *BESIDE})


@dataclass(frozen=True, slots=True)
class Learnt:
    """The call noted something: what it was told by others than the wire, or how far it had come.

    Attributes:
        what: ``began``, ``recovered``, ``stalled``, ``timer``, ``result``, ``awaited``, ``sent``, ``told``,
            ``piped``, ``lost``, ``restored``; ``arranged``, ``data``, ``looked``, ``now``, ``over``; ``orphaned``; or
            one of `CHECKPOINTS`.
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

    @property
    def newest(self) -> frozenset[str]:
        """What it holds that counts as it was noted last: the application's data, timers, and what else there is."""
        # What the call was told has "timers", too: those of which it was the tick, and not those that are to come.
        return _NEWEST.intersection(self.values) if self.what != "told" else frozenset()


_ATOMS: Final = frozenset({bool, float, int, str, type(None)})
"""Types whose values are never changed, and hold no others."""

Item: TypeAlias = Told | Answered | Asked | Learnt


def is_output(item: Item) -> bool:
    """Return whether an item is something that was asked for, rather than told."""
    return isinstance(item, Asked) or (isinstance(item, Learnt) and item.is_asked_for)


def is_of_the_code(item: Item) -> bool:
    """Return whether the code of the class has asked for it."""
    return item.is_own if isinstance(item, Asked) else is_output(item)


def said(item: Item | None) -> str:
    """Return what was asked for, for people; nothing of its params, which may be anybody's business."""
    return item.method if isinstance(item, Asked) else "the time" if isinstance(item, Learnt) else "nothing"


class _Heard(NamedTuple):
    """That the wire told of an event, with what is kept of that; see `kept_of`."""

    event: object
    at: float


Kept: TypeAlias = Item | _Heard
"""What is kept of an item."""


def is_told(kept: Kept) -> bool:
    """Return whether the wire has told it."""
    return isinstance(kept, Told | Answered | _Heard)


def kept_apart(item: Item) -> Kept:
    """Return what is to be kept of an item, for `item_of`: whoever has been given it may change that in place."""
    if isinstance(item, Told) and (kept := kept_of(item.event)) is not item.event:  # it is a text, and nobody's
        return _Heard(kept, item.at)
    return _apart(item)


def item_of(kept: Kept) -> Item:
    """Return an item again, of which nobody else has a part."""
    if isinstance(kept, _Heard):
        return Told(cast("RelayEvent", message_of(kept.event)), kept.at)
    return _apart(kept)


def _apart(item: Item) -> Item:
    # Not by `dataclasses.replace`, which takes as long as all the rest, and it is done for each event.
    match item:
        case Told(event, at):
            return Told(copy.deepcopy(event), at)
        case Answered(number, result, error, at):
            return Answered(number, _copied(result), error, at)
        case Asked(number, method, params, is_own, at, by):
            return Asked(number, method, _copied(params), is_own, at, by)
    return item


def _copied(value: Any) -> Any:
    """Return a deep copy, in a fifth of the time if it is plain data, as nearly always."""
    try:
        return _plain_copy(value)
    except RecursionError:  # it holds itself
        return copy.deepcopy(value)


def _plain_copy(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: _plain_copy(one) for key, one in value.items()}
    if kind is list:
        return [_plain_copy(one) for one in value]
    return value if kind in _ATOMS else copy.deepcopy(value)


def data_apart(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same data, of which nobody else has a part, as far as they can be copied."""
    copied: dict[str, Any] = {}
    for key, value in data.items():
        try:
            copied[key] = copy.deepcopy(value)
        except Exception:  # noqa: BLE001  # whatever it is, and raises: a lock, a socket
            copied[key] = value
    return copied


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
        summed_up: how many of the items are what is left of a past that was summed up.
        told: how many things the call had been told by the wire at the end of that past.
        commands: how many commands it had given by then.
    """

    subject: str
    started: CallStarted | None = None
    items: tuple[Item, ...] = ()
    last_words: Mapping[str, str] = field(default_factory=dict)
    frame_ids: tuple[object, ...] = ()
    last_at: float = 0.0
    summed_up: int = 0
    told: int = 0
    commands: int = 0

    @property
    def offer(self) -> CallReceiveEvent | None:
        """The event with which the call came in, or None."""
        for item in self.items:
            if isinstance(item, Told) and isinstance(item.event, CallReceiveEvent):
                return item.event
        return None

    @property
    def is_orphaned(self) -> bool:
        """Whether the session is gone that would tell of it: nothing more is heard of it (SEMANTICS K8)."""
        return "orphaned" in [item.what for item in self.items if isinstance(item, Learnt)]

    @property
    def actor(self) -> str:
        """The class that has had it last, by name; "" if nobody had it."""
        return self.actors[-1] if self.actors else ""

    @property
    def actors(self) -> list[str]:
        """The classes that have had it, one after the other, by name."""
        first = [] if self.started is None else [self.started.actor]
        restarts = [item for item in self.items if isinstance(item, Learnt) and item.what == "restarted"]
        return [*first, *(str(item.values.get("actor")) for item in restarts)]

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


class Line(NamedTuple):
    """An entry, and what it says of the life of the call."""

    entry: Entry
    item: Item


class Lived:
    """The entries of one call, in the order in which its actor has lived them.

    A `Snapshot` of it holds ``form`` (1), ``past`` (encoded entries, in order), ``told`` and ``commands`` (as for
    `History`), and the ``frame_ids`` of events that are not there any more.

    Attributes:
        started: who has the call; None if nobody had it yet.
        last_words: the last of the commands that hung up a leg for nobody in particular, by call id.
        frame_ids: of the events, as far as they had one, oldest first.
        last_at: when the last of it was written, in wall-clock seconds.
        told: how many things the call had been told by the wire at the end of the past that was summed up.
        commands: how many commands it had given by then.
    """

    def __init__(self) -> None:
        self.started: CallStarted | None = None
        self.last_words: dict[str, CommandIntended] = {}
        self.frame_ids: list[object] = []
        self.last_at = 0.0
        self.told = 0
        self.commands = 0
        self._past: list[Line] = []
        self._told: list[Line] = []
        self._beside: dict[int, list[Line]] = {}
        self._asked: dict[str, tuple[int, str]] = {}

    @property
    def summed_up(self) -> int:
        """How many of the lines are what is left of a past that was summed up."""
        return len(self._past)

    @property
    def lines(self) -> list[Line]:
        """All that says something of the life of the call, in order."""
        has_offer = any(map(_is_offer, self._past))
        told = self._told if has_offer else _offer_first(self._told)
        return [*self._past, *_in_order(told, self._beside)]

    def sum_up(self, snapshot: Snapshot) -> None:
        """Begin with what a past was summed up to.

        Raises:
            JournalError: that has a form that is not known.
        """
        past: list[bytes]
        match snapshot.state:
            case {
                "form": 1,
                "past": list(past),
                "told": int(told),
                "commands": int(commands),
                "frame_ids": list(frame_ids),
            }:
                self.last_at, self.told, self.commands = snapshot.at, told, commands
                self.frame_ids += frame_ids
            case _:
                text = "is summed up in a form that this release does not know"
                raise JournalError(f"the past of {snapshot.subject} {text}")
        from relay_actors.journal.codec import decode  # here, for calls without a journal have no past

        for record in past:
            entry = decode(record)  # which says so, if it is no record
            if (item := self._item(entry)) is not None:
                self._past.append(Line(entry, item))

    def read(self, entry: Entry) -> None:
        """Take in one more entry."""
        item = self._item(entry)
        if item is None:
            return
        line = Line(entry, item)
        if isinstance(entry, CommandIntended | Noted):
            beside, after = self._beside, max(0, entry.after - self.told)
            if after in beside:
                beside[after].append(line)
            else:
                beside[after] = [line]
        else:
            self._told.append(line)

    def _item(self, entry: Entry) -> Item | None:
        """Return what an entry says of the life of the call; keep what it says beside."""
        at = entry.at
        if at > self.last_at:
            self.last_at = at
        match entry:  # what is most frequent first
            case EventReceived(payload=payload, frame_id=frame_id):
                if frame_id is not None:
                    self.frame_ids.append(frame_id)
                return Told(parse_event(dict(payload)), at)
            case Noted(what=what, values=values):
                return Learnt(what, values, at)
            case CommandIntended(number=number, method=method, params=params, by=by):
                if number:
                    self._asked[entry.request_id] = number, method
                    return Asked(number, method, params, by == "call", at, "" if by in ("call", "other") else by)
                if method == "calling.end":
                    self.last_words[str(params.get("call_id", ""))] = entry
            case CommandSettled(request_id=request_id) if request_id in self._asked:
                number, method = self._asked[request_id]
                error = _error(entry, method)
                return Answered(number, None if error else dict(entry.result), error, at)
            case CallStarted():
                self.started = self.started or entry
        return None


def lived(entries: Iterable[Entry]) -> Lived:
    """Return the entries of one call in the order in which they were lived.

    Args:
        entries: complete and in order (`relay_actors.journal.replay`).

    Raises:
        JournalError: its past is summed up in a form that is not known.
    """
    made = Lived()
    for entry in entries:
        if isinstance(entry, Snapshot):
            made = Lived()  # it stands for everything before it
            made.sum_up(entry)
        else:
            made.read(entry)
    return made


def history_of(subject: str, entries: Iterable[Entry]) -> History:
    """Return the history of one call from its entries, which are complete and in order (`relay_actors.journal.replay`).

    Nothing has an effect but its result (SEMANTICS J3).

    Raises:
        JournalError: its past is summed up in a form that is not known.
    """
    known = lived(entries)
    return History(
        subject=subject,
        started=known.started,
        items=tuple([line.item for line in known.lines]),
        last_words={call_id: str(said.params.get("node_id", "")) for call_id, said in known.last_words.items()},
        frame_ids=tuple(known.frame_ids),
        last_at=known.last_at,
        summed_up=known.summed_up,
        told=known.told,
        commands=known.commands,
    )


def _is_offer(line: Line) -> bool:
    return isinstance(line.item, Told) and isinstance(line.item.event, CallReceiveEvent)


def _offer_first(told: list[Line]) -> list[Line]:
    """What came before the call was offered was kept for its actor, and told to it after the offer (SEMANTICS K4)."""
    for at, line in enumerate(told):
        if _is_offer(line):
            return [line, *told[:at], *told[at + 1 :]]
    return told


def _in_order(told: list[Line], beside: Mapping[int, list[Line]]) -> list[Line]:
    lines = list(beside.get(0, ()))
    for count, line in enumerate(told, start=1):
        lines.append(line)
        if count in beside:
            lines += beside[count]
    for count in sorted(beside):  # of a journal whose end was damaged
        if count > len(told):
            lines += beside[count]
    return lines


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
