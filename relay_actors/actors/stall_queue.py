"""Which calls are to be looked at because a command of theirs may take too long: one timer for all. Layer: hall.

Source: SEMANTICS X15. Every command of every call is watched, and nearly all are answered in no time. A timer for each
would be more than half of what is kept of a call that waits.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from relay_actors.actors.in_turn import tell_in_turn
from relay_actors.runtime.base import TimerHandle

if TYPE_CHECKING:
    from relay_actors.runtime.system import System

__all__ = ["StallQueue"]


class StallQueue:
    """The calls that are watched, in the order in which they are to be looked at. Any thread.

    It is the handle of each watch, too: `cancel` says that one of them has an end, by a look or with its call. Of which
    call is not said: what stands here of one that is over is two small values, for a few seconds.

    Args:
        system: whose calls.
        after_s: how long a command may take; the same for all, so that who comes last is looked at last.
    """

    def __init__(self, system: System, after_s: float) -> None:
        self._system = system
        self._after_s = after_s
        self._queue: deque[tuple[float, str]] = deque()
        self._watched = 0
        self._timer: TimerHandle | None = None
        # Guards all three: a handler that blocks goes on beside the others. Re-entrant, because a finaliser may run in
        # the middle, and end a call.
        self._lock = threading.RLock()

    def add(self, call_id: str) -> TimerHandle:
        """Have a call told `Stalling.on_stall_watch` when a command that it gives now would have taken too long."""
        due = self._system.clock.now() + self._after_s
        with self._lock:
            self._watched += 1
            self._queue.append((due, call_id))
            if self._timer is None:
                self._timer = self._system.dispatcher.call_at(due, self._look)
        return self

    def cancel(self) -> None:
        """One of those that are watched is not watched any more. Once for each `add`."""
        with self._lock:
            self._watched -= 1
            if not self._watched:
                self._queue.clear()
                timer, self._timer = self._timer, None
                if timer is not None:
                    timer.cancel()

    def _look(self) -> None:
        system, now = self._system, self._system.clock.now()
        due: list[str] = []
        with self._lock:
            queue, self._timer = self._queue, None
            while queue and queue[0][0] <= now:
                due.append(queue.popleft()[1])
            if queue:
                self._timer = system.dispatcher.call_at(queue[0][0], self._look)
        for call_id in due:
            cell = system.registry.find(("call", call_id))
            if cell is not None:  # otherwise it is over
                tell_in_turn(cell, _look_at)


def _look_at(actor: Any) -> None:
    actor.on_stall_watch()
