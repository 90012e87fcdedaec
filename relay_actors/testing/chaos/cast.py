"""What people can do with an application: read off its classes. Layer: door.

Somebody who presses keys at random seldom gets past a menu. The keys and words that mean something stand in the
application's own code, as texts in its classes' functions, so people press and say those more than others.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Final

from relay_actors.app import RelayApp
from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.plan import Cast

__all__ = ["cast_of"]

DEFAULT_KEYS: Final = ("1", "2", "#", "1234#")
DEFAULT_WORDS: Final = ("hello", "yes", "no")
LONGEST: Final = 30

_KEYS: Final = re.compile(r"[0-9*#]{1,8}")
_WORDS: Final = re.compile(r"[a-z][a-z ']*", re.IGNORECASE)


def cast_of(app: RelayApp, *, faults: bool = True, can_die: bool | None = None, words: Iterable[str] = ()) -> Cast:
    """Return what can be done with ``app``.

    Args:
        app: its classes are looked at.
        faults: whether anything goes wrong.
        can_die: whether its process may die, which calls survive only with a journal; by default, if it keeps one.
        words: more of them.

    Raises:
        ConfigError: it handles neither calls nor texts.
    """
    calls, texts = app.handlers
    if not calls and not texts:
        raise ConfigError(f"{app!r} has no class that handles calls or texts: nothing can happen to it")
    found = list(dict.fromkeys(_texts_of([*calls.values(), *texts.values()])))
    keys = [text for text in found if _KEYS.fullmatch(text)]
    return Cast(
        call_contexts=tuple(context or "default" for context in calls),
        text_contexts=tuple(context or "default" for context in texts),
        keys=(*keys, *(key + "#" for key in keys if "#" not in key), *DEFAULT_KEYS),
        words=(*words, *(text for text in found if _WORDS.fullmatch(text)), *DEFAULT_WORDS),
        can_die=app.journal_path is not None if can_die is None else can_die,
        faults=faults,
    )


def _texts_of(classes: Iterable[type]) -> Iterator[str]:
    """Give the short texts in the classes' own functions, and in what their modules keep by name."""
    classes = list(classes)
    modules = dict.fromkeys(cls.__module__ for cls in classes)
    for cls in classes:
        for base in cls.__mro__:
            if base.__module__ in modules:
                for value in vars(base).values():
                    if isinstance(value, FunctionType):
                        yield from _constants(value.__code__)
    for name in modules:
        for known, value in vars(sys.modules[name]).items():
            if not known.startswith("__"):
                yield from _plain(value)


def _constants(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _constants(constant)
        else:
            yield from _plain(constant)


def _plain(value: object) -> Iterator[str]:
    if isinstance(value, str) and 0 < len(value) <= LONGEST:
        yield value
    elif isinstance(value, tuple | list | dict):
        for part in value:
            yield from _plain(part)
    elif isinstance(value, set | frozenset):
        # ``in {"1", "2"}``. In an order of its own: a set's is another one in each process.
        for part in sorted(part for part in value if isinstance(part, str)):
            yield from _plain(part)
