"""An actor's own timers: keyed, and checked by generation when they are handled. Layer: pillar.

Source: SEMANTICS T1-T3.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Literal

from relay_actors.errors import ConfigError
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.signals import Internal

__all__ = ["ActorTimers", "Repeat"]

Repeat = Literal["fixed_delay", "fixed_rate"]
"""Whether the next tick counts from the end of the handling, or from when this one was due."""


class _Tick(Internal):
    """A due timer on its way through the control lane; only the current generation of its key is delivered."""

    __slots__ = ("due", "generation", "key", "timers")

    interleaves = False

    def __init__(self, timers: ActorTimers, key: Hashable, generation: int, due: float) -> None:
        self.timers = timers
        self.key = key
        self.generation = generation
        self.due = due

    def deliver(self) -> None:
        """Hand the timer's message to the actor, in its turn, unless it was cancelled or replaced meanwhile."""
        self.timers.on_tick(self)


class _Timer:
    __slots__ = ("generation", "handle", "interval_s", "message", "repeat")

    def __init__(self, generation: int, message: object, interval_s: float | None, repeat: Repeat) -> None:
        self.generation = generation
        self.message = message
        self.interval_s = interval_s
        self.repeat = repeat
        self.handle: TimerHandle | None = None


class ActorTimers:
    """The timers of one cell; used in its turns only, but for `cancel_all` when it ends."""

    __slots__ = ("_cell", "_generation", "_timers")

    def __init__(self, cell: AnyCell) -> None:
        self._cell = cell
        self._timers: dict[Hashable, _Timer] = {}
        self._generation = 0

    def __len__(self) -> int:
        """Return how many are pending."""
        return len(self._timers)

    def start(self, key: Hashable, message: object, delay_s: float, interval_s: float | None, repeat: Repeat) -> None:
        """Start a timer, in place of one with the same key; a tick of the old one is not delivered any more (T1).

        Raises:
            ConfigError: a negative delay, or an interval that is not positive.
        """
        if delay_s < 0 or (interval_s is not None and interval_s <= 0):
            raise ConfigError(f"timer {key!r}: delay_s={delay_s} must be >= 0 and interval_s={interval_s} > 0")
        self.cancel(key)
        self._generation += 1
        timer = _Timer(self._generation, message, interval_s, repeat)
        self._timers[key] = timer
        self._arm(key, timer, self._cell.system.clock.now() + delay_s)

    def cancel(self, key: Hashable) -> bool:
        """Cancel a timer; return whether there was one. Its tick is not delivered, even if it waits already (T2)."""
        timer = self._timers.pop(key, None)
        if timer is None:
            return False
        if timer.handle is not None:
            timer.handle.cancel()
        return True

    def cancel_all(self) -> None:
        """Cancel every timer."""
        for key in list(self._timers):
            self.cancel(key)

    def on_tick(self, tick: _Tick) -> None:
        """Deliver a tick that is still wanted, and arm the next one of a repeating timer."""
        timer = self._timers.get(tick.key)
        if timer is None or timer.generation != tick.generation:
            return
        if timer.interval_s is None:
            del self._timers[tick.key]
            self._cell.handle_user(timer.message)
            return
        self._cell.handle_user(timer.message)
        if self._timers.get(tick.key) is not timer:  # its own handling has cancelled or replaced it
            return
        now = self._cell.system.clock.now()
        due = now + timer.interval_s
        if timer.repeat == "fixed_rate":
            # At most one tick of what was missed is caught up (T3), or a stall would be followed by a flood.
            due = max(tick.due + timer.interval_s, now)
        self._arm(tick.key, timer, due)

    def _arm(self, key: Hashable, timer: _Timer, due: float) -> None:
        tick = _Tick(self, key, timer.generation, due)

        def fire() -> None:
            self._cell.tell_control(tick)

        timer.handle = self._cell.system.dispatcher.call_at(due, fire)
        # First set, then look: a kill from another thread cancels all that it finds, and may not have found the handle.
        if self._timers.get(key) is not timer:
            timer.handle.cancel()
