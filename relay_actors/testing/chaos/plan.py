"""What happens in one run: who calls, what they do, what goes wrong. All of it plain data. Layer: door, pure.

A plan is drawn from a seed, or read from a file; a run follows from it, and from nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import UnionType
from typing import Any, Final, Literal, TypeVar, get_args, get_origin, get_type_hints

from relay_actors.errors import ConfigError
from relay_actors.protocol import json_codec
from relay_actors.simulator.fault_words import parse_fault, random_fault
from relay_actors.simulator.manners import Manners
from relay_actors.testing.chaos.deeds import parse_deed
from relay_actors.testing.chaos.moments import parse_moment

__all__ = [
    "KILL",
    "NUMBERS",
    "Caller",
    "Cast",
    "Desk",
    "Doing",
    "Mishap",
    "Plan",
    "Texter",
    "draw",
    "from_json",
    "to_json",
]

T = TypeVar("T", "Caller", "Desk", "Doing", "Mishap", "Plan", "Texter")

KILL: Final = "kill"
"""The mishap that the process dies, and is started again a moment later; all others are faults of the simulator."""

FORMAT: Final = 1

NUMBERS: Final = tuple(f"+1555010{number:04d}" for number in range(100, 120))

ARRIVE_WITHIN_S: Final = 6.0
STAYS_S: Final = 90.0
FRAMES: Final = 120
"""Mishaps strike at one of so many first frames of a run."""

_MANNERS: Final = ("event_before_response", "dial_event_first", "losers_end_first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """What a person does on hearing something: the first thing heard is answered by the first of a list.

    Attributes:
        after: seconds from the beginning of what was heard.
        press: keys.
        say: words.
        hang_up: whether that is the end.
    """

    after: float = 0.3
    press: str = ""
    say: str = ""
    hang_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Somebody who calls.

    Attributes:
        at: seconds from the beginning.
        does: see `Doing`; nothing more after the last one.
        stays: hangs up after so many seconds, if the call is up.
    """

    who: str
    at: float
    context: str
    does: tuple[Doing, ...] = ()
    stays: float = STAYS_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Texter:
    """Somebody who sends a text."""

    who: str
    at: float
    context: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """How the next phone reacts that the application rings: the first one it rings is the first of the list."""

    answer: Literal["answers", "rejects", "busy", "never"]
    after: float = 1.0
    does: tuple[Doing, ...] = ()
    stays: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mishap:
    """Something that goes wrong: when so many frames have crossed, so many seconds are over, or at a moment in words.

    Attributes:
        what: a fault in words, as `Simulator.inject` takes them, a deed of people (`deeds`), or `KILL`.
        at_frame: counted from 0, both directions together; of a `KILL` what is counted are the places where a process
            can die with an effect: before and after each commit of its journal, and each write to its socket.
        at: seconds from the beginning.
        on: a moment in words, as `moments` has them. What befalls the wire strikes before anything comes of the frame;
            people act, and connections break, at the same moment, whoever else has a turn then: a lot decides.
        nth: which such moment, from 1.
        after: seconds since that moment.
    """

    what: str
    at_frame: int | None = None
    at: float | None = None
    on: str = ""
    nth: int = 1
    after: float = 0.0

    @property
    def when(self) -> str:
        """When it strikes, in words."""
        if self.on:
            later = f" + {self.after:g}" if self.after else ""
            return f"on {self.on}{f', number {self.nth}' if self.nth > 1 else ''}{later}:"
        return f"frame {self.at_frame}" if self.at is None else f"at {self.at:7.3f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        seed: of all that is drawn while it runs: whose turn it is, ids, jitter.
        lots: how many turns are drawn; after that they come in order. None: all are drawn.
        journal: whether the application keeps a journal, as it must to survive a `KILL`.
        manners: of the server, by name, that are switched on.
    """

    seed: int
    callers: tuple[Caller, ...] = ()
    texters: tuple[Texter, ...] = ()
    desks: tuple[Desk, ...] = ()
    mishaps: tuple[Mishap, ...] = ()
    manners: tuple[str, ...] = ()
    journal: bool = False
    lots: int | None = None

    @property
    def size(self) -> int:
        """How much there is to understand about it."""
        people = [*(one.does for one in self.callers), *(one.does for one in self.desks)]
        return (
            sum(1 + len(does) for does in people)
            + len(self.texters)
            + 2 * len(self.mishaps)
            + len(self.manners)
            + self.journal
        )

    def __str__(self) -> str:
        lines = [f"seed {self.seed}{', with a journal' * self.journal}{''.join(f', {name}' for name in self.manners)}"]
        lines += [
            f"at {one.at:7.3f}  {one.who} calls {one.context}, {_in_words(one.does, one.stays)}" for one in self.callers
        ]
        lines += [f"at {one.at:7.3f}  {one.who} texts {one.text!r} to {one.context}" for one in self.texters]
        lines += [
            f"phone {place}     {one.answer}, {_in_words(one.does, one.stays)}"
            for place, one in enumerate(self.desks, 1)
        ]
        lines += [f"{one.when}  {one.what}" for one in self.mishaps]
        if self.lots is not None:
            lines.append(f"turns are drawn {self.lots} times, then they come in order")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """What people can do with one application: what `draw` draws from.

    Attributes:
        call_contexts: where to call.
        text_contexts: where to send texts.
        keys: that mean something.
        words: that mean something, when they are said or sent.
        can_die: whether runs with a journal, and with a `KILL` in it, are drawn, too.
        faults: whether anything goes wrong at all.
    """

    call_contexts: Sequence[str]
    text_contexts: Sequence[str] = ()
    keys: Sequence[str] = ("1", "2", "#")
    words: Sequence[str] = ("hello",)
    can_die: bool = False
    faults: bool = True
    methods: Sequence[str] = field(
        default=("calling.answer", "calling.play", "calling.play_and_collect", "calling.connect", "calling.end")
    )
    event_types: Sequence[str] = field(
        default=("calling.call.state", "calling.call.play", "calling.call.collect", "calling.call.connect")
    )


def draw(seed: int, cast: Cast) -> Plan:
    """Return the plan of a seed; the same one whenever and wherever it is drawn."""
    random = Random(f"plan {seed}")
    numbers = list(NUMBERS)
    random.shuffle(numbers)
    callers = [
        Caller(
            who=numbers.pop(),
            at=_moment(random, ARRIVE_WITHIN_S),
            context=random.choice(cast.call_contexts),
            does=_doings(random, cast),
            stays=random.choice((STAYS_S, STAYS_S, STAYS_S, _moment(random, 20.0))),
        )
        for _ in range(random.choice((1, 1, 2, 3)) if cast.call_contexts else 0)
    ]
    texters = [
        Texter(
            who=numbers.pop(),
            at=_moment(random, ARRIVE_WITHIN_S),
            context=random.choice(cast.text_contexts),
            text=random.choice(cast.words),
        )
        for _ in range(random.choice((0, 0, 1, 2)) if cast.text_contexts else 0)
    ]
    desks = [_desk(random, cast) for _ in range(6)]
    dies = cast.can_die and random.random() < 0.25
    mishaps = [_mishap(random, cast) for _ in range(random.choice((0, 1, 1, 2, 3)))] if cast.faults else []
    if dies and cast.faults:
        mishaps += [Mishap(what=KILL, at_frame=random.randrange(FRAMES)) for _ in range(random.choice((1, 1, 2)))]
    return Plan(
        seed=seed,
        callers=tuple(callers),
        texters=tuple(texters),
        desks=tuple(desks),
        mishaps=tuple(mishaps),
        manners=tuple(name for name in _MANNERS if random.random() < 0.25),
        journal=dies or (cast.can_die and random.random() < 0.25),
    )


def to_json(plan: Plan) -> str:
    """Return a plan as a file holds it."""
    return json_codec.dumps({"format": FORMAT, **dataclasses.asdict(plan)}).decode()


def from_json(text: str) -> Plan:
    """Return the plan of a file.

    Raises:
        ConfigError: it is none, or one of another release; the text says what is wrong.
    """
    try:
        body = json_codec.loads(text)
    except ValueError as error:
        raise ConfigError(f"this is no plan of a run: {error}") from None
    if not isinstance(body, dict) or body.pop("format", None) != FORMAT:
        raise ConfigError(f"this is no plan of a run of format {FORMAT}: write one with relay-actors chaos --save")
    try:
        plan = _typed(
            Plan(
                **{
                    **body,
                    "callers": tuple(_typed(Caller(**_with_doings(one))) for one in body["callers"]),
                    "texters": tuple(_typed(Texter(**one)) for one in body["texters"]),
                    "desks": tuple(_typed(Desk(**_with_doings(one))) for one in body["desks"]),
                    "mishaps": tuple(_typed(Mishap(**one)) for one in body["mishaps"]),
                    "manners": tuple(body["manners"]),
                }
            )
        )
    except (TypeError, KeyError) as error:
        raise ConfigError(f"this is no plan of a run: {error}") from None
    known = [one.name for one in dataclasses.fields(Manners) if isinstance(one.default, bool)]
    for name in plan.manners:
        if name not in known:
            raise ConfigError(f"this is no plan of a run: no manner is called {name!r}; there are {', '.join(known)}")
    for mishap in plan.mishaps:
        if mishap.what != KILL and parse_deed(mishap.what) is None:
            parse_fault(mishap.what)
        if mishap.on:
            parse_moment(mishap.on)
    return plan


def _with_doings(body: Mapping[str, Any]) -> dict[str, Any]:
    return {**body, "does": tuple(_typed(Doing(**one)) for one in body["does"])}


def _typed(one: T) -> T:
    """Return what was read, once its values are of the types that they must be.

    Raises:
        TypeError: one is not.
    """
    hints = get_type_hints(type(one))
    for known in dataclasses.fields(one):
        value, hint = getattr(one, known.name), hints[known.name]
        if get_origin(hint) is not tuple and not _fits(value, hint):
            raise TypeError(f"{known.name} of a {type(one).__name__} must be {known.type}, not {value!r}")
    return one


def _fits(value: object, hint: Any) -> bool:
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if isinstance(hint, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def _doings(random: Random, cast: Cast) -> tuple[Doing, ...]:
    return tuple(_doing(random, cast) for _ in range(random.choice((0, 1, 2, 4, 8))))


def _doing(random: Random, cast: Cast) -> Doing:
    after = _moment(random, 3.0)
    match random.randrange(10):
        case 0:
            return Doing(after=after, hang_up=True)
        case 1 | 2:
            return Doing(after=after, say=random.choice(cast.words))
        case 3:
            return Doing(after=after)
        case _:
            return Doing(after=after, press=random.choice(cast.keys))


def _desk(random: Random, cast: Cast) -> Desk:
    kinds: Sequence[Literal["answers", "rejects", "busy", "never"]] = (
        *("answers", "answers", "answers"),
        *("rejects", "busy", "never"),
    )
    return Desk(
        answer=random.choice(kinds),
        after=_moment(random, 4.0),
        does=_doings(random, cast),
        stays=_moment(random, 30.0),
    )


def _mishap(random: Random, cast: Cast) -> Mishap:
    fault = random_fault(random, cast.methods, cast.event_types)
    if random.random() < 0.75:
        return Mishap(what=str(fault), at_frame=random.randrange(FRAMES))
    return Mishap(what=str(fault), at=_moment(random, 20.0))


def _moment(random: Random, within_s: float) -> float:
    return round(random.uniform(0.0, within_s), 3)


def _in_words(does: Sequence[Doing], stays: float) -> str:
    return f"{', '.join(map(_doing_in_words, does)) or 'does nothing'}; stays {stays:g} s"


def _doing_in_words(one: Doing) -> str:
    what = [f"presses {one.press}" * bool(one.press), f"says {one.say!r}" * bool(one.say), "hangs up" * one.hang_up]
    return f"{' and '.join(filter(None, what)) or 'does nothing'} after {one.after:g}"
