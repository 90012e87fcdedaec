"""The children of one actor: taken, restarted, given up, and stopped. Layer: pillar.

Everything here runs in the parent's turn, but for `kill_all`. What is decided is in `restart_policy`; this is how it
is done.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from relay_actors.errors import ActorError, ParentStopping, TooManyChildren
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.restart_policy import RestartWindow, is_restarted
from relay_actors.runtime.signals import Restarted, Stop

__all__ = ["Children"]

_log = logging.getLogger("relay_actors.supervision")

_WARNINGS_BEFORE_ERROR = 5
_SHUTDOWN = ExitReason("shutdown", "parent stops")


@dataclass(eq=False, slots=True)
class _Record:
    cell: AnyCell
    spec: ChildSpec
    window: RestartWindow | None
    failures: int = 0  # in a row: the n of the back-off
    running_since: float | None = None  # None until its present incarnation has started
    pending: TimerHandle | None = None
    kill_timer: TimerHandle | None = None
    given_up: ChildFailed | None = None
    asked_to_stop: bool = False

    def cancel_timers(self) -> None:
        for timer in (self.pending, self.kill_timer):
            if timer is not None:
                timer.cancel()


class Children:
    """The children of ``owner``, in the order in which they came.

    Args:
        owner: the parent's cell.
        max_restarts: of children without a window of their own, within ``within_s``; one more takes the parent down.
        within_s: seconds.
        in_order: whether they are stopped one after the other, last first (H1), or all at once (H2).
        max_children: how many there may be at a time, those that wait for a restart included (S15); None is no bound.
    """

    __slots__ = (
        "_held",
        "_in_order",
        "_max_children",
        "_owner",
        "_records",
        "_reports",
        "_stopping",
        "_then",
        "_window",
    )

    def __init__(
        self, owner: AnyCell, *, max_restarts: int, within_s: float, in_order: bool, max_children: int | None
    ) -> None:
        self._owner = owner
        self._in_order = in_order
        self._max_children = max_children
        self._window = RestartWindow(max_restarts, within_s)
        self._records: dict[AnyCell, _Record] = {}
        self._held: list[tuple[AnyCell, ChildSpec]] = []
        self._reports: Counter[str] = Counter()  # abnormal ends while stopping: how many, per reason
        self._stopping = False
        self._then: Callable[[], None] | None = None

    def __len__(self) -> int:
        """Return how many there are, those that wait for a restart included."""
        return len(self._records)

    def __iter__(self) -> Iterator[AnyCell]:
        """Iterate over a copy of the cells, in order."""
        return iter(list(self._records))

    @property
    def is_awaited(self) -> bool:
        """Whether something is to be done when the last of them has ended."""
        return self._then is not None

    def spec_of(self, child: AnyCell) -> ChildSpec | None:
        """Return how ``child`` is treated, or None if it is none of ours. Any thread."""
        record = self._records.get(child)
        return record.spec if record is not None else None

    # -- taking them -------------------------------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raise what `add` would raise now."""
        if self._stopping or self._owner.is_stopped:
            raise ParentStopping(f"{self._owner} is stopping and takes no children")
        if self._max_children is not None and len(self._records) >= self._max_children:
            raise TooManyChildren(f"{self._owner} has {len(self._records)} children, which is its max_children")

    def add(self, child: AnyCell, spec: ChildSpec) -> None:
        """Take a child that is about to start.

        Raises:
            ParentStopping: the owner is stopping, has stopped, or is about to be restarted without its children.
            TooManyChildren: it has as many as it may have.
        """
        self.check_room()
        window = None if spec.max_restarts is None else RestartWindow(spec.max_restarts, spec.within_s)
        self._records[child] = _Record(child, spec, window)
        child.parent = self._owner
        # First set, then look: either side may be ended by somebody else at this moment, and the one that is looks
        # for the other after its end has begun.
        if child.has_ended:
            del self._records[child]
        if self._owner.has_ended:
            child.kill("its parent was killed")
            raise ParentStopping(f"{self._owner} was killed and takes no children")

    def adopt(self, child: AnyCell, spec: ChildSpec) -> None:
        """Take a child that was made elsewhere, and start it; between two incarnations, hold it for the next one."""
        if self._owner.is_between:
            self._held.append((child, spec))
            if self._owner.has_ended:
                self.refuse_held()
            return
        try:
            self.add(child, spec)
        except ActorError as refusal:
            child.abandon(refusal)
        else:
            child.start()

    def adopt_held(self) -> None:
        """Take those that were held: the owner has started."""
        held, self._held = self._held, []
        for child, spec in held:
            self.adopt(child, spec)

    def refuse_held(self) -> None:
        """Refuse those that were held: the owner will not start again. Any thread."""
        held, self._held = self._held, []
        for child, _spec in held:
            child.abandon(ParentStopping(f"{self._owner} is stopping and takes no children"))

    # -- what they report --------------------------------------------------------------------------------------------

    def on_started(self, child: AnyCell) -> None:
        """Note when its present incarnation began."""
        record = self._records.get(child)
        if record is not None:
            record.running_since = self._now()
            self._owner.tell_actor(lambda actor: actor.on_child_started(child.ref))

    def on_failed(self, child: AnyCell, reason: ExitReason, message: object) -> None:
        """Decide about a child that waits: restart it, now or later, or give it up."""
        record = self._records.get(child)
        if record is None or self._stopping or record.asked_to_stop:
            child.end_for_good(reason)
            return
        if not is_restarted(record.spec.restart, reason):
            self._give_up(record, reason, message)
            return
        window = record.window if record.window is not None else self._window
        if window.allows(self._now()):
            self._restart(record, reason, window)
        elif record.window is None:
            child.end_for_good(reason)
            self._owner.begin_stop(ExitReason("shutdown", "reached_max_intensity", cause=reason.cause))
        elif record.spec.successor is not None and child.actor_class is not record.spec.successor:
            _log.error(
                "restarts used up, %s takes over child=%s reason=%s", record.spec.successor.__name__, child, reason
            )
            self._owner.system.hooks.count("actors.given_up")
            child.signal(Restarted(reason, record.spec.successor))
        else:
            self._give_up(record, reason, message)

    def on_ended(self, child: AnyCell, reason: ExitReason) -> None:
        """Forget a child that has ended for good, and go on with what waited for it."""
        record = self._records.pop(child, None)
        if record is None:
            return
        record.cancel_timers()
        if self._stopping and reason.is_abnormal:
            self._reports[str(reason)] += 1
        self._owner.tell_actor(lambda actor: actor.on_child_ended(child.ref, reason))
        if record.given_up is not None and not self._stopping:
            self._owner.tell_control(record.given_up)
        if self._records:
            if self._stopping and self._in_order:
                self._stop_last()
            return
        self._report()
        if self._then is not None:
            then, self._then = self._then, None
            then()

    # -- stopping them -----------------------------------------------------------------------------------------------

    def stop(self, child: AnyCell, reason: ExitReason) -> None:
        """Stop one child, for good."""
        record = self._records.get(child)
        if record is not None:
            self._stop_one(record, reason)

    def stop_all(self, then: Callable[[], None] | None = None) -> None:
        """Stop all of them and do ``then`` when the last has ended, in place of what was to be done then before."""
        self._stopping = True
        self._then = then if self._records else None
        if not self._records:
            if then is not None:
                then()
            return
        if self._in_order:
            self._stop_last()
        else:
            for record in list(self._records.values()):
                self._stop_one(record, _SHUTDOWN)

    def kill_all(self, detail: str) -> None:
        """Kill all of them: the owner is being killed. Any thread."""
        for record in list(self._records.values()):
            record.cell.kill(detail)
            record.cancel_timers()

    def reopen(self) -> None:
        """Be ready for children again: the owner is being restarted, and begins to count anew."""
        self._stopping = False
        self._window = RestartWindow(self._window.max_restarts, self._window.within_s)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _restart(self, record: _Record, reason: ExitReason, window: RestartWindow) -> None:
        backoff, child = record.spec.backoff, record.cell
        # Only what has run can have run long enough: a start that fails leaves the count as it is (B2).
        ran_for_s = 0.0 if record.running_since is None else self._now() - record.running_since
        record.running_since = None
        if backoff.is_reset(ran_for_s) if backoff is not None else ran_for_s > window.within_s:
            record.failures = 0
        delay_s = (
            0.0 if backoff is None else backoff.delay_s(record.failures, jitter=self._owner.system.random.random())
        )
        record.failures += 1
        _log.log(
            logging.ERROR if record.failures >= _WARNINGS_BEFORE_ERROR else logging.WARNING,
            "restarting child=%s parent=%s reason=%s attempt=%d of=%d within_s=%g delay_s=%.3g kept=%d",
            child, self._owner, reason, window.count, window.max_restarts, window.within_s, delay_s,
            child.mailbox.user_length,
        )  # fmt: skip
        self._owner.system.hooks.count("actors.restarted")
        if delay_s <= 0:
            child.signal(Restarted(reason))
            return
        # The wait is a timer, not a sleep: siblings go on, and a stop cancels it (B3).
        record.pending = self._later(delay_s, partial(child.signal, Restarted(reason)))

    def _give_up(self, record: _Record, reason: ExitReason, message: object) -> None:
        if reason.is_abnormal:
            record.given_up = ChildFailed(record.cell.ref, reason, message)  # told when it has ended, its names free
        record.cell.end_for_good(reason)

    def _report(self) -> None:
        """Say once per distinct reason what went wrong while all were stopping (H2)."""
        reports, self._reports = self._reports, Counter()
        for reason, number in reports.items():
            _log.error("children ended abnormally parent=%s children=%d reason=%s", self._owner, number, reason)

    def _stop_last(self) -> None:
        self._stop_one(next(reversed(self._records.values())), _SHUTDOWN)

    def _stop_one(self, record: _Record, reason: ExitReason) -> None:
        if record.asked_to_stop:
            return
        record.asked_to_stop = True
        limit_s = record.spec.shutdown_s if record.spec.shutdown_s is not None else record.cell.actor_class.shutdown_s
        if limit_s < math.inf:
            kill = partial(record.cell.kill, f"shutdown_timeout: it did not stop within {limit_s:g} s")
            record.kill_timer = self._later(limit_s, kill)
        record.cell.signal(Stop(reason, by_parent=True))

    def _later(self, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        timer = self._owner.call_later(delay_s, call)
        # First set, then look: a kill of the owner from another thread cancels what it finds, and may not find this.
        if self._owner.has_ended:
            timer.cancel()
        return timer

    def _now(self) -> float:
        now: float = self._owner.system.clock.now()
        return now
