"""Messages that nobody will handle: counted, logged within reason, shown to who wants them. Layer: pillar."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable

from relay_actors.runtime.base import Clock
from relay_actors.runtime.reasons import DeadLetter

__all__ = ["DeadLetters"]

_log = logging.getLogger("relay_actors.dead_letters")

_LOGGED_PER_CLASS = 10
_MUTED_S = 300.0


class DeadLetters:
    """The dead letters of one system. For diagnosis only: nothing may be delivered by them (SEMANTICS DL3).

    Per class of message ten are logged, then the class is silent for five minutes (DL2); counters are never silent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._subscribers: list[Callable[[DeadLetter], None]] = []
        self._counts: Counter[str] = Counter()
        self._logged: dict[str, tuple[int, float]] = {}
        # Guards counts and the list of subscribers; letters come from any thread. Re-entrant, because a finaliser may
        # run in the middle, and send.
        self._lock = threading.RLock()

    @property
    def counts(self) -> dict[str, int]:
        """How many there were, per reason."""
        with self._lock:
            return dict(self._counts)

    def subscribe(self, subscriber: Callable[[DeadLetter], None]) -> Callable[[], None]:
        """Have ``subscriber`` called with each letter, in the thread where it died; return how to end that.

        A subscriber that raises is detached, and that is logged (DL4). Hand the letter to an actor with ``ref.tell``.
        """
        with self._lock:
            self._subscribers.append(subscriber)
        return lambda: self._detach(subscriber)

    def publish(self, letter: DeadLetter) -> None:
        """Count, log and show one letter. Any thread."""
        kind = type(letter.message).__name__
        with self._lock:
            self._counts[letter.reason] += 1
            subscribers = list(self._subscribers)
            is_logged = self._may_log(kind)
        if is_logged:
            _log.info("dead letter reason=%s message=%s recipient=%s", letter.reason, kind, letter.recipient)
        for subscriber in subscribers:
            try:
                subscriber(letter)
            except Exception:
                _log.exception("a subscriber of dead letters raised and is detached subscriber=%r", subscriber)
                self._detach(subscriber)

    def _detach(self, subscriber: Callable[[DeadLetter], None]) -> None:
        with self._lock:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)

    def _may_log(self, kind: str) -> bool:
        now = self._clock.now()
        logged, since = self._logged.get(kind, (0, now))
        if now - since >= _MUTED_S:
            logged, since = 0, now
        self._logged[kind] = (logged + 1, since)
        return logged < _LOGGED_PER_CLASS
