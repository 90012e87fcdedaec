"""What the garbage collector need not look at. Layer: pillar. Source: CPython's ``gc`` module."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["not_looked_for", "set_aside_what_is_there"]


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
            # What was made counts as old from now on: or the next look, which is due at once, would be at all of it.
            if not gc.get_freeze_count():
                gc.freeze()
                gc.unfreeze()
            gc.enable()


def set_aside_what_is_there() -> None:
    """Have the collector look no more at what there is now: modules, classes, what the program has loaded.

    Calls come and go by the thousand, and every so often the collector looks at all that there is, to find a circle of
    dead objects. What was there before the first call is most of it, is looked at each time in vain, and holds up every
    call meanwhile. It concerns the whole process: for a program that is an application and nothing else. Whatever is
    set aside is freed all the same when nobody refers to it any more, unless it is part of a circle.
    """
    gc.collect()  # of the circles that are dead already nothing stays
    gc.freeze()
