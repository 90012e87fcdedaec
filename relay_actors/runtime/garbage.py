"""What the garbage collector need not look at. Layer: pillar. Source: CPython's ``gc`` module."""

from __future__ import annotations

import contextlib
import gc
import math
from collections.abc import Iterator
from typing import Final

__all__ = ["not_looked_for", "old_ones_set_aside"]

_OLD: Final = 2
"""The collector's last generation."""

_AT_LEAST: Final = 16
"""After so many looks at what is new among the old there is one at all."""

_YOUNG: Final = 2000
"""How many new objects, beyond those that are freed, the collector lets come before it looks at them.

With CPython 3.11's 700 it looks about once for each call, at what is needed yet and freed by itself a moment later.
"""


_MANY: Final = 50_000
"""How many objects are too many to be looked at once, right now: it takes milliseconds."""


@contextlib.contextmanager
def not_looked_for() -> Iterator[None]:
    """Have the collector not look for anything meanwhile: all that is made stays, and it would look again and again.

    For the whole process, and for a while that is not long.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            # Many that were made count as old from now on: or the next look, which is due at once, would be at all of
            # them. What others have set aside stays so; whether there is any is asked last, as all of it is counted.
            if gc.get_count()[0] > _MANY and not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


@contextlib.contextmanager
def old_ones_set_aside() -> Iterator[None]:
    """Have the collector meanwhile look once at what has become old, and then seldom.

    Every so often the collector looks at all that is not young, to find circles of dead objects, and holds up every
    call meanwhile: a quarter of a second with ten thousand calls up, and nearly always in vain, because a call that is
    over leaves no circle. So what it has looked at is set aside (``gc.freeze()``): first what there is now, modules and
    classes, and then what has stayed, each time. It is looked at again once as much has been set aside since as there
    was, so that no more than that can be dead and stay. What is set aside is freed all the same when nobody refers to
    it any more, unless it is part of a circle.

    At what is young it looks less often, too: after 2000 new objects, unless the program has chosen more, or 0, which
    is never.

    It concerns the whole process: for a program that is an application and nothing else. Afterwards all is as before.
    """
    looks, (young, *older) = _Looks(), gc.get_threshold()
    gc.collect()  # of the circles that are dead already nothing stays
    gc.freeze()
    gc.callbacks.append(looks)
    if young:
        gc.set_threshold(max(young, _YOUNG), *older)
    try:
        yield
    finally:
        gc.set_threshold(young, *older)
        gc.callbacks.remove(looks)
        gc.unfreeze()


class _Looks:
    """Counts how often the collector has looked at what is old: for the collector, which tells of each look."""

    def __init__(self) -> None:
        self._since_all = 0
        self._until_all = _AT_LEAST

    def __call__(self, phase: str, info: dict[str, int]) -> None:
        if phase != "stop" or info["generation"] != _OLD:
            return
        self._since_all += 1
        if self._since_all == self._until_all:
            gc.unfreeze()  # the next look is at all
            return
        gc.freeze()
        if self._since_all > self._until_all:
            self._since_all = 0
            # About as many new ones as this come between two looks.
            self._until_all = max(_AT_LEAST, gc.get_freeze_count() // max(1, math.prod(gc.get_threshold())))
