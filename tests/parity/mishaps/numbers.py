"""Who has which number, and what the application takes calls and texts of."""

from __future__ import annotations

__all__ = [
    "ACCOUNT",
    "AGENT",
    "ANNOUNCED",
    "BLOCKING",
    "BRIDGE",
    "CALLER",
    "CLOCK",
    "CONTEXTS",
    "CRASHING",
    "DESK",
    "FAX_MACHINE",
    "LOOK_UP",
    "NEXT_CALLER",
    "OFFICE",
    "OTHER",
    "PATIENT",
    "RINGING",
    "TILL",
    "WISH",
    "name_of",
]

OFFICE = "+15559990001"
LOOK_UP = "+15559990002"
BRIDGE = "+15559990003"
CRASHING = "+15559990004"
BLOCKING = "+15559990005"
ANNOUNCED = "+15559990006"
RINGING = "+15559990007"
PATIENT = "+15559990008"
ACCOUNT = "+15559990009"
WISH = "+15559990010"
CLOCK = "+15559990011"
AGENT = "+15559990012"
TILL = "+15559990013"

CONTEXTS = ["office", "look-up", "bridge", "crashing", "blocking", "announced", "ringing", "patient", "account", "wish"]
CONTEXTS += ["clock", "agent", "till", "texts"]

CALLER = "+15550001111"
DESK = "+15550002222"
OTHER = "+15550003333"
FAX_MACHINE = "+15550004444"
NEXT_CALLER = "+15550009999"

_NAMES = {CALLER: "the caller", DESK: "who is called", OTHER: "another caller", FAX_MACHINE: "the fax machine"}


def name_of(number: str) -> str:
    """Say in words whose number it is."""
    return _NAMES.get(number, number)
