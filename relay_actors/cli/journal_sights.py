"""What a journal says of one call, text or dial, as a person reads it: one row of a list, and a timeline. Layer: door.

Nobody's number is shown but for its last two digits, and nothing of what was said, typed, texted or played, unless it
is asked for; see `relay_actors.actors.frame_log`. Secrets and cards are not in a journal at all.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from relay_actors.actors.compacting import spread_out
from relay_actors.actors.frame_log import mask_numbers
from relay_actors.actors.journaling import SESSION
from relay_actors.errors import JournalError
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Snapshot,
    SubjectEnded,
)
from relay_actors.journal.replay import replay

__all__ = ["Line", "Sight", "clock_time", "printable", "sight_of", "tags_of", "timeline"]

_STATES: Final = ("call_state", "dial_state", "message_state", "state")
_TELLING: Final = ("direction", "end_reason", "reason", "name", "queue_name", "conference_name", "tag")
"""What is told of an event beside its state; no content, and nobody's number."""
_SHORT_ID: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One subject of a journal, in one row.

    Attributes:
        id: call id, message id or tag.
        kind: ``call``, ``dial``, ``text``, or ``other`` for what belongs to nobody.
        direction: ``inbound``, ``outbound``, or "" if the journal does not say.
        actor: the class that handles it; "" if the journal does not say.
        state: the newest that the wire told; ``ended``, once it is over; "" if nothing was told.
        since: wall-clock seconds of its oldest entry.
        entries: how many there are.
        pending: the commands of which nobody knows whether they took effect, oldest first.
        fault: why its entries cannot be replayed; "" if they can.
    """

    id: str
    kind: str
    direction: str = ""
    actor: str = ""
    state: str = ""
    since: float
    entries: int
    pending: Sequence[CommandIntended] = field(default=())
    fault: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "id": self.id,
            "kind": self.kind,
            "direction": self.direction,
            "class": self.actor,
            "state": self.state,
            "since": self.since,
            "entries": self.entries,
            "pending": [
                {"method": one.method, "request_id": one.request_id, "at": one.at, "number": one.number}
                for one in self.pending
            ],
            "fault": self.fault,
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in a timeline.

    Attributes:
        at: wall-clock seconds.
        elapsed: seconds since the first entry.
        what: ``began``, ``came``, ``sent``, ``done``, ``noted``, ``summed up`` or ``ended``.
        detail: which event, command or note, and how it stands.
        is_trouble: a command that was refused, or of which nobody knows.
    """

    at: float
    elapsed: float
    what: str
    detail: str
    is_trouble: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {"at": self.at, "elapsed": round(self.elapsed, 6), "what": self.what, "detail": self.detail}


def sight_of(entries: Sequence[Entry]) -> Sight:
    """Return the row of one subject, of which there is at least one entry."""
    kind, direction, actor, state = "call", "", "", ""
    known = list(spread_out(entries))
    for entry in known:
        match entry:
            case CallStarted():
                actor, direction = entry.actor, entry.direction
            case EventReceived(payload=payload):
                event_type, params = _text(payload, "event_type"), _object(payload, "params")
                kind = "text" if event_type.startswith("messaging.") else kind
                direction = direction or _text(params, "direction")
                # A play has a state, too: of the operation, and not of its call.
                names = _STATES[:3]
                state = next((told for name in names if (told := _text(params, name))), state)
            case CommandIntended(method="calling.dial"):
                kind, direction = "dial", "outbound"
            case CommandIntended(method=method) if method.startswith("messaging."):
                kind, direction = "text", "outbound"
            case SubjectEnded():
                state = "ended"
    if entries[0].subject == SESSION:
        kind = "other"
    fault = ""
    pending: Sequence[CommandIntended] = ()
    try:
        pending = replay(entries).pending
    except JournalError as error:
        fault = str(error)
    return Sight(
        id=entries[0].subject,
        kind=kind,
        direction=direction,
        actor=actor,
        state=state,
        since=known[0].at,
        entries=len(entries),
        pending=pending,
        fault=fault,
    )


def timeline(entries: Sequence[Entry], *, is_unmasked: bool = False) -> Iterator[Line]:
    """Give one line for each entry of one subject, in order; of a past that was summed up, what is left of it.

    Args:
        entries: as the journal gives them.
        is_unmasked: whether to show numbers, and everything that events, commands, notes and outcomes hold.
    """
    sent: dict[str, CommandIntended] = {}
    since: float | None = None
    for entry in spread_out(entries):
        since = entry.at if since is None else since
        if isinstance(entry, CommandIntended):
            sent[entry.request_id] = entry
        elif isinstance(entry, Snapshot):
            sent |= {intent.request_id: intent for intent in entry.pending}
        what, detail, whole = _told(entry, sent)
        if is_unmasked and whole:
            detail = f"{detail} {json.dumps(whole, default=repr, ensure_ascii=False)}"
        yield Line(
            entry.at,
            entry.at - since,
            what,
            printable(detail if is_unmasked else mask_numbers(detail)),
            isinstance(entry, CommandSettled) and entry.outcome is not Outcome.OK,
        )


def tags_of(entries: Iterable[Entry]) -> set[str]:
    """Return the tags that a subject's entries name: of the dial that has made it."""
    tags: set[str] = set()
    for entry in spread_out(entries):
        match entry:
            case EventReceived(payload=payload):
                tags.add(_text(_object(payload, "params"), "tag"))
            case CallStarted(settings=values) | CommandIntended(params=values):
                tags.add(_text(values, "tag"))
    return tags - {""}


def clock_time(at: float, *, with_date: bool = False) -> str:
    """Return a moment as people write it, in UTC and with milliseconds."""
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    text = moment.strftime("%H:%M:%S.") + f"{moment.microsecond // 1000:03}"
    return f"{moment:%Y-%m-%d} {text}" if with_date else text


def printable(text: str) -> str:
    """Return it without what could move a terminal's cursor: ids and texts come from others."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _told(entry: Entry, sent: Mapping[str, CommandIntended]) -> tuple[str, str, Mapping[str, Any]]:
    """Return what it is, what is told of it to everybody, and all that it holds."""
    match entry:
        case CallStarted():
            seeds = {name: value for name, value in entry.settings.items() if name != "seed"}
            return "began", f"{entry.actor} {entry.direction}", {**seeds, **entry.data}
        case EventReceived(payload=payload):
            params = _object(payload, "params")
            return "came", _words(_text(payload, "event_type") or "an event", *_of_event(params)), params
        case CommandIntended():
            by = "" if entry.by == "call" else f"by {entry.by}"
            return "sent", _words(entry.method, _control(entry.params), by), entry.params
        case CommandSettled():
            return "done", _outcome(entry, sent.get(entry.request_id)), entry.result
        case Noted():
            return "noted", _words(entry.what, ", ".join(entry.values)), entry.values
        case Snapshot():
            pending = f"{len(entry.pending)} pending" if entry.pending else ""
            # Its past was told before it; and the ids are for nobody to read.
            plain = {name: value for name, value in entry.state.items() if name not in ("past", "frame_ids")}
            return "summed up", _words(", ".join(plain), pending), plain
        case SubjectEnded():
            return "ended", entry.reason, {}
    return type(entry).__name__, "", {}


def _of_event(params: Mapping[str, Any]) -> Iterator[str]:
    yield next((told for name in _STATES if (told := _text(params, name))), "")
    yield _control(params)
    yield from (f"{name}={told}" for name in _TELLING if (told := _text(params, name)))
    device = _object(_object(params, "device"), "params")
    for name in ("from_number", "to_number"):
        if number := _text(params, name) or _text(device, name):
            # With a plus, so that it is known for a number, and masked.
            yield f"{name.removesuffix('_number')} {number if number.startswith('+') else f'+{number}'}"
    if kind := _text(_object(params, "result"), "type"):
        yield f"result={kind}"


def _control(params: Mapping[str, Any]) -> str:
    control = _text(params, "control_id")
    return f"({control[:_SHORT_ID]})" if control else ""


def _outcome(entry: CommandSettled, intent: CommandIntended | None) -> str:
    name = intent.method if intent is not None else f"request {entry.request_id[:_SHORT_ID]}"
    code = f"({entry.code})" if entry.code else ""
    took = f"after {entry.at - intent.at:.3f} s" if intent is not None else ""
    return _words(name, str(entry.outcome), code, took)


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""


def _object(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = values.get(name)
    return value if isinstance(value, dict) else {}


def _words(*parts: str) -> str:
    return " ".join(part for part in parts if part)
