"""Arguments for faults, drawn so that a correct client recovers from them. Layer: simulator, pure.

Only `Random.random`, `randrange` and `choice` are used: they give the same on every version of Python.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, TypeVar

from relay_actors.simulator.damages import BECOMES
from relay_actors.simulator.odd_frames import NO_FRAMES

__all__ = ["LONGEST_S", "draw_args"]

LONGEST_S: Final = 3.0
"""What lasts, lasts at most so many seconds of the clock: less than a client waits for an answer."""

SHORTEST_S: Final = 0.05

SLOWEST_S: Final = 0.5
"""How much longer each frame takes at most; a log-in and its answer are two."""

CODES: Final = ("500", "503", -32603, -32000)
"""Refusals that would not be lies: 404 and 410 say that the call is gone, and 409 that it was done before."""

NOT_NEEDED: Final = ("timestamp", "event_channel", "project_id", "space_id")
"""Fields without which a client can do. Source: PROTOCOL 7.1."""

NEEDED: Final = ("call_id", "control_id")
"""Fields without which an event says nothing: only a copy is damaged."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Draw:
    random: Random
    methods: Sequence[str]
    event_types: Sequence[str]
    ends_sessions: bool

    def seconds(self, most: float = LONGEST_S) -> float:
        return round(SHORTEST_S + self.random.random() * (most - SHORTEST_S), 2)

    def flag(self, chance: float = 0.5) -> bool:
        return self.random.random() < chance

    def one(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def direction(self) -> str:
        return self.one(("both", "both", "in", "out"))

    def method(self) -> dict[str, object]:
        return {"method": self.one(self.methods)}

    def event(self) -> dict[str, object]:
        return {"event_type": self.one(self.event_types)}


def draw_args(
    name: str, random: Random, methods: Sequence[str], event_types: Sequence[str], *, ends_sessions: bool
) -> dict[str, object] | None:
    """Return arguments for the fault of this name; None when it needs a method or an event type, and there is none."""
    draw = _Draw(random, methods, event_types, ends_sessions)
    if (name in OF_METHODS and not methods) or (name in OF_EVENTS and not event_types):
        return None
    return DRAWS[name](draw)


def _cut(draw: _Draw) -> dict[str, object]:
    args: dict[str, object] = {"after": draw.flag(), "clean": draw.flag(0.25)}
    kinds = ["next", *(["method"] if draw.methods else []), *(["event"] if draw.event_types else [])]
    match draw.one(kinds):
        case "method":
            return {**args, **draw.method(), "answer": draw.flag(), "skip": draw.random.randrange(3)}
        case "event":
            return {**args, **draw.event(), "answer": draw.flag(0.25), "skip": draw.random.randrange(3)}
    return {**args, "direction": draw.direction(), "skip": draw.random.randrange(10)}


def _damaged(draw: _Draw) -> dict[str, object]:
    is_copy = draw.flag()
    return {**draw.event(), "field": draw.one(NEEDED if is_copy else NOT_NEEDED), "copy": is_copy}


def _half_open(draw: _Draw) -> dict[str, object]:
    return {"seconds": draw.seconds(), "direction": draw.direction(), "ends": draw.one(("heals", "breaks"))}


def _slow(draw: _Draw) -> dict[str, object]:
    what = draw.one(("frames", "answers"))
    args: dict[str, object] = {"seconds": draw.seconds(SLOWEST_S), "what": what, "lasts": draw.seconds()}
    return {**args, "direction": draw.direction()} if what == "frames" else args


def _restart(draw: _Draw) -> dict[str, object]:
    keeps = draw.flag() or not draw.ends_sessions
    return {"keeps_sessions": keeps, "announced": draw.flag(), "seconds": draw.seconds()}


DRAWS: Final[Mapping[str, Callable[[_Draw], dict[str, object]]]] = {
    "cut": _cut,
    "drop": lambda draw: {"clean": draw.flag(0.25)},
    "socket_down": lambda draw: {"seconds": draw.seconds(), "clean": draw.flag(0.25)},
    "half_open": _half_open,
    "stall": lambda draw: {"seconds": draw.seconds()},
    "slow": _slow,
    "reject": lambda draw: {**draw.method(), "code": draw.one(CODES), "message": "refused on purpose"},
    "time_out": lambda draw: {**draw.method(), "but_do_it": draw.flag()},
    "answer_late": lambda draw: {**draw.method(), "seconds": draw.seconds()},
    "answer_twice": lambda draw: draw.method(),
    "delay": lambda draw: {**draw.event(), "seconds": draw.seconds(), "keeps_order": True},
    "reorder": lambda draw: {**draw.event(), "within": draw.seconds()},
    "duplicate": lambda draw: draw.event(),
    "missing_field": _damaged,
    "wrong_field": lambda draw: {**_damaged(draw), "becomes": draw.one(("other", *BECOMES))},
    "binary": lambda draw: draw.event(),
    "malformed": lambda draw: {"what": draw.one(tuple(NO_FRAMES))},
    "oversize": lambda _draw: {},
    "unknown_event": lambda _draw: {},
    "unknown_method": lambda _draw: {},
    "restart": _restart,
    "refuse_resume": lambda _draw: {},
    "expire_authorization": lambda draw: {"closes": draw.flag(0.75)},
}

OF_METHODS: Final = frozenset({"reject", "time_out", "answer_late", "answer_twice"})
OF_EVENTS: Final = frozenset({"delay", "reorder", "duplicate", "missing_field", "wrong_field", "binary"})
