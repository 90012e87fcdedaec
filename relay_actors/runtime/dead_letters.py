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

    Actors are shown them by the event stream: ``system.events.subscribe(ref, DeadLetter)`` (DL4). Per class of message
    ten are logged; then the class is silent for five minutes, and the next line says how many were left out (DL2).
    Counters are never silent.

    Args:
        clock: measures the silence.
        publish: shows a letter to those who subscribed, as `EventStream.publish` does.
        count: adds to a counter: one for each reason, such as ``dead_letters.overflow``.
    """

    def __init__(
        self,
        clock: Clock,
        publish: Callable[[object], None] | None = None,
        count: Callable[[str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._publish = publish
        self._count = count
        self._subscribers: list[Callable[[DeadLetter], None]] = []
        self._counts: Counter[str] = Counter()
        self._classes: dict[str, _Logged] = {}
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

        For tests and counters, which want to know at once: it must be quick. One that raises is detached, and that is
        logged. An actor subscribes to the event stream instead.
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
            left_out = self._classes.setdefault(kind, _Logged()).next_line(self._clock.now())
        if left_out is not None:
            _log.info(
                "dead letter reason=%s message=%s recipient=%s sender=%s%s",
                letter.reason, kind, letter.recipient, letter.sender, left_out,
            )  # fmt: skip
        if self._count is not None:
            self._count(f"dead_letters.{letter.reason}")
        for subscriber in subscribers:
            try:
                subscriber(letter)
            except Exception:
                _log.exception("a subscriber of dead letters raised and is detached subscriber=%r", subscriber)
                self._detach(subscriber)
        if self._publish is not None:
            self._publish(letter)

    def _detach(self, subscriber: Callable[[DeadLetter], None]) -> None:
        with self._lock:
            if subscriber in self._subscribers:
                self._subscribers.remove(subscriber)


class _Logged:
    """What has been logged of one class of messages."""

    __slots__ = ("_left_out", "_lines", "_muted_until")

    def __init__(self) -> None:
        self._lines = 0
        self._left_out = 0
        self._muted_until: float | None = None

    def next_line(self, now: float) -> str | None:
        """Note one more; return how its line ends, or None if it gets none."""
        said = ""
        if self._muted_until is not None:
            if now < self._muted_until:
                self._left_out += 1
                return None
            said = f" (left out before: {self._left_out})"
            self._lines, self._left_out, self._muted_until = 0, 0, None
        self._lines += 1
        if self._lines == _LOGGED_PER_CLASS:
            self._muted_until = now + _MUTED_S
            said += f" (no more of this class for {_MUTED_S:g} s)"
        return said
