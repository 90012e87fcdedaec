"""What an actor can do with time. Layer: pillar."""

from __future__ import annotations

from collections.abc import Hashable

from relay_actors.runtime.actor_timers import Repeat
from relay_actors.runtime.cell import Cell

__all__ = ["Timing"]


class Timing:
    """Has timers. In the actor's turns only."""

    _cell: Cell

    def start_timer(
        self,
        key: Hashable,
        message: object,
        delay_s: float,
        *,
        interval_s: float | None = None,
        repeat: Repeat = "fixed_delay",
    ) -> None:
        """Have ``message`` arrive after ``delay_s`` seconds, and then every ``interval_s`` if that is given.

        A timer with the same key is replaced. A restart and the end cancel all timers (SEMANTICS T1, T2, T3).
        """
        self._cell.timers.start(key, message, delay_s, interval_s, repeat)

    def cancel_timer(self, key: Hashable) -> bool:
        """Cancel a timer, also one whose message waits already; return whether there was one."""
        return self._cell.timers.cancel(key)
