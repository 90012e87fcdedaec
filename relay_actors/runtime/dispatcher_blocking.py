"""Threads for calls that block: as many as are needed, up to a bound. Layer: pillar. Source: SEMANTICS D3, A16."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from relay_actors.runtime.base import Clock

__all__ = ["BlockingPool"]

_log = logging.getLogger("relay_actors.runtime")


class BlockingPool:
    """Runs calls that may block, first come, first served.

    Not a `ThreadPoolExecutor`: the interpreter waits for its threads at exit, so that one call that hangs would keep
    the process alive.

    Args:
        clock: by which `stop` waits.
        max_threads: how many calls may run at once; more wait.
        name: begins the names of the threads.
        daemon: whether the threads let the process exit.
    """

    def __init__(self, clock: Clock, *, max_threads: int, name: str, daemon: bool) -> None:
        self._clock = clock
        self._max_threads = max_threads
        self._name = name
        self._daemon = daemon
        self._calls: deque[tuple[Callable[[], object], str]] = deque()
        # Guards all of it; threads without work wait on it.
        self._changed = threading.Condition()
        self._threads: set[threading.Thread] = set()
        self._idle = 0
        self._numbers = 0

    @property
    def thread_count(self) -> int:
        """How many threads it has now."""
        return len(self._threads)

    def run(self, call: Callable[[], object], name: str) -> None:
        """Have ``call`` made on one of the threads; what it raises is logged under ``name``. Any thread.

        One that says by ``is_urgent`` that it cannot wait behind those of users has a thread beyond the bound, if there
        is no other, for as long as it takes.

        Raises:
            RuntimeError: the machine has no more threads, and the call will not be made.
        """
        is_urgent = getattr(call, "is_urgent", False)
        with self._changed:
            if is_urgent:
                self._calls.appendleft((call, name))
            else:
                self._calls.append((call, name))
            if self._idle >= len(self._calls):
                self._changed.notify()
            elif is_urgent or len(self._threads) < self._max_threads:
                self._numbers += 1
                thread = threading.Thread(target=self._work, name=f"{self._name}-{self._numbers}", daemon=self._daemon)
                try:
                    thread.start()
                except RuntimeError:
                    # Nobody may ever come for it: who asked is told by this error.
                    _ = self._calls.popleft() if is_urgent else self._calls.pop()
                    raise
                self._threads.add(thread)

    def stop(self, timeout_s: float) -> int:
        """End the threads after their present calls; return how many would not end in time. Calls that wait are lost.

        That is told, unless a call says by ``is_wanted`` that nobody wants it any more. Idempotent; a pool that has
        been stopped begins anew when it is used again.
        """
        with self._changed:
            threads, self._threads = self._threads, set()
            self._idle = 0  # at once: those that wait have yet to wake up, and will take no call of a new life
            if lost := sum(bool(getattr(call, "is_wanted", True)) for call, _name in self._calls):
                _log.warning("blocking calls were dropped calls=%d", lost)
            self._calls.clear()
            self._changed.notify_all()
        deadline = self._clock.now() + timeout_s
        for thread in threads:
            thread.join(max(0.0, deadline - self._clock.now()))
        return sum(thread.is_alive() for thread in threads)

    def _work(self) -> None:
        me = threading.current_thread()
        has_worked = False
        while True:
            with self._changed:
                if has_worked and len(self._threads) > self._max_threads:  # there was something urgent
                    self._threads.discard(me)
                    return
                while not self._calls:
                    if me not in self._threads:
                        return
                    self._idle += 1
                    self._changed.wait()
                    if me not in self._threads:  # it has been stopped, and is not counted any more
                        return
                    self._idle -= 1
                if me not in self._threads:
                    return
                call, name = self._calls.popleft()
            has_worked = True
            try:
                call()
            except BaseException:
                _log.exception("blocking call failed name=%s", name)
