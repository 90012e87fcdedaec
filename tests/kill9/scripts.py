"""What is said in which call, for those who say it and those who wait for it: the application, and the people.

Each prompt begins with a name that is its own: ``keyed1 17: 4711`` is the second one in the script of caller 17, and
tells the keys that the caller has pressed. So it can be seen exactly whether one is heard twice.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = [
    "CALLED",
    "CALLER",
    "DESK",
    "KINDS",
    "OFFICE",
    "QUEUES",
    "STEPS",
    "label_of",
    "number_of",
    "queue_of",
    "say",
    "split",
]

OFFICE: Final = "+15550100100"

CALLER: Final = ""
DESK: Final = "d"
"""Whose telephone a caller is connected to."""
CALLED: Final = "b"
"""Who is called back because a caller has asked for it."""

_PLACES: Final = {CALLER: "+1555001", DESK: "+1555002", CALLED: "+1555003"}

QUEUES: Final = 4

STEPS: Final[dict[str, tuple[str, ...]]] = {
    "ivr": ("menu1", "keyed1", "menu2", "keyed2", "name", "named", "done"),
    "voicemail": ("greet", "recorded", "done"),
    "desk": ("greet", "done"),
    "waiting": ("greet", "done"),
    "agent": ("ready", "keyed", "done"),
    "callback": ("promise", "done"),
    "called": ("confirm", "keyed", "done"),
    "at the desk": (),
}
"""By kind of call the prompts, in order. What was pressed or said at one of them is told by the next."""

KINDS: Final = (
    "ivr",
    "desk",
    "voicemail",
    "waiting",
    "ivr",
    "agent",
    "callback",
    "ivr",
    "voicemail",
    "desk",
)
"""Of ten callers, what each of them calls for; it is also the name of the context."""

_WORDS: Final = {
    "menu1": "welcome to the harbour museum, please key in your number of four digits now",
    "menu2": "thank you, and now please key in the number of your booking, four digits again",
    "keyed1": "that is what you have keyed in, and it is noted",
    "keyed2": "that is what you have keyed in, and it is noted as well",
    "name": "please say now which colour your boat has, so that we can find it",
    "named": "is a fine colour for a boat, and we will look out for it",
    "greet": "you have reached the harbour office, please hold the line for one moment",
    "recorded": "is what became of your message",
    "ready": "you will be connected to who has waited longest, press a key when you are done",
    "keyed": "is the key that you have pressed, it is noted",
    "promise": "somebody of our office calls back at once, please have your telephone ready",
    "confirm": "this is the call that was asked for, please press a key to confirm it",
    "done": "this was all, thank you for calling, and goodbye",
}

_NAME: Final = re.compile(r"(\w+) (\d+[a-z]?): (\S*)")


def say(step: str, label: str, told: str = "") -> str:
    """Return the text of a prompt; ``told`` is what it tells of what the caller has done."""
    return f"{step} {label}: {told} {_WORDS[step]}".replace(":  ", ": - ")


def split(text: str) -> tuple[str, str, str]:
    """Return the step, the label and what is told (``-`` if nothing) of a prompt; empty texts if it is none of ours."""
    found = _NAME.match(text)
    return (found[1], found[2], found[3]) if found else ("", "", "")


def number_of(place: int, who: str = CALLER) -> str:
    """Return the telephone number of one of them; ``place`` counts the callers from 1."""
    return f"{_PLACES[who]}{place:04d}"


def label_of(number: str) -> str:
    """Return how prompts name the one who has this number: ``17``, or ``17d`` and ``17b``."""
    who = next(who for who, prefix in _PLACES.items() if number.startswith(prefix))
    return f"{int(number[-4:])}{who}"


def queue_of(number: str) -> str:
    """Return the queue in which a caller waits, or from which one takes who waits: the same for two neighbours."""
    return f"queue-{int(number[-4:]) // 10 % QUEUES}"
