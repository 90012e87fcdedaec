"""Actors against stock pykka's: the same code, with another base class. Each measurement is a function of how many."""

from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pykka

from relay_actors import Actor

__all__ = ["ours", "theirs"]

_DEADLINE_S = 100.0


class _Latch:
    """Waits until something has happened so many times, in whatever threads."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._count = count(1)
        self._done = threading.Event()

    def count_down(self) -> None:
        if next(self._count) == self._number:
            self._done.set()

    def wait(self) -> None:
        if not self._done.wait(_DEADLINE_S):
            raise TimeoutError(f"not done within {_DEADLINE_S:g} s")


class _Suite:
    """The measurements, over one base class. Each returns seconds, or bytes, of one."""

    def __init__(self, base: Any) -> None:
        class Counts(base):  # type: ignore[misc]  # which base is what is compared
            def __init__(self, count_down: Callable[[], None]) -> None:
                super().__init__()
                self._count_down = count_down

            def on_receive(self, _message: Any) -> None:
                self._count_down()

        class Runs(base):  # type: ignore[misc]
            def on_receive(self, message: Callable[[], Any]) -> Any:
                return message()

        class Ping(base):  # type: ignore[misc]
            def __init__(self, left: int, latch: _Latch) -> None:
                super().__init__()
                self._left, self._latch = left, latch

            def on_receive(self, other: Any) -> None:
                self._left -= 1
                if self._left <= 0:
                    self._latch.count_down()
                else:
                    other.tell(self.actor_ref)

        class Starts(Counts):
            def on_start(self) -> None:
                self._count_down()

        self._counts, self._runs, self._ping, self._starts = Counts, Runs, Ping, Starts

    def fan_out(self, number: int) -> float:
        """One actor tells so many idle ones a message each, in one turn; until all have handled it."""
        refs, latch = self._idle(number), _Latch(number)

        def tell_all() -> None:
            for ref in refs:
                ref.tell(latch.count_down)

        teller = self._runs.start()
        began = time.perf_counter()
        teller.tell(tell_all)
        latch.wait()
        return (time.perf_counter() - began) / number

    def backlog(self, number: int) -> float:
        """One actor tells one other so many messages, in one turn; until all are handled."""
        latch = _Latch(number)
        ref = self._counts.start(latch.count_down)

        def tell_all() -> None:
            for _ in range(number):
                ref.tell("a message")

        teller = self._runs.start()
        began = time.perf_counter()
        teller.tell(tell_all)
        latch.wait()
        return (time.perf_counter() - began) / number

    def from_a_thread(self, number: int) -> float:
        """A thread that is no actor's tells an idle one, and waits until it has handled that; so many times."""
        ref = self._runs.start()
        began = time.perf_counter()
        for _ in range(number):
            latch = _Latch(1)
            ref.tell(latch.count_down)
            latch.wait()
        return (time.perf_counter() - began) / number

    def ping_pong(self, number: int, pairs: int = 1) -> float:
        """Two actors tell each other, so many times each; several such pairs at once. Of one message."""
        latch = _Latch(pairs)
        both = [(self._ping.start(number, latch), self._ping.start(number, latch)) for _ in range(pairs)]
        began = time.perf_counter()
        for first, second in both:
            first.tell(second)
        latch.wait()
        return (time.perf_counter() - began) / (2 * number * pairs)

    def spawn(self, number: int) -> float:
        """So many are started, one after the other, from a thread that is no actor's; until all have started."""
        self._idle(1)  # with the first one the runtime is loaded, as before all other measurements here
        latch = _Latch(number)
        began = time.perf_counter()
        refs = [self._starts.start(latch.count_down) for _ in range(number)]
        latch.wait()
        seconds = time.perf_counter() - began
        assert len(refs) == number
        return seconds / number

    def memory(self, number: int) -> float:
        """Resident memory of one of so many that have handled a message and are idle. Bytes."""
        self._idle(300)
        before = _resident_bytes()
        kept = self._idle(number)
        assert kept
        return (_resident_bytes() - before) / number

    def _idle(self, number: int) -> list[Any]:
        """Start so many, and let each handle a message.

        They have nothing of their own, since the message says what is to be done; and it is one after the other, so
        that what many messages take that wait is not taken for what actors do.
        """
        refs = []
        for _ in range(number):
            latch, ref = _Latch(1), self._runs.start()
            ref.tell(latch.count_down)
            latch.wait()
            refs.append(ref)
        gc.collect()  # which would otherwise look at all that are new while something is measured
        return refs


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


class _DaemonThreadingActor(pykka.ThreadingActor):
    use_daemon_thread = True


ours = _Suite(Actor)
theirs = _Suite(_DaemonThreadingActor)
