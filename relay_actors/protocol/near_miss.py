"""What a name that nobody knows was probably meant to be. Layer: protocol, pure.

Two likenesses: a name that is spelled nearly so, and, weaker, one of which it is a word or the beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["fuller_name", "near_miss"]

_SAME_BRANCH: Final = 0.75
"""How like each other names must be: 1 is equal, and 0.75 a word of four whose last letters have changed places."""

_ANYWHERE: Final = 0.9
"""The same for whole names with dots: those of one family are always somewhat like each other."""

_SHORTEST: Final = 3
"""Fewer letters are part of too many names."""


def near_miss(name: str, known: Iterable[str]) -> str | None:
    """Return which of ``known`` is spelled nearly like ``name``, or None.

    Of names with dots, those with the same beginning are compared by their ends: ``calling.ply`` is like
    ``calling.play``, and ``calling.brand_new`` like nothing. A known name itself is no miss.
    """
    import difflib  # here, because it is for texts of errors and warnings only

    names = list(known)
    if name in names:
        return None
    branch, dot, _leaf = name.rpartition(".")
    ends = {other[len(branch + dot) :]: other for other in names if other.startswith(branch + dot)}
    close = difflib.get_close_matches(name[len(branch + dot) :], ends, 1, _SAME_BRANCH)
    if close:
        return ends[close[0]]
    if dot and ends:  # the beginning is right, and would make every end look right
        return None
    close = difflib.get_close_matches(name, names, 1, _ANYWHERE)
    if close:
        return close[0]
    below = [] if dot else [other for other in names if other.endswith(f".{name}")]
    return min(below, key=len, default=None)


def fuller_name(name: str, known: Iterable[str]) -> str | None:
    """Return the shortest of ``known`` that begins with ``name``, or has it among its words, or None."""
    if len(name) < _SHORTEST:
        return None
    fuller = [other for other in known if other.startswith(name) or name in re.split(r"[._]", other)]
    return min((other for other in fuller if other != name), key=len, default=None)
