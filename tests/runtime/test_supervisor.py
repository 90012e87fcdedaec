"""Supervisors with a fixed list of children, and with children that come and go."""

import threading
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
