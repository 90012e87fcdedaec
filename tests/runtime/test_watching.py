"""Watches: exactly one Down each, whoever ends first."""

import threading
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import Down
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
