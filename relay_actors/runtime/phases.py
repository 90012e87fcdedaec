"""Shutting down in phases: which comes when, and who runs them. Layer: pillar.

`plan` is pure; `Phases` starts what is due and waits for it by callbacks, so that nobody's thread is held. Source:
SEMANTICS H5, H8; Akka's ``CoordinatedShutdown``.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from relay_actors.errors import ConfigError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.base import Dispatcher, TimerHandle
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import words_of

__all__ = ["Begin", "Phase", "Phases", "in_background", "plan"]

_log = logging.getLogger("relay_actors.shutdown")

Begin = Callable[[], Future[Any]]
"""Begins a task, without waiting for it; the future is settled when it is done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One phase.

    Attributes:
        name: its name.
        after: the phases that must be over before it begins.
        timeout_s: how long one of its tasks may take, unless the task says otherwise.
        abort_on_failure: whether no further phase begins when one of its tasks fails or takes too long; otherwise that
            is logged, and the next ones begin all the same.
    """

    name: str
    after: tuple[str, ...] = ()
    timeout_s: float = 5.0
    abort_on_failure: bool = False


def plan(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    """Return the phases in an order in which each comes after those that it needs; as given, as far as possible.

    Raises:
        ConfigError: a name is there twice, a phase needs one that there is not, or some need each other.
    """
    names = [phase.name for phase in phases]
    if len(set(names)) < len(names):
        raise ConfigError(f"phases need different names, not {names}")
    for phase in phases:
        for needed in phase.after:
            if needed not in names:
                raise ConfigError(f"phase {phase.name!r} comes after {needed!r}, which is not among {names}")
    ordered: list[Phase] = []
    left = list(phases)
    while left:
        over = {phase.name for phase in ordered}
        ready = next((phase for phase in left if over.issuperset(phase.after)), None)
        if ready is None:
            raise ConfigError(f"phases come after each other in a circle: {[phase.name for phase in left]}")
        ordered.append(ready)
        left.remove(ready)
    return tuple(ordered)


@dataclass(eq=False, slots=True)
class _Task:
    name: str
    begin: Begin
    timeout_s: float | None
    timer: TimerHandle | None = None


class Phases:
    """Runs the tasks of phases, once: those of a phase beside each other, and a phase when those before it are over.

    A task that fails, or takes too long, is logged; it is not waited for any longer, and what it still does is its own
    affair.

    Args:
        phases: in any order.
        dispatcher: who makes calls when time is over.

    Raises:
        ConfigError: see `plan`.
    """

    def __init__(self, phases: Sequence[Phase], dispatcher: Dispatcher) -> None:
        self._order = plan(phases)
        self._dispatcher = dispatcher
        # Guards all that follows: tasks end on any thread. Re-entrant, because a finaliser may run in the middle.
        self._lock = threading.RLock()
        self._tasks: dict[str, list[_Task]] = {phase.name: [] for phase in self._order}
        self._open: dict[str, list[_Task]] = {}
        self._over: list[str] = []
        self._ends: dict[str, float] = {}
        self._end_timers: dict[str, TimerHandle] = {}
        self._aborted = False
        self._clean = True
        self._run: Future[bool] | None = None

    def add(self, phase: str, name: str, begin: Begin, *, timeout_s: float | None = None) -> None:
        """Add a task. Any thread.

        Args:
            phase: in which it runs.
            name: for the log.
            begin: begins it, on whichever thread ends the phase before.
            timeout_s: how long it may take; by default what its phase says, and ``math.inf`` is as long as it takes.

        Raises:
            ConfigError: there is no such phase, or it has begun already (H8).
        """
        with self._lock:
            if phase not in self._tasks:
                raise ConfigError(f"there is no phase {phase!r}: it is one of {', '.join(self._tasks)}")
            if phase in self._open or phase in self._over or self._aborted:
                raise ConfigError(f"{name}: phase {phase!r} has begun, and takes no more tasks: add it before the stop")
            self._tasks[phase].append(_Task(name, begin, timeout_s))

    def run(self) -> Future[bool]:
        """Begin, and return what is settled at the end: True if every task has succeeded in time. Any thread.

        A second call joins the first.
        """
        with self._lock:
            if self._run is not None:
                return self._run
            self._run = run = Future[bool](self._dispatcher)
        self._go_on()
        return run

    def end_by(self, phase: str, due: float) -> None:
        """Have a phase end by ``due``, on the monotonic clock, whatever is not done then; sooner if that was said.

        It may have begun, or not. Any thread.
        """
        with self._lock:
            due = min(due, self._ends.get(phase, math.inf))
            self._ends[phase] = due
            if phase not in self._open:
                return
        self._arm_end(phase, due)

    @property
    def current(self) -> tuple[str, ...]:
        """The phases that have begun and are not over."""
        with self._lock:
            return tuple(self._open)

    @property
    def waits_for(self) -> list[str]:
        """The names of the tasks that have begun and are not done."""
        with self._lock:
            return [task.name for tasks in self._open.values() for task in tasks]

    def is_over(self, phase: str) -> bool:
        """Return whether a phase has come to its end."""
        return phase in self._over

    # -- inside ------------------------------------------------------------------------------------------------------

    def _go_on(self) -> None:
        """Begin what can begin."""
        with self._lock:
            ready = [phase for phase in self._order if self._is_due(phase)]
            for phase in ready:
                self._open[phase.name] = list(self._tasks[phase.name])
            is_over = not self._open
            run = self._run
        for phase in ready:
            self._begin(phase)
        if is_over and run is not None:
            run.try_set(self._clean)

    def _is_due(self, phase: Phase) -> bool:
        has_begun = phase.name in self._open or phase.name in self._over
        return not has_begun and not self._aborted and all(needed in self._over for needed in phase.after)

    def _begin(self, phase: Phase) -> None:
        tasks = list(self._tasks[phase.name])
        _log.debug("phase begins phase=%s tasks=%d", phase.name, len(tasks))
        if not tasks:
            self._close(phase)
            return
        now = self._dispatcher.clock.now()
        for task in tasks:
            timeout_s = task.timeout_s if task.timeout_s is not None else phase.timeout_s
            if timeout_s < math.inf:
                late = f"was not done within {timeout_s:g} s"
                task.timer = self._dispatcher.call_at(now + timeout_s, partial(self._settle, phase, task, late))
        for task in tasks:
            try:
                done = task.begin()
            except Exception as error:
                self._settle(phase, task, f"failed: {type(error).__name__}: {words_of(error)}", error)
            else:
                done.add_done_callback(partial(self._on_done, phase, task))
        with self._lock:
            due = self._ends.get(phase.name)
        if due is not None:
            self._arm_end(phase.name, due)

    def _on_done(self, phase: Phase, task: _Task, done: Future[Any]) -> None:
        error = done.error
        why = None if error is None else f"failed: {type(error).__name__}: {words_of(error)}"
        self._settle(phase, task, why, error)

    def _settle(
        self,
        phase: Phase,
        task: _Task,
        why: str | None,
        error: BaseException | None = None,
        *,
        level: int = logging.WARNING,
    ) -> None:
        """Count a task as done, once; ``why`` says what was wrong with it."""
        with self._lock:
            tasks = self._open.get(phase.name)
            if tasks is None or task not in tasks:
                return
            tasks.remove(task)
            if task.timer is not None:
                task.timer.cancel()
            if why is not None:
                self._clean = False
                self._aborted = self._aborted or phase.abort_on_failure
        if why is not None:
            _log.log(level, "shutdown phase=%s: %s %s", phase.name, task.name, why, exc_info=error)
        if not tasks:
            self._close(phase)

    def _close(self, phase: Phase) -> None:
        with self._lock:
            if self._open.get(phase.name) != []:
                return  # another thread has closed it
            del self._open[phase.name]
            self._over.append(phase.name)
            timer = self._end_timers.pop(phase.name, None)
        if timer is not None:
            timer.cancel()
        if self._aborted:
            _log.error("shutdown phase=%s has failed, and those after it are left out", phase.name)
        self._go_on()

    def _arm_end(self, name: str, due: float) -> None:
        """Have what is not done in a phase that runs counted out at ``due``."""
        with self._lock:
            if name not in self._open:
                return
            before = self._end_timers.pop(name, None)
            self._end_timers[name] = self._dispatcher.call_at(due, partial(self._end, name))
        if before is not None:
            before.cancel()

    def _end(self, name: str) -> None:
        phase = next(phase for phase in self._order if phase.name == name)
        with self._lock:
            tasks = list(self._open.get(name, ()))
        for task in tasks:
            # No fault of the task's: somebody has said when it is to end.
            self._settle(phase, task, "was not done when its time was over", level=logging.INFO)


def in_background(function: Callable[[], object], name: str, dispatcher: Dispatcher) -> Begin:
    """Return a task that runs a function, which may block, on the blocking pool."""

    def begin() -> Future[Any]:
        done: Future[Any] = Future(dispatcher)

        def call() -> None:
            try:
                done.try_set(function())
            except BaseException as error:  # also a SystemExit: it is the task's, not the pool's
                done.try_fail(error)

        dispatcher.run_blocking(call, name)
        return done

    return begin
