"""A dispatcher that runs everything on the calling thread, from one seed, in virtual time. Layer: pillar.

Source: SEMANTICS D4, V2, V3; DESIGN section 2.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.runtime.base import Pollable, Runnable, TimerHandle
from relay_actors.runtime.clock import ManualClock, Random
from relay_actors.runtime.context import here
from relay_actors.runtime.timer_queue import TimerQueue

__all__ = ["DeterministicDispatcher"]

FOR_EVER_S: Final = 100 * 86_400.0
"""Who waits for longer, and has given no time-out, waits in vain: some seconds, with a connection that is alive."""

LOOKED_AT: Final = 1000
"""Of how many turns it is noted who had them, where time stands still."""

_log = logging.getLogger("relay_actors.runtime")


class DeterministicDispatcher:
    """Gives turns one at a time, each to an actor drawn at random from those that have work.

    Nothing happens by itself: `step`, `settle`, `advance`, or a wait on a future, also one in asyncio, make it happen.
    Time moves only when nothing can run. One thread must do all of it. A wait inside a turn runs other actors inside
    that turn: so, unlike on threads, the outer wait can end only after the inner ones.

    Args:
        random: seeded; the same seed gives the same run.
        clock: moved by this dispatcher.
        most_at_once: says how many turns may be given before time has to move; that it does not is noticed by twice
            as many. None: any number.

    Attributes:
        steps: how many turns were given.
        is_stuck: whether time was found to stand still.
        timers_of_others: says how many timers are pending that are none of the actors': of a server in the same world.
    """

    def __init__(
        self, random: Random, clock: ManualClock | None = None, most_at_once: Callable[[], int] | None = None
    ) -> None:
        self._random = random
        self._clock = clock if clock is not None else ManualClock()
        self._ready: list[Runnable] = []
        self._late: list[Runnable] = []
        self._timers = TimerQueue()
        self._turns: list[tuple[Runnable, float]] = []  # a wait inside a turn runs others inside it
        self._thread = threading.get_ident()
        self.steps = 0
        self.is_stuck = False
        self.timers_of_others: Callable[[], int] = _none
        self._most_at_once = most_at_once
        self._looks_at: float = math.inf if most_at_once is None else most_at_once()
        """At which step it looks whether time has moved; of few steps, so that it costs nothing."""
        self._looked = self._clock.now()
        self._busy: list[str] = []

    @property
    def clock(self) -> ManualClock:
        """The virtual clock."""
        return self._clock

    @property
    def pending_timers(self) -> int:
        """How many timers are pending, without those of others."""
        return len(self._timers) - self.timers_of_others()

    def next_due(self) -> float | None:
        """When the next timer is due, in virtual seconds; None: no timer is pending."""
        return self._timers.next_due()

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn at some later step."""
        (self._late if runnable.late else self._ready).append(runnable)

    def withdraw(self, runnable: Runnable) -> bool:
        """Take back a turn that is due; False if it has begun."""
        queue = self._late if runnable.late else self._ready
        if runnable not in queue:
            return False
        queue.remove(runnable)
        return True

    def is_slice_over(self) -> bool:
        """Never: a turn handles one message only."""
        return False

    def call_at(self, due: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made when virtual time reaches ``due``."""
        return self._timers.add(due, call)

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """Refuse: sockets are not deterministic.

        Raises:
            ConfigError: always; use the memory transport.
        """
        raise ConfigError("a deterministic run has no sockets: use the memory transport")

    def rearm(self, pollable: Pollable) -> None:
        """Nothing is watched, so there is nothing to poll again."""

    def unwatch(self, pollable: Pollable) -> None:
        """Nothing is watched, so there is nothing to forget."""

    def run_blocking(self, call: Callable[[], object], name: str) -> None:
        """Make the call as one more step, at a moment drawn like a turn."""
        self._ready.append(_BlockingCall(self, call, name))

    def waiting(self) -> AbstractContextManager[None]:
        """Nothing to give away."""
        return nullcontext()

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """Drive the world until ``is_done()``, or until virtual time has moved by ``timeout_s``.

        Raises:
            ConfigError: nothing can ever make it done, or nothing has in `FOR_EVER_S`, and no time-out was given: on
                threads this would hang, unless it waits for an actor that itself waits, further out on this stack.
        """
        began = self._clock.now()
        deadline = None if timeout_s is None else began + timeout_s
        while not is_done():
            if self.step():
                continue
            due = self._timers.next_due()
            if due is None and deadline is None:
                raise ConfigError(
                    "this wait would never end: nothing can run, no timer is pending, and no time-out was given"
                )
            if deadline is None:
                self._check_patience(began)
            if due is None or (deadline is not None and due > deadline):
                if deadline is not None:
                    self._clock.advance_to(deadline)
                return is_done()
            self._clock.advance_to(due)
            self._fire()
        return True

    def drive(self, loop: object, since: float) -> bool:
        """Let one thing happen, or time go on, on the thread that does all of it: nobody else would.

        Not for who awaits on the loop of an application, which is driven by this dispatcher itself.

        Raises:
            ConfigError: as `wait_until` without a time-out.
        """
        if threading.get_ident() != self._thread or any(runnable is loop for runnable, _began in self._turns):
            return False
        if not self.step():
            due = self._timers.next_due()
            if due is None:
                return False
            self._check_patience(since)
            self._clock.advance_to(due)
        return True

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return the turns that are under way, outermost first, and when in virtual time each began."""
        return list(self._turns)

    def start(self) -> None:
        """Nothing to start."""

    def stop(self, timeout_s: float) -> int:
        """Nothing to stop: no threads are left."""
        return 0

    def step(self) -> bool:
        """Give one turn, of one message; return False when nothing can happen at this moment of virtual time.

        What a timer alone has done counts: whoever waits for it looks before time goes on.

        Raises:
            ConfigError: so many turns were given that there will be no end of it: see ``most_at_once``.
        """
        has_fired = self._fire()
        queue = self._ready or self._late
        if not queue:
            return has_fired
        self.steps += 1
        chosen = queue.pop(self._random.randrange(len(queue)))
        self._turns.append((chosen, self._clock.now()))
        try:
            chosen.run_batch([])
        finally:
            self._turns.pop()
        if self.steps >= self._looks_at:
            self._look(chosen)
        return True

    def settle(self) -> None:
        """Give turns until nothing can run at this moment of virtual time."""
        while self.step():
            continue

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` of virtual time pass, and everything happen that happens in them, in order."""
        until = self._clock.now() + seconds
        self.settle()
        while (due := self._timers.next_due()) is not None and due <= until:
            self._clock.advance_to(due)
            self.settle()
        self._clock.advance_to(until)
        self.settle()

    def _check_patience(self, since: float) -> None:
        if self._clock.now() > since + FOR_EVER_S:  # the pings of a connection would go on and on
            raise ConfigError(
                f"this wait would never end: it has lasted for {FOR_EVER_S / 86_400:g} days of virtual time, and no "
                "time-out was given"
            )

    def _look(self, chosen: Runnable) -> None:
        """See whether time has moved since the last look; if not, note who has this turn and the next ones, and tell.

        Without it, a loop in which nothing takes time would hang whoever waits, and say nothing.
        """
        assert self._most_at_once is not None
        now = self._clock.now()
        has_moved = now > self._looked
        if not has_moved:
            self._busy.append(repr(chosen))
            if len(self._busy) < LOOKED_AT:
                return
        most, busy = self._most_at_once(), Counter(self._busy)
        self._looked, self._looks_at, self._busy = now, self.steps + most, []
        if has_moved:
            return
        self.is_stuck = True
        told = ", ".join(f"{who} {count}" for who, count in busy.most_common() if count >= LOOKED_AT // 10)
        raise ConfigError(
            f"time stands still: the clock says {now:.3f}, and more than {most} turns were given at this moment, of "
            f"the last {LOOKED_AT}: {told}. Is there a loop in which nothing takes time, as where it awaits an action "
            "and not its wait()?"
        )

    def _fire(self) -> bool:
        has_fired = False
        while (call := self._timers.take_due(self._clock.now())) is not None:
            try:
                with _outside_of_turns():
                    call()
            except Exception:
                _log.exception("a timer's call raised")
            has_fired = True
        return has_fired


def _none() -> int:
    return 0


class _BlockingCall:
    """A blocking call as something that is run once."""

    late = False

    def __init__(self, dispatcher: DeterministicDispatcher, call: Callable[[], object], name: str) -> None:
        self.dispatcher = dispatcher
        self._call = call
        self._name = name

    def __repr__(self) -> str:
        return self._name

    def run_batch(self, grant: list[None]) -> None:
        """Make the call."""
        try:
            with _outside_of_turns():
                self._call()
        except Exception:
            _log.exception("blocking call failed name=%s", self._name)


@contextmanager
def _outside_of_turns() -> Iterator[None]:
    """Make what is called inside a wait, in a turn or in asyncio, see what it would see on a thread of its own."""
    turn, here.turn = here.turn, None
    loop = asyncio._get_running_loop()  # noqa: SLF001  # documented, in spite of its name, for makers of loops
    asyncio._set_running_loop(None)  # noqa: SLF001
    try:
        yield
    finally:
        asyncio._set_running_loop(loop)  # noqa: SLF001
        here.turn = turn
