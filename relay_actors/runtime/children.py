"""The children of one actor: taken, restarted, given up, and stopped. Layer: pillar.

Everything here runs in the parent's turn, but for `kill_all`. What is decided is in `strategies`, `directives` and
`restart_policy`; this is how it is done.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from functools import partial

from relay_actors.errors import ActorError, ConfigError, ParentStopping, TooManyChildren
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.child_places import describe, in_place, state_of
from relay_actors.runtime.child_record import Child, ChildInfo, ChildRecord, ChildState, Origin, Place
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.directives import Directive, directive_for
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import ChildFailed, ExitReason
from relay_actors.runtime.restart_policy import Restart, RestartWindow
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.restarting import Restarting
from relay_actors.runtime.signals import Leave, Stop
from relay_actors.runtime.strategies import AutoShutdown, Phase, Verdict, decide, shuts_down

__all__ = ["Children"]

_log = logging.getLogger("relay_actors.supervision")

_SHUTDOWN = ExitReason("shutdown", "parent stops")
_REGROUP = ExitReason("shutdown", "a sibling is restarted")

# Looked up once: a member of an enum costs as much as two calls.
_NEVER, _TEMPORARY, _RUNNING, _STOPPING = AutoShutdown.NEVER, Restart.TEMPORARY, Phase.RUNNING, Phase.STOPPING
_ALIVE, _FORGOTTEN_BY = (Phase.RUNNING, Phase.RESTARTING), (Verdict.KEEP, Verdict.REMOVE, Verdict.FAIL_START)


class Children(Restarting):
    """The children of ``owner``, in the order in which they came.

    Args:
        owner: the parent's cell.
        max_restarts: of children without a window of their own, within ``within_s``; one more takes the parent down.
        within_s: seconds.
        in_order: whether they are stopped one after the other, last first (H1), or all at once (H2).
        max_children: how many there may be at a time, those that wait for a restart included (S15); None is no bound.
    """

    __slots__ = ("_held", "_in_order", "_max_children", "_reports", "_stopping", "_then", "_waiters")

    def __init__(
        self, owner: AnyCell, *, max_restarts: int, within_s: float, in_order: bool, max_children: int | None
    ) -> None:
        super().__init__(owner, RestartWindow(max_restarts, within_s))
        self._in_order = in_order
        self._max_children = max_children
        self._held: list[tuple[AnyCell, ChildSpec]] | None = None
        self._reports: Counter[str] | None = None  # abnormal ends while stopping: how many, per reason
        self._stopping = False
        self._then: Callable[[], None] | None = None
        self._waiters: dict[AnyCell, list[Future[None]]] | None = None  # who waits for the end of one child

    def __len__(self) -> int:
        """Return how many there are, those that wait for a restart included."""
        return len(self._records)

    def __iter__(self) -> Iterator[AnyCell]:
        """Iterate over a copy of the cells, in order. Any thread."""
        return iter(list(self._records))

    @property
    def is_awaited(self) -> bool:
        """Whether something is to be done when the last of them has ended."""
        return self._then is not None

    @property
    def is_stopping(self) -> bool:
        """Whether they are being stopped, or have been, and none is taken before `reopen`."""
        return self._stopping

    def spec_of(self, child: AnyCell) -> ChildSpec | None:
        """Return how ``child`` is treated, or None if it is none of ours. Any thread."""
        record = self._records.get(child)
        return record.spec if record is not None else None

    def restarts_of(self, child: AnyCell) -> tuple[RestartRecord, ...]:
        """Return the latest restarts of ``child``, as far as they are remembered, oldest first. Any thread."""
        if self.history is None:
            return ()
        number = f"#{child.serial}"  # its class may be another one by now
        return tuple(line for line in self.history.copy() if line.child.endswith(number))

    # -- taking them -------------------------------------------------------------------------------------------------

    def check_room(self) -> None:
        """Raise what `add` would raise now."""
        if self._stopping or self._owner.stopped:
            raise ParentStopping(f"{self._owner} is stopping and takes no children")
        if self._max_children is not None and len(self._records) >= self._max_children:
            raise TooManyChildren(f"{self._owner} has {len(self._records)} children, which is its max_children")

    def add(self, child: AnyCell, spec: ChildSpec, *, definition: Child | None = None) -> None:
        """Take a child that is about to start.

        Args:
            child: its cell.
            spec: how it is treated.
            definition: of a child with an id, whose first start its supervisor waits for.

        Raises:
            ParentStopping: the owner is stopping, has stopped, or is about to be restarted without its children.
            TooManyChildren: it has as many as it may have.
            ConfigError: the child is significant, and the owner never ends because of that (S1).
        """
        if self._stopping or self._owner.stopped or self._max_children is not None:
            self.check_room()
        if spec.significant and self._owner.actor_class.auto_shutdown == _NEVER:
            raise ConfigError(
                f"{self._owner} has auto_shutdown = 'never', so its child {child} cannot be significant: "
                "set auto_shutdown to 'any_significant' or 'all_significant', or leave significant out"
            )
        phase, place = _RUNNING, None
        if definition is not None:
            phase = Phase.STARTING
            place = self.places.setdefault(definition.id, Place(definition))
            place.cell = child
        origin = None
        if spec.restart is not _TEMPORARY and spec.revive_killed:
            origin = Origin(child.actor_class, child.args, child.kwargs, child.keep)
        self._records[child] = ChildRecord(child, spec, phase, place, origin)
        if place is not None:
            self._records = in_place(self.places, self._records)
        # First set, then look: either side may be ended by somebody else at this moment. Who kills the owner begins
        # its end, and then kills whom it finds here; who comes later never becomes its child, so that there is none
        # when the end is told (L6).
        if self._owner.has_ended:
            self._lose(child, place)
            raise ParentStopping(f"{self._owner} was killed and takes no children")
        child.parent = self._owner
        if child.has_ended:  # by somebody who may not have known whom to tell, or not have come to its own children
            child.kill("it was ended before it began")
            self._lose(child, place)

    def _lose(self, child: AnyCell, place: Place | None) -> None:
        del self._records[child]
        if place is not None:
            place.cell = None

    def adopt(self, child: AnyCell, spec: ChildSpec) -> None:
        """Take a child that was made elsewhere, and start it; between two incarnations, hold it for the next one."""
        if self._owner.is_between:
            if self._held is None:
                self._held = []
            self._held.append((child, spec))
            if self._owner.has_ended:
                self.refuse_held()
            return
        try:
            self.add(child, spec)
        except (ActorError, ConfigError) as refusal:
            child.abandon(refusal)
        else:
            child.start()

    def adopt_held(self) -> None:
        """Take those that were held: the owner has started."""
        held, self._held = self._held, None
        for child, spec in held or ():
            self.adopt(child, spec)

    def refuse_held(self) -> None:
        """Refuse those that were held: the owner will not start again. Any thread."""
        held = self._held
        while held:  # by two threads at once, perhaps: each is taken out by one of them
            try:
                child, _spec = held.pop(0)
            except IndexError:
                break
            child.abandon(ParentStopping(f"{self._owner} is stopping and takes no children"))

    # -- what is asked about them ------------------------------------------------------------------------------------

    def cell_of(self, child_id: Hashable) -> AnyCell | None:
        """Return the cell of a child with an id; None if it is stopped or not known. Any thread."""
        place = self.places.get(child_id)
        return None if place is None else place.cell

    def state_of(self, child_id: Hashable) -> ChildState:
        """Return what is to be said about a child with an id. Any thread."""
        return state_of(self.places.get(child_id), self._records)

    def describe(self) -> list[ChildInfo]:
        """Return a line for each, those that are stopped included. Any thread."""
        return describe(self.places, self._records)

    # -- what they report --------------------------------------------------------------------------------------------

    def on_started(self, child: AnyCell) -> None:
        """Note when its present incarnation began."""
        record = self._record_of(child)
        if record is None:
            return
        record.running_since = self._now()
        if record.phase in (Phase.STARTING, Phase.RESTARTING):
            record.phase = Phase.RUNNING
        if self._owner.actor_class.hears_of_starts:
            self._owner.tell_actor(lambda actor: actor.on_child_started(child.ref))
        if self._group is not None:
            self._group.on_started(record)
            self._forget_group()

    def hears_of_start(self, child: AnyCell) -> bool:
        """Whether anything follows from the start of ``child``; not from the first one, for most. Any thread.

        Since when it runs is asked only of who has failed before: then it may have run long enough to begin to count
        anew. The parent writes what is read here before it has the child started.
        """
        record = self._records.get(child)
        return record is not None and (
            record.phase is not _RUNNING or record.failures > 0 or bool(self._owner.actor_class.hears_of_starts)
        )

    def forget_quietly(self, child: AnyCell, reason: ExitReason) -> bool:
        """Forget a child that has ended inside the owner's turn, if nothing else follows from that."""
        record = self._records.get(child)
        if (
            record is None
            or self._stopping
            or self._waiters
            or self._group is not None
            or reason.is_abnormal
            or record.spec.restart is not _TEMPORARY
            or record.spec.significant
            or record.place is not None
            or record.decided is not None
            or self._owner.actor_class.hears_of_ends
            or self._owner.actor_class.hears_of_starts  # of this one's, perhaps, which is on its way
        ):
            return False
        record.cancel_timer()
        del self._records[child]
        return True

    def on_failed(self, child: AnyCell, reason: ExitReason, message: object) -> None:
        """Decide about a child that waits: restart it, now or later, or give it up."""
        record = self._record_of(child)
        if record is None:
            child.end_for_good(reason)
            return
        phase = self._phase_of(record)
        if phase is Phase.REGROUPING:
            return  # it was asked to leave just then, and will answer that
        verdict = decide(self._strategy, record.spec.restart, reason.kind, phase)
        if phase in _ALIVE:
            directive = directive_for(self._owner.actor_class.directives, reason)
            if directive is Directive.RESUME:
                self._resume(record, reason)
            elif directive is Directive.ESCALATE:
                self._escalate(record, reason, message)
            elif directive is Directive.STOP or verdict in (Verdict.KEEP, Verdict.REMOVE):
                self._give_up(record, reason, message)
            else:
                self._try_restart(record, reason, message, verdict)
        else:
            self._end_for_good(record, reason)

    def on_left(self, child: AnyCell) -> None:
        """A child has left, because its group is restarted."""
        record = self._record_of(child)
        if record is None or record.phase is not Phase.REGROUPING:
            return
        record.cancel_timer()
        record.running_since = None
        if self._group is not None:
            self._group.on_left(record)
            self._forget_group()

    def on_ended(self, child: AnyCell, reason: ExitReason, keys: tuple[Hashable, ...] = ()) -> None:
        """Forget a child that has ended for good, or begin it anew if it was killed; go on with what waited for it."""
        record = self._records.get(child)
        if record is None:
            return
        phase = self._phase_of(record)
        record.cancel_timer()
        if phase is _STOPPING and reason.is_abnormal and record.spec.shutdown_s != "kill":
            if self._reports is None:
                self._reports = Counter()
            self._reports[str(reason)] += 1
        if self._owner.actor_class.hears_of_ends:
            self._owner.tell_actor(lambda actor: actor.on_child_ended(child.ref, reason))
        verdict = decide(self._strategy, record.spec.restart, reason.kind, phase)
        if verdict in _FORGOTTEN_BY:
            if reason.kind == "killed" and record.decided is None and phase in _ALIVE:
                record.decided = ChildFailed(child.ref, reason)
            self._forget(record, ended_by_itself=phase in _ALIVE)
        elif record.origin is None:
            record.decided = ChildFailed(child.ref, reason)
            self._forget(record, ended_by_itself=True)
        else:
            record.is_gone = True
            record.running_since = None
            record.origin.keys = keys
            if verdict is not Verdict.AGAIN:
                self._try_restart(record, reason, None, verdict)
            elif self._group is not None:
                self._group.on_left(record)
                self._forget_group()

    # -- stopping them -----------------------------------------------------------------------------------------------

    def stop(self, child: AnyCell, reason: ExitReason, ended: Future[None] | None = None) -> None:
        """Stop one child, for good; settle ``ended`` when it has ended."""
        record = self._records.get(child)
        if record is None:
            if ended is not None:
                ended.try_set(None)
            return
        if ended is not None:
            if self._waiters is None:
                self._waiters = {}
            self._waiters.setdefault(child, []).append(ended)
        self._stop_one(record, reason)

    def stop_all(self, then: Callable[[], None] | None = None) -> None:
        """Stop all of them and do ``then`` when the last has ended, in place of what was to be done then before."""
        self._stopping = True
        self._drop_group()
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

    def kill(self, child: AnyCell, detail: str) -> None:
        """Kill one child, for good."""
        record = self._records.get(child)
        if record is not None:
            record.cancel_timer()
            record.phase = Phase.TERMINATING
        child.kill(detail)

    def kill_all(self, detail: str) -> None:
        """Kill all of them: the owner is being killed. Any thread."""
        for record in list(self._records.values()):
            record.cell.kill(detail)
            record.cancel_timer()
        timer = self._group_timer
        if timer is not None:
            timer.cancel()
        for waiting in list((self._waiters or {}).values()):
            for ended in waiting:
                ended.try_set(None)

    def reopen(self) -> None:
        """Be ready for children again: the owner is being restarted, and begins to count anew."""
        self._stopping = False
        self.places.clear()
        self._window = RestartWindow(self._window.max_restarts, self._window.within_s)

    # -- deciding ----------------------------------------------------------------------------------------------------

    def _record_of(self, child: AnyCell) -> ChildRecord | None:
        """Return the record of a child that can report something.

        One that is killed in the middle of a report has its end told first. Then that has been decided upon, and what
        it still says would be decided upon a second time.
        """
        record = self._records.get(child)
        return None if record is None or record.is_gone else record

    def _phase_of(self, record: ChildRecord) -> Phase:
        return _STOPPING if self._stopping else record.phase

    def _escalate(self, record: ChildRecord, reason: ExitReason, message: object) -> None:
        """Fail the owner with what its child has raised, so that its own parent can decide by the class of that."""
        self._end_for_good(record, reason)
        nested = f" ({reason.detail})" if reason.detail else ""
        self._owner.fail(ExitReason("error", f"escalated by {record.cell}{nested}", cause=reason.cause), message)

    def _give_up(self, record: ChildRecord, reason: ExitReason, message: object) -> None:
        record.decided = ChildFailed(record.cell.ref, reason, message)  # told when it has ended, its names free
        if record.is_gone:
            self._forget(record, ended_by_itself=True)
        else:
            self._end_for_good(record, reason)

    def _end_for_good(self, record: ChildRecord, reason: ExitReason) -> None:
        if record.is_gone:
            self._forget(record, ended_by_itself=False)
            return
        if not self._stopping and record.phase is not Phase.TERMINATING:
            record.phase = Phase.TERMINATING
            self._limit_stop(record)  # its last hook may hang (H3)
        record.cell.end_for_good(reason)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _ask_to_leave(self, record: ChildRecord) -> bool:
        if record.phase is Phase.TERMINATING:
            return True  # its end is the answer
        record.cancel_timer()
        if record.is_gone:
            return False
        if record.spec.restart is _TEMPORARY:
            self._stop_one(record, _REGROUP)
        else:
            record.phase = Phase.REGROUPING
            self._limit_stop(record)
            record.cell.signal(Leave(_REGROUP))
        return True

    def _forget(self, record: ChildRecord, *, ended_by_itself: bool) -> None:
        """Let go of a child that has ended and does not come back."""
        child, place, decided = record.cell, record.place, record.decided
        del self._records[child]
        if place is not None:
            place.cell = None
            if record.spec.restart is _TEMPORARY:
                self.places.pop(place.child.id, None)
        if self._waiters:
            for ended in self._waiters.pop(child, ()):
                ended.try_set(None)
        if not self._stopping:
            if decided is not None and decided.reason.is_abnormal:
                self._owner.tell_control(decided)
            if self._group is not None:
                self._group.on_removed(record)
                self._forget_group()
            if record.spec.significant:
                self._look_after_significant(record, ended_by_itself or decided is not None)
        if self._records:
            if self._stopping and self._in_order:
                self._stop_last()
            return
        self._report()
        if self._then is not None:
            then, self._then = self._then, None
            then()

    def _look_after_significant(self, record: ChildRecord, ended_by_itself: bool) -> None:
        others = sum(other.spec.significant for other in self._records.values())
        auto_shutdown: AutoShutdown = self._owner.actor_class.auto_shutdown
        if shuts_down(auto_shutdown, is_significant=True, ended_by_itself=ended_by_itself, others_left=others):
            _log.info("significant child has ended child=%s parent=%s", record.cell, self._owner)
            self._owner.begin_stop(ExitReason("shutdown", "auto_shutdown"))

    def _report(self) -> None:
        """Say once per distinct reason what went wrong while all were stopping (H2)."""
        reports, self._reports = self._reports, None
        for reason, number in (reports or {}).items():
            _log.error("children ended abnormally parent=%s children=%d reason=%s", self._owner, number, reason)

    def _stop_last(self) -> None:
        self._stop_one(next(reversed(self._records.values())), _SHUTDOWN)

    def _stop_one(self, record: ChildRecord, reason: ExitReason) -> None:
        if record.phase is Phase.TERMINATING:
            return
        record.cancel_timer()
        record.phase = Phase.TERMINATING
        if record.is_gone:
            self._forget(record, ended_by_itself=False)
        elif record.spec.shutdown_s == "kill":
            record.cell.kill("its spec says so")
        else:
            self._limit_stop(record)
            record.cell.signal(Stop(reason, by_parent=True))

    def _limit_stop(self, record: ChildRecord) -> None:
        """Have it killed when it does not stop in time."""
        limit = record.spec.shutdown_s if record.spec.shutdown_s is not None else record.cell.actor_class.shutdown_s
        if limit == "kill":
            limit = 0.0
        if limit < math.inf:
            kill = partial(record.cell.kill, f"shutdown_timeout: it did not stop within {limit:g} s")
            self._arm(record, limit, kill)
