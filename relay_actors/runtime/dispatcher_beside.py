"""Dispatchers that run some actors beside the system's own dispatcher. Layer: pillar. Source: SEMANTICS D3."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

from relay_actors.runtime.base import Clock, Dispatcher, Pollable, Runnable, TimerHandle

__all__ = ["BesideDispatcher", "BlockingDispatcher"]

_log = logging.getLogger("relay_actors.runtime")


class BesideDispatcher:
    """Gives turns in its own way, and leaves timers, sockets, waits and blocking calls to the system's dispatcher.

    Args:
        shared: the system's dispatcher.
    """

    def __init__(self, shared: Dispatcher) -> None:
        self._shared = shared
        # By a mark of each turn, not by whose it is: when that gives its turn back, its next one may be under way on
        # another thread before this one is noted as over.
        self._under_way: dict[object, tuple[Runnable, float]] = {}

    @property
    def clock(self) -> Clock:
        """The shared clock."""
        return self._shared.clock

    def withdraw(self, runnable: Runnable) -> bool:
        """Never: it has its turns here only."""
        return False

    def is_slice_over(self) -> bool:
        """Never: what else waits here has its turn between two of this actor's."""
        return False

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
        """As the shared dispatcher does."""
        return self._shared.waiting()

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """As the shared dispatcher does."""
        return self._shared.wait_until(is_done, block, timeout_s)

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when each began. Any thread."""
        return list(self._under_way.copy().values())  # a copy is made in one step, for all threads

    def give_turn(self, runnable: Runnable) -> None:
        """Give a turn, on the present thread."""
        turn = object()
        self._under_way[turn] = runnable, self.clock.now()
        try:
            runnable.run_batch([None])
        except BaseException:
            _log.exception("a turn broke its own machinery runnable=%r", runnable)
        finally:
            del self._under_way[turn]

    def start(self) -> None:
        """Nothing to start: the system sees to what runs the turns."""

    def stop(self, timeout_s: float) -> int:
        """Nothing to stop: the system sees to what runs the turns."""
        return 0


class BlockingDispatcher(BesideDispatcher):
    """Gives turns on the threads of the blocking pool.

    For actors whose handlers block, and that need no thread of their own. As many turns as the pool has threads run
    at once, 32 by default, calls of ``blocking`` included; others wait.
    """

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn on a thread of the pool. Any thread."""
        try:
            self._shared.run_blocking(partial(self.give_turn, runnable), "turn")
        except RuntimeError:  # the machine has no more threads: better late than never
            self._shared.schedule(runnable)
