"""Runs from one seed, on one thread, in virtual time."""

import asyncio
import threading
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import Random
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Recorder, World


def order_of_turns(seed: int) -> list[str]:
    """Which of several actors was given which turn."""
    world = World(seed)
    order: list[str] = []

    class Worker(Actor):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_receive(self, message: Any) -> Any:
            order.append(f"{self.name}{message}")

    workers = [world.system.start(Worker, name) for name in "abcd"]
    for number in range(4):
        for worker in workers:
            worker.tell(number)
    world.settle()
    world.end()
    return order


def test_the_same_seed_gives_the_same_run():
    """D4, V3."""
    assert order_of_turns(5) == order_of_turns(5)


def test_different_seeds_give_different_runs():
    """Otherwise they would find nothing; each actor keeps its own order in all of them (M1)."""
    runs = [order_of_turns(seed) for seed in range(10)]
    assert len({tuple(run) for run in runs}) > 5
    for run in runs:
        for name in "abcd":
            assert [entry for entry in run if entry[0] == name] == [f"{name}{number}" for number in range(4)]


def test_everything_runs_on_the_calling_thread(world: World):
    """D4."""
    ref = world.start(Recorder)
    assert ref.ask(lambda _actor: threading.current_thread(), timeout=0) is threading.current_thread()


def test_time_stands_still_until_it_is_moved(world: World):
    """V2: an hour of waiting takes no time, and everything happens in its order."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    for delay in (3600.0, 60.0, 1.0):
        ref.ask(lambda actor, delay=delay: actor.start_timer(delay, (delay, "tick"), delay), timeout=0)
    world.settle()
    assert (world.now, log) == (0.0, ["start"])
    world.advance(60.0)
    assert (world.now, log) == (60.0, ["start", (1.0, "tick"), (60.0, "tick")])
    world.advance(3600.0)
    assert log[-1] == (3600.0, "tick")
    assert world.now == 3660.0


def test_a_wait_drives_the_world_and_its_time(world: World):
    """Up to what it waits for, and not further."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    future: Future[str] = Future(world.dispatcher)

    def begin(actor: Any) -> None:
        actor.start_timer("a", lambda _actor: future.set("at five"), 5.0)
        actor.start_timer("b", "at seven", 7.0)

    ref.ask(begin, timeout=0)
    assert future.get(timeout=100.0) == "at five"
    assert (world.now, log) == (5.0, ["start"])


def test_a_wait_that_is_over_has_taken_its_time(world: World):
    """A time-out of three seconds takes three seconds of the virtual clock, with all that happens in them."""
    log: list[Any] = []
    world.start(Recorder, log).ask(lambda actor: actor.start_timer("a", "tick", 2.0), timeout=0)
    with pytest.raises(WaitTimeout):
        Future[None](world.dispatcher).get(timeout=3.0)
    assert (world.now, log) == (3.0, ["start", "tick"])


def test_a_wait_that_would_never_end_is_an_error(world: World):
    """On threads the test would hang; here it says so."""
    with pytest.raises(ConfigError, match="would never end"):
        Future[None](world.dispatcher).get()


def test_waits_may_be_nested(world: World):
    """An actor asks one that asks one."""
    echo = world.start(Echo)
    middle, outer = world.start(Recorder), world.start(Recorder)

    def ask_echo(_actor: Any) -> Any:
        return echo.ask("deep", timeout=1)

    assert outer.ask(lambda _actor: middle.ask(ask_echo, timeout=1), timeout=1) == "deep"


def test_blocking_calls_and_timers_are_a_part_of_no_turn(world: World):
    """Not on a thread, not inside the turn that asks for them, and not as a part of any actor."""
    log: list[Any] = []
    ref = world.start(Recorder, log)

    def ask_for_it(actor: Any) -> None:
        actor.system.dispatcher.run_blocking(lambda: log.append(("call", here.turn)), "test")
        actor.system.dispatcher.call_at(0.5, lambda: log.append(("timer", here.turn)))
        log.append("asked")
        with pytest.raises(WaitTimeout):
            Future[None](world.dispatcher).get(timeout=1.0)  # which drives the world from inside this turn

    ref.ask(ask_for_it, timeout=5)
    assert log == ["start", "asked", ("call", None), ("timer", None)]


def test_what_breaks_is_reported_and_the_run_goes_on(world: World, caplog: pytest.LogCaptureFixture):
    """As on threads."""

    def broken() -> None:
        raise OSError("broken")

    world.dispatcher.run_blocking(broken, "the blocking one")
    world.dispatcher.call_at(0.0, broken)
    world.settle()
    assert "the blocking one" in caplog.text
    assert "a timer's call raised" in caplog.text
    assert world.start(Echo).ask("a", timeout=0) == "a"


def test_there_are_no_sockets(world: World):
    """The text says what to use."""

    class Pollable:
        def fileno(self) -> int:
            return 0

        def wants_write(self) -> bool:
            return False

    with pytest.raises(ConfigError, match="memory transport"):
        world.dispatcher.watch(Pollable(), lambda: None)
    world.dispatcher.rearm(Pollable())
    world.dispatcher.unwatch(Pollable())


def test_late_ones_come_when_nobody_else_can_run(world: World):
    """So that what a round has produced is written at once, here too."""
    log: list[str] = []

    class Notes(Actor):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

        def on_receive(self, message: Any) -> Any:
            log.append(self.name)

    class Late(Notes):
        runs_late = True

    late, early = world.start(Late, "late"), [world.start(Notes, "early") for _ in range(3)]
    late.tell("a")
    for ref in early:
        ref.tell("a")
    world.settle()
    assert log == ["early", "early", "early", "late"]


def test_starting_and_stopping_are_nothing(world: World):
    """No threads, so none are left."""
    world.dispatcher.start()
    assert world.dispatcher.stop(0.0) == 0
    with world.dispatcher.waiting():
        assert world.start(Echo).ask("a", timeout=0) == "a"


def test_a_wait_that_a_timer_alone_ends_ends_at_its_moment():
    """Time does not go on to what is due next before somebody has looked."""
    dispatcher = DeterministicDispatcher(Random(0))
    rang: list[float] = []
    dispatcher.call_at(1.0, lambda: rang.append(dispatcher.clock.now()))
    dispatcher.call_at(5.0, list)

    assert dispatcher.wait_until(lambda: bool(rang), lambda _left: False, 10.0)
    assert (rang, dispatcher.clock.now()) == ([1.0], 1.0)

    dispatcher.call_at(2.0, rang.clear)
    dispatcher.clock.advance_to(2.0)
    assert dispatcher.step()  # the timer
    assert not dispatcher.step()  # nothing
    assert (rang, dispatcher.clock.now()) == ([], 2.0)


def test_a_wait_in_asyncio_drives_the_world_and_its_time():
    """A11: nobody else would; what else the loop has to do goes on meanwhile."""
    world = World(0)
    seen: list[float] = []

    async def look() -> None:
        while True:
            seen.append(world.now)
            await asyncio.sleep(0)

    async def main() -> None:
        ref = world.system.start(Echo)
        looking = asyncio.ensure_future(look())
        hour: Future[str] = Future(world.dispatcher)
        world.dispatcher.call_at(60.0, lambda: seen.append(60.0))
        world.dispatcher.call_at(3600.0, lambda: hour.set("an hour"))
        assert await ref.ask("hello", block=False) == "hello"
        assert await hour == "an hour"
        looking.cancel()

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
    assert world.now == 3600.0
    assert {0.0, 60.0} <= {*seen}
    world.end()


def test_blocking_code_may_run_a_loop_of_its_own_also_where_the_test_is_in_asyncio():
    """D4: it is meant for a thread, on which no loop runs, and would fail in such a test only."""
    world = World(0)

    async def asks_the_web() -> str:
        await asyncio.sleep(0)
        return "it"

    async def main() -> str:
        future: Future[str] = Future(world.dispatcher)
        world.dispatcher.run_blocking(lambda: future.set(asyncio.run(asks_the_web())), "blocking")
        got = await future
        assert asyncio.get_running_loop() is not None
        return got

    assert asyncio.run(asyncio.wait_for(main(), DEADLINE_S)) == "it"
    world.end()


def test_a_wait_in_asyncio_on_another_thread_leaves_it_to_the_one_that_drives():
    """One thread must do all of it."""
    world = World(0)
    future: Future[str] = Future(world.dispatcher)
    world.dispatcher.call_at(1.0, lambda: future.set("it"))
    got: list[str] = []
    begun = threading.Event()

    async def main() -> None:
        asyncio.get_running_loop().call_soon(begun.set)
        got.append(await future)

    thread = threading.Thread(target=lambda: asyncio.run(asyncio.wait_for(main(), DEADLINE_S)))
    thread.start()
    assert begun.wait(DEADLINE_S)
    assert world.now == 0.0
    world.advance(1.0)
    thread.join(DEADLINE_S)
    assert got == ["it"]
    world.end()


def test_a_wait_without_a_time_out_ends_though_a_timer_is_always_pending():
    """As those of a connection are: on threads it would hang, and here nobody would learn why."""
    world = World(0)

    def again() -> None:
        world.dispatcher.call_at(world.now + 86_400.0, again)

    again()
    never: Future[str] = Future(world.dispatcher)
    with pytest.raises(ConfigError, match="would never end: it has lasted for 100 days of virtual time"):
        never.get()
    with pytest.raises(WaitTimeout):
        never.get(timeout=200 * 86_400.0)

    async def main() -> None:
        with pytest.raises(ConfigError, match="would never end: it has lasted for 100 days of virtual time"):
            await never

    asyncio.run(asyncio.wait_for(main(), DEADLINE_S))


class Restless(Actor):
    """Has always something to do."""

    def on_receive(self, message: Any) -> Any:
        self.actor_ref.tell(message)


def test_a_world_without_rest_is_told_of():
    """Whoever waits in it would wait for ever, and never learn why."""
    dispatcher = DeterministicDispatcher(Random(0), most_at_once=lambda: 500)
    system = System(dispatcher=dispatcher, random=Random(1))
    system.start(Restless).tell("again")
    with pytest.raises(
        ConfigError, match=r"time stands still: .* of the last 1000: Restless#\d+ \d+\. Is there a loop"
    ):
        dispatcher.advance(1.0)
    assert dispatcher.is_stuck


def test_much_work_is_none_without_rest_if_time_goes_on():
    """Only what happens at one moment counts."""
    dispatcher = DeterministicDispatcher(Random(0), most_at_once=lambda: 500)
    system = System(dispatcher=dispatcher, random=Random(1))
    ref = system.start(Recorder, [])
    for _moment in range(10):
        for number in range(400):
            ref.tell(number)
        dispatcher.advance(1.0)
    assert not dispatcher.is_stuck
    assert system.stop(60.0)
