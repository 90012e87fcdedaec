"""An asyncio loop that is held up: noticed from outside, and reported with the line that holds it. Layer: pillar.

asyncio itself tells of a slow callback when it is over, and not what it was doing. Source: SEMANTICS A16.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from relay_actors.runtime.base import Dispatcher, TimerHandle
from relay_actors.runtime.frames import frame_of
from relay_actors.runtime.hang_reports import ReportLimit

__all__ = ["LoopWatch"]

_log = logging.getLogger("relay_actors.runtime")

_FRAMEWORK: Final = str(Path(__file__).parents[1])
_RUNS_A_CALLBACK: Final = asyncio.Handle._run.__code__  # noqa: SLF001  # to find its frame


class LoopWatch:
    """Asks a loop again and again whether it goes on, and reports when it does not.

    Once for each time that it is held up, and once a minute for each line. Begins when it is made.

    Args:
        loop: which one.
        thread: on which it runs.
        dispatcher: has the clock, and the thread that looks.
        report_s: for how many seconds it has to be held up. It is asked twice in that time.
        advice: what the report says last: who waits, and what to do.
        is_told_elsewhere: says whether somebody else reports what runs on the loop now, and knows more of it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        thread: threading.Thread,
        dispatcher: Dispatcher,
        *,
        report_s: float,
        advice: str,
        is_told_elsewhere: Callable[[], bool] = bool,
    ) -> None:
        self._loop = loop
        self._thread = thread
        self._dispatcher = dispatcher
        self._report_s = report_s
        self._advice = advice
        self._is_told_elsewhere = is_told_elsewhere
        self._limit = ReportLimit()
        self._is_told = False
        # Set by who looks, taken back by the loop: there is never more than one question.
        self._asked_at: float | None = None
        self._timer: TimerHandle | None = None
        self._beginning = 0  # whoever looks for a former one looks no more
        self.begin()

    def begin(self) -> None:
        """Look again, after `stop`. Not on two threads at once."""
        self._beginning += 1
        self._asked_at = None
        self._look(self._beginning)

    def stop(self) -> None:
        """Look no more, until `begin`. Any thread. Idempotent."""
        self._beginning += 1
        if self._timer is not None:
            self._timer.cancel()

    def _look(self, beginning: int) -> None:
        if beginning != self._beginning:
            return
        now, asked_at = self._dispatcher.clock.now(), self._asked_at
        if asked_at is None:
            self._is_told = False
            self._asked_at = now
            try:
                self._loop.call_soon_threadsafe(self._answer)
            except RuntimeError:  # the loop has been closed
                return
        elif not self._is_told and now - asked_at >= self._report_s:
            self._is_told = True
            self._report(now, now - asked_at)
        self._timer = timer = self._dispatcher.call_at(now + self._report_s / 2, partial(self._look, beginning))
        if beginning != self._beginning:  # stopped in the middle of this: first noted, then looked, as `stop` does it
            timer.cancel()

    def _answer(self) -> None:
        self._asked_at = None

    def _report(self, now: float, held_up_s: float) -> None:
        if self._is_told_elsewhere():
            return
        frames = _handler_on(self._thread)
        if self._asked_at is None or not frames:  # it has just gone on
            return
        where = f"{frames[0].filename}:{frames[0].lineno}"
        left_out = self._limit.admit(where, now=now)
        if left_out is None:
            return
        more = f" ({left_out} more reports of this line were left out)" if left_out else ""
        text = (
            f"a handler blocks the asyncio loop at={where} function={frames[0].name} blocked_s={held_up_s:.3f}: "
            f"{self._advice}{more}\n{''.join(traceback.format_list(frames)).rstrip()}"
        )
        # Elsewhere: it may be the log on which the handler blocks.
        self._dispatcher.run_blocking(partial(_log.warning, "%s", text), "report")


def _handler_on(thread: threading.Thread) -> list[traceback.FrameSummary]:
    """Return the stack of what the loop of a thread runs now, outermost first, without what is asyncio's and ours."""
    frame = frame_of(thread)
    stack = []
    while frame is not None and frame.f_code is not _RUNS_A_CALLBACK:
        stack.append((frame, frame.f_lineno))
        frame = frame.f_back
    if frame is None:  # between two callbacks
        return []
    frames = traceback.StackSummary.extract(reversed(stack))
    while frames and frames[0].filename.startswith(_FRAMEWORK):
        frames.pop(0)
    return list(frames)
