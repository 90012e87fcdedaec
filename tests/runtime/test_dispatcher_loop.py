"""The asyncio loop of a system: one, made at the first use; and what may not happen on it."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

import pytest

from relay_actors.errors import FlowError, WouldDeadlock
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.dispatcher_loop import LoopThread, VirtualLoop, VirtualLoopHost, run_on_loop
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Recorder, World


class OnLoop(Actor):
    """Does what it is sent, and awaits it."""

    dispatcher = "loop"

    async def on_receive(self, message: Any) -> Any:
        given = message(self)
        return await given if asyncio.iscoroutine(given) or asyncio.isfuture(given) else given


def test_a_loop_is_made_at_the_first_use_and_is_the_only_one(system: System):
    """D3, D6: a thousand idle actors on it have one thread between them, no timer and no turn that is due."""
    before = threading.active_count()
    assert isinstance(system.loop_host, LoopThread)
    refs = [system.start(OnLoop) for _ in range(1000)]
    name = refs[-1].ask(lambda _actor: threading.current_thread().name, timeout=DEADLINE_S)
    loops = {ref.ask(lambda _actor: asyncio.get_running_loop(), timeout=DEADLINE_S) for ref in refs[:10]}
    assert name == "test-loop"
    assert len(loops) == 1
    assert threading.active_count() - before <= 4  # the loop's, and the three that every system begins with
    assert system.dispatcher.pending_timers == 0  # type: ignore[attr-defined]
    assert all(ref._cell.is_resting for ref in refs[10:-1])


def test_code_on_the_loop_may_use_asyncio_itself(system: System):
    """D3: tasks, time-outs, groups, queues; that is what it is for."""

    async def handle(_actor: Any) -> Any:
        queue: asyncio.Queue[int] = asyncio.Queue()
        async with asyncio.timeout(DEADLINE_S), asyncio.TaskGroup() as group:
            group.create_task(queue.put(1))
            value = await queue.get()
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await asyncio.Event().wait()
        return value, await asyncio.to_thread(threading.get_ident) != threading.get_ident()

    assert system.start(OnLoop).ask(handle, timeout=DEADLINE_S) == (1, True)


def test_waiting_by_blocking_on_the_loop_is_refused(system: System):
    """A8: it would hold up all that runs there, and perhaps what it waits for."""
    never: Future[Any] = Future(system.dispatcher)
    with pytest.raises(WouldDeadlock, match="await it"):
        system.start(OnLoop).ask(lambda _actor: never.get(), timeout=DEADLINE_S)

    async def blocks() -> Any:
        return never.get()

    future: Future[Any] = Future(system.dispatcher)
    run_on_loop(system.loop_host, blocks(), future)
    with pytest.raises(WouldDeadlock):
        future.get(timeout=DEADLINE_S)


def test_a_question_that_would_block_the_loop_is_not_even_sent(system: System):
    """A8: it is refused before it can have had any effect."""
    log: list[Any] = []
    other = system.start(Recorder, log)

    class OnLoop(Recorder):
        dispatcher = "loop"

    with pytest.raises(WouldDeadlock):
        system.start(OnLoop).ask(lambda _actor: other.ask("sent"), timeout=DEADLINE_S)
    other.ask("after it", timeout=DEADLINE_S)
    assert log == ["start", "after it"]


def test_a_future_that_is_settled_otherwise_cancels_its_task(world: World):
    """A15: nobody would read what comes of it."""
    seen: list[str] = []

    async def endless() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("cancelled")

    begun, not_begun = Future[Any](world.dispatcher), Future[Any](world.dispatcher)
    run_on_loop(world.system.loop_host, endless(), begun)
    world.settle()
    begun.set("otherwise")
    world.settle()
    assert seen == ["cancelled"]
    run_on_loop(world.system.loop_host, endless(), not_begun)
    not_begun.set("before it began")
    world.settle()
    assert seen == ["cancelled"]
    assert world.dispatcher.pending_timers == 0


def test_a_task_that_cancels_itself_fails_its_future(world: World):
    async def gives_up() -> None:
        raise asyncio.CancelledError

    future: Future[Any] = Future(world.dispatcher)
    run_on_loop(world.system.loop_host, gives_up(), future)
    with pytest.raises(asyncio.CancelledError):
        future.get(timeout=1)


@pytest.mark.parametrize("times", [0, 1])
def test_a_coroutine_that_blocks_the_loop_is_reported_with_its_line(system: System, times: int):
    """A16: all others wait for it, and no turn of an actor blocks. While nothing is under way nobody looks (D6)."""
    told = threading.Event()
    reports: list[str] = []

    class Hears(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "blocks the asyncio loop" in record.getMessage():
                reports.append(record.getMessage())
                told.set()

    async def blocks() -> None:
        told.wait(DEADLINE_S)  # here

    system.start(Recorder)
    hears = Hears()
    logging.getLogger("relay_actors.runtime").addHandler(hears)
    try:
        for coroutine in [*[asyncio.sleep(0) for _ in range(times)], blocks(), asyncio.sleep(0)]:
            future: Future[None] = Future(system.dispatcher)
            run_on_loop(system.loop_host, coroutine, future)
            future.get(timeout=DEADLINE_S)
    finally:
        logging.getLogger("relay_actors.runtime").removeHandler(hears)
    assert len(reports) == 1
    assert "told.wait(DEADLINE_S)  # here" in reports[0]
    assert "Await asyncio.to_thread(function, ...)" in reports[0]
    assert system.dispatcher.pending_timers == 0  # type: ignore[attr-defined]


def test_whose_dispatcher_reports_nothing_is_not_told_of_coroutines_either():
    """A16: a dispatcher that is given has its own times; and where nothing is reported nobody looks."""
    dispatcher = BatonDispatcher(SystemClock(), blocking_report_s=None, hang_report_s=None)
    system = System(dispatcher=dispatcher, name="quiet")
    system.start(Recorder)
    begun, over = threading.Event(), asyncio.Event()

    async def stays() -> None:
        asyncio.get_running_loop().call_soon(begun.set)
        await over.wait()

    future: Future[None] = Future(dispatcher)
    run_on_loop(system.loop_host, stays(), future)
    assert begun.wait(DEADLINE_S)
    assert dispatcher.pending_timers == 0
    system.loop_host.loop().call_soon_threadsafe(over.set)
    future.get(timeout=DEADLINE_S)
    assert system.stop(DEADLINE_S)


def test_stopping_cancels_what_runs_on_the_loop():
    """H9: of a system that was stopped nothing is left."""
    system = System(name="stops")
    seen: list[str] = []
    begun = threading.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            seen.append("cancelled")

    future: Future[Any] = Future(system.dispatcher)
    run_on_loop(system.loop_host, endless(), future)
    assert begun.wait(DEADLINE_S)
    assert system.stop(DEADLINE_S)
    assert seen == ["cancelled"]
    assert isinstance(future.error, asyncio.CancelledError)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stops")]
    assert system.loop_host.stop(0.0) == 0


def test_a_virtual_loop_can_be_driven_inside_asyncio(world: World):
    """D4: a test that is written for asyncio may have a world, too."""

    async def main() -> Any:
        future: Future[Any] = Future(world.dispatcher)
        run_on_loop(world.system.loop_host, asyncio.sleep(10, "slept"), future)
        world.advance(10)
        return future.get(timeout=0), asyncio.get_running_loop()

    value, loop = asyncio.run(main())
    assert value == "slept"
    assert not isinstance(loop, VirtualLoop)


def test_a_virtual_loop_is_the_same_from_the_same_seed():
    """D4, V3."""

    def once() -> list[Any]:
        world = World(3)
        log: list[Any] = []

        async def work(name: int) -> None:
            for step in range(3):
                log.append((name, step, world.now))
                await asyncio.sleep((name * step) % 3)

        for name in range(5):
            run_on_loop(world.system.loop_host, work(name), Future(world.dispatcher))
        world.advance(20)
        world.end()
        return log

    assert once() == once()


def test_what_is_to_run_on_a_thread_is_a_step_of_a_virtual_world(world: World):
    """D4: it would be waited for in vain, while virtual time passes: a test would hear nothing, and not know why."""

    def fails() -> None:
        raise OSError("no disk")

    async def work() -> Any:
        loop = asyncio.get_running_loop()
        values = [await asyncio.to_thread(pow, 2, 5), await loop.run_in_executor(None, threading.get_ident)]
        with pytest.raises(OSError, match="no disk"):
            await asyncio.to_thread(fails)
        given_up = loop.run_in_executor(None, values.append, "is done all the same")
        given_up.cancel()
        await asyncio.sleep(1)
        return values

    future: Future[Any] = Future(world.dispatcher)
    run_on_loop(world.system.loop_host, work(), future)
    world.advance(1)
    assert future.get(timeout=0) == [32, threading.get_ident(), "is done all the same"]


@pytest.mark.parametrize(
    "asks",
    [
        lambda: asyncio.open_connection("localhost", 9),
        lambda: asyncio.start_server(print, "127.0.0.1", 0),
        lambda: asyncio.create_subprocess_exec("true"),
    ],
    ids=["connection", "server", "process"],
)
def test_a_socket_in_a_virtual_world_is_refused(world: World, asks: Any):
    """D4: with what to do, where it is asked for."""

    async def work() -> None:
        await asks()

    future: Future[Any] = Future(world.dispatcher)
    run_on_loop(world.system.loop_host, work(), future)
    world.advance(1)
    with pytest.raises(FlowError, match=r"in virtual time there are none.*relay\(real=True\)"):
        future.get(timeout=0)


def test_a_virtual_loop_in_debug_mode_takes_what_a_flow_on_a_thread_of_its_own_gives_it(world: World):
    """D3: as with ``python -X dev``. Such a flow goes on in a turn of the loop, which is running elsewhere then."""
    loop = world.system.loop_host.loop()
    loop.set_debug(True)
    called: list[str] = []

    def hand_over() -> None:
        giver = threading.Thread(target=loop.call_soon_threadsafe, args=(called.append, "by a thread"))
        giver.start()
        giver.join(DEADLINE_S)

    loop.call_soon(hand_over)
    world.settle()

    assert called == ["by a thread"]


def test_a_virtual_loop_is_closed_with_its_system():
    """H9: also when something on it has never begun."""
    world = World(1)
    host = world.system.loop_host
    assert isinstance(host, VirtualLoopHost)
    loop = host.loop()
    future: Future[Any] = Future(world.dispatcher)
    run_on_loop(host, asyncio.sleep(3600), future)
    world.settle()
    world.end()
    assert loop.is_closed()
    assert isinstance(future.error, asyncio.CancelledError)
