"""JSON text to plain values and back; the only module that knows orjson. Layer: ``protocol``, pure.

Numbers are those that orjson can carry: whole numbers of 64 bits and finite doubles. A larger whole number that comes
from the wire is read as the nearest double; one that is to be written is refused.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from typing import Final

import orjson

__all__ = ["dumps", "loads", "raw_dumps", "raw_loads"]

raw_loads: Final = orjson.loads
"""`loads` without a call in between. The text of its errors is clean, but they hold the frame: let none get away."""

raw_dumps: Final = orjson.dumps
"""`dumps` for what `raw_loads` gave, without a call in between.

Raises:
    TypeError: it is nested deeper than can be written. Nothing else can be wrong with what has been read.
"""

# Dataclasses and dates are refused: what goes on the wire is spelled out where the command is made, not guessed here.
_OPTIONS = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def dumps(obj: object) -> bytes:
    """Return ``obj`` as compact JSON in UTF-8.

    Takes what JSON has, and tuples, enums with such values, and any `Mapping` with string keys.

    Raises:
        ValueError: ``obj`` has no JSON form: a foreign type, a key that is no string, a whole number beyond 64 bits,
            a number that is not finite, a lone surrogate, or too deep a nesting.
    """
    try:
        text = orjson.dumps(obj, _plain, _OPTIONS)
    except TypeError as exc:
        raise ValueError(f"this cannot be written as JSON: {exc}") from exc
    # orjson writes NaN and infinities as null, which would silently change what a command says. Not by `in`, which
    # takes CPython half as long again.
    if text.find(b"null") >= 0 and not _is_finite(obj):
        raise ValueError("this cannot be written as JSON: a number in it is not finite")
    return text


def loads(data: bytes | bytearray | memoryview | str) -> object:
    """Return the value that the JSON text ``data`` stands for.

    Of a key that occurs twice the last one counts.

    Raises:
        ValueError: not UTF-8, not JSON, or nested deeper than 1024 levels. The error does not hold the text, which
            may carry secrets.
    """
    try:
        return orjson.loads(data)
    except ValueError as exc:
        raise ValueError(str(exc)) from None


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"Type is not JSON serializable: {type(value).__name__}")


def _is_finite(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_finite, value))
    return not isinstance(value, enum.Enum) or _is_finite(value.value)
