"""Watches: exactly one Down each, whoever ends first."""

import threading
from typing import Any

import pytest

from relay_actors.errors import DeathPact
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import Down, WatchedRestarted
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn


def watch(watcher: ActorRef[Any], target: ActorRef[Any]) -> int:
    token: int = watcher.ask(lambda actor: actor.watch(target), timeout=DEADLINE_S)
    return token


def downs(log: list[Any]) -> list[Down]:
    return [entry for entry in log if isinstance(entry, Down)]


def test_each_watch_gets_one_down(world: World):
    """W1: one per registration, with ref, incarnation and reason."""
    log: list[Any] = []
    watcher, target = world.start(Recorder, log), world.start(Recorder)
    watch(watcher, target)
    watch(watcher, target)
    target.stop(timeout=0)
    world.settle()

    assert downs(log) == [Down(target, 0, target._cell.exit_reason)] * 2
    assert target._cell.exit_reason.kind == "normal"


def test_watching_the_dead_tells_at_once(world: World):
    """W1: marked as such."""
    log: list[Any] = []
    watcher, target = world.start(Recorder, log), world.start(Recorder)
    target.tell(crash())
    world.settle()
    watch(watcher, target)
    world.settle()

    [down] = downs(log)
    assert (down.ref, down.reason.kind, down.already_dead) == (target, "error", True)


def test_a_restart_is_not_an_end(world: World):
    """W2: a watcher sees nothing of it."""
    log: list[Any] = []
    watcher, parent = world.start(Recorder, log), world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=1))
    watch(watcher, child)
    child.tell(crash())
    world.settle()
    assert (child.incarnation, downs(log)) == (1, [])

    child.tell(crash())
    world.settle()
    assert [down.incarnation for down in downs(log)] == [1]


def test_unwatch_drops_a_down_that_waits_already(world: World):
    """W3: after it returned, no Down of that watch is handled."""
    log: list[Any] = []
    watcher, target = world.start(Recorder, log), world.start(Recorder)
    token, other = watch(watcher, target), watch(watcher, target)

    def unwatch_after_the_end(actor: Any) -> None:
        target.stop(now=True, timeout=0)  # its Down is in our mailbox from here on
        actor.unwatch(token)

    watcher.tell(unwatch_after_the_end)
    world.settle()
    assert len(downs(log)) == 1
    assert other != token


def test_unwatch_before_the_end_leaves_nothing(world: World):
    """W3, X18: the watched actor forgets as well."""
    watcher, target = world.start(Recorder), world.start(Recorder)
    token = watch(watcher, target)
    assert len(target._cell.watching.watchers) == 1
    watcher.ask(lambda actor: actor.unwatch(token), timeout=0)

    assert target._cell.watching.watchers == {}
    watcher.ask(lambda actor: actor.unwatch(token), timeout=0)  # a second time is no harm


def test_a_watcher_that_ends_is_forgotten(world: World):
    """X18: a long-lived actor is watched by many short-lived ones, and must not remember them."""
    target = world.start(Recorder)
    for _ in range(10):
        watcher = world.start(Recorder)
        watch(watcher, target)
        watcher.stop(timeout=0)

    assert target._cell.watching.watchers == {}


def test_the_names_are_free_when_the_down_is_handled(world: World):
    """W4: to register again from the handler of the Down succeeds."""

    class Heir(Actor):
        def on_receive(self, message: Any) -> Any:
            if isinstance(message, Down):
                self.register("throne")
            else:
                self.watch(message)

    def claim(actor: Any) -> None:
        actor.register("throne")

    king, heir = world.start(Recorder), world.start(Heir)
    king.ask(claim, timeout=0)
    heir.ask(king, timeout=0)
    king.tell(crash())
    world.settle()

    assert world.system.find("throne") == heir


@pytest.mark.usefixtures("eager_switches")
def test_no_schedule_loses_or_doubles_a_down(system: System):
    """W1, W4: watches from several threads, while the watched actors end on another one; the name is always free."""
    watchers, targets = 4, 40
    got: list[tuple[int, ActorRef[Any]]] = []
    too_early: list[ActorRef[Any]] = []
    all_told = threading.Event()

    class Watcher(Actor):
        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

        def on_receive(self, message: Any) -> Any:
            if isinstance(message, ActorRef):
                self.watch(message)
                return
            if self._cell.system.registry.keys_of(message.ref._cell):
                too_early.append(message.ref)
            got.append((self.number, message.ref))
            if len(got) == watchers * targets:
                all_told.set()

    class Named(Actor):
        def on_start(self) -> None:
            self.register(("name", self.actor_urn))

    watching = [system.start(Watcher, number) for number in range(watchers)]
    watched = [system.start(Named) for _ in range(targets)]
    barrier = threading.Barrier(watchers + 1)

    def watch_all(watcher: ActorRef[Any]) -> None:
        barrier.wait(DEADLINE_S)
        for target in watched:
            watcher.tell(target)

    threads = [threading.Thread(target=watch_all, args=(watcher,)) for watcher in watching]
    for thread in threads:
        thread.start()
    barrier.wait(DEADLINE_S)
    for number, target in enumerate(watched):
        if number % 2:
            target.stop(block=False)
        else:
            target._cell.kill("by the test")
    for thread in threads:
        thread.join(DEADLINE_S)

    assert all_told.wait(DEADLINE_S)
    assert len(set(got)) == len(got) == watchers * targets
    assert too_early == []


def notices(log: list[Any]) -> list[Any]:
    return [entry for entry in log if isinstance(entry, Down | WatchedRestarted)]


def test_who_asks_for_it_is_told_of_restarts(world: World):
    """W2: each of them, with incarnation and reason, before the one Down; who did not ask is not."""
    log: list[Any] = []
    deaf_log: list[Any] = []
    watcher, deaf, parent = world.start(Recorder, log), world.start(Recorder, deaf_log), world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT, max_restarts=2))
    watcher.ask(lambda actor: actor.watch(child, on_restart=True), timeout=0)
    watch(deaf, child)
    for _ in range(3):
        child.tell(crash())
        world.settle()

    first, second, down = notices(log)
    assert (first.ref, first.incarnation, str(first.reason)) == (child, 1, "error ValueError: crash")
    assert (second.incarnation, down.incarnation) == (2, 2)
    assert isinstance(down, Down)
    assert notices(deaf_log) == [down]


def test_a_start_that_fails_is_no_restart_yet(world: World):
    """W2: told when the new incarnation has started."""
    fails = [False, True, True, False]

    class Shaky(Recorder):
        def on_start(self) -> None:
            if fails.pop(0):
                raise OSError("shaky")

    log: list[Any] = []
    watcher = world.start(Recorder, log)
    child = spawn(world.start(Parent), Shaky, spec=ChildSpec(restart=Restart.TRANSIENT))
    watcher.ask(lambda actor: actor.watch(child, on_restart=True), timeout=0)
    child.tell(crash())
    world.settle()

    assert [(notice.incarnation, notice.reason.kind) for notice in notices(log)] == [(3, "start_failed")]


def test_unwatch_drops_a_restart_that_waits_already(world: World):
    """W2, W3: one token is for restarts and Down."""
    log: list[Any] = []
    watcher, parent = world.start(Recorder, log), world.start(Parent)
    child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    token = watcher.ask(lambda actor: actor.watch(child, on_restart=True), timeout=0)
    child._cell.watching.tell_restarted(child._cell.exit_reason)  # it waits from here on
    watcher._cell.unwatch(token)
    world.settle()
    assert notices(log) == []


def test_down_and_the_last_messages_come_in_either_order():
    """W5: over many schedules both happen; each time everything arrives, once, and messages in their own order."""
    seen = set()
    for seed in range(20):
        world = World(seed)
        log: list[Any] = []
        watcher, target = world.start(Recorder, log), world.start(Recorder)
        watch(watcher, target)

        def last_words(actor: Any, watcher: ActorRef[Any] = watcher) -> None:
            watcher.tell("last words")
            watcher.tell("very last words")
            actor.stop()

        target.tell(last_words)
        world.settle()
        got = [type(entry).__name__ if isinstance(entry, Down) else entry for entry in log[1:]]
        assert sorted(got) == ["Down", "last words", "very last words"]
        assert got.index("last words") < got.index("very last words")
        seen.add(got.index("Down"))
        world.end()
    assert {0, 2} <= seen


class Bound(Recorder):
    """Cannot live without another; handles a Down if it is told to."""

    def __init__(self, log: list[Any], *, handles: bool) -> None:
        super().__init__(log)
        self.handles = handles

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Down) and not self.handles:
            return Actor.on_receive(self, message)
        return super().on_receive(message)


@pytest.mark.parametrize("already_dead", [False, True])
def test_who_ignores_the_end_of_a_pact_fails(world: World, already_dead: bool):
    """W6: with DeathPact, and the cause of the end behind it; who handles the Down lives on."""
    log: list[Any] = []
    bound, mourner = world.start(Bound, log, handles=False), world.start(Bound, [], handles=True)
    target = world.start(Recorder)
    if already_dead:
        target.tell(crash())
        world.settle()
    for ref in (bound, mourner):
        ref.tell(lambda actor: actor.watch(target, death_pact=True))
    world.settle()
    if not already_dead:
        target.tell(crash())
        world.settle()

    assert not bound.is_alive()
    cause = bound._cell.exit_reason.cause
    assert isinstance(cause, DeathPact)
    assert isinstance(cause.__cause__, ValueError)
    assert mourner.is_alive()


def test_other_downs_may_be_ignored(world: World):
    """W6: of a watch without a pact, of another watch of the same actor, and one that somebody sent by hand."""
    bound, target, other = world.start(Bound, [], handles=False), world.start(Recorder), world.start(Recorder)
    token = bound.ask(lambda actor: actor.watch(target, death_pact=True), timeout=0)
    watch(bound, target)
    watch(bound, other)
    bound.ask(lambda actor: actor.unwatch(token), timeout=0)
    target.tell(crash())
    other.tell(crash())
    world.settle()
    bound.tell(Down(other, 0, other._cell.exit_reason))
    world.settle()

    assert bound.is_alive()
