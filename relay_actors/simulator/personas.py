"""Who answers a phone: what `calling.detect` is to find out. Layer: simulator, pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["HUMAN", "Persona"]


@dataclass(frozen=True, slots=True)
class Persona:
    """Who, or what, is on a line.

    Attributes:
        kind: what it is.
        greeting: what a machine says when it has picked up.
        greeting_s: how long that takes, in simulated seconds.
        has_beep: a machine that beeps when its greeting is over.
        fax_tone: what a fax machine whistles; if empty, ``CED`` when called and ``CNG`` when it calls.
        fax_pages: how many pages a fax machine sends to whoever receives a fax from it.
    """

    kind: Literal["human", "machine", "fax"] = "human"
    greeting: str = ""
    greeting_s: float = 0.0
    has_beep: bool = False
    fax_tone: str = ""
    fax_pages: int = 1


HUMAN: Final = Persona()
