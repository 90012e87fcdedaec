"""What handlers can wait for by themselves: time, and asyncio code."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.context import here
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, World, until


class Waiter(Actor):
    """Does what it is sent, awaiting it."""

    async def on_receive(self, message: Any) -> Any:
        return await message(self)


def test_a_sleep_takes_as_long_as_it_says(world: World):
    """A15: and leaves no timer when it is cancelled."""
    ref = world.start(Waiter)
    before = world.now
    ref.ask(lambda actor: actor.sleep(2.5), timeout=5)
    assert world.now - before == 2.5
    ref.tell(lambda actor: actor.sleep(3600))
    world.settle()
    ref.stop(now=True, timeout=1)
    assert world.dispatcher.pending_timers == 0


def test_asyncio_code_runs_in_virtual_time(world: World):
    """D4: on this thread, and an hour of it takes no time."""
    ref = world.start(Waiter)

    async def slow() -> str:
        async with asyncio.timeout(4000):
            await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(1800))
        return "done"

    before = world.now
    assert ref.ask(lambda actor: actor.aio(slow()), timeout=5000) == "done"
    assert world.now - before == 3600


def test_what_asyncio_code_raises_is_raised_at_the_await(world: World):
    async def fails() -> None:
        await asyncio.sleep(1)
        raise OSError("down")

    ref = world.start(Waiter)
    with pytest.raises(OSError, match="down"):
        ref.ask(lambda actor: actor.aio(fails()), timeout=5)


def test_asyncio_code_runs_on_the_loop_and_not_in_the_turn(system: System):
    """D3: there is one loop for all, and it is made at the first use."""
    threads: list[str] = []

    async def look() -> Any:
        threads.append(threading.current_thread().name)
        return here.turn, asyncio.get_running_loop()

    refs = [system.start(Waiter) for _ in range(3)]
    given = [ref.ask(lambda actor: actor.aio(look()), timeout=DEADLINE_S) for ref in refs]
    assert {turn for turn, _loop in given} == {None}
    assert len({loop for _turn, loop in given}) == 1
    assert set(threads) == {"test-loop"}


def test_a_cancelled_handler_cancels_its_asyncio_code(system: System):
    """A15: and waits for nothing else of it."""
    seen: list[str] = []

    async def endless() -> None:
        seen.append("begins")
        try:
            await asyncio.Event().wait()
        finally:
            seen.append("cancelled")

    ref = system.start(Waiter)
    ref.tell(lambda actor: actor.aio(endless()))
    until(lambda: seen == ["begins"])
    ref.stop(now=True, timeout=DEADLINE_S)
    until(lambda: seen == ["begins", "cancelled"])


def test_what_cannot_be_waited_for_is_refused(world: World):
    """And the text says what can."""
    ref = world.start(Waiter)
    for wrong, what in (
        (lambda actor: actor.aio(asyncio.sleep), r"call it: aio\(f\(x\)\)"),
        (lambda actor: actor.aio("text"), "give a coroutine"),
        (lambda actor: actor.sleep("1"), "number of seconds"),
        (lambda actor: actor.sleep(True), "number of seconds"),
    ):
        with pytest.raises(TypeError, match=what):
            ref.ask(wrong, timeout=1)
