"""What all parts of the simulator share: one lock, one clock, one heap of timers, one way to wait. Layer: simulator.

The lock guards everything that the simulator knows: connections, sessions, calls, people, timers, faults and the wire
log. It is held for one *turn*: one text from a client, one tick, one thing that a person does. What a turn has to say
goes to the links at its end, still under the lock, so that texts leave in the order in which they arose.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from random import Random
from threading import Condition, RLock
from typing import Any, Final

from relay_actors.errors import ConfigError, ProtocolError
from relay_actors.protocol import checks
from relay_actors.runtime.base import Clock
from relay_actors.simulator.feeds import Feeds
from relay_actors.simulator.files import Files
from relay_actors.simulator.outlets import Outside
from relay_actors.simulator.scripts import Scripts
from relay_actors.simulator.timers import Timer, Timers
from relay_actors.simulator.webhooks import Webhooks

__all__ = ["World"]

PATIENCE_S: Final = 5.0
"""Long enough for a loaded machine; a deterministic world, where waits cost nothing, is more patient."""

FAILURES_BOUND: Final = 100
"""How many failures are remembered."""


class World:
    """The time, the chance and the lock of one simulator.

    Args:
        clock: where time comes from.
        random: seeded for a run that can be repeated.
        new_id: makes the ids of calls, events and messages.
        pace: how long a simulated second is: 0.05 plays everything twenty times faster. Only what people and media
            take is scaled; waits of a test and the client's own time-outs are real seconds.

    Raises:
        ConfigError: ``pace`` is not above 0.
    """

    def __init__(self, *, clock: Clock, random: Random, new_id: Callable[[], str], pace: float = 1.0) -> None:
        if not 0 < pace < math.inf:
            raise ConfigError(
                f"pace must be above 0 and finite, not {pace}: 0.05 is twenty times faster, 1.0 is real time"
            )
        self.clock = clock
        self.random = random
        self.new_id = new_id
        self.pace = pace
        self.timers = Timers()
        self.webhooks = Webhooks()
        self.scripts = Scripts()
        self.outside: list[Outside] = []
        """The sockets of fronts that are running, the latest last."""
        self.files = Files(lambda: self.outside[-1].base_url if self.outside else "")
        self.feeds = Feeds()
        self.patience_s = PATIENCE_S
        """How long whoever waits does so unless told otherwise, in seconds of the clock."""
        self.drive: Callable[[], bool] | None = None
        """Advances a deterministic world by one step; False when nothing is left to happen. None in real time."""
        self.failures: deque[Exception] = deque(maxlen=FAILURES_BOUND)
        """What has failed when it was due, while nobody waited who could have been told."""
        self._lock = RLock()
        self._changed = Condition(self._lock)
        self._depth = 0
        self._at_turn_end: list[Callable[[], None]] = []
        self._wakers: list[Callable[[], None]] = []
        self.moment_observers: list[Callable[[Any, int], None]] = []
        """Called with a line and the place in its timeline whenever something is written there."""
        self.story_tellers: list[Callable[[Iterable[str]], list[str]]] = []
        """Called with the ids of a line's calls: what its story tells beside what the person has noticed."""
        self.wait_observers: list[Callable[[], None]] = []
        """Called whenever somebody begins to wait."""
        self._known_deadline: float | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the lock for one step; turns within a turn are part of it.

        When the outermost turn ends, the texts go out, whoever waits looks again, and tickers learn of an earlier
        deadline.
        """
        wakers: list[Callable[[], None]] = []
        with self._lock:
            self._depth += 1
            try:
                yield
            finally:
                try:
                    if self._depth == 1:
                        wakers = self._end_turn()
                finally:
                    self._depth -= 1
        for wake in wakers:
            wake()

    def look(self) -> AbstractContextManager[object]:
        """Hold the lock only to look: nothing is changed, so nobody is woken at the end."""
        return self._lock

    def at_turn_end(self, call: Callable[[], None]) -> None:
        """Have ``call`` made once, when the running turn ends. Only inside a turn."""
        self._at_turn_end.append(call)

    def add_waker(self, wake: Callable[[], None]) -> None:
        """Have ``wake`` called, from any thread and without the lock, when the next deadline has become earlier."""
        with self._lock:
            self._wakers.append(wake)

    def remove_waker(self, wake: Callable[[], None]) -> None:
        """Take back `add_waker`; unknown ones are ignored."""
        with self._lock:
            self._wakers = [known for known in self._wakers if known != wake]

    def now(self) -> float:
        """Return monotonic seconds."""
        return self.clock.now()

    def simulated_now(self) -> float:
        """Return monotonic seconds as the people on the lines feel them: not scaled by ``pace``."""
        return self.clock.now() / self.pace

    def wall_ms(self) -> int:
        """Return milliseconds since the epoch, as the wire tells times of calls."""
        return round(self.clock.wall() * 1000)

    def after(self, simulated_s: float, call: Callable[[], None]) -> Timer:
        """Have ``call`` made after so many simulated seconds: they are scaled by ``pace``."""
        return self.timers.at(self.clock.now() + max(0.0, simulated_s) * self.pace, call)

    def after_real(self, seconds: float, call: Callable[[], None]) -> Timer:
        """Have ``call`` made after so many seconds of the clock."""
        return self.timers.at(self.clock.now() + max(0.0, seconds), call)

    def next_deadline(self) -> float | None:
        """Return when `tick` is due next (monotonic seconds), or None."""
        with self._lock:
            return self.timers.next_due()

    def tick(self, now: float) -> int:
        """Let everything happen that is due by ``now``; return how many things did."""
        with self.turn():
            return self.timers.run_due(now)

    def patience(self, within: float | None) -> float:
        """Return how many seconds of the clock to wait: ``within``, or what this world has patience for."""
        return self.patience_s if within is None else within

    def wait_until(self, is_so: Callable[[], bool], within: float | None = None) -> bool:
        """Wait until ``is_so()``, at most ``within`` seconds; return whether it came to be.

        In real time it waits on the lock's condition, and ticks when something is due, so that nobody else has to.
        In a driven world it drives, and stops time exactly at the deadline.

        Args:
            is_so: called with the lock held; it may look, but not take a turn.
            within: seconds of the clock, not scaled by the pace; `patience_s` if None.

        Raises:
            ArgumentError: ``within`` is no number of seconds, or has no end.
            ProtocolError: called from inside a turn, where nothing could ever change.
        """
        checks.given(_a_time, within=within)
        with self._lock:
            if self._depth:
                raise ProtocolError("a wait inside a turn would never end: react with a timer, do not wait")
            deadline = self.now() + self.patience(within)
            # In a driven world time jumps from timer to timer: this one makes it stop at the deadline.
            stop_here = self.timers.at(deadline, _nothing)
            for observe in self.wait_observers:
                observe()
        try:
            return self._wait_in_real_time(is_so, deadline) if self.drive is None else self._drive(is_so, deadline)
        finally:
            stop_here.cancel()

    def _wait_in_real_time(self, is_so: Callable[[], bool], deadline: float) -> bool:
        with self._lock:
            while not is_so():
                now = self.now()
                if now >= deadline:
                    return False
                due = self.timers.next_due()
                if due is not None and due <= now:
                    self.tick(now)
                    continue
                self._changed.wait(min(deadline if due is None else due, deadline) - now)
            return True

    def _drive(self, is_so: Callable[[], bool], deadline: float) -> bool:
        assert self.drive is not None
        while True:
            with self._lock:
                if is_so():
                    return True
                if self.now() >= deadline:
                    return False
            if not self.drive():
                with self._lock:
                    return is_so()

    def _end_turn(self) -> list[Callable[[], None]]:
        self._flush()
        self._changed.notify_all()
        due = self.timers.next_due()
        is_earlier = due is not None and (self._known_deadline is None or due < self._known_deadline)
        self._known_deadline = due
        return list(self._wakers) if is_earlier else []

    def _flush(self) -> None:
        while self._at_turn_end:
            calls, self._at_turn_end = self._at_turn_end, []
            for call in calls:
                call()


def _a_time(value: object) -> str | None:
    """Return None for seconds; below 0 they are over."""
    return None if checks.is_number(value) else "a number of seconds"


def _nothing() -> None:
    """Be due."""
