"""What one run has come to, and where the run of the other client has come to something else. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from tests.parity.shipped.frames import Frame

__all__ = ["Departure", "Run", "departures", "is_same_end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run has come to.

    Attributes:
        ended: by what: the names of an exception's classes, or some words.
        status: of the process; None: it was none of its own.
        printed: line by line.
        heard: by everybody, on each of their calls.
        frames: that the client has sent, of each call and of the session.
        otherwise: what people have waited for in vain, in a clause.
    """

    ended: str
    status: int | None = None
    printed: Sequence[str] = ()
    heard: Mapping[str, Sequence[Sequence[str]]] = field(default_factory=dict)
    frames: Mapping[str, Sequence[Frame]] = field(default_factory=dict)
    otherwise: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """One place where ours does otherwise.

    Attributes:
        what: ``ended``, ``status``, ``printed``, ``heard``, ``frame``, ``otherwise``.
        official: what came of it there; None: nothing.
        ours: the same of ours.
        call: of a frame: which call it is about.
    """

    what: str
    official: Any
    ours: Any
    call: str = ""

    def __str__(self) -> str:
        official, ours = self.official, self.ours
        if isinstance(official, Frame) and isinstance(ours, Frame):
            keys = [key for key in {**official.params, **ours.params} if not _is_same(official, ours, key)]
            method = official.method
            official, ours = ({key: one.params.get(key) for key in keys} for one in (official, ours))
            return f"{method} of {self.call}: official {_text(official)}, ours {_text(ours)}"
        where = f"{self.what} of {self.call}" if self.call else self.what
        return f"{where}: official {_text(official)}, ours {_text(ours)}"


def departures(official: Run, ours: Run) -> Iterator[Departure]:
    """Give every place where ours has come to something else."""
    if not is_same_end(official.ended, ours.ended):
        yield Departure("ended", official.ended, ours.ended)
    if official.status != ours.status:
        yield Departure("status", official.status, ours.status)
    if official.otherwise or ours.otherwise:  # the same of both is no comfort: people are to get what they wait for
        yield Departure("otherwise", official.otherwise, ours.otherwise)
    for one, other in _unlike(official.printed, ours.printed):
        yield Departure("printed", one, other)
    for number in {**official.heard, **ours.heard}:
        theirs, own = official.heard.get(number), ours.heard.get(number)
        if theirs != own:
            yield Departure("heard", theirs, own, number)
    for call in {**official.frames, **ours.frames}:
        for there, here in _unlike(official.frames.get(call, ()), ours.frames.get(call, ()), key=_method):
            yield Departure("frame", there, here, call)


def is_same_end(official: str, ours: str) -> bool:
    """Return whether who catches what the official client raises catches what ours does: the same, or one below it."""
    return official == ours or official.split(" ")[0] in ours.split(" ")


def _unlike(official: Sequence[Any], ours: Sequence[Any], key: Any = None) -> Iterator[tuple[Any, Any]]:
    """Give what stands beside something else, or beside nothing (None), when both are laid side by side by ``key``."""
    keys = [[key(one) if key else one for one in side] for side in (official, ours)]
    for _kind, begin, end, from_, to in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        for index in range(max(end - begin, to - from_)):
            one = official[begin + index] if begin + index < end else None
            other = ours[from_ + index] if from_ + index < to else None
            if one != other:
                yield one, other


def _method(frame: Frame) -> str:
    return frame.method


def _is_same(one: Frame, other: Frame, key: str) -> bool:
    return key in one.params and key in other.params and one.params[key] == other.params[key]


def _text(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Frame):
        return f"{value.method} {json.dumps(value.params)}"
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
