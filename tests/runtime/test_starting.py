"""How an actor comes to life, and the last thing that it hears: what is promised to those around it."""

import threading
from typing import Any, get_args

import pytest

from relay_actors.errors import ActorDead, ConfigError, StartFailed, StartTimeout
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ActorEnded, ActorStarted, ChildFailed, Down, ExitKind, ExitReason
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.strategies import Strategy
from relay_actors.runtime.supervisor import Child, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, WordlessError, World, crash, spawn, until


class Broken(Actor):
    """Cannot start."""

    def on_start(self) -> None:
        raise OSError("not today")


class Slow(Actor):
    """Starts when it is let go."""

    def __init__(self, let_go: threading.Event) -> None:
        super().__init__()
        self.let_go = let_go
        self.has_started = False

    def on_start(self) -> None:
        assert self.let_go.wait(DEADLINE_S)
        self.has_started = True

    def on_receive(self, message: Any) -> Any:
        return self.has_started


# -- waiting for a start


def test_who_waits_for_a_start_gets_an_actor_that_has_started(system: System):
    """L2: from outside, on threads."""
    let_go = threading.Event()
    threading.Timer(0.02, let_go.set).start()
    ref = system.start_within(DEADLINE_S, Slow, let_go)

    actor: Any = ref._cell.actor
    assert actor.has_started


def test_who_waits_is_told_why_it_failed(system: System):
    """L2: with the cause, and nothing is left."""
    with pytest.raises(StartFailed, match="not today") as raised:
        system.start_within(DEADLINE_S, Broken)

    assert isinstance(raised.value.__cause__, OSError)
    until(lambda: system.actor_count == 0)


def test_who_has_waited_long_enough_is_told_and_the_actor_is_killed(system: System):
    """L2: as in OTP, a start that comes too late would belong to nobody."""
    let_go = threading.Event()
    with pytest.raises(StartTimeout, match=r"did not start within 0\.02 s"):
        system.start_within(0.02, Slow, let_go)
    assert system.actor_count == 0
    let_go.set()


def test_a_constructor_that_raises_is_told_as_it_is(system: System):
    """L1, L2: whether somebody waits or not."""

    class NoSuch(Actor):
        def __init__(self) -> None:
            raise LookupError("no")

    with pytest.raises(LookupError):
        system.start_within(DEADLINE_S, NoSuch)
    assert system.actor_count == 0


@pytest.mark.parametrize("timeout_s", [0, -1, True, "5", None])
def test_how_long_must_be_said_in_seconds(system: System, timeout_s: Any):
    """L2: before anything is started."""
    with pytest.raises(ConfigError, match="seconds above 0"):
        system.start_within(timeout_s, Echo)
    assert system.actor_count == 0


def test_an_actor_that_is_killed_while_it_starts_is_a_failed_start(world: World):
    """L2: no outcome leaves the waiter waiting."""

    class Killed(Actor):
        def on_start(self) -> None:
            self.actor_ref.kill("by itself")  # type: ignore[attr-defined]

    with pytest.raises(StartFailed, match="by itself"):
        world.system.start_within(1.0, Killed)


def test_nobody_hears_of_the_start_of_an_actor_that_was_killed_meanwhile(world: World):
    """H4: what it does after its end has no effect, and no observer sees it come to life then."""
    log: list[Any] = []

    class Killed(Actor):
        def on_start(self) -> None:
            self.actor_ref.kill("by itself")  # type: ignore[attr-defined]

    world.system.events.subscribe(world.start(Recorder, log), ActorStarted, ActorEnded)
    world.start(Recorder)
    world.start(Killed)
    assert [type(event) for event in log if event != "start"] == [ActorStarted, ActorEnded]


def test_a_start_does_not_mind_a_parent_that_is_just_dropping_its_children(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """L6, H4: a parent that has ended keeps none, and the child may only have come this far."""
    log: list[Any] = []
    parent = world.start(Parent)
    slot: Any = Cell.__dict__["children"]
    is_dropping: list[bool] = []

    class Dropped:
        def __get__(self, cell: Any, _owner: Any = None) -> Any:
            children = slot.__get__(cell)
            if cell is parent._cell and is_dropping:
                return children if is_dropping.pop() else None
            return children

        def __set__(self, cell: Any, children: Any) -> None:
            slot.__set__(cell, children)

    class Starts(Recorder):
        def on_start(self) -> None:
            is_dropping[:] = [False, True]
            super().on_start()

    monkeypatch.setattr(Cell, "children", Dropped())
    parent.tell(lambda actor: actor.spawn(Starts, log))
    world.settle()
    is_dropping.clear()
    assert log == ["start"]


def test_starting_by_the_class_can_wait_too():
    """L2: ``MyActor.start(wait=…)``; a constructor that has a ``wait`` of its own gets it, as it always did."""

    class Waits(Actor):
        def __init__(self, wait: float) -> None:
            super().__init__()
            self.wait = wait

    with pytest.raises(StartFailed, match="not today"):
        Broken.start(wait=DEADLINE_S)
    let_go = threading.Event()
    with pytest.raises(StartTimeout):
        Slow.start(let_go, wait=0.01)
    let_go.set()
    ref = Echo.start(wait=DEADLINE_S)
    assert ref.ask("a", timeout=DEADLINE_S) == "a"
    own = Waits.start(wait=7.0)
    assert own.proxy().wait.get(timeout=DEADLINE_S) == 7.0
    nobody = Echo.start(wait=None)
    for started in (ref, own, nobody):
        started.stop(timeout=DEADLINE_S)


def test_a_parent_can_limit_its_wait(system: System):
    """L2: a child that does not start in time is killed for good, whatever its restart type."""
    let_go = threading.Event()
    permanent = ChildSpec(restart=Restart.PERMANENT)

    def try_both(actor: Any) -> Any:
        with pytest.raises(StartTimeout, match=r"within 0\.02 s"):
            actor.spawn_started(Slow, let_go, within_s=0.02, spec=permanent)
        return actor.spawn_started(Echo, within_s=DEADLINE_S, spec=permanent)

    parent = system.start(Parent)
    child = parent.ask(try_both, timeout=DEADLINE_S)
    let_go.set()
    assert child.ask("a", timeout=DEADLINE_S) == "a"
    until(lambda: len(parent._cell.children or ()) == 1)
    assert system.actor_count == 2


def test_who_does_not_wait_hears_of_a_failed_start_from_the_child(world: World):
    """L2: as ``ChildFailed(phase="start")``, and of later failures as ``"run"``."""
    log: list[Any] = []
    parent = world.start(Parent, log)
    broken = spawn(parent, Broken)
    spawn(parent, Recorder).tell(crash())
    world.settle()

    told = [(entry.phase, entry.reason.kind) for entry in log if isinstance(entry, ChildFailed)]
    assert sorted(told) == [("run", "error"), ("start", "start_failed")]
    match next(entry for entry in log if isinstance(entry, ChildFailed) and entry.ref == broken):
        case ChildFailed(phase="start", reason=reason):
            assert isinstance(reason.cause, OSError)
        case other:
            pytest.fail(f"not recognised: {other}")


def test_a_start_that_fails_on_a_child_handles_nothing_in_that_incarnation(world: World):
    """L3: what waits is handled by the next one, if there is one; on_failure runs once for each."""
    log: list[Any] = []
    failures = [None, None]

    class Unsteady(Recorder):
        def on_start(self) -> None:
            super().on_start()
            if failures:
                failures.pop()
                raise OSError("not yet")

    child = spawn(world.start(Parent), Unsteady, log, spec=ChildSpec(restart=Restart.PERMANENT))
    asked = child.ask("a", block=False)
    world.settle()

    failed = ["start", ("failure", "not yet"), ("pre_restart", "start_failed")]
    assert log == [*failed, *failed, "start", "a"]
    assert asked.get(timeout=0) == "a"


# -- one reason for all


def end_as(kind: ExitKind, ref: Any) -> None:
    """Have an actor end like this."""
    if kind == "normal":
        ref.stop(block=False)
    elif kind == "shutdown":
        ref._cell.parent.ref.ask(lambda actor: actor.stop_child(ref, "enough"), timeout=0)
    elif kind == "error":
        ref.tell(crash())
    elif kind == "start_failed":
        ref.tell(lambda actor: actor._cell.fail(ExitReason("start_failed", cause=OSError("no")), None))
    elif kind == "killed":
        ref.kill("enough")
    elif ref._cell.begin_end():  # "lost" is said by whoever watches other nodes
        ref._cell._end(ExitReason("lost", "its node is gone"))


@pytest.mark.parametrize("kind", get_args(ExitKind))
def test_parent_watchers_actor_and_counter_agree_on_the_reason(world: World, kind: ExitKind):
    """L5: exactly one, the very same object; also what the actor itself could read in its last hook."""
    reasons: list[ExitReason] = []

    class Hears(Parent):
        def on_child_ended(self, ref: Any, reason: ExitReason) -> None:
            reasons.append(reason)

        def on_receive(self, message: Any) -> Any:
            if isinstance(message, ChildFailed | Down):
                reasons.append(message.reason)
                return None
            return super().on_receive(message)

    class Told(Recorder):
        def on_stop(self, reason: ExitReason) -> None:  # type: ignore[override]
            reasons.append(reason)

    parent = world.start(Hears)
    child = spawn(parent, Told)
    world.settle()
    parent.ask(lambda actor: actor.watch(child), timeout=0)
    end_as(kind, child)
    world.settle()

    own_word = [] if kind in ("killed", "lost") else ["on_stop"]
    failed = [] if kind in ("normal", "shutdown") else ["ChildFailed"]
    expected = ["on_child_ended", "Down", *own_word, *(failed if kind != "lost" else [])]
    assert len(reasons) == len(expected), reasons
    assert all(reason is child._cell.exit_reason for reason in reasons)
    assert child._cell.exit_reason.kind == kind
    ended = {name: n for name, n in world.counters.snapshot().items() if name.startswith("actors.ended.")}
    assert ended == {f"actors.ended.{kind}": 1}


# -- one last hook


class Diary(Recorder):
    """Writes down which incarnation hears which hook."""

    def note(self, hook: str) -> None:
        self.log_of.append((self._cell.incarnation, hook))

    def on_start(self) -> None:
        self.note("on_start")

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.note("on_failure")

    def pre_restart(self, reason: Any, message: object) -> None:
        self.note("pre_restart")

    def on_stop(self, reason: ExitReason) -> None:  # type: ignore[override]
        self.note(f"on_stop {reason.kind}")


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("crash of a temporary", "on_stop error"),
        ("crash of a transient", "pre_restart"),
        ("stop", "on_stop normal"),
        ("stop of a permanent", "on_stop normal"),
        ("stop by its parent", "on_stop shutdown"),
        ("crash, and its parent stops", "on_stop error"),
        ("restart of its group", "on_stop shutdown"),
        ("kill", None),
    ],
)
def test_each_incarnation_has_exactly_one_last_hook(world: World, how: str, last: str | None):
    """L7: pre_restart or on_stop, whatever ends it; nothing after it, and nothing at all after a kill."""
    log: list[Any] = []
    restart = (
        Restart.PERMANENT if "permanent" in how else Restart.TEMPORARY if "temporary" in how else Restart.TRANSIENT
    )
    strategy = Strategy.ONE_FOR_ALL if "group" in how else Strategy.ONE_FOR_ONE
    parent = world.start(type("Family", (Parent,), {"strategy": strategy}))
    child = spawn(parent, Diary, log, spec=ChildSpec(restart=restart, revive_killed=False))
    sibling = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT))
    below = spawn(child, Recorder)
    world.settle()
    if how.startswith("crash"):
        child.tell(crash())
    elif how in ("stop", "stop of a permanent"):
        child.stop(block=False)
    elif how == "stop by its parent":
        parent.ask(lambda actor: actor.stop_child(child), timeout=0)
    elif "group" in how:
        sibling.tell(crash())
    else:
        child.kill()
    if "parent stops" in how:
        while child._cell.state.name == "RUNNING":
            world.dispatcher.step()
        parent.stop(block=False, now=True)
    world.settle()

    first = [hook for incarnation, hook in log if incarnation == 0]
    lasts = [hook for hook in first if hook.split()[0] in ("on_stop", "pre_restart")]
    assert lasts == ([] if last is None else [last]) or (how == "crash, and its parent stops" and len(lasts) == 1)
    assert not lasts or first[-1] == lasts[0]
    assert not below.is_alive()


def test_on_stop_after_a_failure_finds_all_children_gone(world: World):
    """L7, L6: also then."""
    alive: list[bool] = []

    class Last(Recorder):
        def on_stop(self) -> None:
            alive.append(below.is_alive())

    child = spawn(world.start(Parent), Last)
    below = spawn(child, Recorder)
    child.tell(crash())
    world.settle()
    assert alive == [False]


def test_what_must_happen_does_not_depend_on_a_hook(world: World):
    """L7, R2, W1: after a kill the name is free and the watchers know."""
    log: list[Any] = []
    watcher = world.start(Recorder, log)
    ref = world.start(Recorder)
    ref.ask(lambda actor: actor.register("name"), timeout=0)
    watcher.ask(lambda actor: actor.watch(ref), timeout=0)
    ref.kill("enough")
    world.settle()

    assert world.system.find("name") is None
    assert [str(entry.reason) for entry in log if isinstance(entry, Down)] == ["killed (enough)"]
    with pytest.raises(ActorDead):
        ref.tell("late")


def test_a_start_that_fails_without_words_has_failed_as_well(world: World):
    """L2, S2: who waits for it is told, and so is a supervisor; the actor has ended, in order."""

    class Silent(Actor):
        def on_start(self) -> None:
            raise WordlessError

    with pytest.raises(StartFailed, match=r"failed while it started: \(its __str__ raises\)") as told:
        world.system.start_within(DEADLINE_S, Silent)
    assert type(told.value.__cause__) is WordlessError
    parent = world.start(Supervisor, [Child(id="silent", actor_class=Silent)])
    assert parent._cell.exit_reason.kind == "start_failed"
    assert type(parent._cell.exit_reason.cause) is StartFailed
    assert world.system.living == []
