"""Turns on the pool, on the asyncio loop and on threads of flows: seen and reported as those of all others are."""

import asyncio
import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.runtime.clock import Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.dispatcher_loop import run_on_loop
from relay_actors.runtime.future import Future
from relay_actors.runtime.long_turns import LongTurns
from relay_actors.runtime.system import System
from relay_actors.runtime.thread_flow import ThreadFlow
from relay_actors.runtime.turns_beside import TurnsBeside
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Recorder, block, until

SOON_S = 0.02


class OnPool(Blocker):
    dispatcher = "blocking"


class OnLoop(Blocker):
    dispatcher = "loop"


class LaterOnLoop(Recorder):
    """Awaits, and blocks the loop after that."""

    dispatcher = "loop"

    async def on_receive(self, message: Any) -> Any:
        if message == "events":
            self.blocked, self.let_go = threading.Event(), threading.Event()
            return self.blocked, self.let_go
        await asyncio.sleep(0)
        self.blocked.set()
        assert self.let_go.wait(DEADLINE_S)
        return message


class InFlow(Recorder):
    """Blocks on a thread of its own, as `def run` of a call does."""

    def __init__(self) -> None:
        super().__init__()
        self.blocked, self.let_go = threading.Event(), threading.Event()

    def on_receive(self, message: Any) -> Any:
        if message == "events":
            return self.blocked, self.let_go
        token = self.reply_later()
        self._cell.flow = ThreadFlow(self._cell, self.run, lambda _result: self.reply_to(token, message))
        self._cell.flow.begin()
        return None

    def run(self) -> None:
        self.blocked.set()
        assert self.let_go.wait(DEADLINE_S)


class Watched:
    """A system that reports soon, and what it has reported."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, logger="relay_actors")
        self.caplog = caplog
        self.system = System(name="watched", blocking_report_s=SOON_S, hang_report_s=2 * SOON_S)

    def reports(self, begin: str) -> list[str]:
        return [text for record in list(self.caplog.records) if (text := record.getMessage()).startswith(begin)]


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Iterator[Watched]:
    watched = Watched(caplog)
    yield watched
    assert watched.system.stop(DEADLINE_S)


@pytest.mark.parametrize(
    ("actor_class", "told"),
    [(OnPool, "message=str"), (OnLoop, "message=str"), (LaterOnLoop, "message=str"), (InFlow, "or its flow)")],
)
def test_a_turn_that_hangs_is_reported_wherever_it_runs(watched: Watched, actor_class: Any, told: str):
    """O5: with its stack, counted, and told of again when it ends."""
    answer, let_go = block(watched.system.start(actor_class))
    until(lambda: bool(watched.reports("a turn does not end")))
    let_go.set()
    assert answer.get(timeout=DEADLINE_S) == "blocked"
    until(lambda: bool(watched.reports("a turn that was reported has ended")))

    [report] = watched.reports("a turn does not end")
    assert f"actor={actor_class.__name__}#1 " in report
    assert told in report.splitlines()[0]
    assert "let_go.wait(DEADLINE_S)" in report
    assert watched.system.metrics()["turns.hanging"] == 1


@pytest.mark.parametrize("actor_class", [OnLoop, LaterOnLoop])
def test_a_handler_that_blocks_the_loop_is_reported(watched: Watched, actor_class: Any):
    """A16: all others on the loop wait for it."""
    answer, let_go = block(watched.system.start(actor_class))
    until(lambda: bool(watched.reports("a handler blocks the asyncio loop")))
    let_go.set()
    answer.get(timeout=DEADLINE_S)

    [report] = watched.reports("a handler blocks the asyncio loop")
    assert "nobody else runs there" in report
    assert watched.system.metrics()["turns.blocking"] == 1


def test_a_turn_that_blocks_the_loop_is_told_once_also_while_coroutines_are_under_way(watched: Watched):
    """A16: who looks for coroutines that block the loop leaves the turns of actors to who knows more of them."""

    async def stays() -> None:
        await over.wait()

    over = asyncio.Event()
    host, future = watched.system.loop_host, Future[None](watched.system.dispatcher)
    run_on_loop(host, stays(), future)
    answer, let_go = block(watched.system.start(OnLoop))
    watch: Any = host._watch  # type: ignore[attr-defined]
    until(lambda: watch._is_told)
    until(lambda: bool(watched.reports("a turn does not end")))
    let_go.set()
    answer.get(timeout=DEADLINE_S)
    host.loop().call_soon_threadsafe(over.set)
    future.get(timeout=DEADLINE_S)

    [report] = watched.reports("a handler blocks the asyncio loop")
    assert "actor=OnLoop#1 " in report


@pytest.mark.parametrize("actor_class", [OnPool, InFlow])
def test_who_holds_up_only_itself_is_not_reported_for_blocking(watched: Watched, actor_class: Any):
    """A16: that is what these threads are for."""
    answer, let_go = block(watched.system.start(actor_class))
    until(lambda: bool(watched.reports("a turn does not end")))
    let_go.set()
    answer.get(timeout=DEADLINE_S)
    assert watched.system.metrics()["turns.blocking"] == 0


@pytest.mark.parametrize("actor_class", [OnPool, OnLoop, LaterOnLoop, InFlow])
def test_the_age_of_a_turn_is_told_and_no_timer_is_left_of_it(system: System, actor_class: Any):
    """M8, X18: when there are no turns any more there is no alarm."""
    ref = system.start(actor_class)
    answer, let_go = block(ref)
    until(lambda: [runnable for runnable, _began in system.turns()] == [ref._cell])  # who passed it on is not in it
    [node] = system.inspect().children
    assert node.stats.turn_s is not None
    let_go.set()
    answer.get(timeout=DEADLINE_S)
    until(lambda: not system.turns())
    until(lambda: system.metrics()["timers.pending"] == 0)


def test_a_flow_that_waits_is_in_no_turn(system: System):
    """O5: it may wait for as long as it likes, and its actor handles messages meanwhile."""

    class Waiting(InFlow):
        def run(self) -> None:
            asked.append(future := asks.ask("x", block=False))
            self.blocked.set()
            future.get(timeout=DEADLINE_S)

    asked: list[Any] = []
    asks = system.start(Blocker)
    held, let_go = block(asks)
    ref = system.start(Waiting)
    blocked, _let_go = ref.ask("events", timeout=DEADLINE_S)
    answer = ref.ask("go", block=False)
    assert blocked.wait(DEADLINE_S)
    until(lambda: ref._cell not in [runnable for runnable, _began in system.turns()])
    let_go.set()
    held.get(timeout=DEADLINE_S)
    assert answer.get(timeout=DEADLINE_S) == "go"


def test_one_alarm_sees_to_all_turns():
    """O5: each is reported once, in its own time, however many there are."""
    dispatcher = DeterministicDispatcher(Random(1))
    told: list[float] = []

    class Reports(LongTurns):
        def report_hang(self, turn: Any, now: float) -> None:
            turn.hang_is_told = True
            told.append(now)

    turns = TurnsBeside(dispatcher, Reports(blocking_report_s=None, hang_report_s=10.0))
    runnable: Any = Echo
    first = turns.begin(runnable)
    dispatcher.advance(4.0)
    second, third = turns.begin(runnable), turns.begin(runnable)
    assert dispatcher.pending_timers == 1
    turns.end(third)
    dispatcher.advance(100.0)
    assert told == [10.0, 14.0]
    assert (dispatcher.pending_timers, len(turns.under_way())) == (0, 2)
    fourth = turns.begin(runnable)
    assert dispatcher.pending_timers == 1
    for seat in (first, second, fourth):
        turns.end(seat)
    assert (dispatcher.pending_timers, turns.under_way()) == (0, [])
