"""How values of the wire become values of typed fields, whatever the server sent. Layer: protocol, pure.

Every reader takes anything and returns its type, or None for "nothing usable here". None of them raises.

Source: PROTOCOL 16.4.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

from relay_actors.protocol.base import JsonObject

__all__ = [
    "Reader",
    "read_code",
    "read_flag",
    "read_number",
    "read_object",
    "read_text",
    "read_texts",
    "read_whole_number",
]

Reader: TypeAlias = Callable[[object], object]


def read_text(value: object) -> str | None:
    """Return a string as it is; everything else is unusable."""
    return value if isinstance(value, str) else None


def read_code(value: object) -> str | None:
    """Return a code as text: the wire has them as strings, and accepts numbers (PROTOCOL 2.3)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return read_text(value)


def read_number(value: object) -> float | None:
    """Return a finite number, also one that came as text (PROTOCOL 11.6, 11.7)."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):  # `int | float` is built anew at each call
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_whole_number(value: object) -> int | None:
    """Return a whole number, also one that came as text or as ``12.0``; a fraction is cut off."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    number = read_number(value)
    return None if number is None else int(number)


def read_flag(value: object) -> bool | None:
    """Return a boolean, also one that came as the text ``true`` or ``false`` (PROTOCOL D8)."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return None


def read_object(value: object) -> JsonObject | None:
    """Return a JSON object as it is."""
    return value if isinstance(value, dict) else None


def read_texts(value: object) -> list[str] | None:
    """Return the strings of a list, leaving out whatever else is in it."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else None
