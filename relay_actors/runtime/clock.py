"""Where time, randomness and ids come from. Layer: pillar.

Nothing else in the package may read a clock or draw randomness (DESIGN section 2): a whole application with its
simulator then runs from one seed, the same every time.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable
from typing import Final, TypeGuard

from relay_actors.runtime.base import Clock

__all__ = ["Clock", "Ids", "ManualClock", "Random", "SystemClock", "fresh_random", "is_time", "uuid4_ids"]

Random = random.Random
"""A source of randomness; seeded in tests, `fresh_random` otherwise."""

Ids = Callable[[], str]
"""Makes a fresh UUID4 string at each call."""

_FIXED_BITS: Final = 0x4000_8000_0000_0000_0000
"""The version, 4, and the variant (RFC 9562 5.4)."""
_ANY_BITS: Final = (1 << 128) - 1 - 0xF000_C000_0000_0000_0000


class SystemClock:
    """The machine's own clocks: ``now()`` gives monotonic seconds, and ``wall()`` seconds since the epoch."""

    # The functions themselves: a method around them would cost as much again, and each turn asks for the time.
    now = staticmethod(time.monotonic)
    wall = staticmethod(time.time)


class ManualClock:
    """A clock that stands still until it is moved.

    Args:
        start: monotonic seconds to begin with.
        wall_start: seconds since the epoch at that moment.
    """

    def __init__(self, start: float = 0.0, wall_start: float = 1_767_225_600.0) -> None:
        self._now = start
        self._wall_offset = wall_start - start

    def now(self) -> float:
        """Return monotonic seconds."""
        return self._now

    def wall(self) -> float:
        """Return seconds since the epoch."""
        return self._now + self._wall_offset

    def advance_to(self, when: float) -> None:
        """Move to ``when``; a moment that has passed changes nothing."""
        self._now = max(self._now, when)

    def advance(self, seconds: float) -> None:
        """Move forward.

        Raises:
            ValueError: ``seconds`` is negative.
        """
        if seconds < 0:
            raise ValueError(f"time goes forward only, not by {seconds} s")
        self._now += seconds


def is_time(seconds: object) -> TypeGuard[float]:
    """Return whether it is a number of seconds: 0 or more, and one that comes to an end."""
    return isinstance(seconds, int | float) and not isinstance(seconds, bool) and 0 <= seconds < math.inf


def fresh_random() -> Random:
    """Return a generator seeded by the operating system."""
    return random.Random()


def uuid4_ids(source: Random) -> Ids:
    """Return a maker of UUID4 strings drawn from ``source``.

    Thread-safe as far as ``source.getrandbits`` is, which for CPython's `random.Random` it is.
    """
    draw = source.getrandbits

    def make() -> str:
        # What `str(UUID(int=…, version=4))` gives, at a quarter of the price: every request has one, and every
        # operation. By way of bytes, whose digits CPython writes faster than a whole number's.
        digits = (draw(128) & _ANY_BITS | _FIXED_BITS).to_bytes(16, "big").hex()
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"

    return make
