"""Supervisors with a fixed list of children, and with children that come and go."""

import gc
import os
import threading
import weakref
from typing import Any

import pytest

from relay_actors.errors import ConfigError, StartFailed
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import Down
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.supervisor import Child, DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn


class Named(Recorder):
    """Writes its name in front of everything."""

    def __init__(self, name: str, log: list[Any], failures: list[str] | None = None) -> None:
        super().__init__(log)
        self.name = name
        self.failures = failures if failures is not None else []

    def on_start(self) -> None:
        if self.name in self.failures:
            self.failures.remove(self.name)
            raise OSError(f"{self.name} does not start")
        self.log_of.append(f"{self.name} starts")

    def on_stop(self) -> None:
        self.log_of.append(f"{self.name} stops")


def children(names: str, *args: Any, spec: ChildSpec | None = None) -> list[Child]:
    if spec is None:
        return [Child(id=name, actor_class=Named, args=(name, *args)) for name in names]
    return [Child(id=name, actor_class=Named, args=(name, *args), spec=spec) for name in names]


def test_children_start_in_order_and_stop_in_reverse(world: World):
    """S2, H1."""
    log: list[Any] = []
    supervisor = world.start(Supervisor, children("abc", log))
    supervisor.stop(timeout=1.0)

    assert log == [*(f"{name} starts" for name in "abc"), *(f"{name} stops" for name in "cba")]


def test_each_child_has_started_before_the_next_begins(system: System):
    """S2, on threads, with a child that has a thread of its own and takes its time."""
    log: list[str] = []
    let_go = threading.Event()

    class Slow(Actor):
        dispatcher = "pinned"

        def on_start(self) -> None:
            assert let_go.wait(DEADLINE_S)
            log.append("slow has started")

    class Quick(Actor):
        def on_start(self) -> None:
            log.append("quick has started")

    supervisor = system.start(Supervisor, [Child(id="slow", actor_class=Slow), Child(id="quick", actor_class=Quick)])
    other = system.start(Recorder)
    assert other.ask("runs meanwhile", timeout=DEADLINE_S) == "runs meanwhile"
    assert log == []
    let_go.set()
    assert supervisor.proxy().actor_urn.get(timeout=DEADLINE_S)

    assert log == ["slow has started", "quick has started"]


def test_a_child_that_does_not_start_takes_the_start_back(world: World):
    """S2: those before it are stopped in reverse, those behind it never begin, it is not tried again."""
    log: list[Any] = []
    watcher_log: list[Any] = []
    watcher = world.start(Recorder, watcher_log)
    supervisor = world.system.start(Supervisor, children("abcd", log, ["c"]))
    watcher.ask(lambda actor: actor.watch(supervisor), timeout=0)
    world.settle()

    assert log == ["a starts", "b starts", ("failure", "c does not start"), "c stops", "b stops", "a stops"]
    [down] = [entry for entry in watcher_log if isinstance(entry, Down)]
    assert isinstance(down.reason.cause, StartFailed)
    assert "'c'" in str(down.reason.cause)
    assert isinstance(down.reason.cause.__cause__, StartFailed)
    assert isinstance(down.reason.cause.__cause__.__cause__, OSError)
    assert world.system.actor_count == 1


def test_a_supervisor_whose_start_failed_is_started_again_by_its_own_parent(world: World):
    """S2, S8: one level up, by its restart type, and with all its children."""
    log: list[Any] = []
    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=10)
    supervisor = spawn(parent, Supervisor, children("ab", log, ["b"]), spec=spec)
    world.settle()

    assert supervisor.is_alive()
    assert supervisor.incarnation == 1
    assert log == ["a starts", ("failure", "b does not start"), "b stops", "a stops", "a starts", "b starts"]


@pytest.mark.parametrize("is_first_start", [True, False])
def test_a_start_that_failed_is_tried_again_where_children_are_kept_over_restarts(world: World, is_first_start: bool):
    """S2, S7: the failure has stopped those before, kept or not; so the next incarnation starts all of them."""

    class Crashes(Supervisor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

    log: list[Any] = []
    failures = ["c"] if is_first_start else []
    spec = ChildSpec(restart=Restart.PERMANENT, keep_children=True)
    supervisor: Any = spawn(world.start(Parent), Crashes, children("abc", log, failures), spec=spec)
    world.settle()
    if not is_first_start:
        supervisor.terminate_child("c")
        failures.append("c")
        supervisor.tell(crash())
        world.settle()

    assert supervisor.is_alive()
    assert log[-5:] == ["b stops", "a stops", "a starts", "b starts", "c starts"]
    assert [line.state for line in supervisor.which_children()] == ["running"] * 3


def test_a_nested_supervisor_has_started_its_children_before_its_sibling_begins(world: World):
    """S2 holds over levels."""
    log: list[Any] = []
    inner = Child(id="inner", actor_class=Supervisor, args=(children("ab", log),))
    supervisor = world.start(Supervisor, [inner, *children("c", log)])
    supervisor.stop(timeout=1.0)

    assert log == [*(f"{name} starts" for name in "abc"), *(f"{name} stops" for name in "cba")]


def test_a_child_is_restarted_in_place_and_the_others_do_not_notice(world: World):
    """One for one: by default every child is permanent."""
    log: list[Any] = []
    supervisor = world.start(Supervisor, children("abc", log))
    b = supervisor.proxy().child("b").get(timeout=0)
    log.clear()
    b.tell(crash())
    b.stop(block=False)
    world.settle()

    assert b.incarnation == 2
    assert log == [("failure", "crash"), ("pre_restart", "error"), "b starts", "b stops", "b starts"]


def test_children_are_found_by_their_id(world: World):
    """Also while one is being restarted; not when it has ended for good."""
    supervisor = world.start(Supervisor, children("ab", [], spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=0)))
    find = supervisor.proxy().child
    a, b = find("a").get(timeout=0), find("b").get(timeout=0)
    a.tell(crash())
    world.settle()

    assert find("a").get(timeout=0) is None
    assert find("b").get(timeout=0) == b
    assert find("nobody").get(timeout=0) is None


def test_too_many_restarts_stop_all_children_in_order(world: World):
    """S8: as in a shutdown, and then the supervisor."""
    log: list[Any] = []

    class Strict(Supervisor):
        max_restarts = 1
        within_s = 10.0

    supervisor = world.start(Strict, children("abc", log))
    b = supervisor.proxy().child("b").get(timeout=0)
    log.clear()
    b.tell(crash())
    b.tell(crash())
    world.settle()

    assert log[-2:] == ["c stops", "a stops"]
    assert supervisor._cell.exit_reason.detail == "reached_max_intensity"
    assert world.system.actor_count == 0


def test_two_children_with_one_id_are_refused():
    """One of them could not be found."""
    system = World(seed=0).system
    with pytest.raises(ConfigError, match="different ids"):
        system.start(Supervisor, children("aba", []))
    assert system.actor_count == 0


def test_a_dynamic_supervisor_is_given_children_from_any_thread(system: System):
    """S15: no ids, no order; the ref is good at once."""
    supervisor = system.start(DynamicSupervisor)
    refs = [system.start_child(supervisor, Recorder, spec=ChildSpec()) for _ in range(10)]

    assert [ref.ask(number, timeout=DEADLINE_S) for number, ref in enumerate(refs)] == list(range(10))
    assert all(ref._cell.parent is supervisor._cell for ref in refs)


# -- significant children


def significant(names: str, restart: Restart = Restart.TRANSIENT) -> list[Child]:
    """Children of whom those in capitals are significant."""
    return [
        Child(id=name, actor_class=Recorder, args=([],), spec=ChildSpec(restart=restart, significant=name.isupper()))
        for name in names
    ]


def with_auto_shutdown(auto_shutdown: str, **settings: Any) -> type[Supervisor]:
    return type("Ending", (Supervisor,), {"auto_shutdown": auto_shutdown, **settings})


def test_it_ends_with_the_first_significant_child(world: World):
    """S14: the others are stopped in order; the reason is an orderly one."""
    supervisor: Any = world.start(with_auto_shutdown("any_significant"), significant("aBcD"))
    supervisor.child("a").stop(block=False)
    world.settle()
    assert supervisor.is_alive()
    supervisor.child("B").stop(block=False)
    world.settle()

    assert not supervisor.is_alive()
    assert str(supervisor._cell.exit_reason) == "shutdown (auto_shutdown)"
    assert world.system.actor_count == 0


def test_it_ends_with_the_last_significant_child(world: World):
    """S14: the last one that lives, whoever of them that is."""
    supervisor: Any = world.start(with_auto_shutdown("all_significant"), significant("aBcD"))
    supervisor.child("D").stop(block=False)
    supervisor.child("a").stop(block=False)
    world.settle()
    assert supervisor.is_alive()
    supervisor.child("B").stop(block=False)
    world.settle()
    assert not supervisor.is_alive()


@pytest.mark.parametrize("restart", [Restart.TRANSIENT, Restart.TEMPORARY])
def test_a_significant_child_that_is_restarted_has_not_ended(world: World, restart: Restart):
    """S14: a transient one that crashes comes back; a temporary one has ended by that."""
    supervisor: Any = world.start(with_auto_shutdown("any_significant"), significant("A", restart))
    supervisor.child("A").tell(crash())
    world.settle()
    assert supervisor.is_alive() is (restart is Restart.TRANSIENT)


@pytest.mark.parametrize("how", ["given up", "stopped by directive", "killed"])
def test_a_significant_child_that_ends_badly_has_ended_by_itself(world: World, how: str):
    """S14: nobody has asked it to."""
    spec = ChildSpec(restart=Restart.TRANSIENT, significant=True, max_restarts=0, revive_killed=False)
    directives = {ValueError: "stop"} if how == "stopped by directive" else {}
    ending = with_auto_shutdown("all_significant", directives=directives)
    supervisor: Any = world.start(ending, [Child(id="a", actor_class=Recorder, args=([],), spec=spec)])
    supervisor.child("a").kill() if how == "killed" else supervisor.child("a").tell(crash())
    world.settle()
    assert str(supervisor._cell.exit_reason) == "shutdown (auto_shutdown)"


def test_what_somebody_has_asked_for_does_not_end_it(world: World):
    """S14: neither terminating a significant child, nor restarting its group, which takes temporary ones along."""
    spec = ChildSpec(restart=Restart.TEMPORARY, significant=True)
    both = [*significant("A"), Child(id="B", actor_class=Recorder, args=([],), spec=spec), *significant("c")]
    ending = with_auto_shutdown("any_significant", strategy="one_for_all")
    supervisor: Any = world.start(ending, both)
    supervisor.child("c").tell(crash())
    world.settle()
    assert [line.id for line in supervisor.which_children()] == ["A", "c"]
    supervisor.terminate_child("A")
    world.settle()
    assert supervisor.is_alive()


def test_a_supervisor_that_ended_with_its_work_is_restarted_only_if_it_is_permanent(world: World):
    """S14, S3: that end is in order."""
    for restart in Restart:
        inner = Child(
            id="inner",
            actor_class=with_auto_shutdown("any_significant"),
            args=(significant("A"),),
            spec=ChildSpec(restart=restart),
        )
        top: Any = world.start(Supervisor, [inner])
        top.child("inner").child("A").stop(block=False)
        world.settle()
        assert (top.child("inner") is not None) is (restart is Restart.PERMANENT)
        assert top.is_alive()


def test_a_significant_child_where_nobody_ends_is_refused_at_the_start(world: World):
    """S1: the start fails, and says what to mend."""
    supervisor = world.system.start(Supervisor, significant("aB"))
    world.settle()
    assert not supervisor.is_alive()
    assert "auto_shutdown = 'never'" in str(supervisor._cell.exit_reason.cause)
    assert world.system.actor_count == 0

    log: list[Any] = []
    dynamic: Any = world.start(DynamicSupervisor)
    watcher = world.start(Recorder, log)
    child = dynamic.start_child(Recorder, spec=ChildSpec(significant=True))
    watcher.ask(lambda actor: actor.watch(child), timeout=0)
    world.settle()
    [down] = [entry for entry in log if isinstance(entry, Down)]
    assert isinstance(down.reason.cause, ConfigError)
    assert dynamic.is_alive()


# -- the top


def test_an_order_is_nothing_for_children_that_come_and_go():
    """S15: refused when the class is made."""
    with pytest.raises(TypeError, match="derive it from Supervisor"):
        type("Wrong", (DynamicSupervisor,), {"strategy": "rest_for_one"})


def test_a_report_of_a_given_up_child_is_no_unexpected_message(world: World, caplog: pytest.LogCaptureFixture):
    """X6: a supervisor knows what it is; all else it does not expect."""
    supervisor: Any = world.start(DynamicSupervisor)
    supervisor.start_child(Recorder).tell(crash())
    world.settle()
    assert "Unexpected message" not in caplog.text
    supervisor.tell("what is this")
    world.settle()
    assert "Unexpected message" in caplog.text


def test_giving_up_goes_up_level_by_level_to_the_top(world: World):
    """S8, S9: each level as often as it may; the top ends with the reason, and everything below it is gone."""
    leaf = Child(id="leaf", actor_class=Recorder, args=([],))
    middle = Child(id="middle", actor_class=type("Middle", (Supervisor,), {"max_restarts": 2}), args=([leaf],))
    top: Any = world.start(type("Top", (Supervisor,), {"max_restarts": 1}), [middle])
    crashes = 0
    while top.is_alive():
        top.child("middle").child("leaf").tell(crash(f"number {crashes}"))
        crashes += 1
        world.settle()
        assert crashes < 20

    assert crashes == (2 + 1) * (1 + 1)  # each level gives up at one more than it allows
    assert top._cell.exit_reason.detail == "reached_max_intensity"
    assert str(top._cell.exit_reason.cause) == "number 5"
    assert world.system.actor_count == 0


# -- very many


def test_of_temporary_children_nothing_is_remembered(world: World):
    """S15: neither the arguments while they live, nor anything at all afterwards. ``CHILDREN=100000`` for more."""

    class Argument:
        """Something that can be watched while it is collected."""

    class Idle(Actor):
        def __init__(self, argument: Argument) -> None:
            super().__init__()

    supervisor: Any = world.start(DynamicSupervisor)
    arguments, refs = [], []
    number = int(os.environ.get("CHILDREN", "2000"))
    for _ in range(number):
        argument = Argument()
        arguments.append(weakref.ref(argument))
        refs.append(supervisor.start_child(Idle, argument, spec=ChildSpec()))
    del argument
    world.settle()
    assert [one for one in arguments if one() is not None] == []
    assert supervisor.count_children().running == number
    cells = [weakref.ref(ref._cell) for ref in refs]
    for ref in refs:
        ref.stop(block=False)
    world.settle()
    del ref
    refs.clear()
    gc.collect()

    assert supervisor.count_children().specs == 0
    assert [one for one in cells if one() is not None] == []
