"""Who calls, when, and what they do: the same for the same seed. What they hear is in `scripts`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Final, Self

from tests.kill9.scripts import CALLED, CALLER, DESK, KINDS, STEPS, label_of, number_of

__all__ = ["Person", "make_cast"]

COLOURS: Final = ("green", "blue", "yellow", "white", "red", "black")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One telephone and what is to happen on it, once.

    Attributes:
        label: as prompts name it.
        kind: of the call: a key of `STEPS`.
        arrives_at_s: when they call, in seconds of the clock; None: they are called.
        keys: what they press, by the prompt at which they do.
        words: what they say, by the prompt at which they do.
        hears: what they hear another person say.
        recordings: how often they are recorded.
        hangs_up: whether it is they who end the call.
    """

    label: str
    number: str
    kind: str
    arrives_at_s: float | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    hears: tuple[str, ...] = ()
    recordings: int = 0
    hangs_up: bool = False

    @property
    def steps(self) -> tuple[str, ...]:
        """The prompts that they are to hear, in order."""
        return STEPS[self.kind]

    def to_record(self) -> dict[str, Any]:
        """Return it as the journal keeps it."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Return what `to_record` has kept."""
        return cls(**{**record, "hears": tuple(record["hears"])})


def make_cast(callers: int, seed: int, spread_s: float) -> list[Person]:
    """Return so many callers, and whoever is called because of them, in no particular order.

    Args:
        callers: at most 9999.
        seed: of everything.
        spread_s: over how many seconds they arrive.
    """
    random = Random(f"cast {seed}")
    kinds = [KINDS[place % len(KINDS)] for place in range(callers)]
    if kinds.count("waiting") > kinds.count("agent"):  # nobody would ever take the last one out of the queue
        kinds[len(kinds) - 1 - kinds[::-1].index("waiting")] = "ivr"
    people: list[Person] = []
    for place, kind in enumerate(kinds, start=1):
        people += _people(place, kind, random, random.uniform(0.0, spread_s))
    return people


def _people(place: int, kind: str, random: Random, arrives_at_s: float) -> list[Person]:
    number = number_of(place, CALLER)
    label = label_of(number)
    who: dict[str, Any] = {"label": label, "number": number, "kind": kind, "arrives_at_s": arrives_at_s}
    match kind:
        case "ivr":
            keys = {"menu1": _keys(random, 4), "menu2": _keys(random, 4)}
            return [Person(**who, keys=keys, words={"name": random.choice(COLOURS)})]
        case "voicemail":
            return [Person(**who, recordings=1)]
        case "desk":
            at = number_of(place, DESK)
            desk = Person(
                label=label_of(at), number=at, kind="at the desk", hears=(f"hello from {label}",), hangs_up=True
            )
            return [Person(**who, hears=(f"hello from {desk.label}",)), desk]
        case "agent":
            return [Person(**who, keys={"ready": _keys(random, 1)})]
        case "callback":
            at = number_of(place, CALLED)
            called = Person(label=label_of(at), number=at, kind="called", keys={"confirm": _keys(random, 1)})
            return [Person(**who), called]
        case _:
            return [Person(**who)]


def _keys(random: Random, number: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(number))
