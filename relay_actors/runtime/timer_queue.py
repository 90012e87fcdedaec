"""Pending calls by due time: one heap for all timers of a dispatcher. Layer: pillar."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from typing import Any, Final, cast

__all__ = ["TimerQueue"]

_DUE: Final = 0
_CALL: Final = 2
_QUEUE: Final = 3
"""What stands where in a timer."""


class _Timer(list[Any]):
    """One pending call: when it is due, a number, so that no two are equal, what to call, and its queue.

    A list, so that it stands in the heap by itself and is compared without running Python code: there are thousands,
    and the garbage collector looks at each. Cancelled by forgetting what to call.
    """

    __slots__ = ()

    def cancel(self) -> None:
        """Forget the call, if it has not been made. Any thread; idempotent."""
        if self[_CALL] is not None:  # a look first: most have been made, or cancelled before
            self[_QUEUE].cancel(self)


class TimerQueue:
    """Calls that are due later, earliest first; among equals, first come, first served.

    Cancelled ones stay in the heap until their time, or until they are the greater half of it, so that cancelling
    costs next to nothing (SEMANTICS T6).
    """

    def __init__(self) -> None:
        self._heap: list[_Timer] = []
        self._serial = 0
        self._cancelled = 0
        # Guards all three: any thread may start and cancel timers while the baton's holder takes those that are due.
        # Re-entrant, because a finaliser may run in the middle, and cancel a timer.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Return how many calls are pending."""
        with self._lock:
            return len(self._heap) - self._cancelled

    def add(self, due: float, call: Callable[[], None]) -> _Timer:
        """Add a call; the handle's ``cancel()`` takes it back. Any thread."""
        with self._lock:
            self._serial += 1
            timer = _Timer((due, self._serial, call, self))
            heapq.heappush(self._heap, timer)
        return timer

    def next_due(self) -> float | None:
        """Return when the earliest pending call is due, or None."""
        heap = self._heap
        try:
            first = heap[0]
        except IndexError:
            return None
        if first[_CALL] is not None:  # as nearly always, and then the lock is not needed
            due: float = first[_DUE]
            return due
        with self._lock:
            self._drop_cancelled()
            return cast("float", self._heap[0][_DUE]) if self._heap else None

    def take_due(self, now: float) -> Callable[[], None] | None:
        """Return and remove the earliest call that is due by ``now``, or None."""
        heap = self._heap
        try:
            # The common cases, without the lock: one that is cancelled is due no later than those behind it.
            if not heap or heap[0][_DUE] > now:
                return None
        except IndexError:  # cancelled in this moment
            return None
        with self._lock:
            self._drop_cancelled()
            if not self._heap or self._heap[0][_DUE] > now:
                return None
            timer = heapq.heappop(self._heap)
            call, timer[_CALL] = timer[_CALL], None
            return cast("Callable[[], None]", call)

    def cancel(self, timer: _Timer) -> None:
        """Forget the call of ``timer``, if it has not been made. Any thread; idempotent."""
        with self._lock:
            if timer[_CALL] is None:
                return
            timer[_CALL] = None
            self._cancelled += 1
            if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
                self._throw_out_cancelled()

    def _throw_out_cancelled(self) -> None:
        heap, serial, length = self._heap, self._serial, len(self._heap)
        pending = [entry for entry in heap if entry[_CALL] is not None]
        heapq.heapify(pending)
        kept, length_by_now = len(pending), len(heap)
        # A finaliser may have run in the middle: if it has added a timer, or done all this itself, what was picked out
        # is not what is pending, and the next cancelling sees to it. None runs from here on, where nothing is called.
        if self._heap is heap and self._serial == serial and length_by_now == length:
            self._cancelled += kept - length  # what it has cancelled may have been kept
            self._heap = pending  # not before it is a heap: its first is looked at without the lock

    def _drop_cancelled(self) -> None:
        while self._heap and self._heap[0][_CALL] is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
