"""The children of one actor: restarts, back-off, giving up, and stopping them all. Layer: pillar.

Everything here runs in the parent's turn. What is decided is in `restart_policy`; this is how it is done.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.restart_policy import RestartWindow, is_restarted
from relay_actors.runtime.signals import Restarted, Stop

__all__ = ["Children"]

_log = logging.getLogger("relay_actors.supervision")

_WARNINGS_BEFORE_ERROR = 5


@dataclass(eq=False, slots=True)
class _Record:
    cell: AnyCell
    spec: ChildSpec
    window: RestartWindow | None
    failures: int = 0  # since the last reset: the n of the back-off
    started_at: float = 0.0
    pending: TimerHandle | None = None
    kill_timer: TimerHandle | None = None
    asked_to_stop: bool = False
    has_successor: bool = False


@dataclass(eq=False, slots=True)
class Children:
    """The children of ``owner``, in the order in which they came.

    Args:
        owner: the parent's cell.
        max_restarts: of children without a window of their own, within ``within_s``; one more takes the parent down.
        within_s: seconds.
        in_order: whether they are stopped one after the other, last first (H1), or all at once (H2).
    """

    owner: AnyCell
    max_restarts: int = 3
    within_s: float = 5.0
    in_order: bool = False
    _records: dict[AnyCell, _Record] = field(default_factory=dict)
    _window: RestartWindow = field(init=False)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._window = RestartWindow(self.max_restarts, self.within_s)

    def __len__(self) -> int:
        """Return how many there are, those that wait for a restart included."""
        return len(self._records)

    def __iter__(self) -> Iterator[AnyCell]:
        """Iterate over a copy of the cells, in order."""
        return iter(list(self._records))

    def spec_of(self, child: AnyCell) -> ChildSpec | None:
        """Return how ``child`` is treated, or None if it is none of ours."""
        record = self._records.get(child)
        return record.spec if record is not None else None

    def add(self, child: AnyCell, spec: ChildSpec) -> None:
        """Take a child that is about to start."""
        window = None if spec.max_restarts is None else RestartWindow(spec.max_restarts, spec.within_s)
        self._records[child] = _Record(child, spec, window, started_at=self._now())

    def on_started(self, child: AnyCell) -> None:
        """Note when its present incarnation began."""
        record = self._records.get(child)
        if record is not None:
            record.started_at = self._now()

    def on_failed(self, child: AnyCell, reason: ExitReason, message: object) -> None:
        """Decide about a child that waits: restart it, now or later, or give it up."""
        record = self._records.get(child)
        if record is None or self._stopping or record.asked_to_stop:
            child.end_without_parent(reason)
            return
        if not is_restarted(record.spec.restart, reason):
            self._give_up(record, reason, message)
            return
        window = record.window if record.window is not None else self._window
        if window.allows(self._now()):
            self._restart(record, reason, window)
        elif record.window is None:
            child.end_without_parent(reason)
            self.owner.begin_stop(ExitReason("shutdown", "reached_max_intensity", cause=reason.cause))
        elif record.spec.successor is not None and not record.has_successor:
            record.has_successor = True
            _log.error(
                "restarts used up, %s takes over child=%s reason=%s", record.spec.successor.__name__, child, reason
            )
            self.owner.system.hooks.count("actors.given_up")
            child.signal(Restarted(reason, record.spec.successor))
        else:
            self._give_up(record, reason, message)

    def on_ended(self, child: AnyCell) -> None:
        """Forget a child that has ended for good; while stopping, go on to the next."""
        record = self._records.pop(child, None)
        if record is None:
            return
        for timer in (record.pending, record.kill_timer):
            if timer is not None:
                timer.cancel()
        if self._stopping and self._records and self.in_order:
            self._stop_last()

    def stop(self, child: AnyCell, reason: ExitReason) -> None:
        """Stop one child, for good."""
        record = self._records.get(child)
        if record is not None:
            self._stop_one(record, reason)

    def stop_all(self) -> bool:
        """Begin to stop all of them; return whether any has still to end."""
        self._stopping = True
        if self._records and self.in_order:
            self._stop_last()
        else:
            for record in list(self._records.values()):
                self._stop_one(record, _SHUTDOWN)
        return bool(self._records)

    def reopen(self) -> None:
        """Be ready for children again: the parent is being restarted, and all its children have ended."""
        self._stopping = False

    def _restart(self, record: _Record, reason: ExitReason, window: RestartWindow) -> None:
        backoff, now = record.spec.backoff, self._now()
        if backoff is not None and backoff.is_reset(now - record.started_at):
            record.failures = 0
        delay_s = 0.0 if backoff is None else backoff.delay_s(record.failures, jitter=self.owner.system.random.random())
        record.failures += 1
        level = logging.ERROR if record.failures >= _WARNINGS_BEFORE_ERROR else logging.WARNING
        _log.log(
            level,
            "restarting child=%s parent=%s reason=%s attempt=%d of=%d within_s=%g delay_s=%.3g kept=%d",
            record.cell, self.owner, reason, window.count, window.max_restarts, window.within_s, delay_s,
            record.cell.mailbox.lengths()[2],
        )  # fmt: skip
        self.owner.system.hooks.count("actors.restarted")
        if delay_s <= 0:
            record.cell.signal(Restarted(reason))
            return
        # The wait is a timer, not a sleep: siblings go on, and a stop cancels it (B3).
        record.pending = self.owner.call_later(delay_s, lambda: record.cell.signal(Restarted(reason)))

    def _give_up(self, record: _Record, reason: ExitReason, message: object) -> None:
        record.cell.end_without_parent(reason)
        if reason.is_abnormal:
            self.owner.tell_control(ChildFailed(record.cell.ref, reason, message))

    def _stop_last(self) -> None:
        self._stop_one(list(self._records.values())[-1], _SHUTDOWN)

    def _stop_one(self, record: _Record, reason: ExitReason) -> None:
        if record.asked_to_stop:
            return
        record.asked_to_stop = True
        if record.pending is not None:
            record.pending.cancel()
        child = record.cell
        record.kill_timer = self.owner.call_later(
            record.spec.shutdown_s, lambda: child.kill(f"did not stop within {record.spec.shutdown_s:g} s")
        )
        child.signal(Stop(reason, by_parent=True))

    def _now(self) -> float:
        now: float = self.owner.system.clock.now()
        return now


_SHUTDOWN = ExitReason("shutdown", "parent stops")
