"""How long to wait before trying again. Layer: ``protocol``, pure.

Randomness comes in as a number, so that tests are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from relay_actors.config import Limits, Timing

__all__ = ["Retries", "ping_retry_delay_s", "reconnect_delay_s"]

# Beyond this the smallest useful first delay has long met any maximum, and a power of two would soon be no double.
_LAST_DOUBLING: Final = 64


def reconnect_delay_s(
    attempt: int, *, min_s: float, max_s: float, factor: float = 2.0, jitter: float = 0.0, draw: float = 0.0
) -> float:
    """Return how long to wait before reconnect number ``attempt``.

    Args:
        attempt: 1 for the first retry after a connection that had logged in.
        min_s: the first delay, in seconds.
        max_s: the longest delay, in seconds; never exceeded.
        factor: by what each delay grows; at least 1.
        jitter: which part of the delay is random, from 0 to 1.
        draw: a random number in [0, 1); 0 gives the whole delay, exactly.

    Returns:
        Seconds ``d`` lessened to somewhere in ``[d * (1 - jitter), d]``.

    Raises:
        ValueError: ``attempt`` is below 1, ``factor`` below 1, or ``jitter`` or ``draw`` outside 0 to 1.

    Source: PROTOCOL 6.5, SEMANTICS B1.
    """
    if attempt < 1:
        raise ValueError(f"attempts are counted from 1, not {attempt}")
    if factor < 1:
        raise ValueError(f"factor is {factor}: a delay must not shrink from attempt to attempt")
    if not (0 <= jitter <= 1 and 0 <= draw <= 1):
        raise ValueError(f"jitter {jitter} and draw {draw} must lie from 0 to 1")
    try:
        grown = min_s * float(factor) ** (attempt - 1)
    except OverflowError:  # it has long met any maximum
        grown = max_s
    return min(max_s, grown) * (1.0 - jitter * draw)


class Retries:
    """How long it is waited before each attempt to connect, since the last log in.

    Args:
        timing: the first and the longest delay.
        limits: by what delays grow, and how much of one is random.
        jitter: draws from [0, 1) how much of that a delay is lessened by.
    """

    def __init__(self, timing: Timing, limits: Limits, jitter: Callable[[], float]) -> None:
        self._timing = timing
        self._limits = limits
        self._jitter = jitter
        self._failures = 0

    def begin_anew(self) -> None:
        """It has logged in, or is started: the next delay is the first."""
        self._failures = 0

    def next_delay_s(self) -> float:
        """Return how many seconds to wait now; each time it is asked for longer."""
        self._failures += 1
        return reconnect_delay_s(
            self._failures,
            min_s=self._timing.reconnect_min_s,
            max_s=self._timing.reconnect_max_s,
            factor=self._limits.reconnect_factor,
            jitter=self._limits.reconnect_jitter,
            draw=self._jitter(),
        )


def ping_retry_delay_s(failures: int, *, min_s: float, max_s: float) -> float:
    """Return how long to wait before the next client ping, after ``failures`` failed ones in a row.

    Raises:
        ValueError: ``failures`` is below 1.

    Source: PROTOCOL 5.3.
    """
    if failures < 1:
        raise ValueError(f"failures are counted from 1, not {failures}")
    return float(min(max_s, min_s * 2.0 ** min(failures, _LAST_DOUBLING)))
