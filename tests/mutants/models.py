"""What a caller must hear, word for word, by what they press.

A model gives what is to be heard next, and is sent the keys that were pressed from then on until the next thing was
heard. The person hears exactly that, and all of it who does not hang up.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

__all__ = ["MODELS", "Model", "follow"]


class Heard(NamedTuple):
    """What a person has heard, and which key it came to until the next thing was heard."""

    words: str
    key: str


Model = Generator[Callable[[str], object], Heard, None]
"""Gives what tells whether words are right."""


def words(*allowed: str) -> Callable[[str], bool]:
    """Return what tells whether words are among these; ``""`` is the end of the call."""
    return lambda heard: heard in allowed


def menu(_deaths: int = 0, first: int = 1) -> Model:
    for number in range(first, 4):
        key = (yield words(f"Question {number}?")).key
        yield words(f"You pressed {key}.")
    yield words("Goodbye.")


def levels(deaths: int) -> Model:
    yield words("One moment.")
    # A new process has a new helper, and does not tell it again.
    yield re.compile("The helper has .*" if deaths else "The helper has one two three.").fullmatch
    yield words("Goodbye.")


def counting(_deaths: int) -> Model:
    for number in (1, 2, 3, 4, 5):
        yield words(f"Number {number}.")
    yield words("Goodbye.")


def holding(_deaths: int) -> Model:
    yield words("Hold on.")


def crashing(deaths: int) -> Model:
    """A new process counts from one again."""
    crashes = 0
    heard = yield words("Crash 1?")
    while heard.key == "1" and heard.words.startswith("Crash"):
        crashes += 1
        goes_on = [f"Crash {crashes + 1}?"] if crashes <= 2 * (deaths + 1) else []
        heard = yield words(*goes_on, *["Out of order."] * (crashes > 2))
    if heard.words.startswith("Crash"):
        yield words("Goodbye.")


def begins_anew(deaths: int) -> Model:
    crashes = 0
    while (yield words("Crash?")).key == "1":
        crashes += 1
        if crashes > 1 + deaths:
            return
        yield words("Once more.", *[""] * (crashes > 1))
    yield words("Goodbye.")


def loop(_deaths: int) -> Model:
    yield from ()


def durable(_deaths: int) -> Model:
    ticket = (yield re.compile("Ticket .* of .*").fullmatch).words
    key = (yield words("Keep it?")).key
    yield words(f"Pressed {key}, {ticket.lower()}")
    yield words("Goodbye.")


def timer(_deaths: int) -> Model:
    yield words("Please wait.")
    yield words("Goodbye.")


def typing(_deaths: int) -> Model:
    heard = yield words("Type.")
    for _ in range(4):
        if heard.key == "nothing":
            break
        heard = yield words(f"Key {heard.key}.")
    yield words("Goodbye.")


def bridge(_deaths: int) -> Model:
    yield words("I connect you.")
    yield words("Nobody is there.", "They have gone.")
    yield words("Goodbye.")


def dial(_deaths: int) -> Model:
    yield words("I ask around.")
    yield re.compile(r"(Nobody|\+\d+) has (heard|gone)\.").fullmatch
    yield words("Goodbye.")


def recording(_deaths: int) -> Model:
    yield words("Speak.")
    yield words("Recorded, finished, finished.")
    yield words("Goodbye.")


def clerk(deaths: int) -> Model:
    yield words("Does the clerk crash?")
    # With the process is lost what waits for the clerk, and at times that it was told.
    yield re.compile("The clerk has [abcd]*." if deaths else "The clerk has abcd.").fullmatch
    yield words("Goodbye.")


def texting(_deaths: int) -> Model:
    yield words("You get a text.")
    # Nobody knows of a text whose answer was lost, and it is not sent again.
    yield words("It was delivered.", "It was lost from sight.")
    yield words("Goodbye.")


def transfer(_deaths: int) -> Model:
    heard = yield words("The menu?")
    if heard.key == "1":
        heard = yield words("Question 1?", "That was not possible.")
    if heard.words == "Question 1?":
        yield words(f"You pressed {heard.key}.")
        yield from menu(first=2)
    else:
        yield words("Goodbye.")


MODELS: dict[str, Callable[[int], Model]] = {
    "menu": menu,
    "handler": menu,
    "levels": levels,
    "counting": counting,
    "holding": holding,
    "crashing": crashing,
    "begins-anew": begins_anew,
    "loop": loop,
    "durable": durable,
    "timer": timer,
    "typing": typing,
    "bridge": bridge,
    "dial": dial,
    "recording": recording,
    "clerk": clerk,
    "texting": texting,
    "transfer": transfer,
}
"""By context: what is to be heard if the process dies so many times."""

PASSED_OVER = ("heard 'ringtone", "heard 'digits")
"""What comes at times that nobody can foretell."""


def follow(model: Model, moments: Iterable[str]) -> tuple[str, bool]:
    """Follow the moments of a line; return what is wrong, or nothing, and whether everything was heard."""
    expected, heard, keys = next(model, None), "", ""
    for what in moments:
        if what.startswith("pressed ") and "nobody listened" not in what:
            keys += what.removeprefix("pressed ")[:1]
        elif what.startswith("heard ") and not what.startswith(PASSED_OVER):
            if heard:
                expected = _go_on(model, heard, keys)
            before, heard, keys = heard, what.removeprefix("heard ")[1:-1], ""
            if expected is None or not expected(heard):
                return f"heard {heard!r} after {before!r}", False
    expected = _go_on(model, heard, keys) if heard else expected
    return "", expected is None or bool(expected(""))


def _go_on(model: Model, heard: str, keys: str) -> Callable[[str], object] | None:
    try:
        return model.send(Heard(heard, keys[:1] or "nothing"))
    except StopIteration:
        return None
