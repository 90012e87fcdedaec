"""What is written down about each restart, and who is told. Layer: pillar. Source: SEMANTICS S18."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable

from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.reasons import ExitKind
from relay_actors.runtime.strategies import Strategy

__all__ = ["RestartLog", "RestartRecord"]

_log = logging.getLogger("relay_actors.supervision")

_LINE = "restarting child=%s%s parent=%s reason=%s attempt=%d of=%d within_s=%g delay_s=%.3g kept=%d incarnation=%d%s"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartRecord:
    """One restart: of one child, or of a group because of it (SEMANTICS S5).

    Attributes:
        at: when it was decided, in seconds since the epoch.
        supervisor: who decided, with all above: ``Root#1/Shop#2``.
        child: who failed, as it is called in the log: ``Worker#5``.
        child_id: its id among its siblings; None if it has none.
        kind: how its former incarnation ended, as `ExitReason.kind`.
        reason: why, for people. Not the error itself, which would keep alive all that it has seen.
        attempt: the how manieth restart it is in the window, this one included.
        max_restarts: how many are allowed in the window.
        within_s: length of the window, in seconds.
        delay_s: how long it waits before it is started, in seconds.
        kept: how many messages wait for the next incarnation.
        incarnation: number of the next incarnation; 0 if the child was killed, because then it begins anew.
        strategy: who is restarted with it.
        others: how many siblings are stopped and started with it.
    """

    at: float
    supervisor: str
    child: str
    child_id: Hashable
    kind: ExitKind
    reason: str
    attempt: int
    max_restarts: int
    within_s: float
    delay_s: float
    kept: int
    incarnation: int
    strategy: Strategy = Strategy.ONE_FOR_ONE
    others: int = 0

    def __str__(self) -> str:
        return _LINE % self._words(self.child, self.reason)

    def log(self, level: int, child: object, reason: object) -> None:
        """Write the line to the log, with the objects themselves: by them a handler finds which call it is about."""
        _log.log(level, _LINE, *self._words(child, reason))

    def _words(self, child: object, reason: object) -> tuple[object, ...]:
        named = "" if self.child_id is None else f" id={self.child_id}"
        with_others = f" {self.strategy}_with={self.others}" if self.others else ""
        return (
            *(child, named, self.supervisor, reason, self.attempt, self.max_restarts, self.within_s, self.delay_s),
            *(self.kept, self.incarnation, with_others),
        )


class RestartLog:
    """Tells those who want to know of every restart in a system. Any thread."""

    def __init__(self) -> None:
        self._subscribers: tuple[Callable[[RestartRecord], None], ...] = ()
        self._lock = threading.RLock()  # guards changes of the subscribers; re-entrant: a finaliser may subscribe

    def subscribe(self, subscriber: Callable[[RestartRecord], None]) -> Callable[[], None]:
        """Have ``subscriber`` called with each record, in the supervisor's turn; return how to end that.

        It must be quick. What it raises is logged, and it is not called again (SEMANTICS O1).
        """
        with self._lock:
            self._subscribers = (*self._subscribers, subscriber)
        return lambda: self._detach(subscriber)

    def publish(self, record: RestartRecord) -> None:
        """Tell all subscribers."""
        for subscriber in self._subscribers:
            try:
                subscriber(record)
            except Exception:
                _log.exception("a subscriber of restarts raised and is detached subscriber=%r", subscriber)
                self._detach(subscriber)

    def _detach(self, subscriber: Callable[[RestartRecord], None]) -> None:
        with self._lock:
            self._subscribers = tuple(other for other in self._subscribers if other is not subscriber)
