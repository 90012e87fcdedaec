"""How children are restarted: at once or later, in place or anew, alone or with their group. Layer: pillar.

Everything here runs in the parent's turn.
"""

from __future__ import annotations

import abc
import logging
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.child_record import ChildRecord, Place
from relay_actors.runtime.group_restart import GroupRestart
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Restart, RestartWindow
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.signals import Due, Restarted, Resumed
from relay_actors.runtime.strategies import Phase, Strategy, Verdict

__all__ = ["Restarting"]

_log = logging.getLogger("relay_actors.supervision")

_WARNINGS_BEFORE_ERROR = 5
_REMEMBERED = 50


class Restarting(abc.ABC):
    """The restarts of the children of ``owner``; how children come and go is said by the subclass.

    Args:
        owner: the parent's cell.
        window: counts the restarts of children without a window of their own.

    Attributes:
        places: those with an id, in order, also when they are stopped. Read by any thread.
        history: the last fifty restarts, oldest first (S18); None if there was none.
    """

    __slots__ = ("_group", "_group_timer", "_owner", "_records", "_window", "history", "places")

    def __init__(self, owner: AnyCell, window: RestartWindow) -> None:
        self._owner = owner
        self._window = window
        self._records: dict[AnyCell, ChildRecord] = {}
        self._group: GroupRestart | None = None
        self._group_timer: TimerHandle | None = None
        self.places: dict[Hashable, Place] = {}
        self.history: deque[RestartRecord] | None = None

    # -- what the subclass makes of it -------------------------------------------------------------------------------

    @abc.abstractmethod
    def _give_up(self, record: ChildRecord, reason: ExitReason, message: object) -> None:
        """Let it end, and tell the owner when it has."""

    @abc.abstractmethod
    def _end_for_good(self, record: ChildRecord, reason: ExitReason) -> None:
        """Let it end."""

    @abc.abstractmethod
    def _ask_to_leave(self, record: ChildRecord) -> bool:
        """Ask it to end its incarnation, for a restart of its group; return whether it will answer."""

    # -- one or many -------------------------------------------------------------------------------------------------

    @property
    def _strategy(self) -> Strategy:
        strategy: Strategy = self._owner.actor_class.strategy  # or its word, which is equal to it
        return strategy

    def _try_restart(self, record: ChildRecord, reason: ExitReason, message: object, verdict: Verdict) -> None:
        """Restart it, if that is still allowed."""
        child, successor = record.cell, record.spec.successor
        window = record.own_window() or self._window
        if not isinstance(reason.cause, record.spec.gives_up_on) and window.allows(self._now()):
            self._restart(record, reason, window, verdict)
        elif record.window is None:
            self._end_for_good(record, reason)
            self._owner.begin_stop(ExitReason("shutdown", "reached_max_intensity", cause=reason.cause))
        elif successor is not None and child.actor_class is not successor and not record.is_gone:
            record.origin = None  # what comes after a kill must not be what has failed so often
            _log.error("restarts used up, %s takes over child=%s reason=%s", successor.__name__, child, reason)
            self._owner.system.hooks.count("actors.given_up")
            record.phase = Phase.RESTARTING
            child.signal(Restarted(reason, successor))
        else:
            self._give_up(record, reason, message)

    def _restart(self, record: ChildRecord, reason: ExitReason, window: RestartWindow, verdict: Verdict) -> None:
        members = self._members(record, verdict)
        delay_s = self._delay_s(record, window)
        self._write_down(record, reason, window, delay_s, others=len(members) - 1)
        record.phase = Phase.RESTARTING
        if verdict is not Verdict.RESTART:
            self._restart_group(members, record, reason, delay_s)
        elif delay_s > 0:
            # The wait is a timer, not a sleep: siblings go on, and a stop cancels it (B3).
            call = self._in_turn(lambda: self._on_time(record, timer, reason))
            timer: TimerHandle = self._arm(record, delay_s, call)
        else:
            self._bring_back(record, reason)

    def _members(self, record: ChildRecord, verdict: Verdict) -> list[ChildRecord]:
        """Return who is restarted, in order, without those whose end is decided already."""
        if verdict is Verdict.RESTART:
            return [record]
        members = list(self._records.values())
        if verdict is Verdict.RESTART_REST:
            members = members[members.index(record) :]
        return [member for member in members if member.phase is not Phase.TERMINATING]

    def _delay_s(self, record: ChildRecord, window: RestartWindow) -> float:
        backoff = record.spec.backoff
        # Only what has run can have run long enough: a start that fails leaves the count as it is (B2).
        ran_for_s = 0.0 if record.running_since is None else self._now() - record.running_since
        record.running_since = None
        if backoff.is_reset(ran_for_s) if backoff is not None else ran_for_s > window.within_s:
            record.failures = 0
        record.failures += 1
        if backoff is None:
            return 0.0
        return backoff.delay_s(record.failures - 1, jitter=self._owner.system.random.random())

    def _write_down(
        self, record: ChildRecord, reason: ExitReason, window: RestartWindow, delay_s: float, *, others: int
    ) -> None:
        child, owner = record.cell, self._owner
        line = RestartRecord(
            at=owner.system.clock.wall(), supervisor=owner.path, child=repr(child), child_id=record.id,
            kind=reason.kind, reason=str(reason), attempt=window.count, max_restarts=window.max_restarts,
            within_s=window.within_s, delay_s=delay_s, kept=child.mailbox.user_length,
            incarnation=0 if record.is_gone else child.incarnation + 1,
            strategy=Strategy(self._strategy), others=others,
        )  # fmt: skip
        if self.history is None:
            self.history = deque(maxlen=_REMEMBERED)
        self.history.append(line)
        line.log(logging.ERROR if record.failures >= _WARNINGS_BEFORE_ERROR else logging.WARNING, child, reason)
        owner.system.hooks.count("actors.restarted")
        owner.system.restarts.publish(line)

    def _resume(self, record: ChildRecord, reason: ExitReason) -> None:
        _log.warning("resuming child=%s parent=%s reason=%s", record.cell, self._owner, reason)
        self._owner.system.hooks.count("actors.resumed")
        record.cell.signal(Resumed())

    # -- doing it ----------------------------------------------------------------------------------------------------

    def _on_time(self, record: ChildRecord, timer: TimerHandle, reason: ExitReason) -> None:
        """The wait for a restart is over; nothing, if it was ended otherwise while this was on its way here."""
        if record.timer is timer and record.phase is Phase.RESTARTING:
            self._bring_back(record, reason)

    def _bring_back(self, record: ChildRecord, reason: ExitReason) -> None:
        """Start it again, in place or, if it was killed, anew; not if it has been asked to end meanwhile."""
        if record.phase is Phase.TERMINATING:
            return
        record.cancel_timer()
        record.phase = Phase.RESTARTING
        if record.is_gone:
            self._begin_anew(record)
        else:
            record.cell.signal(Restarted(reason))

    def _begin_anew(self, record: ChildRecord) -> None:
        origin, old, owner = record.origin, record.cell, self._owner
        assert origin is not None
        fresh = owner.system.new_cell(origin.actor_class, origin.args, origin.kwargs, keep=origin.keep)
        fresh.parent = owner
        record.cell, record.is_gone = fresh, False
        # First set, then look, as in `_arm`; and only then give it names that must be free when the end is told (W4).
        if owner.has_ended:
            fresh.kill("its parent was killed")
            return
        if record.place is not None:
            record.place.cell = fresh
        self._records = {fresh if cell is old else cell: other for cell, other in self._records.items()}
        for key in origin.keys:
            fresh.register(key)  # where somebody else has taken the name meanwhile, it is theirs
        fresh.start()

    def _restart_group(
        self, members: list[ChildRecord], failed: ChildRecord, reason: ExitReason, delay_s: float
    ) -> None:
        self._drop_group()

        def pause(go_on: Callable[[], None]) -> None:
            if delay_s > 0:
                self._group_timer = self._owner.call_later(delay_s, self._in_turn(partial(self._go_on_with, group)))
                if self._owner.has_ended:  # first set, then look, as in `_arm`
                    self._drop_group()
            else:
                go_on()

        group = GroupRestart(
            members, failed, leave=self._ask_to_leave, bring_back=lambda one: self._bring_back(one, reason), pause=pause
        )
        for member in members:
            # All at once, not when each is asked: one that fails before its turn must not begin a smaller group.
            if member is not failed and member.spec.restart is not Restart.TEMPORARY:
                member.cancel_timer()
                member.phase = Phase.REGROUPING
        self._group = group
        self._go_on_with(group)

    def _go_on_with(self, group: GroupRestart) -> None:
        if self._group is group:  # otherwise another failure has begun another one since
            group.go_on()
            self._forget_group()

    def _forget_group(self) -> None:
        if self._group is not None and self._group.is_over:
            self._group = None

    def _drop_group(self) -> None:
        self._group = None
        timer, self._group_timer = self._group_timer, None
        if timer is not None:
            timer.cancel()

    def _in_turn(self, call: Callable[[], None]) -> Callable[[], None]:
        return partial(self._owner.signal, Due(call))

    def _arm(self, record: ChildRecord, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        timer = record.timer = self._owner.call_later(delay_s, call)
        # First set, then look: a kill of the owner from another thread first ends it, and then cancels what it finds.
        if self._owner.has_ended:
            timer.cancel()
        return timer

    def _now(self) -> float:
        now: float = self._owner.system.clock.now()
        return now
