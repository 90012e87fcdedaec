"""How much of what could be tried is tried: in the suite a part, spread evenly; with ``make thorough`` all of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, TypeVar

__all__ = ["IS_THOROUGH", "less", "seeds", "some_of"]

T = TypeVar("T")

IS_THOROUGH: Final = bool(os.environ.get("RELAY_TEST_THOROUGH"))


def some_of(everything: Sequence[T], most: int) -> Sequence[T]:
    """Return at most so many, the first and the last among them; with ``make thorough`` all."""
    if IS_THOROUGH or len(everything) <= most:
        return everything
    return [everything[place * (len(everything) - 1) // (most - 1)] for place in range(most)]


def less(few: int, many: int) -> int:
    """Return how many to try: few, or with ``make thorough`` many."""
    return many if IS_THOROUGH else few


def seeds(few: int, many: int) -> range:
    """Return the seeds to run under: few, or with ``make thorough`` many."""
    return range(less(few, many))
