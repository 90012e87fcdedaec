"""Threads that belong to one flow, ``def run(self)``, and run only while they are let. Layer: pillar."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from relay_actors.runtime.base import Clock

__all__ = ["OwnThread", "OwnThreads"]


class OwnThread:
    """A thread that stops wherever it waits, until it is told to go on.

    Args:
        run: what it runs.
        name: of the thread.
        daemon: whether it lets the process exit.
        is_strict: whether who lets it go on stands still until it waits again, so that one of the two runs at a time.

    Attributes:
        is_abandoned: whether it is to end wherever it waits: see `abandon`.
    """

    def __init__(self, run: Callable[[], object], *, name: str, daemon: bool, is_strict: bool) -> None:
        self._run = run
        self._may_go = threading.Semaphore(0)
        self.is_abandoned = False
        self._is_over = False
        self._waits = threading.Semaphore(0) if is_strict else None
        self.thread = threading.Thread(target=self._work, name=name, daemon=daemon)

    def go_on(self) -> None:
        """Let it run, from where it waits or from the start. What this thread has written until now, it sees.

        Raises:
            RuntimeError: the machine has no more threads.
        """
        if self.thread.ident is None:
            self.thread.start()
        else:
            self._may_go.release()
        if self._waits is not None:
            self._waits.acquire()
            if self._is_over:  # what is left of it is on its way out: whoever counts threads now finds none
                self.thread.join()

    def wait(self) -> None:
        """Wait until it may go on. On the thread itself; not to be called without having told who will let it."""
        if self._waits is not None:
            self._waits.release()
        self._may_go.acquire()
        if self.is_abandoned:
            raise _Abandoned

    def abandon(self) -> None:
        """Have it end where it waits, now and whenever it waits again, as when the process dies."""
        self.is_abandoned = True
        self._may_go.release(1_000)  # what ends it may wait again on its way out

    def _work(self) -> None:
        try:
            with contextlib.suppress(_Abandoned):
                self._run()
        finally:
            self._is_over = True
            if self._waits is not None:
                self._waits.release()


class _Abandoned(BaseException):
    """Ends a thread: no ``except Exception`` of a flow may keep it."""


class OwnThreads:
    """All such threads of one system.

    Args:
        clock: by which `stop` waits.
        name: begins the names of the threads.
        daemon: whether the threads let the process exit.
        is_strict: see `OwnThread`; for a deterministic run.
    """

    def __init__(self, clock: Clock, *, name: str, daemon: bool, is_strict: bool) -> None:
        self._clock = clock
        self._name = name
        self._daemon = daemon
        self._is_strict = is_strict
        # Guards who there is. Re-entrant, because a finaliser may run in the middle.
        self._lock = threading.RLock()
        self._threads: list[OwnThread] = []
        self._numbers = 0

    @property
    def thread_count(self) -> int:
        """How many run now."""
        with self._lock:
            return sum(own.thread.is_alive() for own in self._threads)

    def new(self, run: Callable[[], object]) -> OwnThread:
        """Return a thread that runs ``run`` as soon as it is let."""
        with self._lock:
            self._numbers += 1
            name = f"{self._name}-flow-{self._numbers}"
            self._threads = [own for own in self._threads if own.thread.ident is None or own.thread.is_alive()]
            own = OwnThread(run, name=name, daemon=self._daemon, is_strict=self._is_strict)
            self._threads.append(own)
        return own

    def stop(self, timeout_s: float) -> int:
        """Wait for the threads to end, and return how many would not in time. Idempotent."""
        threads = self._take_all()
        deadline = self._clock.now() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.now()))
        return sum(thread.is_alive() for thread in threads)

    def abandon(self, timeout_s: float = 1.0) -> None:
        """Have all end where they wait, as when the process dies. For a deterministic run; idempotent."""
        with self._lock:
            threads = list(self._threads)
        for own in threads:
            own.abandon()
        for thread in self._take_all():
            thread.join(timeout_s)

    def _take_all(self) -> list[threading.Thread]:
        """Return the threads that were started, and know them no more."""
        with self._lock:
            threads, self._threads = self._threads, []
        return [own.thread for own in threads if own.thread.ident is not None]
