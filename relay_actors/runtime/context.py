"""What the current thread is doing: which actor's turn it runs, and how it waits. Layer: pillar.

Only the thread itself reads and writes its own entry, so no lock is needed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from relay_actors.runtime.base import Runnable

__all__ = ["Here", "here", "name_of_sender", "process_system"]

process_system: list[Callable[[], Any]] = []
"""Makes the system of ``MyActor.start()``. Filled in by `relay_actors`, as a system stands above actors."""


class Here(threading.local):
    """The current thread's entry.

    Attributes:
        turn: the runnable whose turn this thread runs, innermost first; None outside of all turns.
        wait_by: how this thread waits for a future that is not settled; gives whether it is settled then. None, as
            well as what gives None, is the usual way.
        never_blocks: whether ``wait_by`` refuses every wait, so that it is known before anything is sent.
        awaits: for what the coroutine on the loop waits now whose step this thread has made, if it is a future of ours.
    """

    def __init__(self) -> None:  # once for each thread
        # No defaults of the class, which would be looked at first, each time.
        self.turn: Runnable | None = None
        self.wait_by: Callable[[Any, float | None], bool | None] | None = None
        self.never_blocks: bool = False
        self.awaits: Any = None


here = Here()


def name_of_sender(turn: Runnable | None) -> str:
    """Return who sends in this turn, as it stands in a dead letter."""
    return "outside" if turn is None else repr(turn)
