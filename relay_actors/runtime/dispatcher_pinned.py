"""A dispatcher that gives one actor a thread of its own, as pykka does. Layer: pillar. Source: SEMANTICS D3."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager

from relay_actors.runtime.base import Clock, Dispatcher, Pollable, Runnable, TimerHandle

__all__ = ["PinnedDispatcher"]


class PinnedDispatcher:
    """Runs one runnable on one thread; everything else it leaves to the system's dispatcher.

    Args:
        shared: the system's dispatcher, for timers, sockets and the blocking pool.
        name: of the thread.
        daemon: whether the thread lets the process exit.
    """

    def __init__(self, shared: Dispatcher, *, name: str, daemon: bool = True) -> None:
        self._shared = shared
        self._work = threading.Semaphore(0)
        self._runnable: Runnable | None = None
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=daemon)

    @property
    def clock(self) -> Clock:
        """The shared clock."""
        return self._shared.clock

    def schedule(self, runnable: Runnable) -> None:
        """Let the actor have a turn on its thread. Any thread."""
        self._runnable = runnable
        self._work.release()

    def call_at(self, due: float, call: Callable[[], None]) -> TimerHandle:
        """As the shared dispatcher does."""
        return self._shared.call_at(due, call)

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """As the shared dispatcher does."""
        self._shared.watch(pollable, on_ready)

    def rearm(self, pollable: Pollable) -> None:
        """As the shared dispatcher does."""
        self._shared.rearm(pollable)

    def unwatch(self, pollable: Pollable) -> None:
        """As the shared dispatcher does."""
        self._shared.unwatch(pollable)

    def run_blocking(self, call: Callable[[], object], name: str) -> None:
        """As the shared dispatcher does."""
        self._shared.run_blocking(call, name)

    def waiting(self) -> AbstractContextManager[None]:
        """Nothing to give away: this thread holds up nobody but its own actor."""
        return self._shared.waiting()

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """Wait by ``block``."""
        return self._shared.wait_until(is_done, block, timeout_s)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> int:
        """Stop the thread after its present turn; return 1 if it would not end in time."""
        self._stopped = True
        self._work.release()
        if self._thread is threading.current_thread() or not self._thread.is_alive():
            return 0
        self._thread.join(timeout_s)
        return int(self._thread.is_alive())

    def _run(self) -> None:
        while True:
            self._work.acquire()
            if self._stopped:
                return
            if self._runnable is not None:
                self._runnable.run_batch([None])
