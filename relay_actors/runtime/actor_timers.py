"""An actor's own timers: keyed, and checked by generation when they are handled. Layer: pillar.

Source: SEMANTICS T1-T4, T7.
"""

from __future__ import annotations

import math
from collections.abc import Hashable
from functools import partial
from typing import Final, Literal, get_args

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.clock import is_time
from relay_actors.runtime.signals import Internal

__all__ = ["ActorTimers", "DurableTimer", "Repeat"]

Repeat = Literal["fixed_delay", "fixed_rate"]
"""Whether the next tick counts from the end of the handling, or from when this one was due."""

_REPEATS: Final = get_args(Repeat)


@dataclass(frozen=True, slots=True)
class DurableTimer:
    """A pending timer that survives the restart of its actor.

    Attributes:
        key: under which it was started.
        message: what will arrive.
        due: when, in monotonic seconds.
        due_wall: when, in seconds since the epoch, as far as the clocks are known now.
        interval_s: how often from then on; None for once.
    """

    key: Hashable
    message: object
    due: float
    due_wall: float
    interval_s: float | None


class _Tick(Internal):
    """A due timer on its way through the control lane; only the current generation of its key is delivered."""

    __slots__ = ("due", "generation", "key", "timers")

    interleaves = False

    def __init__(self, timers: ActorTimers, key: Hashable, generation: int, due: float) -> None:
        self.timers = timers
        self.key = key
        self.generation = generation
        self.due = due

    def fire(self) -> None:
        """Set out for the actor: it is due. On the dispatcher's thread."""
        self.timers.send(self)

    def deliver(self) -> None:
        """Hand the timer's message to the actor, in its turn, unless it was cancelled or replaced meanwhile."""
        self.timers.on_tick(self)


class _Timer:
    __slots__ = ("burst", "due", "durable", "generation", "handle", "interval_s", "message", "repeat", "resets")

    def __init__(
        self,
        generation: int,
        message: object,
        interval_s: float | None,
        repeat: Repeat,
        *,
        burst: int,
        durable: bool,
        resets: bool,
    ) -> None:
        self.generation = generation
        self.message = message
        self.interval_s = interval_s
        self.repeat = repeat
        self.burst = burst
        self.durable = durable
        self.resets = resets
        self.due = 0.0
        self.handle: TimerHandle | None = None

    def next_due(self, now: float) -> float:
        """Return when the next tick of a repeating timer is due, now that the last one has been handled."""
        interval_s = self.interval_s or 0.0
        if self.repeat == "fixed_delay":
            return now + interval_s
        due = self.due + interval_s
        missed = math.floor((now - due) / interval_s) + 1
        # More than so many are not caught up, or a stall would be followed by a flood (T3); the beat is kept.
        return due + max(0, missed - self.burst) * interval_s


class ActorTimers:
    """The timers of one cell; used in its turns only, but for `cancel_all` when it ends.

    Attributes:
        late_by_s: while a tick is handled, how long ago it was due; 0.0 otherwise.
        ticking: while a tick is handled, the key of its timer; otherwise nothing.
    """

    __slots__ = ("_cell", "_generation", "_timers", "late_by_s", "ticking")

    def __init__(self, cell: AnyCell) -> None:
        self._cell = cell
        self._timers: dict[Hashable, _Timer] = {}
        self._generation = 0
        self.late_by_s = 0.0
        self.ticking: tuple[Hashable, ...] = ()

    def __len__(self) -> int:
        """Return how many are pending."""
        return len(self._timers)

    def start(
        self,
        key: Hashable,
        message: object,
        delay_s: float,
        interval_s: float | None = None,
        repeat: Repeat = "fixed_delay",
        *,
        burst: int = 1,
        durable: bool = False,
        resets: bool = False,
        ago_s: float | None = None,
    ) -> None:
        """Start a timer, in place of one with the same key; a tick of the old one is not delivered any more (T1).

        Of a past that is run again, `ago_s` says how long ago this was; then it does not tick before `go_on`.

        Raises:
            ConfigError: a number or word that makes no sense.
        """
        _check(key, delay_s, interval_s, repeat, burst)
        self.cancel(key)
        self._generation += 1
        timer = _Timer(self._generation, message, interval_s, repeat, burst=burst, durable=durable, resets=resets)
        self._timers[key] = timer
        due = self._cell.system.clock.now() + delay_s
        if ago_s is None:
            self._arm(key, timer, due)
        else:
            timer.due = due - ago_s

    def go_on(self) -> None:
        """Let tick what was started in a past that was run again, and what has ticked in it: that is over."""
        for key, timer in list(self._timers.items()):
            if timer.handle is None:
                self._arm(key, timer, timer.due)

    def resume(
        self, key: Hashable, message: object, due_wall: float, interval_s: float | None, *, durable: bool
    ) -> None:
        """Have a timer of before the end of the process, which ticks from `go_on` on; if it is overdue, at once (T7).

        Args:
            key: by which it is replaced and cancelled.
            message: what arrives.
            due_wall: when it is due, in seconds since the epoch.
            interval_s: how often from then on; None for once.
            durable: whether a restart leaves it alone.
        """
        clock = self._cell.system.clock
        self.cancel(key)
        self._generation += 1
        timer = _Timer(self._generation, message, interval_s, "fixed_delay", burst=1, durable=durable, resets=False)
        timer.due = clock.now() + due_wall - clock.wall()
        self._timers[key] = timer

    def has_ticked(self, key: Hashable, at_wall: float) -> None:
        """Note that a timer has fired at a time of before the end of the process, and does not fire again for it.

        It ticks again after `go_on`.
        """
        timer = self._timers.get(key)
        if timer is None or timer.interval_s is None:
            self.cancel(key)
            return
        if timer.handle is not None:
            timer.handle.cancel()
            timer.handle = None
        clock = self._cell.system.clock
        timer.due = at_wall - clock.wall() + clock.now() + timer.interval_s

    def cancel(self, key: Hashable) -> bool:
        """Cancel a timer; return whether there was one. Its tick is not delivered, even if it waits already (T2)."""
        timer = self._timers.pop(key, None)
        if timer is None:
            return False
        if timer.handle is not None:
            timer.handle.cancel()
        return True

    def cancel_all(self, *, keep_durable: bool = False) -> None:
        """Cancel every timer, or those that are not durable. Any thread, when the actor ends."""
        for key, timer in list(self._timers.items()):
            if not (keep_durable and timer.durable):
                self.cancel(key)

    def pending(self) -> dict[Hashable, float]:
        """Return when each timer of the user's own is due, on the system's clock, by its key."""
        return {key: timer.due for key, timer in self._timers.items() if not isinstance(timer.message, Internal)}

    def durable(self, *, others: bool = False) -> list[DurableTimer]:
        """Return the durable ones that are pending, or all that are the user's own; those due first in front."""
        clock = self._cell.system.clock
        offset = clock.wall() - clock.now()
        pending = [
            (timer.due, timer.generation, key, timer)
            for key, timer in self._timers.items()
            if timer.durable or (others and not isinstance(timer.message, Internal))
        ]
        return [
            DurableTimer(key, timer.message, due, due + offset, timer.interval_s)
            for due, _generation, key, timer in sorted(pending, key=lambda entry: entry[:2])
        ]

    def send(self, tick: _Tick) -> None:
        """Put a tick that is due in the mailbox."""
        self._cell.tell_control(tick)

    def on_tick(self, tick: _Tick) -> None:
        """Deliver a tick that is still wanted, and arm the next one of a repeating timer."""
        timer = self._timers.get(tick.key)
        if timer is None or timer.generation != tick.generation:
            return
        if timer.interval_s is None:
            self._timers.pop(tick.key, None)
            self._deliver(tick.key, timer)
            return
        try:
            self._deliver(tick.key, timer)
        finally:
            hold = self._cell.hold
            if hold is not None and hold.holds:  # a handler that awaits: its handling is not over yet
                hold.afterwards(partial(self._arm_again, tick.key, timer))
            else:
                self._arm_again(tick.key, timer)

    def _deliver(self, key: Hashable, timer: _Timer) -> None:
        message = timer.message
        if isinstance(message, Internal):
            message.deliver()
            return
        self.late_by_s = max(0.0, self._cell.system.clock.now() - timer.due)
        self.ticking = (key,)
        try:
            self._cell.handle_user(message)
        finally:
            self.late_by_s = 0.0
            self.ticking = ()
            if timer.resets:
                self._cell.heard()

    def _arm_again(self, key: Hashable, timer: _Timer) -> None:
        if self._timers.get(key) is timer:  # its own handling has not cancelled or replaced it
            self._arm(key, timer, timer.next_due(self._cell.system.clock.now()))

    def _arm(self, key: Hashable, timer: _Timer, due: float) -> None:
        timer.due = due
        timer.handle = self._cell.system.dispatcher.call_at(due, _Tick(self, key, timer.generation, due).fire)
        # First set, then look: a kill from another thread cancels all that it finds, and may not have found the handle.
        if self._timers.get(key) is not timer:
            timer.handle.cancel()


def _check(key: Hashable, delay_s: float, interval_s: float | None, repeat: str, burst: int) -> None:
    if not is_time(delay_s) or not (interval_s is None or (is_time(interval_s) and interval_s > 0)):
        raise ConfigError(f"timer {key!r}: delay_s={delay_s!r} must be >= 0 and interval_s={interval_s!r} > 0, seconds")
    if repeat not in _REPEATS:
        raise ConfigError(f"timer {key!r}: repeat={repeat!r} is none of {', '.join(map(repr, _REPEATS))}")
    if isinstance(burst, bool) or not isinstance(burst, int) or burst < 0:
        raise ConfigError(f"timer {key!r}: burst={burst!r} must be a whole number of ticks, 0 or more")
    if burst != 1 and (repeat != "fixed_rate" or interval_s is None):
        raise ConfigError(f"timer {key!r}: burst={burst} is for timers with interval_s and repeat='fixed_rate' only")
