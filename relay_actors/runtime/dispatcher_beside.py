"""Dispatchers that run some actors beside the system's own dispatcher. Layer: pillar. Source: SEMANTICS D3."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from relay_actors.runtime.base import Clock, Dispatcher, Pollable, Runnable, TimerHandle
from relay_actors.runtime.turns_beside import TurnsBeside

__all__ = ["BesideDispatcher", "BlockingDispatcher"]

_log = logging.getLogger("relay_actors.runtime")


class BesideDispatcher:
    """Gives turns in its own way, and leaves timers, sockets, waits and blocking calls to the system's dispatcher.

    Args:
        shared: the system's dispatcher.
        long_turns: the `LongTurns` by which turns that take long are reported; None reports none.
        is_loop: whether all turns are on the asyncio loop.

    Attributes:
        under_way: the turns that are.
    """

    def __init__(self, shared: Dispatcher, long_turns: Any = None, *, is_loop: bool = False) -> None:
        self._shared = shared
        self.under_way = TurnsBeside(shared, long_turns, is_loop=is_loop)

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

    def drive(self, loop: object, since: float) -> bool:
        """As the shared dispatcher does."""
        return self._shared.drive(loop, since)

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when each began. Any thread."""
        return self.under_way.under_way()

    def give_turn(self, runnable: Runnable) -> None:
        """Give a turn, on the present thread."""
        turn = self.under_way.begin(runnable)
        try:
            runnable.run_batch([None])
        except BaseException:
            _log.exception("a turn broke its own machinery runnable=%r", runnable)
        finally:
            self.under_way.end(turn)

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
