"""Faults as values: written as text or JSON, read back, and drawn at random. Layer: simulator, pure.

::

    fault = parse_fault("reject method=calling.play code=500 times=2")
    str(fault)          # that text again, without what goes without saying
    fault.to_json()     # {"fault": "reject", "method": "calling.play", "times": 2}

Source: SEMANTICS V4.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol import checks
from relay_actors.protocol.near_miss import fuller_name, near_miss
from relay_actors.simulator.fault_draws import draw_args
from relay_actors.simulator.fault_table import FAULT_WORDS, Argument, FaultWord
from relay_actors.simulator.faults import ANYTHING
from relay_actors.simulator.names import known_event_type, known_method

__all__ = ["FAULT_WORDS", "Fault", "parse_fault", "random_fault"]

_FLAGS: Final = {"yes": True, "no": False, "true": True, "false": False}
_NONE: Final = "none"
_WHOLE: Final = re.compile(r"[0-9]+")
_BELOW_ZERO: Final = re.compile(r"-[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class Fault:
    """A fault with its arguments, checked. Equal faults do the same.

    Args:
        name: as `FAULT_WORDS` has it.
        args: by name; what is left out is the table's default, and what equals it is left out here.

    Raises:
        ConfigError: there is no such fault or argument, one is missing, or is not what it must be.
    """

    name: str
    args: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        word = _word(self.name)
        known = {argument.name: argument for argument in word.arguments}
        for name in self.args:
            if name not in known:
                raise ConfigError(f"the fault {word.name} {_no_such(name, known, 'argument')}")
        checked: dict[str, object] = {}
        for name, argument in known.items():
            if name in self.args:
                value = _checked(word, argument, self.args[name])
                if argument.is_required or value != argument.default:
                    checked[name] = value
            elif argument.is_required:
                raise ConfigError(f"the fault {word.name} needs {name}: {argument.meaning}")
        if {"method", "event_type"} <= checked.keys():
            raise ConfigError(f"the fault {word.name} takes a method or an event_type, not both: a frame has only one")
        object.__setattr__(self, "args", checked)

    def __str__(self) -> str:
        """Return its text, which `parse_fault` reads."""
        return " ".join([self.name, *(f"{name}={shlex.quote(_written(value))}" for name, value in self.args.items())])

    def __hash__(self) -> int:
        return hash(str(self))

    @property
    def word(self) -> FaultWord:
        """What the table says of it."""
        return FAULT_WORDS[self.name]

    @property
    def ends_session(self) -> bool:
        """Whether clients lose their sessions by it, and their calls with them."""
        return self.word.ends_session and not (self.name == "restart" and self.args.get("keeps_sessions", True))

    def having(self, **args: object) -> Fault:
        """Return the same with these arguments in place of its own."""
        return Fault(self.name, {**self.args, **args}) if args else self

    def all_args(self) -> dict[str, object]:
        """Return what the simulator's method is given: its arguments, those that go without saying too."""
        defaults = {argument.name: argument.default for argument in self.word.arguments}
        return {**defaults, **self.args, **self.word.fixed}

    def to_json(self) -> dict[str, object]:
        """Return it as an object for JSON: ``{"fault": "reject", "method": "calling.play"}``."""
        return {"fault": self.name, **self.args}

    @classmethod
    def from_json(cls, value: object) -> Fault:
        """Read what `to_json` returns; a text is read as `parse_fault` does.

        Raises:
            ConfigError: it is no such object, or no such fault.
        """
        if isinstance(value, str):
            return parse_fault(value)
        if not isinstance(value, Mapping) or not isinstance(value.get("fault"), str):
            raise ConfigError(f'a fault is an object such as {{"fault": "reject", "times": 2}}, not {value!r}')
        return cls(value["fault"], {name: value[name] for name in value if name != "fault"})


def parse_fault(text: str, /, **args: object) -> Fault:
    """Read a fault from its text: its name, and ``name=value`` for each argument, quoted as in a shell.

    Args:
        text: for example ``reject method=calling.play code=500 times=2``.
        args: more arguments, as values.

    Raises:
        ConfigError: it cannot be read, or there is no such fault.
    """
    try:
        name, *pairs = shlex.split(text) or [""]
    except ValueError as exc:
        raise ConfigError(f"the fault {text!r} cannot be read: {exc}") from exc
    word = _word(name)
    kinds = {argument.name: argument for argument in word.arguments}
    read: dict[str, object] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(
                f"the fault {name} is not told what {pair!r} is: write name=value, as in {_example(word)!r}"
            )
        if key in read:
            raise ConfigError(f"the fault {name} has {key} twice")
        read[key] = _read(kinds[key], value) if key in kinds else value
    return Fault(name, {**read, **args})


def random_fault(
    random: Random, methods: Sequence[str], event_types: Sequence[str], *, ends_sessions: bool = True
) -> Fault:
    """Draw a fault from which a correct client recovers; what lasts, lasts a few seconds of the clock at most.

    Args:
        random: the same seed gives the same fault.
        methods: of requests that may go wrong, by refusal or without an answer; name only such as may.
        event_types: of events that may go wrong.
        ends_sessions: also faults by which clients lose their sessions; a `Fault` says whether it is one.
    """
    words = [
        word.name
        for word in FAULT_WORDS.values()
        if word.is_survivable and (ends_sessions or not word.ends_session or word.name == "restart")
    ]
    while True:
        name = random.choice(words)
        args = draw_args(name, random, methods, event_types, ends_sessions=ends_sessions)
        if args is not None:
            return Fault(name, args)


def _word(name: object) -> FaultWord:
    word = FAULT_WORDS.get(name) if isinstance(name, str) else None
    if word is None:
        raise ConfigError(f"the simulator {_no_such(name, FAULT_WORDS, 'fault')}")
    return word


def _no_such(name: object, known: Mapping[str, object], what: str) -> str:
    meant = near_miss(name, known) or fuller_name(name, known) if isinstance(name, str) else None
    if meant is not None:
        return f"has no {what} {name!r}; it probably means {meant!r}"
    return f"has no {what} {name!r}; it has {', '.join(known) or 'none'}"


def _example(word: FaultWord) -> str:
    return f"{word.name} {word.arguments[0].name}=…" if word.arguments else word.name


def _checked(word: FaultWord, argument: Argument, value: object) -> object:
    """Return the value as it is kept, or say what it must be."""
    if value is None and _may_be_none(argument):
        return None
    problem: str | None = None
    match argument.kind:
        case "method" | "event type":
            if value == ANYTHING:
                return value
            return known_method(value) if argument.kind == "method" else known_event_type(value)  # type: ignore[arg-type]  # they check it
        case "text":
            problem = checks.text(value) if argument.is_required else checks.any_text(value)
        case "seconds":
            problem = checks.seconds(value)
            if problem is None and isinstance(value, int | float):
                return float(value) + 0.0
        case "whole number":
            problem = checks.whole_number(value)
        case "flag":
            problem = checks.flag(value)
        case "code":
            text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
            problem = checks.text(text)
            if isinstance(text, str):
                value = int(text) if _BELOW_ZERO.fullmatch(text) else text
        case "choice":
            if value not in argument.choices:
                meant = near_miss(value, argument.choices) if isinstance(value, str) else None
                problem = f"one of {', '.join(argument.choices)}"
                problem += f" (probably {meant})" if meant else ""
    if problem is not None:
        raise ConfigError(f"the fault {word.name}: {argument.name} must be {problem}, not {value!r}")
    return value


def _may_be_none(argument: Argument) -> bool:
    return argument.default is None or (argument.kind == "whole number" and _NONE in argument.meaning)


def _read(argument: Argument, text: str) -> object:
    """Return what a text says, as far as it can be read; `_checked` says what is wrong with it."""
    if text == _NONE and _may_be_none(argument):
        return None
    match argument.kind:
        case "seconds":
            try:
                return float(text)
            except ValueError:
                return text
        case "whole number":
            return int(text) if _WHOLE.fullmatch(text) else text
        case "flag":
            return _FLAGS.get(text.lower(), text)
    return text


def _written(value: object) -> str:
    if value is None:
        return _NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)
