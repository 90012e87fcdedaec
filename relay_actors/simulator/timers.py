"""What is due, and when: a heap that runs in the order of time, then of asking. Layer: simulator, no I/O."""

from __future__ import annotations

import heapq
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Timer", "Timers"]

_log = logging.getLogger(__name__)


@dataclass(order=True, slots=True)
class Timer:
    """A call that is to be made once, unless it is cancelled; ``call`` is None afterwards, either way."""

    due: float
    seq: int
    call: Callable[[], None] | None = field(compare=False)

    def cancel(self) -> None:
        """Forget the call. Idempotent, also after it has been made."""
        self.call = None


class Timers:
    """Pending calls by ``(due, seq)``, so that two that are due at once run in the order in which they were asked for.

    It does no locking: the simulator's lock guards it.
    """

    def __init__(self) -> None:
        self._heap: list[Timer] = []
        self._seq = 0

    def at(self, due: float, call: Callable[[], None]) -> Timer:
        """Have ``call`` made once ``due`` (monotonic seconds) is reached."""
        self._seq += 1
        timer = Timer(due, self._seq, call)
        heapq.heappush(self._heap, timer)
        return timer

    def next_due(self) -> float | None:
        """Return when the next call is due, or None when nothing waits."""
        while self._heap and self._heap[0].call is None:
            heapq.heappop(self._heap)
        return self._heap[0].due if self._heap else None

    def run_due(self, now: float) -> int:
        """Make every call that is due by ``now``, also those that these calls ask for; return how many.

        What one raises keeps none of the others from being made: it is raised when all are through, the first of
        several, and the others are logged.
        """
        made = 0
        failure: Exception | None = None
        while (due := self.next_due()) is not None and due <= now:
            timer = heapq.heappop(self._heap)
            call, timer.call = timer.call, None
            if call is not None:
                made += 1
                try:
                    call()
                except Exception as error:
                    if failure is not None:
                        _log.exception("a timer failed, too")
                    failure = failure or error
        if failure is not None:
            raise failure
        return made

    def clear(self) -> None:
        """Forget everything."""
        for timer in self._heap:
            timer.cancel()
        self._heap.clear()
