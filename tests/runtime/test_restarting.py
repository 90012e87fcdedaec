"""The machinery of restarts, run through every cell of the table that can come about, and through what is not in it."""

import logging
from collections.abc import Callable
from itertools import product
from typing import Any, get_args

import pytest

from relay_actors.errors import ActorDead
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed, Down, ExitKind, ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.strategies import Phase, Strategy
from relay_actors.runtime.supervisor import Child, DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.test_strategies import EXPECTED
from tests.runtime.worlds import (
    DEADLINE_S,
    Blocker,
    Parent,
    Recorder,
    WordlessError,
    World,
    block,
    crash,
    fail,
    spawn,
    until,
)

TRANSIENT = ChildSpec(restart=Restart.TRANSIENT)
PERMANENT = ChildSpec(restart=Restart.PERMANENT)


class Named(Recorder):
    """Writes its name in front of everything; ``at_start`` may do something when it starts."""

    def __init__(self, name: str, log: list[str], at_start: dict[str, Callable[[Any], object]] | None = None) -> None:
        super().__init__([])
        self.name = name
        self.told = log
        self.at_start = at_start if at_start is not None else {}

    def on_start(self) -> None:
        do = self.at_start.pop(self.name, None)
        if do is not None:
            do(self)
        self.told.append(f"{self.name} starts")

    def on_stop(self) -> None:
        self.told.append(f"{self.name} stops")

    def pre_restart(self, reason: Any, message: object) -> None:
        self.told.append(f"{self.name} is replaced")


class Stage:
    """A supervisor with named children, in a world of its own."""

    def __init__(
        self,
        names: str = "abc",
        strategy: str = "one_for_all",
        *,
        specs: dict[str, ChildSpec] | None = None,
        seed: int = 0,
        **settings: Any,
    ) -> None:
        self.world = World(seed)
        self.log: list[str] = []
        self.at_start: dict[str, Callable[[Any], object]] = {}
        self.children = [
            Child(
                id=name,
                actor_class=Named,
                args=(name, self.log, self.at_start),
                spec=(specs or {}).get(name, PERMANENT),
            )
            for name in names
        ]
        self.supervisor_class = type("Staged", (Supervisor,), {"strategy": strategy, **settings})
        self.supervisor: Any = self.world.system.start(self.supervisor_class, self.children)

    def begin(self) -> "Stage":
        self.world.settle()
        self.log.clear()
        return self

    def child(self, name: str) -> Any:
        return self.supervisor.child(name)

    def record(self, name: str) -> Any:
        return self.supervisor._cell.children._records[self.child(name)._cell]

    def step_until(self, is_so: Callable[[], bool]) -> None:
        for _ in range(1000):
            if is_so():
                return
            self.world.dispatcher.step()
        pytest.fail("it never came about")


def end(cell: Any, kind: ExitKind) -> None:
    """Have an actor end like this; the test is the only one who runs."""
    if kind == "killed":
        cell.kill("by the test")
    elif kind == "lost":
        assert cell.begin_end()
        cell._end(ExitReason("lost"))
    elif kind in ("error", "start_failed"):
        cell.fail(ExitReason(kind, cause=OSError("by the test")), None)
    else:
        cell.begin_stop(ExitReason(kind))


def end_at_start(kind: ExitKind) -> Callable[[Any], object]:
    """What a child does that ends like this while its supervisor waits for its start."""

    def do(actor: Any) -> None:
        if kind == "start_failed":
            raise OSError("by the test")
        end(actor._cell, kind)

    return do


CANNOT_BE_AT_START = {"normal", "shutdown", "error"}
"""Who has not started handles nothing: neither a stop nor a message at which it could fail."""
CANNOT_BE = {
    *((Strategy.ONE_FOR_ONE, restart, Phase.REGROUPING) for restart in Restart),  # it has no groups
    *((strategy, Restart.TEMPORARY, phase) for strategy in Strategy for phase in (Phase.RESTARTING, Phase.REGROUPING)),
}
"""A temporary child is never restarted; with its group it is terminated."""
CAN_BE = [cell for cell in product(Strategy, Restart, Phase) if cell not in CANNOT_BE]
RESTARTED_WITH_B = {"one_for_one": "b", "rest_for_one": "bc", "one_for_all": "abc"}


@pytest.mark.parametrize(("strategy", "restart", "phase"), CAN_BE)
def test_the_machinery_does_what_the_table_says(strategy: Strategy, restart: Restart, phase: Phase):
    """V9, S3, S4: every exit of ``b`` between ``a`` and ``c``, told by who is started, who is there, and who is not."""
    for kind in get_args(ExitKind):
        stage = Stage(strategy=strategy, specs={"b": ChildSpec(restart=restart)})
        expected = EXPECTED[phase.value, kind, restart.value]
        if phase is Phase.STARTING:
            if kind in CANNOT_BE_AT_START:
                continue
            stage.at_start["b"] = end_at_start(kind)
            stage.world.settle()
            assert not stage.supervisor.is_alive(), kind
            assert [entry for entry in stage.log if entry.startswith("c")] == [], kind
            assert stage.log.count("a starts") == 1, kind
            continue
        stage.begin()
        old = stage.child("b")
        if phase is Phase.RESTARTING:
            stage.record("b").phase = Phase.RESTARTING
        elif phase is Phase.REGROUPING:
            stage.child("a").tell(crash())
            stage.step_until(lambda stage=stage: stage.record("b").phase is Phase.REGROUPING)  # type: ignore[misc]
        elif phase is Phase.TERMINATING:
            stage.supervisor._cell.children.stop(old._cell, ExitReason("shutdown"))
        elif phase is Phase.STOPPING:
            stage.supervisor.stop(block=False, now=True)
            stage.step_until(lambda stage=stage: stage.record("b").phase is Phase.TERMINATING)  # type: ignore[misc]
        end(old._cell, kind)
        stage.world.settle()

        started = "".join(sorted(entry[0] for entry in stage.log if entry.endswith("starts")))
        assert stage.supervisor.is_alive() is (phase is not Phase.STOPPING), kind
        assert old.is_alive() is (expected in ("restarts", "again") and kind not in ("killed", "lost")) or (
            phase is Phase.REGROUPING and kind in ("normal", "shutdown")  # by then it may have ended, and is begun anew
        ), kind
        if expected == "restarts":
            assert started == RESTARTED_WITH_B[strategy], kind
        elif expected == "again":
            assert started == "abc", kind
        else:
            assert started == "", kind
        states = {"restarts": "running", "again": "running", "stays": "stopped", "goes": "not_found"}
        if phase is not Phase.STOPPING:
            assert stage.supervisor.state_of("b") == states[expected], kind
            assert [stage.supervisor.state_of(other) for other in "ac"] == ["running"] * 2
        assert stage.supervisor.stop(timeout=1.0) is (phase is not Phase.STOPPING)
        stage.world.end()


# -- groups


def test_one_for_all_stops_last_first_and_starts_first_first():
    """S4: the failed one is not stopped again, it is replaced when its turn to start has come."""
    stage = Stage("abcd").begin()
    refs = {name: stage.child(name) for name in "abcd"}
    stage.child("b").tell(crash())
    stage.world.settle()

    assert stage.log == [
        *("d stops", "c stops", "a stops"),
        *("a starts", "b is replaced", "b starts", "c starts", "d starts"),
    ]
    assert {name: stage.child(name) for name in "abcd"} == refs
    assert [ref.incarnation for ref in refs.values()] == [1, 1, 1, 1]


def test_rest_for_one_leaves_alone_what_was_started_before():
    """S4: only what may depend on the failed one."""
    stage = Stage("abcd", "rest_for_one").begin()
    stage.child("b").tell(crash())
    stage.world.settle()

    assert stage.log == ["d stops", "c stops", "b is replaced", "b starts", "c starts", "d starts"]
    stage.log.clear()
    stage.child("d").tell(crash())
    stage.world.settle()
    assert stage.log == ["d is replaced", "d starts"]


def test_messages_of_a_whole_group_are_kept():
    """S10, S11: same refs, same mailboxes, for those who did not fail as for the one that did."""
    stage = Stage().begin()
    refs = [stage.child(name) for name in "abc"]
    stage.child("a").tell(crash())
    asks = [ref.ask((number, ref.actor_urn), block=False) for ref in refs for number in range(3)]
    stage.world.settle()

    assert [ask.get(timeout=0) for ask in asks] == [(number, ref.actor_urn) for ref in refs for number in range(3)]
    assert [ref.incarnation for ref in refs] == [1, 1, 1]


def test_a_child_of_a_group_starts_when_the_one_before_has_started():
    """S2's order holds for restarts: on the way back each waits for the one before."""
    stage = Stage().begin()
    running: list[list[str]] = []

    def look(actor: Any) -> None:
        running.append([line.id for line in stage.supervisor.which_children() if line.state == "running"])

    stage.at_start.update(dict.fromkeys("abc", look))
    stage.child("c").tell(crash())
    stage.world.settle()

    assert running == [[], ["a"], ["a", "b"]]


@pytest.mark.parametrize("strategy", ["rest_for_one", "one_for_all"])
def test_a_restart_of_a_group_counts_as_one(strategy: str):
    """S5, S9: ten children, three restarts: still allowed. The fourth is not, as for one child."""
    stage = Stage("abcdefghij", strategy).begin()
    for _ in range(3):
        stage.child("a").tell(crash())
        stage.world.settle()
    assert [stage.child(name).incarnation for name in "abcdefghij"] == [3] * 10
    assert [record.attempt for record in stage.supervisor.restart_history()] == [1, 2, 3]
    assert stage.world.counters.snapshot()["actors.restarted"] == 3
    stage.child("a").tell(crash())
    stage.world.settle()

    assert not stage.supervisor.is_alive()
    assert stage.supervisor._cell.exit_reason.detail == "reached_max_intensity"


def test_temporary_children_do_not_come_back_with_their_group():
    """S3, S4: they are stopped in their place in the order, and forgotten."""
    stage = Stage("abcd", specs={"b": ChildSpec(), "d": ChildSpec()}).begin()
    stage.child("a").tell(crash())
    stage.world.settle()

    assert stage.log == ["d stops", "c stops", "b stops", "a is replaced", "a starts", "c starts"]
    assert [line.id for line in stage.supervisor.which_children()] == ["a", "c"]


def test_a_temporary_child_takes_nobody_along():
    """S3, S4: as in OTP, what is not restarted itself restarts nobody."""
    stage = Stage(specs={"b": ChildSpec()}).begin()
    stage.child("b").tell(crash())
    stage.world.settle()

    assert stage.log == ["b stops"]


def test_a_group_waits_for_the_back_off_of_the_one_that_failed():
    """B1, B3, S4: all have left by then, and a stop is honoured meanwhile."""
    backoff = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=10.0, max_s=10.0, jitter=0.0))
    stage = Stage(specs={"b": backoff}).begin()
    stage.child("b").tell(crash())
    stage.world.advance(9.0)
    assert stage.log == ["c stops", "a stops"]
    assert {line.state for line in stage.supervisor.which_children()} == {"restarting"}
    stage.world.advance(1.0)
    assert stage.log[2:] == ["a starts", "b is replaced", "b starts", "c starts"]
    stage.child("b").tell(crash())
    stage.world.advance(1.0)

    assert stage.supervisor.stop(timeout=0.0) is True
    assert stage.world.dispatcher.pending_timers == 0
    assert stage.log[-3:] == ["c stops", "a stops", "b stops"]


def test_a_stop_in_the_middle_of_a_group_restart_wins():
    """S7, H1, L7: at every single step of it."""
    for steps in range(40):
        stage = Stage("abcd", seed=steps).begin()
        stage.child("b").tell(crash())
        for _ in range(steps):
            stage.world.dispatcher.step()
        stopped = stage.supervisor.stop(block=False, now=True)
        stage.world.settle()

        assert stopped.get(timeout=0) is True
        assert stage.world.system.actor_count == 0
        starts = {name: stage.log.count(f"{name} starts") + 1 for name in "abcd"}
        ends = {name: sum(stage.log.count(f"{name} {how}") for how in ("stops", "is replaced")) for name in "abcd"}
        assert starts == ends, f"after {steps} steps: {stage.log}"  # L7: each incarnation has exactly one last hook


def test_a_member_that_fails_to_start_again_counts_once_more_and_all_begin_again():
    """S4, S7: those who were back already leave once more; then all start."""
    stage = Stage("abc").begin()
    stage.at_start["b"] = fail(OSError("not yet"))
    stage.child("c").tell(crash())
    stage.world.settle()

    assert [entry for entry in stage.log if entry.endswith("starts")] == [
        "a starts",
        *("a starts", "b starts", "c starts"),
    ]
    assert [record.attempt for record in stage.supervisor.restart_history()] == [1, 2]
    assert [record.child_id for record in stage.supervisor.restart_history()] == ["c", "b"]
    assert stage.supervisor.count_children().running == 3


def test_two_that_fail_at_once_are_one_group_after_the_other():
    """S4: a second failure while the first is mended is neither lost nor mended twice."""
    for seed in range(30):
        stage = Stage("abcd", "rest_for_one", seed=seed, max_restarts=10).begin()
        stage.child("c").tell(crash())
        stage.child("a").tell(crash())
        stage.world.settle()

        assert stage.supervisor.count_children().running == 4
        assert len(stage.supervisor.restart_history()) in (1, 2)
        assert [stage.child(name).ask("?", timeout=0) for name in "abcd"] == ["?"] * 4
        stage.world.end()


def test_a_member_that_does_not_leave_in_time_is_killed_and_begun_anew():
    """S4, H1, H3: the others do not wait for it for ever."""
    stage = Stage(specs={"c": ChildSpec(restart=Restart.PERMANENT, shutdown_s=2.0)}).begin()
    old = stage.child("c")
    old._cell._take_out_of_rest()  # as if it were in a turn that does not come back
    stage.child("a").tell(crash())
    stage.world.advance(1.9)
    assert stage.log == []
    stage.world.advance(0.1)

    assert not old.is_alive()
    assert stage.log == ["b stops", "a is replaced", "a starts", "b starts", "c starts"]
    assert stage.child("c") != old
    assert stage.child("c").ask("?", timeout=0) == "?"


def test_children_of_a_member_end_before_it_leaves():
    """L6, L7, S10: on_stop comes after all below have ended, in a group restart as in a stop."""
    stage = Stage("ab").begin()
    below = spawn(stage.child("b"), Named, "below", stage.log)
    stage.world.settle()
    stage.log.clear()
    stage.child("a").tell(crash())
    stage.world.settle()

    assert stage.log == ["below stops", "b stops", "a is replaced", "a starts", "b starts"]
    assert not below.is_alive()


@pytest.mark.parametrize("strategy", list(Strategy))
def test_whatever_happens_all_permanent_children_run_in_the_end(strategy: Strategy):
    """S3, S4, S7, V5: 60 seeded storms of crashes, kills and stops; nothing hangs, and each hook has its end."""
    for seed in range(60):
        stage = Stage("abcde", strategy, seed=seed, max_restarts=10_000, specs={"d": TRANSIENT}).begin()
        random = stage.world.system.random
        for _ in range(30):
            name = "abcde"[int(random.random() * 5)]
            ref, draw = stage.child(name), random.random()
            if ref is None or not ref.is_alive():
                pass
            elif draw < 0.5:
                ref.tell(crash())
            elif draw < 0.65:
                ref.kill("storm")
            elif draw < 0.75 and name != "d":
                ref.stop(block=False)
            elif draw < 0.8:
                stage.at_start[name] = fail(OSError("storm"))
            for _ in range(int(random.random() * 6)):
                stage.world.dispatcher.step()
        stage.world.settle()

        states = {line.id: line.state for line in stage.supervisor.which_children()}
        assert states == dict.fromkeys("abcde", "running"), f"seed {seed}"
        assert [line.id for line in stage.supervisor.which_children()] == list("abcde")
        assert list(stage.supervisor._cell.children) == [stage.child(name)._cell for name in "abcde"]
        assert all(stage.child(name).ask("?", timeout=0) == "?" for name in "abcde")
        stage.log.clear()
        stage.supervisor.stop(timeout=1.0)
        assert stage.log == [f"{name} stops" for name in "edcba"]
        stage.world.end()


# -- after a kill


def test_a_killed_child_is_begun_anew_with_its_names():
    """S3, H4, W1: a new actor with a new ref; the old ref is dead, and who watched it was told."""
    stage = Stage(strategy="one_for_one").begin()
    old = stage.child("b")
    old.ask(lambda actor: actor.register("name"), timeout=0)
    log: list[Any] = []
    watcher = stage.world.start(Recorder, log)
    watcher.ask(lambda actor: actor.watch(old), timeout=0)
    old.tell("lost")
    old.kill("enough")
    stage.world.settle()

    fresh = stage.child("b")
    assert (old.is_alive(), fresh.is_alive(), fresh == old, fresh.incarnation) == (False, True, False, 0)
    assert stage.world.system.find("name") == fresh
    assert stage.log == ["b starts"]
    [down] = [entry for entry in log if isinstance(entry, Down)]
    assert (down.ref, str(down.reason)) == (old, "killed (enough)")
    with pytest.raises(ActorDead):
        old.tell("late")
    [record] = stage.supervisor.restart_history()
    assert (record.kind, record.incarnation, record.attempt) == ("killed", 0, 1)


def test_a_name_that_somebody_else_has_taken_meanwhile_is_theirs():
    """S3, R1: they have it by right."""
    stage = Stage(specs={"b": ChildSpec(restart="permanent", backoff=Backoff(min_s=1, max_s=1))}).begin()  # type: ignore[arg-type]
    stage.child("b").ask(lambda actor: actor.register("name"), timeout=0)
    stage.child("b").kill()
    stage.world.settle()
    other = stage.world.start(Recorder)
    other.ask(lambda actor: actor.register("name"), timeout=0)
    stage.world.advance(1.0)

    assert stage.world.system.find("name") == other
    assert stage.supervisor.state_of("b") == "running"


@pytest.mark.parametrize(
    "spec", [ChildSpec(), ChildSpec(restart=Restart.TRANSIENT, revive_killed=False)], ids=["temporary", "not revived"]
)
def test_a_killed_child_that_is_not_begun_anew_is_told_to_the_parent(world: World, spec: ChildSpec):
    """S3, X6: like every other that failed and does not come back."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    child = spawn(parent, Recorder, spec=spec)
    child.kill("enough")
    world.settle()

    assert [(entry.ref, entry.reason.kind) for entry in log if isinstance(entry, ChildFailed)] == [(child, "killed")]
    assert len(parent._cell.children) == 0


def test_kills_count_like_failures(world: World):
    """S6, S8: also towards a window of the child's own, which then gives it up alone."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=2)
    spawn(parent, Recorder, spec=spec)
    for _ in range(3):
        [cell] = list(parent._cell.children)
        cell.ref.kill()
        world.settle()
    assert list(parent._cell.children) == []
    assert [entry.reason.kind for entry in log if isinstance(entry, ChildFailed)] == ["killed"]
    assert parent.is_alive()

    spawn(parent, Recorder, spec=PERMANENT)
    for _ in range(4):
        [cell] = list(parent._cell.children)
        cell.ref.kill()
        world.settle()
    assert not parent.is_alive()
    assert parent._cell.exit_reason.detail == "reached_max_intensity"


def test_a_killed_child_waits_for_its_back_off_and_a_stop_cancels_that(world: World):
    """B1, B3, S15: it counts as a child meanwhile."""
    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=10, max_s=10))
    child = spawn(parent, Recorder, spec=spec)
    child.kill()
    world.settle()
    assert (world.system.actor_count, len(parent._cell.children), world.dispatcher.pending_timers) == (1, 1, 1)
    assert parent.stop(timeout=0) is True
    assert (world.system.actor_count, world.dispatcher.pending_timers) == (0, 0)


@pytest.mark.parametrize("max_restarts", [1, 3])
def test_a_child_that_is_killed_while_it_fails_is_begun_anew_once(world: World, max_restarts: int):
    """S6, L6: its end is told before its failure, which is no second one; nobody is begun whom no parent knows."""

    class Gives(Recorder):
        def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
            self.actor_ref.kill()  # as another thread may at this moment

    parent = world.start(Parent)
    backoff = Backoff(min_s=10, max_s=10)
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=max_restarts, backoff=backoff)
    spawn(parent, Gives, spec=spec).tell(crash())
    world.settle()
    assert (world.counters.snapshot()["actors.restarted"], world.dispatcher.pending_timers) == (1, 1)
    world.advance(10.0)
    assert world.system.living == [parent._cell, *parent._cell.children]
    parent.kill()
    assert (world.system.actor_count, world.dispatcher.pending_timers) == (0, 0)


def test_a_restart_that_is_due_when_its_child_is_given_up_begins_nobody(world: World):
    """L6, S7: the timer's call is on its way to the parent when the child is killed, which is once too often."""
    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=1, backoff=Backoff(min_s=10, max_s=10))
    child = spawn(parent, Recorder, spec=spec)
    child.tell(crash())
    world.settle()
    [record] = parent._cell.children._records.values()
    is_due = record.timer[2]  # as a thread has it that has just taken it from the queue
    child.kill()
    world.settle()
    is_due()
    world.settle()
    assert world.system.living == [parent._cell]


def test_a_wait_that_is_over_when_the_child_is_killed_does_not_shorten_the_next_one(world: World):
    """B1: both wait for a parent that is busy: first the child's end, and then the call of the timer."""
    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=10, max_s=60, jitter=0))
    child = spawn(parent, Recorder, spec=spec)
    child.tell(crash())
    world.settle()
    [record] = parent._cell.children._records.values()
    is_due = record.timer[2]
    child.kill()
    is_due()
    world.settle()
    assert [line.delay_s for line in parent._cell.children.history] == [10, 20]
    assert (world.system.living, world.dispatcher.pending_timers) == ([parent._cell], 1)
    world.advance(19.9)
    assert world.system.living == [parent._cell]
    world.advance(0.1)
    assert len(world.system.living) == 2


def test_a_child_that_is_killed_while_it_starts_is_not_taken_for_running(world: World):
    """S17, B2: its end is told before its start."""

    class Gives(Recorder):
        def on_start(self) -> None:
            self.actor_ref.kill()  # as another thread may at this moment

    parent = world.start(Parent)
    spawn(parent, Gives, spec=ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=10, max_s=10)))
    world.settle()
    [info] = parent._cell.children.describe()
    assert info.state == "restarting"


def test_what_a_parent_kills_for_good_stays_dead(world: World):
    """S3, H1: the parent's own time-out for a stop is no failure."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=PERMANENT)
    world.settle()
    child._cell._take_out_of_rest()
    parent.ask(lambda actor: actor.stop_child(child), timeout=0)
    world.advance(5.0)

    assert child._cell.exit_reason.kind == "killed"
    assert len(parent._cell.children) == 0
    assert parent.is_alive()


def test_a_parent_that_is_killed_with_a_restart_pending_begins_nobody_anew(world: World):
    """L6, H4: whoever comes first, nothing is left."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=PERMANENT)
    child.kill()
    parent.kill()
    world.settle()

    assert world.system.actor_count == 0
    assert world.dispatcher.pending_timers == 0


def test_a_hung_child_can_be_replaced_on_threads(system: System):
    """S3, H4: the use of it: an actor whose thread does not come back is killed, and another one does its work."""

    class Service(Blocker):
        pass

    supervisor: Any = system.start(Supervisor, [Child(id="service", actor_class=Service)])
    until(lambda: supervisor.child("service") is not None)
    hung = supervisor.child("service")
    future, let_go = block(hung)
    hung.kill("it hangs")
    until(lambda: supervisor.child("service") not in (None, hung))
    blocked, _ = supervisor.child("service").ask("events", timeout=DEADLINE_S)

    assert not blocked.is_set()
    with pytest.raises(ActorDead):
        future.get(timeout=DEADLINE_S)
    let_go.set()


# -- records


def test_each_restart_leaves_one_record(caplog: pytest.LogCaptureFixture):
    """S18: kept, handed to who wants to know, and in the log as a line that a person understands."""
    spec = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=2.0, max_s=8.0, jitter=0.0))
    stage = Stage("ab", "one_for_one", specs={"b": spec}).begin()
    seen: list[Any] = []
    end_it = stage.world.system.restarts.subscribe(seen.append)
    b = stage.child("b")
    b.tell(crash("bang"))
    b.tell("kept")
    b.tell("kept")
    stage.world.settle()

    [record] = stage.supervisor.restart_history()
    assert seen == [record]
    assert (record.supervisor, record.child, record.child_id) == ("Staged#1", repr(b._cell), "b")
    assert (record.attempt, record.max_restarts, record.within_s) == (1, 3, 5.0)
    assert (record.delay_s, record.kept, record.incarnation, record.others) == (2.0, 2, 1, 0)
    assert (record.kind, record.reason) == ("error", "error ValueError: bang")
    [line] = [entry.getMessage() for entry in caplog.records if entry.name == "relay_actors.supervision"]
    assert line == str(record)
    assert line == (
        f"restarting child={b._cell} id=b parent=Staged#1 reason=error ValueError: bang "
        "attempt=1 of=3 within_s=5 delay_s=2 kept=2 incarnation=1"
    )
    stage.world.advance(2.0)
    end_it()
    b.tell(crash("again"))
    stage.world.settle()
    assert len(seen) == 1


def test_the_history_is_bounded():
    """S18: a child that fails every second for a year must not fill the memory."""
    stage = Stage("a", "one_for_one", max_restarts=10_000).begin()
    for number in range(120):
        stage.child("a").tell(crash(str(number)))
    stage.world.settle()

    assert [record.reason.rpartition(" ")[2] for record in stage.supervisor.restart_history()] == [
        str(n) for n in range(70, 120)
    ]


def test_a_record_says_where_in_the_tree(world: World):
    """S18: with everybody above."""
    top = world.start(Parent)
    middle = spawn(top, DynamicSupervisor)
    child = middle.start_child(Recorder, spec=TRANSIENT)
    child.tell(crash())
    world.settle()

    [record] = middle.restart_history()
    assert record.supervisor == f"{top._cell}/{middle._cell}"


# -- what cannot start


def test_a_child_that_can_never_start_does_not_make_its_supervisor_unstoppable():
    """S7: without any pause between the attempts, the stop comes in between."""
    stage = Stage("ab", "one_for_one", max_restarts=10**9).begin()

    def never(actor: Any) -> None:
        stage.at_start["b"] = never
        raise OSError("never")

    stage.at_start["b"] = never
    stage.child("b").tell(crash())
    for _ in range(200):
        stage.world.dispatcher.step()
    assert len(stage.supervisor.restart_history()) > 20

    assert stage.supervisor.stop(timeout=0.0) is True
    assert stage.world.system.actor_count == 0


def test_a_failed_restart_counts_as_one_more():
    """S7: and exhausts the window like any other."""
    stage = Stage("ab", "one_for_one").begin()

    def never(actor: Any) -> None:
        stage.at_start["b"] = never
        raise OSError("never")

    stage.at_start["b"] = never
    stage.child("b").tell(crash())
    stage.world.settle()

    assert [record.kind for record in stage.supervisor.restart_history()] == [
        "error",
        "start_failed",
        "start_failed",
    ]
    assert stage.supervisor._cell.exit_reason.detail == "reached_max_intensity"
    assert isinstance(stage.supervisor._cell.exit_reason.cause, OSError)


def test_a_given_up_child_whose_last_hook_hangs_is_killed(world: World):
    """H3, L7: on_stop after a failure cannot hold its parent up for ever."""

    class Hangs(Recorder):
        def on_stop(self) -> None:
            self._cell.system.dispatcher.advance(10.0)  # type: ignore[attr-defined]  # it takes ten seconds

    log: list[Any] = []
    parent = world.start(Parent, log)
    child = spawn(parent, Hangs)
    child.tell(crash())
    world.settle()

    assert child._cell.exit_reason.kind == "killed"
    assert world.now == 10.0
    assert parent.is_alive()


def test_repeated_restarts_are_told_louder_in_groups_too(caplog: pytest.LogCaptureFixture):
    """B5."""
    stage = Stage("ab", max_restarts=100).begin()
    caplog.clear()
    for _ in range(6):
        stage.child("a").tell(crash())
        stage.world.settle()
    levels = [record.levelno for record in caplog.records if record.name == "relay_actors.supervision"]

    assert levels == [logging.WARNING] * 4 + [logging.ERROR] * 2


def test_an_error_that_cannot_say_what_it_is_fails_only_who_raised_it(world: World):
    """L8: the record of the restart is written in the parent's turn, from what the error says."""
    parent = world.start(Supervisor, [Child(id=name, actor_class=Recorder) for name in "ab"])
    parent.child("a").tell(fail(WordlessError()))
    world.settle()

    assert parent.is_alive()
    assert [parent.child(name).incarnation for name in "ab"] == [1, 0]
    assert [record.reason for record in parent.restart_history()] == ["error WordlessError: (its __str__ raises)"]


def test_a_plain_actor_with_children_may_have_a_strategy(world: World):
    """S4: what holds for supervisors holds for every parent, in the order in which it has started its children."""

    class Pair(Parent):
        strategy = "one_for_all"

    log: list[str] = []
    parent = world.start(Pair)
    first, second = (spawn(parent, Named, name, log, spec=PERMANENT) for name in "ab")
    world.settle()
    log.clear()
    second.tell(crash())
    world.settle()

    assert log == ["a stops", "a starts", "b is replaced", "b starts"]
    assert (first.incarnation, second.incarnation) == (1, 1)


@pytest.mark.parametrize(
    ("name", "value"), [("strategy", "all_for_one"), ("auto_shutdown", "sometimes"), ("strategy", None)]
)
def test_a_strategy_that_there_is_not_is_refused_when_the_class_is_made(name: str, value: object):
    """Early, and with the choices."""
    with pytest.raises(TypeError, match=rf"Wrong\.{name} must be one of .*one|Wrong\.{name} must be one of never"):
        type("Wrong", (Actor,), {name: value})
