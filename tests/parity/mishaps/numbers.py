"""Who has which number."""

from __future__ import annotations

__all__ = ["BLOCKING", "BRIDGE", "CALLER", "CRASHING", "DESK", "LOOK_UP", "NEXT_CALLER", "OFFICE", "OTHER", "name_of"]

OFFICE = "+15559990001"
LOOK_UP = "+15559990002"
BRIDGE = "+15559990003"
CRASHING = "+15559990004"
BLOCKING = "+15559990005"

CALLER = "+15550001111"
DESK = "+15550002222"
OTHER = "+15550003333"
NEXT_CALLER = "+15550009999"

_NAMES = {CALLER: "the caller", DESK: "who is called", OTHER: "another caller"}


def name_of(number: str) -> str:
    """Say in words whose number it is."""
    return _NAMES.get(number, number)
