"""Actors whose turns run on the threads for what blocks."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.dispatcher_beside import BesideDispatcher, BlockingDispatcher
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, World, block


def test_turns_run_on_the_blocking_pool_and_hold_up_nobody(system: System):
    """D3: neither other actors, nor other blocking ones, as long as there are threads."""
    blocked = [block(system.start(Blocker.on_dispatcher("blocking"))) for _ in range(5)]
    assert system.start(Echo).ask("free", timeout=DEADLINE_S) == "free"

    def where(_actor: Any) -> str:
        return threading.current_thread().name

    class Where(Actor):
        dispatcher = "blocking"

        def on_receive(self, message: Any) -> Any:
            return where(self)

    assert system.start(Where).ask("?", timeout=DEADLINE_S).startswith("test-blocking")
    for future, let_go in blocked:
        let_go.set()
        assert future.get(timeout=DEADLINE_S) == "blocked"


def test_a_machine_without_threads_gives_the_turn_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch):
    """M5: no message is left behind because a thread cannot be had."""

    def refuse(_call: Any, _name: str) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(world.dispatcher, "run_blocking", refuse)
    turns: list[list[None]] = []

    class Turn:
        late = False
        dispatcher = world.dispatcher

        def run_batch(self, grant: list[None]) -> None:
            turns.append(grant)

    BlockingDispatcher(world.dispatcher).schedule(Turn())
    world.settle()
    assert len(turns) == 1


def test_all_else_is_the_shared_dispatcher_s(world: World):
    """Timers, time and waits are the system's."""
    beside = BesideDispatcher(world.dispatcher)
    beside.start()
    assert beside.clock is world.dispatcher.clock
    called: list[str] = []
    beside.call_at(1.0, lambda: called.append("timer"))
    beside.run_blocking(lambda: called.append("call"), "call")
    with beside.waiting():
        assert beside.wait_until(lambda: len(called) == 2, lambda _left: False, 2.0)
    assert sorted(called) == ["call", "timer"]
    with pytest.raises(Exception, match="no sockets"):
        beside.watch(object(), lambda: None)  # type: ignore[arg-type]
    beside.rearm(object())  # type: ignore[arg-type]
    beside.unwatch(object())  # type: ignore[arg-type]
    assert beside.stop(0.0) == 0


def test_the_next_turn_of_an_actor_may_begin_before_the_last_one_is_noted_as_over(
    world: World, caplog: pytest.LogCaptureFixture
):
    """O5: on several threads an actor's next turn is under way as soon as the last has been given back."""
    beside = BesideDispatcher(world.dispatcher)
    begun, may_end = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    class Turn:
        late = False
        dispatcher = beside

        def run_batch(self, _grant: list[None]) -> None:
            if threads:
                begun.set()
                assert may_end.wait(DEADLINE_S)
                return
            threads.append(threading.Thread(target=beside.give_turn, args=(self,)))  # as who is given it back does
            threads[0].start()
            assert begun.wait(DEADLINE_S)

    turn = Turn()
    beside.give_turn(turn)
    assert [runnable for runnable, _began in beside.turns()] == [turn]
    may_end.set()
    threads[0].join(DEADLINE_S)
    assert beside.turns() == []
    assert not caplog.records
