"""Phases of a shutdown: their order, their tasks, and what happens to tasks that fail or take too long."""

from __future__ import annotations

import logging
import math
import threading
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future
from relay_actors.runtime.phases import Phase, Phases, in_background, plan
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, WordlessError

LINE = [Phase(name="a"), Phase(name="b", after=("a",)), Phase(name="c", after=("b",))]


class Stage:
    """Phases in virtual time, with tasks that note when they begin."""

    def __init__(self, *phases: Phase) -> None:
        self.dispatcher = DeterministicDispatcher(Random(1), ManualClock())
        self.phases = Phases(phases, self.dispatcher)
        self.begun: list[tuple[float, str]] = []
        self.done: dict[str, Future[Any]] = {}

    def task(self, phase: str, name: str, **options: Any) -> None:
        self.done[name] = Future(self.dispatcher)

        def begin() -> Future[Any]:
            self.begun.append((self.dispatcher.clock.now(), name))
            return self.done[name]

        self.phases.add(phase, name, begin, **options)

    @property
    def names(self) -> list[str]:
        return [name for _at, name in self.begun]


# -- the plan --------------------------------------------------------------------------------------------------------


@given(st.permutations(range(7)), st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_each_phase_comes_after_those_that_it_needs(order: list[int], arrows: set[tuple[int, int]]):
    """H5: whatever the graph is, as long as it has no circle."""
    needs = {n: [str(m) for m, k in arrows if k == n and m < n] for n in range(7)}
    planned = [phase.name for phase in plan([Phase(name=str(n), after=tuple(needs[n])) for n in order])]
    assert sorted(planned) == [str(n) for n in range(7)]
    for n, needed in needs.items():
        assert all(planned.index(name) < planned.index(str(n)) for name in needed)


@pytest.mark.parametrize(
    ("phases", "says"),
    [
        ([Phase(name="a"), Phase(name="a")], "different names"),
        ([Phase(name="a", after=("b",))], "comes after 'b', which is not among"),
        ([Phase(name="a", after=("b",)), Phase(name="b", after=("a",)), Phase(name="c")], r"circle: \['a', 'b'\]"),
    ],
)
def test_a_plan_that_cannot_be_followed_is_refused(phases: list[Phase], says: str):
    """H5."""
    with pytest.raises(ConfigError, match=says):
        plan(phases)


# -- tasks -----------------------------------------------------------------------------------------------------------


def test_tasks_of_a_phase_run_beside_each_other_and_the_next_phase_waits_for_all():
    """H5."""
    stage = Stage(*LINE)
    for name in ("a1", "a2", "b1"):
        stage.task(name[0], name)
    run = stage.phases.run()
    assert stage.names == ["a1", "a2"]
    assert stage.phases.current == ("a",)
    stage.done["a2"].set()
    assert stage.names == ["a1", "a2"]
    stage.done["a1"].set()
    assert stage.names == ["a1", "a2", "b1"]
    assert not run.is_settled
    stage.done["b1"].set()
    assert run.get(timeout=0) is True
    assert all(stage.phases.is_over(phase.name) for phase in LINE)


def test_phases_that_do_not_need_each_other_run_at_the_same_time():
    """H5: a graph, not a line."""
    stage = Stage(Phase(name="a"), Phase(name="b"), Phase(name="c", after=("a", "b")))
    for name in ("a1", "b1", "c1"):
        stage.task(name[0], name)
    stage.phases.run()
    assert stage.names == ["a1", "b1"]
    stage.done["b1"].set()
    assert stage.names == ["a1", "b1"]
    stage.done["a1"].set()
    assert stage.names == ["a1", "b1", "c1"]
    stage.done["c1"].set()


def test_phases_without_tasks_are_over_at_once():
    """H5."""
    assert Stage(*LINE).phases.run().get(timeout=0) is True


@pytest.mark.parametrize(("timeout_s", "at"), [(None, 5.0), (2.0, 2.0)])
def test_a_task_that_takes_too_long_is_told_of_and_not_waited_for(
    caplog: pytest.LogCaptureFixture, timeout_s: float | None, at: float
):
    """H5: its own time-out counts, or else that of its phase."""
    stage = Stage(*LINE)
    stage.task("a", "slow", timeout_s=timeout_s)
    stage.task("b", "next")
    run = stage.phases.run()
    stage.dispatcher.advance(10.0)
    assert stage.begun == [(0.0, "slow"), (at, "next")]
    assert f"phase=a: slow was not done within {at:g} s" in caplog.text
    stage.done["slow"].set()  # too late: changes nothing
    stage.done["next"].set()
    assert run.get(timeout=0) is False
    assert stage.dispatcher.pending_timers == 0


@pytest.mark.parametrize("raises_at_once", [True, False])
def test_a_task_that_fails_is_told_of_and_the_next_phase_begins(caplog: pytest.LogCaptureFixture, raises_at_once: bool):
    """H5."""
    stage = Stage(*LINE)

    def begin() -> Future[Any]:
        raise RuntimeError("no disk")

    if raises_at_once:
        stage.phases.add("a", "flush", begin)
    else:
        stage.task("a", "flush")
    stage.task("b", "next")
    run = stage.phases.run()
    if not raises_at_once:
        stage.done["flush"].set_exception(RuntimeError("no disk"))
    assert "phase=a: flush failed: RuntimeError: no disk" in caplog.text
    assert stage.names[-1] == "next"
    stage.done["next"].set()
    assert run.get(timeout=0) is False


@pytest.mark.parametrize("raises_at_once", [False, True])
def test_a_task_that_fails_without_words_holds_nothing_up(raises_at_once: bool):
    """H5: what an error says is asked of the user's code, which may raise as well."""
    stage = Stage(*LINE)
    failed: Future[Any] = Future(stage.dispatcher)
    failed.try_fail(WordlessError())

    def begin() -> Future[Any]:
        if raises_at_once:
            raise WordlessError
        return failed

    stage.phases.add("a", "bad", begin)
    assert stage.phases.run().get(timeout=0) is False
    assert stage.phases.is_over("c")


@pytest.mark.parametrize("fails", [True, False])
def test_a_phase_may_say_that_nothing_follows_its_failure(caplog: pytest.LogCaptureFixture, fails: bool):
    """H5: ``abort_on_failure``; what runs beside it comes to its end."""
    stage = Stage(
        Phase(name="a", abort_on_failure=True),
        Phase(name="b", after=("a",)),
        Phase(name="x"),
        Phase(name="y", after=("x",)),
    )
    for name in ("a1", "b1", "x1", "y1"):
        stage.task(name[0], name)
    run = stage.phases.run()
    if fails:
        stage.done["a1"].set_exception(RuntimeError("no"))
    else:
        stage.dispatcher.advance(4.0)
        stage.done["x1"].set()
        stage.dispatcher.advance(1.0)
        assert stage.names == ["a1", "x1", "y1"]
    assert not run.is_settled
    stage.done["y1" if not fails else "x1"].set()
    assert run.get(timeout=0) is False
    assert "b1" not in stage.names
    assert "phase=a has failed, and those after it are left out" in caplog.text
    with pytest.raises(ConfigError, match="takes no more tasks"):
        stage.task("b", "late")


# -- once ------------------------------------------------------------------------------------------------------------


def test_running_twice_is_running_once():
    """H8: the second call joins the first."""
    stage = Stage(*LINE)
    stage.task("a", "a1")
    assert stage.phases.run() is stage.phases.run()
    assert stage.names == ["a1"]
    stage.done["a1"].set()
    assert stage.phases.run().get(timeout=0) is True
    assert stage.names == ["a1"]


def test_a_task_for_a_phase_that_has_begun_is_refused():
    """H8: it would never run, and whoever added it would not know. One for a later phase is taken."""
    stage = Stage(*LINE)
    stage.task("b", "b1")
    stage.phases.run()
    for phase in ("a", "b"):
        with pytest.raises(ConfigError, match=f"late: phase '{phase}' has begun, and takes no more tasks"):
            stage.task(phase, "late")
    stage.task("c", "c1")
    stage.done["b1"].set()
    assert stage.names == ["b1", "c1"]
    stage.done["c1"].set()


def test_a_task_for_no_phase_at_all_is_refused():
    """H5: a misspelt phase must not be found out at the stop."""
    with pytest.raises(ConfigError, match="there is no phase 'd': it is one of a, b, c"):
        Stage(*LINE).task("d", "d1")


# -- time ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says_when", ["before", "during"])
def test_a_phase_can_be_given_an_end(caplog: pytest.LogCaptureFixture, says_when: str):
    """H5, H7: for tasks that may take as long as all of them may; the earliest end counts."""
    caplog.set_level(logging.INFO)
    stage = Stage(*LINE)
    stage.task("b", "patient", timeout_s=math.inf)
    stage.task("c", "c1")
    if says_when == "before":
        stage.phases.end_by("b", 7.0)
        run = stage.phases.run()
    else:
        run = stage.phases.run()
        stage.dispatcher.advance(3.0)
        stage.phases.end_by("b", 7.0)
    stage.phases.end_by("b", 9.0)
    stage.dispatcher.advance(20.0)
    assert stage.begun == [(0.0, "patient"), (7.0, "c1")]
    assert "patient was not done when its time was over" in caplog.text
    stage.done["c1"].set()
    assert run.get(timeout=0) is False


def test_an_end_that_has_passed_ends_a_phase_now_and_of_one_that_is_over_changes_nothing():
    """H7."""
    stage = Stage(*LINE)
    stage.task("b", "patient", timeout_s=math.inf)
    run = stage.phases.run()
    stage.phases.end_by("a", 0.0)
    stage.phases.end_by("b", 0.0)
    stage.dispatcher.advance(0.0)
    assert run.get(timeout=0) is False
    assert stage.dispatcher.pending_timers == 0


# -- on threads ------------------------------------------------------------------------------------------------------


def test_functions_that_block_run_beside_each_other_on_threads(system: System):
    """H5: each waits for the other, so they must run at the same time; what one raises is its own failure."""
    system.dispatcher.start()
    phases = Phases(LINE, system.dispatcher)
    meeting = threading.Barrier(2, timeout=DEADLINE_S)

    def leaves() -> None:
        raise SystemExit

    for number in range(2):
        phases.add("a", f"meets {number}", in_background(meeting.wait, "meets", system.dispatcher))
    phases.add("b", "leaves", in_background(leaves, "leaves", system.dispatcher))
    joined = [phases.run() for _ in range(3)]
    assert [run.get(timeout=DEADLINE_S) for run in joined] == [False] * 3
    assert phases.is_over("c")


def test_what_is_waited_for_is_told_by_its_name():
    """For a log: who waits wants to know for what."""
    stage = Stage(*LINE)
    for phase, name in (("a", "flush"), ("a", "report"), ("b", "close")):
        stage.task(phase, name)
    assert stage.phases.waits_for == []
    stage.phases.run()
    assert stage.phases.waits_for == ["flush", "report"]
    stage.done["flush"].set(None)
    assert stage.phases.waits_for == ["report"]
    stage.done["report"].set(None)
    assert stage.phases.waits_for == ["close"]
