"""Stops one thread before any line of the runtime, so that a test can have another one act at just that moment."""

import sys
import threading
from collections.abc import Callable
from types import FrameType, ModuleType
from typing import Any

from tests.runtime.worlds import DEADLINE_S, until


class Halt:
    """Halts a thread before the ``number``-th line that it comes to in ``modules``; 1 is the first.

    Only in modules whose locks nobody waits for: who halts with such a lock would halt the others, too. So not in a
    ``__repr__`` either, which a log asks for with its lock held.

    Attributes:
        place: where it halts, or has halted; None if it has not come so far yet, or never will.
    """

    def __init__(self, number: int, *modules: ModuleType) -> None:
        self.place: str | None = None
        self._lines_left = number
        self._files = {module.__file__ for module in modules}
        self._may_go_on = threading.Event()
        self._is_on = True
        self._look: Callable[[str], None] | None = None

    def begin(self) -> None:
        """Count the lines of this thread from now on, those of the functions included that it is in."""
        sys.settrace(self._enter)
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            frame.f_trace = self._enter(frame, "call", None)
            frame = frame.f_back

    def end(self) -> None:
        """Count no more. In that thread."""
        sys.settrace(None)

    def run(self, call: Callable[[], object]) -> threading.Thread:
        """Have ``call`` made in a thread of its own, and its lines counted."""

        def run() -> None:
            self.begin()
            call()
            self.end()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def wait(self, is_over: Callable[[], bool]) -> bool:
        """Wait until it halts; return False if it ``is_over`` before."""
        until(lambda: self.place is not None or is_over())
        return self.place is not None

    def go_on(self, look: Callable[[str], None] | None = None) -> None:
        """Let the thread go on, and do not halt it any more; have it ``look``, told the place, before each line."""
        self._is_on, self._look = False, look
        self._may_go_on.set()

    def _enter(self, frame: FrameType, _event: str, _arg: Any) -> Any:
        code = frame.f_code
        return self._on_line if code.co_filename in self._files and code.co_name != "__repr__" else None

    def _on_line(self, frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line" and self._is_on:
            self._lines_left -= 1
            if self._lines_left == 0:
                self.place = _place_of(frame)
                assert self._may_go_on.wait(DEADLINE_S), f"nobody lets it go on: {self.place}"
        if event == "line" and self._look is not None:
            self._look(_place_of(frame))
        return self._on_line


def _place_of(frame: FrameType) -> str:
    return f"{frame.f_code.co_qualname}, line {frame.f_lineno}"
