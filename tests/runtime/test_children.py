"""Children: taken, restarted, given up, and stopped."""

import logging
import time
from typing import Any

import pytest

from relay_actors.errors import ActorDead, ParentStopping, TooManyChildren
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ChildFailed, Down
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.supervisor import DynamicSupervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn


@pytest.mark.parametrize(
    ("restart", "exit_kind", "comes_back"),
    [
        (Restart.PERMANENT, "normal", True),
        (Restart.PERMANENT, "error", True),
        (Restart.TRANSIENT, "normal", False),
        (Restart.TRANSIENT, "error", True),
        (Restart.TEMPORARY, "normal", False),
        (Restart.TEMPORARY, "error", False),
    ],
)
def test_the_restart_type_decides_who_comes_back(world: World, restart: Restart, exit_kind: str, comes_back: bool):
    """S3, told by what becomes of a real child."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=restart))
    child.tell(crash()) if exit_kind == "error" else child.stop(block=False)
    world.settle()

    assert child.is_alive() is comes_back
    assert child.incarnation == int(comes_back)
    assert (("ended", child, exit_kind) in log) is not comes_back


def test_a_failed_child_that_is_not_restarted_is_told_to_its_parent(world: World):
    """X6, L2: an action's crash does not crash its call; the message that did it is told with it."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    child, bomb = spawn(parent, Recorder), crash("bang")
    child.tell(bomb)
    world.settle()

    ended, told = log[-2:]
    assert ended == ("ended", child, "error")
    assert isinstance(told, ChildFailed)
    assert (told.ref, told.reason.kind, told.message) == (child, "error", bomb)
    assert parent.is_alive()


def test_everybody_hears_the_same_reason(world: World, caplog: pytest.LogCaptureFixture):
    """L5: parent, watchers and log; the very same object where there is one."""
    reasons: list[Any] = []

    class Hears(Parent):
        def on_child_ended(self, ref: Any, reason: Any) -> None:
            reasons.append(reason)

        def on_receive(self, message: Any) -> Any:
            if isinstance(message, ChildFailed | Down):
                reasons.append(message.reason)
                return None
            return super().on_receive(message)

    parent = world.start(Hears)
    child = spawn(parent, Recorder)
    parent.ask(lambda actor: actor.watch(child), timeout=0)
    child.tell(crash("the one reason"))
    world.settle()

    assert len(reasons) == 3
    assert all(reason is child._cell.exit_reason for reason in reasons)
    assert "error ValueError: the one reason" in caplog.text


def test_the_names_of_a_failed_child_are_free_when_its_parent_hears_of_it(world: World):
    """W4's meaning, for parents: the next operation may take the same id at once."""
    owners: list[Any] = []

    class Call(Parent):
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, ChildFailed):
                owners.append(self.system.find("control id"))
            return super().on_receive(message)

    child = spawn(world.start(Call), Recorder)
    child.ask(lambda actor: actor.register("control id"), timeout=0)
    child.tell(crash())
    world.settle()

    assert owners == [None]


def test_too_many_restarts_take_the_parent_down(world: World):
    """S8: all children are stopped, the parent ends with shutdown(reached_max_intensity)."""
    log: list[Any] = []
    parent = world.start(Parent)
    children = [spawn(parent, Recorder, log, spec=ChildSpec(restart=Restart.TRANSIENT)) for _ in range(3)]
    for child in children:
        child.tell(crash())
    world.settle()
    assert parent.is_alive()
    children[0].tell(crash())
    world.settle()

    assert not any(ref.is_alive() for ref in (parent, *children))
    assert (parent._cell.exit_reason.kind, parent._cell.exit_reason.detail) == ("shutdown", "reached_max_intensity")
    assert world.system.actor_count == 0


def test_a_first_start_is_told_only_to_a_parent_that_wants_to_know(world: World):
    """A call costs its supervisor no turn for it; after a failure it counts how long a child runs (B2)."""

    class Hears(Parent):
        def on_child_started(self, ref: Any) -> None:
            self.log_of.append(("started", ref))

    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()
    children = parent._cell.children
    assert not children.hears_of_start(child._cell)
    assert children._records[child._cell].running_since is None

    child.tell(crash())
    world.settle()
    assert children.hears_of_start(child._cell)
    assert children._records[child._cell].running_since is not None

    hearing = world.start(Hears)
    heard = spawn(hearing, Recorder)
    world.settle()
    assert ("started", heard) in hearing.ask(lambda actor: list(actor.log_of), timeout=0)


def test_the_start_of_a_child_that_ends_at_once_is_told_as_well(world: World):
    """Also when all of it happens inside its parent's turn, and nothing else follows from its end."""

    class Hears(Recorder):
        def on_child_started(self, ref: Any) -> None:
            self.log_of.append("child started")

    class EndsAtOnce(Recorder):
        def on_start(self) -> None:
            self.stop()

    log: list[Any] = []
    parent = world.start(Hears, log)
    parent.tell(lambda actor: actor.spawn_started(EndsAtOnce) and None)
    world.settle()
    assert log == ["start", "child started"]
    assert not len(parent._cell.children)


@pytest.mark.parametrize(("restart", "comes_back"), [(Restart.PERMANENT, True), (Restart.TRANSIENT, False)])
def test_the_grandparent_decides_about_a_parent_that_gave_up(world: World, restart: Restart, comes_back: bool):
    """S8: by that supervisor's restart type; reborn, it counts anew."""
    grandparent = world.start(Parent)
    parent = spawn(grandparent, Parent, spec=ChildSpec(restart=restart))

    def give_up() -> None:
        child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
        for _ in range(4):
            child.tell(crash())
            world.settle()
        assert not child.is_alive()

    give_up()
    assert parent.is_alive() is comes_back
    if comes_back:
        assert parent.incarnation == 1
        give_up()
        assert parent.incarnation == 2
    assert grandparent.is_alive()


def test_a_child_with_a_window_of_its_own_does_not_take_the_parent_down(world: World):
    """Its restarts are its own; when they are used up it ends alone, and the parent is told."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=2, within_s=10.0)
    child = spawn(parent, Recorder, spec=spec)
    for _ in range(3):
        child.tell(crash())
        world.advance(1.0)

    assert not child.is_alive()
    assert parent.is_alive()
    assert [entry.reason.kind for entry in log if isinstance(entry, ChildFailed)] == ["error"]


def test_failures_further_apart_than_the_window_go_on_for_ever(world: World):
    """S6, B4: the window slides."""
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=1, within_s=5.0)
    child = spawn(world.start(Parent), Recorder, spec=spec)
    for _ in range(20):
        child.tell(crash())
        world.advance(5.01)

    assert child.incarnation == 20


def test_restarts_wait_longer_and_longer(world: World):
    """B1, B2: doubling to the maximum; a child that ran long enough begins anew."""
    backoff = Backoff(min_s=1.0, max_s=4.0, jitter=0.0, reset_after_s=60.0)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=100, backoff=backoff)
    child = spawn(world.start(Parent), Recorder, spec=spec)
    delays = []
    for pause in (0.0, 0.0, 0.0, 0.0, 60.0, 0.0):
        world.advance(pause)
        child.tell(crash())
        world.settle()
        before, incarnation = world.now, child.incarnation
        while child.incarnation == incarnation:
            world.advance(0.5)
        delays.append(world.now - before)

    assert delays == [1.0, 2.0, 4.0, 4.0, 1.0, 2.0]


def test_a_start_that_fails_does_not_count_as_having_run(world: World):
    """B2: otherwise a child that ran for long and then cannot start would be tried without a pause, for ever."""
    failing: list[bool] = []
    starts: list[float] = []

    class Fragile(Actor):
        def on_start(self) -> None:
            starts.append(world.now)
            if failing:
                raise OSError("no")

        def on_receive(self, message: Any) -> Any:
            raise OSError("no")

    backoff = Backoff(min_s=1.0, max_s=64.0, jitter=0.0, reset_after_s=10.0)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=100, within_s=1.0, backoff=backoff)
    child = spawn(world.start(Parent), Fragile, spec=spec)
    world.advance(100.0)
    failing.append(True)
    child.tell("fail")
    world.advance(64.0)

    assert starts == [0.0, 101.0, 103.0, 107.0, 115.0, 131.0, 163.0]


def test_siblings_run_while_one_waits(world: World):
    """B3: the time is not spent inside the supervisor, and a stop cancels what is pending."""
    log: list[Any] = []
    parent = world.start(Parent)
    slow = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=60, max_s=60)))
    quick = spawn(parent, Recorder, log, spec=ChildSpec(restart=Restart.TRANSIENT))
    slow.tell(crash())
    quick.tell(crash())
    quick.tell("a")
    world.settle()

    assert log[-2:] == ["start", "a"]
    assert slow.incarnation == 0
    parent.ask(lambda actor: actor.stop_child(slow), timeout=0)
    world.settle()
    assert not slow.is_alive()
    assert world.dispatcher.pending_timers == 0


def test_repeated_failures_are_told_louder(world: World, caplog: pytest.LogCaptureFixture):
    """B5: the fifth in a row is an error; one that ran well in between begins anew."""
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=100, within_s=5.0)
    child = spawn(world.start(Parent), Recorder, spec=spec)

    def levels_of(failures: int) -> list[int]:
        caplog.clear()
        for _ in range(failures):
            child.tell(crash())
            world.settle()
        return [record.levelno for record in caplog.records if record.name == "relay_actors.supervision"]

    assert levels_of(5) == [logging.WARNING] * 4 + [logging.ERROR]
    world.advance(5.01)
    assert levels_of(1) == [logging.WARNING]


def test_a_child_that_is_stopped_is_not_restarted(world: World):
    """Whatever its restart type: the parent has asked for it."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT))
    child.tell("a")
    parent.ask(lambda actor: actor.stop_child(child, "enough"), timeout=0)
    world.settle()

    assert not child.is_alive()
    assert str(child._cell.exit_reason) == "shutdown (enough)"


def test_ten_thousand_children_stop_together(system: System):
    """H2: in parallel, with less than a second of the processor's time, however busy it is otherwise."""
    parent = system.start(DynamicSupervisor)
    for _ in range(10_000):
        system.start_child(parent, Echo, spec=ChildSpec())
    parent.proxy().actor_urn.get(timeout=DEADLINE_S)
    assert system.actor_count == 10_001
    before = time.process_time()
    assert parent.stop(timeout=2 * DEADLINE_S) is True

    assert time.process_time() - before < 1.0
    assert system.actor_count == 0


def test_children_in_order_stop_last_first_one_after_the_other(world: World):
    """H1: each only when the next one has ended."""
    log: list[Any] = []

    class Ordered(Parent):
        stops_in_order = True

    class Child(Recorder):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_stop(self) -> None:
            log.append((self.name, self.system.actor_count))  # type: ignore[attr-defined]

    parent = world.start(Ordered)
    for name in "abcd":
        spawn(parent, Child, name)
    world.settle()
    parent.stop(timeout=1.0)

    assert log == [("d", 5), ("c", 4), ("b", 3), ("a", 2)]


def test_a_child_in_the_middle_that_ends_by_itself_does_not_disturb_the_order(world: World):
    """H1: nor is one that was asked before asked twice."""
    log: list[Any] = []

    class Ordered(Parent):
        stops_in_order = True

    class Child(Recorder):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_stop(self) -> None:
            log.append(self.name)

    parent = world.start(Ordered)
    _first, second, _third, fourth = (spawn(parent, Child, name) for name in "abcd")
    world.settle()

    def stop_fourth(actor: Any) -> None:
        actor.stop_child(fourth)
        second.stop(block=False, now=True)
        actor._cell.begin_stop(actor._cell.exit_reason)

    parent.tell(stop_fourth)
    world.settle()
    assert sorted(log) == list("abcd")
    assert log.index("c") > log.index("d")
    assert log[-1] == "a"
    assert not parent.is_alive()


def test_a_child_that_fails_while_its_parent_stops_does_not_come_back(world: World):
    """H1: it has not been asked to stop yet, and fails first: it is given up, and nothing waits for it."""
    log: list[Any] = []

    class Ordered(Parent):
        stops_in_order = True

    parent = world.start(Ordered)
    first = spawn(parent, Recorder, log, spec=ChildSpec(restart=Restart.PERMANENT))
    last = spawn(parent, Recorder)
    world.settle()
    last._cell._take_out_of_rest()  # as if it were in a turn that takes long
    stopped = parent.stop(block=False)
    world.settle()
    first.tell(crash())
    world.settle()
    assert (first.is_alive(), first.incarnation) == (False, 0)
    last._cell._rest, last._cell.is_resting = None, True
    last._cell.wake()
    world.settle()

    assert stopped.get(timeout=0) is True
    assert log == ["start", ("failure", "crash"), "stop"]


def test_children_that_do_not_stop_are_reported_once_per_reason(world: World, caplog: pytest.LogCaptureFixture):
    """H2: one line that says how many, and not a line for each."""
    parent = world.start(DynamicSupervisor)
    children = [world.system.start_child(parent, Recorder, spec=ChildSpec(shutdown_s=2.0)) for _ in range(30)]
    children += [world.system.start_child(parent, Recorder, spec=ChildSpec(shutdown_s=3.0)) for _ in range(20)]
    world.settle()
    for child in children:
        child._cell._take_out_of_rest()  # as if it were in the middle of a turn that does not come back
    caplog.clear()
    parent.stop(timeout=10.0)

    assert world.now == 3.0
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 2
    assert "children=30" in errors[0]
    assert "within 2 s" in errors[0]
    assert "children=20" in errors[1]


def test_a_supervisor_may_take_as_long_as_its_children_do(world: World):
    """H1: five seconds for an actor; a supervisor of many has no limit of its own."""
    log: list[Any] = []
    top = world.start(Parent, log)
    supervisor = spawn(top, DynamicSupervisor)
    actor = spawn(top, Recorder)
    child = world.system.start_child(supervisor, Recorder, spec=ChildSpec(shutdown_s=60.0))
    world.settle()
    for ref in (actor, child):
        ref._cell._take_out_of_rest()
    stopped = top.stop(block=False)
    world.advance(5.0)
    assert [ref.is_alive() for ref in (actor, supervisor)] == [False, False]
    assert supervisor._cell in world.system.living
    assert actor._cell not in world.system.living
    world.advance(55.0)

    assert stopped.get(timeout=0) is True
    assert (child._cell.exit_reason.kind, supervisor._cell.exit_reason.kind) == ("killed", "shutdown")


# -- taking children


def test_a_stopping_parent_takes_no_children(world: World):
    """L9: refused in its own turn, with the constructor not even called."""
    made: list[Any] = []

    class Child(Actor):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    class Late(Recorder):
        def on_stop(self) -> None:
            try:
                self.spawn(Child)
            except ParentStopping as error:
                self.log_of.append(error)

    log: list[Any] = []
    parent = world.start(Late, log)
    parent.stop(timeout=0)

    assert isinstance(log[-1], ParentStopping)
    assert made == []
    assert world.system.actor_count == 0


def test_a_child_for_a_parent_that_has_ended_ends_before_it_began(world: World):
    """L9, A5: no orphan; its asks are answered, its keys free, its watchers told why."""
    parent = world.start(DynamicSupervisor)
    parent.stop(timeout=0)
    log: list[Any] = []
    watcher = world.start(Recorder, log)
    child = world.system.start_child(parent, Recorder, spec=ChildSpec(), keys=("name",))
    watcher.ask(lambda actor: actor.watch(child), timeout=0)
    world.settle()

    with pytest.raises(ActorDead):
        child.ask("a", timeout=0)
    [down] = [entry for entry in log if isinstance(entry, Down)]
    assert isinstance(down.reason.cause, ParentStopping)
    assert world.system.find("name") is None


@pytest.mark.parametrize("how", ["stop now", "kill"])
def test_a_child_that_ends_before_its_parent_has_taken_it_holds_nothing_up(world: World, how: str):
    """Its parent hears of it afterwards, and must not wait for an end that was before."""
    parent = world.start(DynamicSupervisor)
    child = world.system.start_child(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT))
    if how == "kill":
        child._cell.kill("by the test")
    else:
        child.stop(block=False, now=True)
        child._cell.run_now()
    assert not child.is_alive()
    world.settle()

    assert parent.stop(timeout=1.0) is True
    assert world.now < 1.0


def test_a_child_that_arrives_between_two_incarnations_waits_for_the_next(world: World):
    """It must neither be lost with the old children nor keep the restart from going on."""
    log: list[Any] = []
    spec = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=1, max_s=1))
    supervisor = spawn(world.start(Parent), Parent, spec=spec)
    old = spawn(supervisor, Recorder)
    supervisor.tell(crash())
    world.settle()
    child = world.system.start_child(supervisor, Recorder, log, spec=ChildSpec())
    child.tell("a")
    world.settle()
    assert log == []

    world.advance(1.0)
    assert log == ["start", "a"]
    assert not old.is_alive()
    assert child.is_alive()


def test_a_child_that_waits_for_a_parent_that_never_comes_back_is_refused(world: World):
    """L9, H1: whether that parent is stopped, killed or given up."""
    for end in ("stop", "kill"):
        grandparent = world.start(Parent)
        spec = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=60, max_s=60))
        supervisor = spawn(grandparent, Parent, spec=spec)
        supervisor.tell(crash())
        world.settle()
        child = world.system.start_child(supervisor, Recorder, spec=ChildSpec())
        asked = child.ask("a", block=False)
        world.settle()
        if end == "stop":
            grandparent.stop(timeout=1.0)
        else:
            supervisor._cell.kill("by the test")
        world.settle()

        assert not child.is_alive()
        with pytest.raises(ActorDead):
            asked.get(timeout=0)


def test_more_children_than_allowed_are_refused(world: World):
    """S15: those that wait for a restart count; the outcome is clear, for the parent as for everybody else."""

    class Few(DynamicSupervisor):
        max_children = 2

        def on_receive(self, message: Any) -> Any:
            return self.spawn(Recorder)

    supervisor = world.start(Few)
    spec = ChildSpec(restart=Restart.TRANSIENT, backoff=Backoff(min_s=1, max_s=1))
    first = world.system.start_child(supervisor, Recorder, spec=spec)
    second = world.system.start_child(supervisor, Recorder, spec=spec)
    first.tell(crash())
    world.settle()
    third = world.system.start_child(supervisor, Recorder, spec=spec)
    asked = third.ask("a", block=False)
    world.settle()

    assert isinstance(third._cell.exit_reason.cause, TooManyChildren)
    with pytest.raises(ActorDead):
        asked.get(timeout=0)
    with pytest.raises(TooManyChildren):
        supervisor.ask("spawn", timeout=0)
    second.stop(timeout=1.0)
    world.settle()
    assert supervisor.ask("spawn", timeout=0).is_alive()


def test_a_constructor_that_raises_in_spawn_is_the_parents_error(world: World):
    """L1: nothing is left, and the parent may handle it."""

    class Broken(Actor):
        def __init__(self) -> None:
            raise OSError("broken")

    parent = world.start(Parent)
    with pytest.raises(OSError, match="broken"):
        parent.ask(lambda actor: actor.spawn(Broken), timeout=0)

    assert world.system.actor_count == 1
    assert parent.stop(timeout=0) is True


def test_a_constructor_that_raises_in_start_child_harms_nobody_else(world: World):
    """The caller is in another part of the application: it gets a ref, and those who watch are told."""

    class Broken(Actor):
        def __init__(self) -> None:
            raise OSError("broken")

    log: list[Any] = []
    supervisor = world.start(Parent, log)
    child = world.system.start_child(supervisor, Broken, spec=ChildSpec())
    world.settle()

    assert not child.is_alive()
    assert [entry.reason.kind for entry in log if isinstance(entry, ChildFailed)] == ["start_failed"]
