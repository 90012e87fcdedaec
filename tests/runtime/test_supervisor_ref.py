"""What a supervisor is asked about its children, and told to do with one."""

from typing import Any

import pytest

from relay_actors.errors import ActorDead, ChildStateError, NameTaken, StartFailed, WouldDeadlock
from relay_actors.runtime.child_record import Child, ChildCounts
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import WaitTimeout
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.supervisor import DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Recorder, World, crash, until

SLOW = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=10.0, max_s=10.0))
TRANSIENT = ChildSpec(restart=Restart.TRANSIENT)


class Fragile(Recorder):
    """Does not start as long as there is something in ``failures``."""

    def __init__(self, failures: list[str]) -> None:
        super().__init__([])
        self.failures = failures

    def on_start(self) -> None:
        if self.failures:
            raise OSError(self.failures.pop())


def start(world: World, **children: ChildSpec) -> Any:
    return world.start(
        Supervisor, [Child(id=name, actor_class=Recorder, args=([],), spec=spec) for name, spec in children.items()]
    )


def states(supervisor: Any) -> dict[Any, str]:
    return {line.id: line.state.value for line in supervisor.which_children()}


def test_each_child_is_in_one_of_four_states(world: World):
    """S17: running, restarting, stopped, not found; in the order in which they are started."""
    supervisor = start(world, a=SLOW, b=TRANSIENT, c=TRANSIENT)
    supervisor.child("a").tell(crash())
    supervisor.child("b").stop(block=False)
    world.settle()

    assert states(supervisor) == {"a": "restarting", "b": "stopped", "c": "running"}
    assert list(states(supervisor)) == ["a", "b", "c"]
    assert [supervisor.state_of(name) for name in "abcd"] == ["restarting", "stopped", "running", "not_found"]
    assert supervisor.count_children() == ChildCounts(specs=3, running=1, restarting=1, stopped=1)
    lines = supervisor.which_children()
    assert [line.ref for line in lines] == [supervisor.child("a"), None, supervisor.child("c")]
    assert [line.spec for line in lines] == [SLOW, TRANSIENT, TRANSIENT]
    assert {line.actor_class for line in lines} == {Recorder}


def test_a_terminated_child_is_gone_when_the_call_returns_and_can_be_started_again(world: World):
    """S17: whatever its restart type; it comes back as a new actor, in its old place."""
    supervisor = start(world, a=SLOW, b=SLOW, c=SLOW)
    old = supervisor.child("b")
    supervisor.terminate_child("b")
    assert not old.is_alive()
    assert supervisor.state_of("b") == "stopped"
    supervisor.terminate_child("b")  # it is what is wanted already
    fresh = supervisor.restart_child("b")

    assert fresh == supervisor.child("b") != old
    assert fresh.ask("a", timeout=0) == "a"
    assert list(states(supervisor)) == ["a", "b", "c"]
    assert [cell.ref for cell in supervisor._cell.children] == [supervisor.child(name) for name in "abc"]
    assert len(supervisor.restart_history()) == 0


def test_a_child_that_waits_for_its_restart_can_be_terminated(world: World):
    """S17, B3: also one that was killed."""
    supervisor = start(world, a=SLOW, b=SLOW)
    supervisor.child("a").tell(crash())
    supervisor.child("b").kill()
    world.settle()
    assert states(supervisor) == {"a": "restarting", "b": "restarting"}
    supervisor.terminate_child("a")
    supervisor.terminate_child("b")

    assert states(supervisor) == {"a": "stopped", "b": "stopped"}
    assert world.dispatcher.pending_timers == 0
    assert supervisor.restart_child("b").is_alive()


def test_a_temporary_child_leaves_no_trace(world: World):
    """S3, S17: once it has ended it is not found."""
    supervisor = start(world, a=ChildSpec(), b=SLOW)
    supervisor.terminate_child("a")

    assert states(supervisor) == {"b": "running"}
    with pytest.raises(ChildStateError, match="has no child 'a'"):
        supervisor.restart_child("a")


def test_a_deleted_child_is_forgotten(world: World):
    """S17: only one that is stopped."""
    supervisor = start(world, a=SLOW, b=SLOW)
    supervisor.terminate_child("a")
    supervisor.delete_child("a")

    assert states(supervisor) == {"b": "running"}
    assert supervisor.state_of("a") == "not_found"


@pytest.mark.parametrize(
    ("method", "name", "state", "says"),
    [
        ("terminate_child", "nobody", "not_found", "has no child 'nobody'"),
        ("restart_child", "nobody", "not_found", "has no child 'nobody'"),
        ("delete_child", "nobody", "not_found", "has no child 'nobody'"),
        ("restart_child", "runs", "running", "only when it is stopped"),
        ("delete_child", "runs", "running", "terminate it before"),
        ("restart_child", "restarts", "restarting", "only when it is stopped"),
        ("delete_child", "restarts", "restarting", "terminate it before"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_state(world: World, method: str, name: str, state: str, says: str):
    """S17: the supervisor is not harmed."""
    supervisor = start(world, runs=SLOW, restarts=SLOW)
    supervisor.child("restarts").tell(crash())
    world.settle()
    with pytest.raises(ChildStateError, match=says) as raised:
        getattr(supervisor, method)(name)

    assert raised.value.state == state
    assert (supervisor.is_alive(), supervisor.incarnation) == (True, 0)


def test_a_child_that_does_not_start_by_hand_stays_stopped(world: World):
    """S17, S2: who asked is told why; nothing is tried again, nothing is counted."""
    failures: list[str] = []
    supervisor: Any = world.start(Supervisor, [Child(id="a", actor_class=Fragile, args=(failures,))])
    supervisor.terminate_child("a")
    failures.append("not today")
    with pytest.raises(StartFailed, match="not today") as raised:
        supervisor.restart_child("a")
    world.settle()

    assert isinstance(raised.value.__cause__, StartFailed)
    assert isinstance(raised.value.__cause__.__cause__, OSError)
    assert states(supervisor) == {"a": "stopped"}
    assert supervisor.restart_history() == []
    assert supervisor.restart_child("a").is_alive()


def test_a_child_that_exits_in_its_constructor_takes_neither_supervisor_nor_caller_along(world: World):
    """L8, S17: it has not started, as one that raises anything else."""
    exits: list[None] = []

    class Exits(Recorder):
        def __init__(self) -> None:
            super().__init__()
            if exits:
                raise SystemExit(3)

    children = [Child(id="a", actor_class=Recorder), Child(id="b", actor_class=Exits)]
    supervisor: Any = world.start(Supervisor, children)
    supervisor.terminate_child("b")
    exits.append(None)
    with pytest.raises(StartFailed, match="could not start its child 'b': 3") as raised:
        supervisor.restart_child("b")

    assert isinstance(raised.value.__cause__, SystemExit)
    assert states(supervisor) == {"a": "running", "b": "stopped"}
    other: Any = world.start(Supervisor, children)
    assert isinstance(other._cell.exit_reason.cause, StartFailed)


def test_a_child_for_which_its_supervisor_waits_cannot_have_it_do_something(system: System):
    """A8: neither would ever go on; who asks is told at once, and nothing is done then."""

    class Asks(Supervisor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

    def terminate(_actor: Any) -> None:
        supervisor.terminate_child("b", timeout=None)

    supervisor: Any = system.start(Asks, [Child(id=name, actor_class=Recorder) for name in "ab"])
    with pytest.raises(WouldDeadlock, match=r"Recorder#\d+ would wait for itself"):
        supervisor.ask(lambda actor: actor.child("a").ask(terminate, timeout=DEADLINE_S), timeout=DEADLINE_S)

    assert supervisor.ask(lambda actor: len(actor._cell.children), timeout=DEADLINE_S) == 2
    assert states(supervisor) == {"a": "running", "b": "running"}


def test_a_group_leaves_alone_who_was_stopped_by_hand(world: World):
    """S4, S17: what somebody has stopped stays stopped."""
    supervisor: Any = world.start(
        type("All", (Supervisor,), {"strategy": "one_for_all"}),
        [Child(id=name, actor_class=Recorder, args=([],)) for name in "abc"],
    )
    supervisor.terminate_child("b")
    supervisor.child("a").tell(crash())
    world.settle()

    assert states(supervisor) == {"a": "running", "b": "stopped", "c": "running"}
    assert supervisor.child("c").incarnation == 1


def test_a_supervisor_that_is_restarted_forgets_what_was_stopped(world: World):
    """S8: it begins as it was defined."""
    top: Any = world.start(Supervisor, [
        Child(id="inner", actor_class=Supervisor, args=([Child(id=n, actor_class=Recorder, args=([],)) for n in "ab"],))
    ])  # fmt: skip
    inner = top.child("inner")
    inner.terminate_child("a")
    inner.stop(block=False)
    world.settle()

    assert inner.incarnation == 1
    assert states(inner) == {"a": "running", "b": "running"}


def test_children_that_survive_their_supervisors_restart_are_not_started_twice(world: World):
    """X8: where the spec says that they are kept."""
    inner = Child(
        id="inner",
        actor_class=Supervisor,
        args=([Child(id="a", actor_class=Recorder, args=([],))],),
        spec=ChildSpec(restart=Restart.PERMANENT, keep_children=True),
    )
    top: Any = world.start(Supervisor, [inner])
    a = top.child("inner").child("a")
    top.child("inner").stop(block=False)
    world.settle()

    assert top.child("inner").incarnation == 1
    assert (top.child("inner").child("a"), a.incarnation, world.system.actor_count) == (a, 0, 3)


def test_a_dynamic_supervisor_knows_its_children_by_their_refs(world: World):
    """S15, S17: no ids."""
    supervisor: Any = world.start(DynamicSupervisor)
    first, second = (supervisor.start_child(Recorder, spec=SLOW) for _ in range(2))
    world.settle()
    assert [(line.id, line.ref, line.state) for line in supervisor.which_children()] == [
        (None, first, "running"),
        (None, second, "running"),
    ]
    supervisor.terminate_child(first)

    assert (first.is_alive(), second.is_alive()) == (False, True)
    assert supervisor.count_children() == ChildCounts(specs=1, running=1, restarting=0, stopped=0)
    with pytest.raises(ChildStateError, match="has no child"):
        supervisor.terminate_child(first)
    with pytest.raises(ChildStateError, match="has no child"):
        supervisor.terminate_child(world.start(Recorder))
    assert supervisor.child("a") is None


def test_a_child_is_found_by_its_keys_at_once(world: World):
    """R1: or the caller is told who is."""
    supervisor: Any = world.start(DynamicSupervisor)
    ref = supervisor.start_child(Recorder, keys=("name",))
    assert world.system.find("name") == ref
    with pytest.raises(NameTaken):
        supervisor.start_child(Recorder, keys=("name",))


def test_a_supervisor_without_children_has_nothing_to_say(world: World):
    """S17."""
    supervisor: Any = world.start(DynamicSupervisor)
    assert supervisor.which_children() == []
    assert supervisor.restart_history() == []
    assert supervisor.count_children() == ChildCounts(specs=0, running=0, restarting=0, stopped=0)
    assert supervisor.state_of("a") == "not_found"
    with pytest.raises(ChildStateError):
        supervisor.terminate_child("a")


def test_waiting_for_the_end_of_a_child_has_a_limit(world: World):
    """S17: the outcome is unknown then, and the stop goes on."""
    supervisor = start(world, a=ChildSpec(restart=Restart.PERMANENT, shutdown_s=20.0))
    a = supervisor.child("a")
    a._cell._take_out_of_rest()  # as if it were in a long turn
    with pytest.raises(WaitTimeout):
        supervisor.terminate_child("a", timeout=1.0)
    world.advance(20.0)

    assert not a.is_alive()
    assert supervisor.state_of("a") == "stopped"


@pytest.mark.parametrize("how", ["stops", "is killed", "has ended"])
def test_who_waits_for_a_supervisor_that_ends_is_told(world: World, how: str):
    """A5, S17: no request is left without an outcome."""
    supervisor = start(world, a=ChildSpec(restart=Restart.PERMANENT, shutdown_s=2.0))
    if how == "has ended":
        supervisor.stop(timeout=1.0)
        with pytest.raises(ActorDead):
            supervisor.restart_child("a")
        return
    supervisor.child("a")._cell._take_out_of_rest()
    log: list[Any] = []
    asker = world.start(Recorder, log)

    def ask(_actor: Any) -> None:
        supervisor.terminate_child("a", timeout=30.0)
        log.append("it has ended")

    asker.tell(ask)
    asker.tell("after it")
    ending = supervisor.stop if how == "stops" else lambda **_: supervisor.kill()
    world.dispatcher.call_at(0.5, lambda: ending(block=False))
    world.advance(3.0)

    assert log == ["start", "it has ended", "after it"]


def test_a_supervisor_does_not_wait_for_itself(world: World):
    """A8: it has methods of its own for this, which do not wait."""

    class Own(Supervisor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

    supervisor: Any = world.start(Own, [Child(id="a", actor_class=Recorder, args=([],))])
    with pytest.raises(WouldDeadlock, match="call the method on self"):
        supervisor.ask(lambda actor: actor.actor_ref.terminate_child("a"), timeout=0)
    supervisor.ask(lambda actor: actor.terminate_child("a"), timeout=0)
    world.settle()
    assert supervisor.state_of("a") == "stopped"
    assert supervisor.ask(lambda actor: actor.restart_child("a"), timeout=0) == supervisor.child("a")


def test_from_any_thread(system: System):
    """S17: on real threads, in the order in which one thread asks."""
    supervisor: Any = system.start(Supervisor, [Child(id=n, actor_class=Recorder, args=([],)) for n in "abc"])
    until(lambda: supervisor.count_children().running == 3)
    for _ in range(20):
        supervisor.terminate_child("b", timeout=DEADLINE_S)
        assert supervisor.state_of("b") == "stopped"
        assert supervisor.restart_child("b", timeout=DEADLINE_S).ask("?", timeout=DEADLINE_S) == "?"
    assert supervisor.count_children().running == 3
