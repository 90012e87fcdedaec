"""What values must be: checks that say it in words. Layer: protocol, pure.

Each returns what its value must be, as the end of the sentence "… must be …", or None when it is that. Commands check
their arguments by them, and so do the builders of dictionaries.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from relay_actors.errors import ArgumentError
from relay_actors.protocol.base import JsonObject

__all__ = [
    "Check",
    "any_text",
    "flag",
    "given",
    "is_list",
    "is_number",
    "keys",
    "mapping",
    "mappings",
    "number",
    "required",
    "scalar",
    "seconds",
    "text",
    "texts",
    "typed_mapping",
    "volume",
    "whole_number",
]

Check: TypeAlias = Callable[[object], str | None]
"""Returns what the value must be, or None when it is that."""

_TEXTS: Final = (str, bytes, bytearray)
_KEYS: Final = re.compile(r"[0-9*#A-DwW]+")


def required(check: Check, **values: object) -> JsonObject:
    """Return the values by name, all of them checked.

    Raises:
        ArgumentError: one is not what it must be; the text names it.
    """
    for name, value in values.items():
        problem = check(value)
        if problem is not None:
            raise ArgumentError(f"{name} must be {problem}, not {value!r}")
    return values


def given(check: Check, **values: object) -> JsonObject:
    """Return those of the values that are not None, checked as `required` does."""
    return required(check, **{name: value for name, value in values.items() if value is not None})


def text(value: object) -> str | None:
    """Return None for text that is not empty."""
    return None if isinstance(value, str) and value else "text that is not empty"


def any_text(value: object) -> str | None:
    """Return None for text."""
    return None if isinstance(value, str) else "text"


def flag(value: object) -> str | None:
    """Return None for True or False."""
    return None if isinstance(value, bool) else "True or False"


def number(value: object) -> str | None:
    """Return None for a number, 0 or more."""
    return None if is_number(value) and cast(float, value) >= 0 else "a number, 0 or more"


def whole_number(value: object) -> str | None:
    """Return None for a whole number, 0 or more."""
    return None if is_number(value) and isinstance(value, int) and value >= 0 else "a whole number, 0 or more"


def seconds(value: object) -> str | None:
    """Return None for a number of seconds, 0 or more."""
    return None if number(value) is None else "a number of seconds, 0 or more"


def volume(value: object) -> str | None:
    """Return None for a number of dB from -40 to 40."""
    return None if is_number(value) and -40 <= cast(float, value) <= 40 else "a number of dB from -40 to 40"


def keys(value: object) -> str | None:
    """Return None for keys to press."""
    ok = isinstance(value, str) and _KEYS.fullmatch(value)
    return None if ok else "keys out of 0-9 * # A-D, and w and W for pauses"


def scalar(value: object) -> str | None:
    """Return None for what can be written as text."""
    ok = isinstance(value, str | bool) or is_number(value)
    return None if ok else "text, a number or a boolean"


def mapping(value: object) -> str | None:
    """Return None for a dictionary."""
    return None if type(value) is dict or isinstance(value, Mapping) else "a dictionary"


def typed_mapping(value: object) -> str | None:
    """Return None for a dictionary with a ``type``."""
    ok = isinstance(value, Mapping) and isinstance(value.get("type"), str) and value["type"]
    return None if ok else 'a dictionary with a "type"'


def mappings(value: Any) -> str | None:
    """Return None for a list of dictionaries."""
    if type(value) is list or is_list(value):
        for item in value:
            if type(item) is not dict and not isinstance(item, Mapping):
                break
        else:
            return None
    return "a list of dictionaries"


def texts(value: Any) -> str | None:
    """Return None for a list of texts."""
    ok = is_list(value) and all(isinstance(item, str) and item for item in value)
    return None if ok else "a list of texts that are not empty"


def is_list(value: object) -> bool:
    """Return whether it is a list or a tuple, and not text."""
    return type(value) is list or (isinstance(value, Sequence) and not isinstance(value, _TEXTS))


def is_number(value: object) -> bool:
    """Return whether it is a finite number that can be sent; a boolean is none."""
    if isinstance(value, int):
        return not isinstance(value, bool) and value.bit_length() < 64
    return isinstance(value, float) and math.isfinite(value)
