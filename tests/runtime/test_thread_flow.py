"""Plain functions as flows: on a thread of their own, in their actor's turns, one at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from relay_actors.runtime.thread_flow import ThreadFlow
from relay_actors.runtime.waiting import gather
from tests.runtime.worlds import DEADLINE_S, Echo, Parent, Recorder, World, crash, spawn, until


def begin(run: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A message for a `Recorder`: run this as its flow."""

    def do(actor: Any) -> None:
        actor._cell.flow = ThreadFlow(
            actor._cell, lambda: run(actor), lambda result: actor.log_of.append(("done", result))
        )
        actor._cell.flow.begin()

    return do


def started(world: World) -> tuple[Any, list[Any]]:
    log: list[Any] = []
    ref = world.start(Recorder, log)
    log.clear()
    return ref, log


# -- what it is ------------------------------------------------------------------------------------------------------


def test_a_wait_suspends_the_flow_and_not_the_actor(world: World):
    """DESIGN 4: other messages are handled meanwhile; what lies between two waits is like one turn."""
    ref, log = started(world)
    future: Future[Any] = Future(world.dispatcher)

    def run(actor: Any) -> str:
        log.append(("begins", here.turn is ref._cell))
        actor.actor_ref.tell("not before the wait")
        log.append("still before the wait")
        log.append((future.get(), here.turn is ref._cell))
        return "result"

    ref.tell(begin(run))
    world.settle()
    ref.tell("meanwhile")
    world.settle()
    future.set("value")
    world.settle()
    assert log == [
        ("begins", True), "still before the wait", "not before the wait", "meanwhile", ("value", True),
        ("done", "result"),
    ]  # fmt: skip


def test_it_may_ask_other_actors_and_gather(world: World):
    """A9: they may answer in their own time, and so may its own actor."""
    ref, log = started(world)
    echo = world.start(Echo)

    def run(actor: Any) -> Any:
        return echo.ask("one"), actor.actor_ref.ask("itself"), gather(*(echo.ask(n, block=False) for n in "ab")).get()

    ref.tell(begin(run))
    world.settle()
    assert log == ["itself", ("done", ("one", "itself", ["a", "b"]))]


def test_a_time_out_is_kept_and_leaves_no_timer(world: World):
    ref, log = started(world)
    never: Future[Any] = Future(world.dispatcher)

    def run(actor: Any) -> Any:
        before = world.now
        with pytest.raises(WaitTimeout):
            never.get(timeout=2)
        actor.sleep(1.5).get(timeout=100)
        return world.now - before

    ref.tell(begin(run))
    world.advance(5)
    assert log == [("done", 3.5)]
    assert world.dispatcher.pending_timers == 0


def test_what_it_raises_fails_its_actor(world: World):
    """Like a handler; the next incarnation begins a new one, and the old thread is gone."""
    parent = world.start(Parent)
    log: list[Any] = []
    ref = spawn(parent, Recorder, log, spec=ChildSpec(restart=Restart.PERMANENT))

    def run(actor: Any) -> Any:
        actor.sleep(1).get()
        raise OSError("in the flow")

    ref.tell(begin(run))
    world.advance(2)
    assert log == ["start", ("failure", "in the flow"), ("pre_restart", "error"), "start"]
    assert world.system.own_threads.thread_count == 0


def test_a_base_exception_fails_only_its_actor(world: World):
    """L8."""
    ref, log = started(world)

    def run(_actor: Any) -> Any:
        raise SystemExit(3)

    ref.tell(begin(run))
    world.settle()
    assert log == [("failure", "3"), "stop"]


# -- its end ---------------------------------------------------------------------------------------------------------


def test_a_stopped_actor_s_flow_is_cancelled_where_it_waits(world: World):
    """A15: it may clean up, and wait while it does; `on_stop` comes after it, and it is not done."""
    ref, log = started(world)

    def run(actor: Any) -> Any:
        try:
            actor.sleep(3600).get()
        except asyncio.CancelledError:
            log.append("cancelled")
            actor.sleep(0.5).get()
            log.append("clean")

    ref.tell(begin(run))
    world.settle()
    assert ref.stop(timeout=5)
    assert log == ["cancelled", "clean", "stop"]
    assert world.system.own_threads.thread_count == 0


def test_a_flow_that_does_not_end_is_abandoned(world: World, caplog: pytest.LogCaptureFixture):
    """A15: after ``grace_s``, with a report of where it waits; each of its waits then raises at once."""
    ref, log = started(world)

    def run(actor: Any) -> Any:
        for _ in range(5):
            try:
                actor.sleep(3600).get()
            except asyncio.CancelledError:
                log.append("not me")

    ref.tell(begin(run))
    world.settle()
    assert ref.stop(timeout=5)
    world.settle()
    assert log[0] == "not me"
    assert sorted(log[1:]) == ["not me"] * 4 + ["stop"]
    [report] = [text for record in caplog.records if (text := record.getMessage()).startswith("abandoned")]
    assert "test_thread_flow.py" in report
    assert "in test_a_flow_that_does_not_end_is_abandoned.<locals>.run" in report
    assert world.system.own_threads.thread_count == 0


def test_a_restart_closes_the_flow(world: World):
    """S10: its ``finally`` blocks run, and may not wait."""
    parent = world.start(Parent)
    log: list[Any] = []
    ref = spawn(parent, Recorder, log, spec=ChildSpec(restart=Restart.PERMANENT))

    def run(actor: Any) -> Any:
        try:
            actor.sleep(3600).get()
        finally:
            log.append("finally")
            actor.sleep(1).get()
            log.append("never")

    ref.tell(begin(run))
    world.settle()
    ref.tell(crash())
    ref.tell(begin(lambda _actor: log.append("anew")))
    world.settle()
    assert log[:3] == ["start", ("failure", "crash"), ("pre_restart", "error")]
    assert sorted(map(str, log[3:])) == ["('done', None)", "anew", "finally", "start"]
    assert world.system.own_threads.thread_count == 0


def test_a_kill_ends_the_thread(world: World):
    """H4: of an actor that was killed no thread is left."""
    ref, log = started(world)
    ref.tell(begin(lambda actor: actor.sleep(3600).get()))
    world.settle()
    ref._cell.kill("a test")
    world.settle()
    assert log == []
    assert world.system.own_threads.thread_count == 0


def test_an_error_can_be_raised_where_it_waits(world: World):
    """X2: as the end of a call is; caught, the flow goes on."""
    ref, log = started(world)

    def run(actor: Any) -> Any:
        try:
            actor.sleep(3600).get()
        except EOFError:
            log.append("over")
        actor.sleep(1).get()
        return "went on"

    ref.tell(begin(run))
    world.settle()
    ref.tell(lambda actor: actor._cell.flow.end_with(EOFError()))
    world.advance(1)
    assert log == ["over", ("done", "went on")]


def test_what_was_settled_before_it_is_to_end_is_given_first(world: World):
    """X2: the error comes at the next wait for what is not there yet."""
    ref, log = started(world)
    first: Future[str] = Future(world.dispatcher)

    def run(actor: Any) -> Any:
        log.append(first.get(timeout=60))
        try:
            actor.sleep(3600).get()
        except EOFError:
            return "over"

    def settle_and_end(actor: Any) -> None:
        first.set("given")
        actor._cell.flow.end_with(EOFError())

    ref.tell(begin(run))
    world.settle()
    ref.tell(settle_and_end)
    world.settle()
    assert log == ["given", ("done", "over")]


def test_a_cancellation_does_not_wait_for_the_next_wait(world: World):
    """A15: an actor that stops needs no value any more."""
    ref, log = started(world)
    first: Future[str] = Future(world.dispatcher)

    def run(_actor: Any) -> None:
        try:
            log.append(first.get(timeout=60))
        except asyncio.CancelledError:
            log.append("cancelled")
            raise

    def settle_and_cancel(actor: Any) -> None:
        first.set("given")
        actor._cell.flow.cancel()

    ref.tell(begin(run))
    world.settle()
    ref.tell(settle_and_cancel)
    world.settle()
    assert log == ["cancelled"]


def test_an_actor_that_is_stopped_before_its_flow_has_begun_does_not_begin_it(world: World):
    """A15: there is nothing to clean up."""
    ref, log = started(world)

    def do(actor: Any) -> None:
        begin(lambda _actor: log.append("never"))(actor)
        actor._cell.flow.cancel()

    ref.tell(do)
    world.settle()
    assert log == []
    assert ref.stop(timeout=1)


@pytest.mark.parametrize("seed", range(40))
def test_a_flow_that_ends_while_its_actor_is_stopped_keeps_no_turn(seed: int):
    """D1, A15: whichever is first, nothing is passed to a thread that is through."""
    world = World(seed)
    ref = world.start(Recorder)
    future: Future[Any] = Future(world.dispatcher)
    other = world.start(Recorder)
    ref.tell(begin(lambda _actor: future.get(timeout=1)))
    world.settle()
    ref.tell("something to do")
    other.tell(lambda _actor: future.set(None))
    other.tell(lambda _actor: ref.stop(block=False, now=bool(seed % 2)))
    for _ in range(seed % 8):
        world.dispatcher.step()
    if seed % 3 == 0:
        ref._cell.kill("a test")
    world.advance(2)
    assert not ref.is_alive()
    assert world.system.own_threads.thread_count == 0
    world.end()


# -- one at a time ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_the_same_seed_gives_the_same_run(seed: int):
    """D4: threads of flows included, because one runs at a time."""

    def once() -> list[Any]:
        world = World(seed)
        log: list[Any] = []
        refs = [world.system.start(Recorder, log) for _ in range(4)]
        for number, ref in enumerate(refs):

            def run(actor: Any, number: int = number) -> None:
                for step in range(5):
                    log.append((number, step))
                    actor.sleep(step % 2).get()
                    refs[(number + 1) % 4].tell((number, "tells", step))

            ref.tell(begin(run))
        world.advance(20)
        world.end()
        return log

    assert once() == once()


class Counter(Actor):
    """Counts with gaps: whoever comes in between makes it miscount."""

    def __init__(self) -> None:
        super().__init__()
        self.log_of: list[Any] = []
        self.count = 0

    def add(self) -> None:
        before = self.count
        for _ in range(20):
            here.turn  # noqa: B018  # something to be interrupted at
        self.count = before + 1

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.add()
        return self.count


@pytest.mark.usefixtures("eager_switches")
def test_flow_and_handlers_never_run_at_the_same_time(system: System):
    """D1: on threads, under load."""
    ref = system.start(Counter)
    echo = system.start(Echo)
    rounds = 200

    def run(actor: Any) -> None:
        for number in range(rounds):
            actor.add()
            echo.ask(number)
            actor.add()

    ref.tell(begin(run))
    for _ in range(500):
        ref.tell("add")
    until(lambda: ref.ask(lambda actor: bool(actor.log_of), timeout=DEADLINE_S))
    assert ref.ask(lambda actor: actor.count, timeout=DEADLINE_S) == 2 * rounds + 500


def test_code_that_blocks_in_a_flow_holds_up_nobody_else(system: System):
    """D5: not even a thread of the dispatcher; its own actor waits until the flow does."""
    ref, echo = system.start(Recorder), system.start(Echo)
    blocked, let_go = threading.Event(), threading.Event()

    def run(_actor: Any) -> Any:
        blocked.set()
        assert let_go.wait(DEADLINE_S)

    ref.tell(begin(run))
    assert blocked.wait(DEADLINE_S)
    own = ref.ask("own", block=False)
    assert echo.ask("other", timeout=DEADLINE_S) == "other"
    assert not own.is_settled
    assert not ref._cell.is_resting
    let_go.set()
    assert own.get(timeout=DEADLINE_S) == "own"


def test_a_kill_in_the_middle_of_it_is_a_zombie_until_it_comes_back(system: System):
    """H4: like a handler that blocks."""
    ref = system.start(Recorder)
    blocked, let_go = threading.Event(), threading.Event()
    raised: list[BaseException] = []

    def run(actor: Any) -> Any:
        blocked.set()
        assert let_go.wait(DEADLINE_S)
        try:
            actor.sleep(3600).get()
        except BaseException as error:
            raised.append(error)
            raise

    ref.tell(begin(run))
    assert blocked.wait(DEADLINE_S)
    ref._cell.kill("a test")
    assert not ref.is_alive()
    let_go.set()
    until(lambda: bool(raised) and system.own_threads.thread_count == 0)
    assert isinstance(raised[0], asyncio.CancelledError)


def test_a_machine_without_threads_fails_the_actor(world: World, monkeypatch: pytest.MonkeyPatch):
    """And nobody waits for ever."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    ref, log = started(world)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    ref.tell(begin(lambda _actor: None))
    world.settle()
    assert log == [("failure", "can't start new thread"), "stop"]
