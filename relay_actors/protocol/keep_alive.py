"""Pings in both directions, and when a connection counts as dead. Layer: ``protocol``, pure.

Source: PROTOCOL 5, SEMANTICS K9.
"""

from __future__ import annotations

from relay_actors.config import Limits, Timing
from relay_actors.protocol.backoff import ping_retry_delay_s
from relay_actors.protocol.frames import PING

__all__ = ["KeepAlive"]


class KeepAlive:
    """The two timers of one connection: the next client ping, and the watchdog over the server's pings.

    Attributes:
        ping_at: when the next client ping is due; None while one is unanswered, or none is to be sent.
        watchdog_at: when the server's next ping is overdue; None until the server has pinged for the first time, so
            that a server that never pings is not punished.
        answer_due_at: when the answer to a client ping is overdue; None while none is owed.
        ping_id: the client ping that awaits its answer, or "".
    """

    def __init__(self, timing: Timing, limits: Limits) -> None:
        self._timing = timing
        self._limits = limits
        self.reset()

    def reset(self) -> None:
        """Stop everything: the connection is gone."""
        self.ping_at: float | None = None
        self.watchdog_at: float | None = None
        self.answer_due_at: float | None = None
        self.ping_id = ""
        self._sent_at = 0.0
        self._failures = 0

    def logged_in(self, now: float) -> None:
        """Begin to ping."""
        self.ping_at = now + self._timing.client_ping_interval_s

    def stop_pinging(self) -> None:
        """Send no more client pings on this connection; the watchdog goes on."""
        self.ping_at = self.answer_due_at = None
        self.ping_id = ""

    def server_pinged(self, now: float) -> None:
        """Arm the watchdog, or arm it anew; the server has shown that it lives."""
        self.watchdog_at = now + self._timing.watchdog_s
        self._failures = 0

    def why_dead(self, now: float) -> str:
        """Return why the connection counts as dead: a ping is overdue, of the server or its answer to ours; or ""."""
        if self.watchdog_at is not None and self.watchdog_at <= now:
            return f"no ping from the server for {self._timing.watchdog_s:g} s"
        if self.answer_due_at is not None and self.answer_due_at <= now:
            return f"no answer to {PING} within {self._timing.request_timeout_s:g} s"
        return ""

    def ping_sent(self, ping_id: str, now: float) -> None:
        """Note that a client ping goes out."""
        self.ping_id, self._sent_at, self.ping_at = ping_id, now, None
        self.answer_due_at = now + self._timing.request_timeout_s

    def ping_answered(self, now: float) -> None:
        """Note a good answer: the next ping goes out one interval after this one went."""
        self.ping_id, self._failures, self.answer_due_at = "", 0, None
        self.ping_at = max(now, self._sent_at + self._timing.client_ping_interval_s)

    def ping_failed(self, now: float) -> bool:
        """Note that the server refused a ping; return whether it is one too many."""
        self.ping_id, self.answer_due_at = "", None
        self._failures += 1
        delay_s = ping_retry_delay_s(
            self._failures, min_s=self._timing.ping_retry_min_s, max_s=self._timing.ping_retry_max_s
        )
        self.ping_at = now + delay_s
        return self._failures >= self._limits.ping_failures
