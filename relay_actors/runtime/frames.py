"""What a thread is doing at this moment. Layer: pillar."""

from __future__ import annotations

import gc
import sys
import threading
from types import FrameType

__all__ = ["frame_of"]

# Guards the switch of the garbage collector: whoever turns it off turns it on again, and finds it as it was.
_looking = threading.Lock()


def frame_of(thread: threading.Thread) -> FrameType | None:
    """Return the innermost frame of a thread, or None if it is not running. Any thread.

    Without garbage collection meanwhile: `sys._current_frames` makes objects while it holds the interpreter's list of
    threads, and a finaliser that ran then, and let another thread go on that starts or ends one, would stop the whole
    process for ever. CPython does the same since it was found there (gh-106883), which is later than our oldest Python.
    """
    with _looking:
        was_on = gc.isenabled()
        gc.disable()
        try:
            frames = sys._current_frames()  # noqa: SLF001  # documented, in spite of its name
        finally:
            if was_on:
                gc.enable()
    return frames.get(thread.ident or 0)
