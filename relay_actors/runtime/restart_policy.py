"""When a child is restarted, and after how long: pure tables and sums, apart from the machinery. Layer: pillar."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.reasons import ExitReason

__all__ = ["RESTARTED_AFTER", "Backoff", "Restart", "RestartWindow", "is_restarted"]


class Restart(StrEnum):
    """Restart types of OTP. Source: SEMANTICS S3."""

    PERMANENT = "permanent"
    """After every exit."""
    TRANSIENT = "transient"
    """After an abnormal exit."""
    TEMPORARY = "temporary"
    """Never."""


_ABNORMAL: Final = frozenset({"error", "start_failed", "killed", "lost"})
RESTARTED_AFTER: Final[Mapping[Restart, frozenset[str]]] = {
    Restart.PERMANENT: frozenset({"normal", "shutdown"}) | _ABNORMAL,
    Restart.TRANSIENT: _ABNORMAL,
    Restart.TEMPORARY: frozenset(),
}
"""Per restart type, the kinds of exit after which a child comes back."""


def is_restarted(restart: Restart, reason: ExitReason) -> bool:
    """Return whether a child of this restart type comes back after this exit. Source: SEMANTICS S3."""
    return reason.kind in RESTARTED_AFTER[restart]


class RestartWindow:
    """Counts restarts in a sliding window of monotonic time.

    ``max_restarts`` of them within any closed interval of length ``within_s`` are allowed, the next one is not; a
    restart exactly ``within_s`` ago still counts.

    Args:
        max_restarts: 0 allows none.
        within_s: seconds.

    Raises:
        ConfigError: a negative number of restarts, or a window that is not positive.

    Source: SEMANTICS S6; OTP ``intensity`` and ``period``.
    """

    __slots__ = ("_at", "max_restarts", "within_s")

    def __init__(self, max_restarts: int, within_s: float) -> None:
        if max_restarts < 0 or within_s <= 0:
            raise ConfigError(f"restarts: max_restarts={max_restarts} within_s={within_s} must be >= 0 and > 0")
        self.max_restarts = max_restarts
        self.within_s = within_s
        self._at: list[float] = []  # a list: an empty deque is as large as an actor, and each parent has one of these

    def allows(self, now: float) -> bool:
        """Note a restart at ``now`` and return whether it is still allowed."""
        self._at.append(now)
        del self._at[: -(self.max_restarts + 1)]  # no more are needed to decide
        return len(self._at) <= self.max_restarts or now - self._at[0] > self.within_s

    @property
    def count(self) -> int:
        """How many restarts are remembered: at most one more than are allowed."""
        return len(self._at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before a restart: doubling, with jitter, never above the maximum.

    Attributes:
        min_s: before the first restart.
        max_s: never exceeded, jitter included.
        jitter: in [0, 1]: the part of the delay that is random.
        reset_after_s: how long an incarnation must have run for counting to begin anew;
            by default the mean of ``min_s`` and ``max_s``.

    Source: SEMANTICS B1, B2; truncated exponential back-off.
    """

    min_s: float
    max_s: float
    jitter: float = 0.2
    reset_after_s: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.min_s <= self.max_s or not 0 <= self.jitter <= 1:
            raise ConfigError(f"Backoff: need 0 < min_s <= max_s and 0 <= jitter <= 1, not {self}")

    def delay_s(self, n: int, *, jitter: float) -> float:
        """Return how long to wait before restart number ``n``.

        Args:
            n: 0 for the first restart since the last reset.
            jitter: drawn from [0, 1); injected, so that tests are exact.

        Returns:
            Seconds in ``[d * (1 - self.jitter), d]`` where ``d = min(max_s, min_s * 2**n)``.
        """
        full = min(self.max_s, self.min_s * 2.0 ** min(n, 1000))
        return full * (1 - self.jitter * jitter)

    def is_reset(self, ran_for_s: float) -> bool:
        """Return whether an incarnation that ran this long starts the count anew. Source: SEMANTICS B2."""
        limit = self.reset_after_s if self.reset_after_s is not None else (self.min_s + self.max_s) / 2
        return ran_for_s >= limit
