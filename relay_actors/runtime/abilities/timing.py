"""What an actor can do with time. Layer: pillar."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Final

from relay_actors.runtime.receive_timeout import ReceiveTimeout, Silence

if TYPE_CHECKING:
    from relay_actors.runtime.actor_timers import DurableTimer, Repeat
    from relay_actors.runtime.cell import Cell

__all__ = ["Timing"]

_SILENCE: Final = ReceiveTimeout()


class Timing:
    """Has a clock and timers. In the actor's turns only."""

    _cell: Cell

    def now(self) -> float:
        """Return the time in seconds since the epoch, as ``time.time()`` does; but in virtual time it is virtual.

        It is the wall clock of the actor's system, which may be set back. A call has its own, which a flow that is run
        again is given as it was then.
        """
        return self._cell.system.clock.wall()

    def start_timer(
        self,
        key: Hashable,
        message: object,
        delay_s: float,
        *,
        interval_s: float | None = None,
        repeat: Repeat = "fixed_delay",
        burst: int = 1,
        durable: bool = False,
        resets_receive_timeout: bool = False,
    ) -> None:
        """Have ``message`` arrive after ``delay_s`` seconds, and then every ``interval_s`` if that is given.

        A timer with the same key is replaced. A restart and the end cancel all timers (SEMANTICS T1, T2, T3).

        Args:
            key: by which it is replaced and cancelled.
            message: what arrives, like any other message.
            delay_s: seconds.
            interval_s: seconds; None for once.
            repeat: ``fixed_delay`` counts the interval from the end of the handling, ``fixed_rate`` keeps the beat. Use
                the former where handling may take longer than the interval: ticks come before what others send.
            burst: how many ticks of a ``fixed_rate`` are caught up when more were missed; the others are left out.
            durable: whether a restart of the actor leaves it alone; ``late_by_s`` tells what the restart has cost
                (SEMANTICS T7). The end of the process is no restart: with a journal all timers of a call survive it,
                and without one none do.
            resets_receive_timeout: whether its ticks count as messages for `set_receive_timeout`.

        Raises:
            ConfigError: a number or word that makes no sense.
        """
        self._cell.timers.start(
            key, message, delay_s, interval_s, repeat,
            burst=burst, durable=durable, resets=resets_receive_timeout, ago_s=self._was_ago_s,
        )  # fmt: skip

    @property
    def _was_ago_s(self) -> float | None:
        """How long ago what happens now has happened first; None: it is new. For frameworks that run a past again."""
        return None

    def cancel_timer(self, key: Hashable) -> bool:
        """Cancel a timer, also one whose message waits already; return whether there was one."""
        return self._cell.timers.cancel(key)

    @property
    def late_by_s(self) -> float:
        """While a timer's message is handled, how many seconds ago it was due; 0.0 otherwise."""
        return self._cell.timers.late_by_s

    def durable_timers(self) -> list[DurableTimer]:
        """Return the pending timers that were started as ``durable``, those that are due first in front."""
        return self._cell.timers.durable()

    def kept_timers(self) -> list[DurableTimer]:
        """Return all pending timers, also those that are not durable. For frameworks that take actors up again."""
        return self._cell.timers.durable(others=True)

    @property
    def kept_silence(self) -> tuple[float, object] | None:
        """The seconds and the message of `set_receive_timeout`. For frameworks that take actors up again."""
        extras = self._cell._extras  # noqa: SLF001  # its own: what most actors do not have is not made for this
        return None if extras is None or extras.silence is None else (extras.silence.seconds, extras.silence.message)

    def set_receive_timeout(self, seconds: float | None, message: object = _SILENCE) -> None:
        """Have ``message`` arrive when nobody has sent this actor anything for ``seconds`` seconds.

        It arrives once for each silence: after the next message, silence begins anew. The actor's own timers are
        nobody, unless they are started with ``resets_receive_timeout``; nor are messages that it has put aside itself.
        None ends it; so do a restart and the end.

        Raises:
            ConfigError: ``seconds`` is no positive number.

        Source: SEMANTICS T5; Akka's ``setReceiveTimeout``.
        """
        extras = self._cell.extras
        if extras.silence is not None:
            extras.silence.end()
        extras.silence = None if seconds is None else Silence(self._cell, seconds, message)
