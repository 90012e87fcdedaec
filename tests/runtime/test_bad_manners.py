"""Children with bad manners: whatever they do with a stop, their supervisor is not kept by them (H3)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.supervisor import Child, DynamicSupervisor, Supervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, World, spawn

LIMIT = ChildSpec(shutdown_s=3.0)


class _Ill(Actor):
    """Does what it should not when it is stopped."""

    def on_receive(self, message: Any) -> Any:
        return message(self) if callable(message) else message


class RaisesInOnStop(_Ill):
    def on_stop(self) -> None:
        raise ValueError("no")


class ExitsInOnStop(_Ill):
    def on_stop(self) -> None:
        raise SystemExit(3)


class SwallowsEverything(_Ill):
    def receive(self, message: Any) -> Any:
        """Not even pykka's own stop is handled."""

    def stop(self) -> None:
        """Nor its own."""


class GoesOnInOnStop(_Ill):
    def on_stop(self) -> None:
        self.start_timer("again", "again", 1.0, interval_s=1.0)
        self.actor_ref.tell("go on")


class SpawnsInOnStop(_Ill):
    def on_stop(self) -> None:
        self.spawn(_Ill)


class FailsWhileItStops(_Ill):
    def on_stop(self) -> None:
        self.actor_ref.stop(block=False)
        self._cell.signal(_Boom())


class _Boom:
    def handle(self, cell: Any) -> None:
        raise ValueError("boom")

    def refuse(self, cell: Any) -> None:
        """It has ended, as it should."""


class HasAFlowThatWillNotEnd(_Ill):
    def on_start(self) -> None:
        self._cell.flow = Flow(self._cell, self._for_ever(), lambda _result: None)
        self._cell.flow.begin()

    async def _for_ever(self) -> None:
        try:
            await Future(self._cell.dispatcher)
        except GeneratorExit:
            await Future(self._cell.dispatcher)  # "not yet"


IN_TURNS = [
    RaisesInOnStop,
    ExitsInOnStop,
    SwallowsEverything,
    GoesOnInOnStop,
    SpawnsInOnStop,
    FailsWhileItStops,
    HasAFlowThatWillNotEnd,
]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("child_class", IN_TURNS)
@pytest.mark.parametrize("how", ["its parent stops", "it is stopped", "in order"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_child_cannot_keep_its_parent_by_what_it_does_with_a_stop(child_class: type[Actor], how: str, seed: int):
    """H3, H1: it ends within its time, with all timers, and those beside it end in order."""
    world = World(seed)
    log: list[Any] = []
    if how == "in order":
        parent = world.start(
            Supervisor, [Child(id=0, actor_class=_Ill), Child(id=1, actor_class=child_class, spec=LIMIT)]
        )
        parent.stop(block=False)
    else:
        parent = world.start(Parent, log)
        child = spawn(parent, child_class, spec=LIMIT)
        spawn(parent, _Ill, spec=LIMIT)
        world.settle()
        if how == "it is stopped":
            parent.tell(lambda actor: actor.stop_child(child, "test"))
            world.advance(4.0)
            assert not child.is_alive()
            assert [entry[1] for entry in log if entry[0] == "ended"] == [child]
        parent.stop(block=False)
    world.advance(4.0)
    assert not parent.is_alive()
    world.end()


@pytest.mark.parametrize("supervisor", [Supervisor, DynamicSupervisor])
def test_a_child_that_waits_for_its_stopping_parent_is_killed(system: System, supervisor: type[Actor]):
    """H3, H4: each waits for the other; the supervisor's own clock ends it."""
    ended = threading.Event()

    class Asks(_Ill):
        def on_stop(self) -> None:
            try:
                parent.ask("are you there?", timeout=DEADLINE_S)
            finally:
                ended.set()

    spec = ChildSpec(shutdown_s=0.05)
    if supervisor is Supervisor:
        parent = system.start(Supervisor, [Child(id=0, actor_class=Asks, spec=spec)])
        parent.ask("started?", block=False)
        assert until_it_has(system, 2)
    else:
        parent = system.start(DynamicSupervisor)  # type: ignore[assignment]
        system.start_child(parent, Asks, spec=spec).ask("started?", timeout=DEADLINE_S)
    assert parent.stop(timeout=DEADLINE_S) is True
    assert system.actor_count == 0
    assert ended.wait(DEADLINE_S)


def test_a_grandchild_that_hangs_costs_its_own_time_only(system: System):
    """H1, H3: a supervisor takes as long as its children may, and no longer."""
    hung, let_go = threading.Event(), threading.Event()

    class Hangs(_Ill):
        def on_stop(self) -> None:
            hung.set()
            let_go.wait(DEADLINE_S)

    inner = Child(
        id="inner", actor_class=Supervisor, args=([Child(id=0, actor_class=Hangs, spec=ChildSpec(shutdown_s=0.05))],)
    )
    outer = system.start(Supervisor, [inner, Child(id="last", actor_class=_Ill)])
    try:
        assert until_it_has(system, 4)
        assert outer.stop(timeout=DEADLINE_S) is True
        assert hung.is_set()
        assert system.actor_count == 0
    finally:
        let_go.set()


def until_it_has(system: System, actors: int) -> bool:
    """Wait until so many actors live."""
    return wait(lambda: system.actor_count >= actors)


def wait(is_so: Callable[[], bool]) -> bool:
    pause = threading.Event()
    for _ in range(int(DEADLINE_S / 0.002)):
        if is_so():
            return True
        pause.wait(0.002)
    return False
