"""What people do in the middle of something, in words, as faults are told: ``hang_up``, ``press keys=1``. Layer: door.

A fault befalls the wire; a deed is done by those on the phone, or by whoever runs the application.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.testing.lab import Lab

__all__ = ["DEEDS", "Deed", "do", "parse_deed"]

DRAIN_S: Final = 60.0
"""How long calls may go on after a ``drain``, in virtual seconds."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that people do.

    Attributes:
        name: see `DEEDS`.
        args: its arguments, all of them texts.
    """

    name: str
    args: Mapping[str, str]


def parse_deed(text: str) -> Deed | None:
    """Read a deed from its text; None: it is none, so it may be a fault.

    Raises:
        ConfigError: an argument is missing, or there is none of that name.
    """
    try:
        name, *pairs = shlex.split(text) or [""]
    except ValueError:
        return None  # nor can it be read as a fault, which says why
    if name not in DEEDS:
        return None
    args = {key: value for key, _equals, value in (pair.partition("=") for pair in pairs)}
    wanted, _act = DEEDS[name]
    if set(args) != set(wanted):
        raise ConfigError(f"{text!r}: {name} takes {', '.join(f'{each}=…' for each in wanted) or 'nothing more'}")
    return Deed(name, args)


def do(deed: Deed, lab: Lab, call_id: str) -> None:
    """Do it, as far as it can be done now.

    Args:
        deed: what.
        lab: where.
        call_id: the call at whose end it is done; empty: whoever is on the phone.
    """
    _args, act = DEEDS[deed.name]
    try:
        act(lab, call_id, deed.args)
    except StoryError:
        return  # they cannot: nobody is there to be called, or the call is over


def _lines(lab: Lab, call_id: str) -> Iterator[Line]:
    for phone in lab.sim.phones:
        for line in phone.lines:
            if not line.is_over and call_id in ("", *line.call_ids):
                yield line


def _hang_up(lab: Lab, call_id: str, _args: Mapping[str, str]) -> None:
    for line in _lines(lab, call_id):
        line.hangs_up()


def _all_hang_up(lab: Lab, _call_id: str, _args: Mapping[str, str]) -> None:
    with lab.sim.turn():
        for line in _lines(lab, ""):
            line.hangs_up()


def _pick_up(lab: Lab, _call_id: str, _args: Mapping[str, str]) -> None:
    with lab.sim.turn():
        for line in _lines(lab, ""):
            if line.is_ringing:
                line.answers()


def _press(lab: Lab, call_id: str, args: Mapping[str, str]) -> None:
    for line in _lines(lab, call_id):
        line.presses(args["keys"])


def _call(lab: Lab, _call_id: str, args: Mapping[str, str]) -> None:
    lab.phone(args["who"]).dials(context=args["context"])


def _text(lab: Lab, _call_id: str, args: Mapping[str, str]) -> None:
    lab.phone(args["who"]).texts(args["words"], context=args["context"])


def _drain(lab: Lab, _call_id: str, _args: Mapping[str, str]) -> None:
    for app in lab.apps:
        app.ending(_nothing, DRAIN_S).hear("SIGTERM")


def _nothing(_word: str) -> None:
    """Wait for nothing: the run stops the application at its end."""


DEEDS: Final[Mapping[str, tuple[tuple[str, ...], Callable[[Lab, str, Mapping[str, str]], None]]]] = {
    "hang_up": ((), _hang_up),
    "all_hang_up": ((), _all_hang_up),
    "pick_up": ((), _pick_up),
    "press": (("keys",), _press),
    "call": (("who", "context"), _call),
    "text": (("who", "context", "words"), _text),
    "drain": ((), _drain),
}
"""By name: the arguments, and how it is done. ``hang_up`` and ``press`` are done at the end of the call at hand."""
