"""What is due for each of many calls after the same length of time: one timer for all that wait for it. Layer: hall.

Every command of every call is watched, every end is waited for, and every call lingers; nearly all of that is taken
back in no time. With timers of their own that would be more objects than all else that is kept of a call.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.signals import Internal

if TYPE_CHECKING:
    from relay_actors.runtime.system import System

__all__ = ["DueQueue"]

_DUE: Final = 0
_CELL: Final = 1
_QUEUE: Final = 2
"""What stands where in what waits."""

_MOST_FORGOTTEN: Final = 64


class _Waiting(list[Any], Internal):
    """One call that waits: when it is due, None once it is; its cell, None once nothing is to be done; and its queue.

    It is the handle, and then what the call's actor is told.
    """

    __slots__ = ()

    def cancel(self) -> None:
        """Nothing is to be done, even if it is on its way. Any thread; idempotent."""
        if self[_CELL] is not None:
            self[_QUEUE].forget(self)

    def deliver(self) -> None:
        """Do what is due, by whichever incarnation is there."""
        cell, self[_CELL] = self[_CELL], None
        if cell is not None:
            self[_QUEUE].do(cell.actor)


class DueQueue:
    """Calls that wait for the same length of time, so that who comes first is due first. Any thread.

    Args:
        system: whose calls.
        after_s: how long each waits.
        do: what is due; is given the incarnation that is there then, in its turn.
    """

    def __init__(self, system: System, after_s: float, do: Callable[[Any], object]) -> None:
        self.after_s = after_s
        self.do = do
        self._system = system
        self._queue: deque[_Waiting] = deque()
        self._forgotten = 0
        self._timer: TimerHandle | None = None
        # Guards all three: a handler that blocks goes on beside the others. Re-entrant, because a finaliser may run in
        # the middle, and end a call.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Return how many calls wait."""
        return len(self._queue) - self._forgotten

    def add(self, cell: Any) -> TimerHandle:
        """Have a call wait; the handle's ``cancel()`` takes it back."""
        due = self._system.clock.now() + self.after_s
        waiting = _Waiting((due, cell, self))
        with self._lock:
            self._queue.append(waiting)
            if self._timer is None:
                self._timer = self._system.dispatcher.call_at(due, self._look)
        return waiting

    def forget(self, waiting: _Waiting) -> None:
        """Forget one that waits, or is on its way. Idempotent."""
        with self._lock:
            cell, waiting[_CELL] = waiting[_CELL], None
            if cell is None or waiting[_DUE] is None:
                return
            queue = self._queue
            self._forgotten += 1
            while queue and queue[0][_CELL] is None:  # as nearly always: who comes first is over first
                queue.popleft()
                self._forgotten -= 1
            if self._forgotten > _MOST_FORGOTTEN and self._forgotten * 2 > len(queue):
                self._queue = deque(one for one in queue if one[_CELL] is not None)
                self._forgotten = 0
            if not queue and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _look(self) -> None:
        now = self._system.clock.now()
        due: list[tuple[Any, _Waiting]] = []
        with self._lock:
            queue, self._timer = self._queue, None
            while queue and (queue[0][_CELL] is None or queue[0][_DUE] <= now):
                waiting = queue.popleft()
                if waiting[_CELL] is None:
                    self._forgotten -= 1
                else:
                    waiting[_DUE] = None
                    due.append((waiting[_CELL], waiting))
            if queue:
                self._timer = self._system.dispatcher.call_at(queue[0][_DUE], self._look)
        for cell, waiting in due:
            cell.tell_control(waiting)
