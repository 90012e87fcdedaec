"""What is due for each of many calls after the same length of time: one timer for all that wait for it. Layer: hall.

Every command of every call is watched, every end is waited for, and every call lingers; nearly all of that is taken
back in no time. With timers of their own that would be more objects than all else that is kept of a call.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.signals import Internal

if TYPE_CHECKING:
    from relay_actors.runtime.system import System

__all__ = ["DueQueue"]

_ON_ITS_WAY: Final = -math.inf
_MOST_FORGOTTEN: Final = 64


class _Waiting(Internal):
    """One call that waits. It is the handle, and then what the call's actor is told.

    Attributes:
        due: when, on the clock of the calls' system; `_ON_ITS_WAY` once it is.
        cell: the call's; None once nothing is to be done.
        queue: its queue.
    """

    __slots__ = ("cell", "due", "queue")

    due: float
    cell: Any
    queue: DueQueue

    def cancel(self) -> None:
        """Nothing is to be done, even if it is on its way. Any thread; idempotent."""
        if self.cell is not None:
            self.queue.forget(self)

    def deliver(self) -> None:
        """Do what is due, by whichever incarnation is there."""
        cell, self.cell = self.cell, None
        if cell is not None:
            self.queue.do(cell.actor)


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
        waiting = _Waiting()
        waiting.due, waiting.cell, waiting.queue = due, cell, self
        with self._lock:
            self._queue.append(waiting)
            if self._timer is None:
                self._timer = self._system.dispatcher.call_at(due, self._look)
        return waiting

    def forget(self, waiting: _Waiting) -> None:
        """Forget one that waits, or is on its way. Idempotent."""
        with self._lock:
            cell, waiting.cell = waiting.cell, None
            if cell is None or waiting.due == _ON_ITS_WAY:
                return
            queue = self._queue
            self._forgotten += 1
            while queue and queue[0].cell is None:  # as nearly always: who comes first is over first
                queue.popleft()
                self._forgotten -= 1
            if self._forgotten > _MOST_FORGOTTEN and self._forgotten * 2 > len(queue):
                self._queue = deque(one for one in queue if one.cell is not None)
                self._forgotten = 0
            if not queue and self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _look(self) -> None:
        now = self._system.clock.now()
        due: list[tuple[Any, _Waiting]] = []
        with self._lock:
            queue, self._timer = self._queue, None
            while queue and (queue[0].cell is None or queue[0].due <= now):
                waiting = queue.popleft()
                if waiting.cell is None:
                    self._forgotten -= 1
                else:
                    waiting.due = _ON_ITS_WAY
                    due.append((waiting.cell, waiting))
            if queue:
                self._timer = self._system.dispatcher.call_at(queue[0].due, self._look)
        for cell, waiting in due:
            cell.tell_control(waiting)
