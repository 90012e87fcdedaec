"""What handlers can wait for by themselves: time, blocking code, and asyncio code."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest

from relay_actors.runtime.actor import DISPATCHERS, Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, spawn, until


class Crashes(Actor):
    """Crashes when it is told to, also while another handler awaits."""

    interleaves = (str,)

    def on_receive(self, message: Any) -> Any:
        if message == "crash":
            raise ValueError(message)
        return message(self)


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


class Forgetful(Actor):
    """Begins asyncio code, and does not await it."""

    def on_receive(self, message: Any) -> None:
        self.aio(message())


def test_what_asyncio_code_raises_that_nobody_awaits_is_logged(world: World, caplog: pytest.LogCaptureFixture):
    """With its traceback, and who has begun it."""

    async def fails() -> None:
        await asyncio.sleep(1)
        raise OSError("down")

    ref = world.start(Forgetful)
    ref.tell(fails)
    world.settle()
    world.advance(2)
    assert "asyncio code raised, and nobody awaits it any more" in caplog.text
    assert "OSError: down" in caplog.text
    assert "Forgetful" in caplog.text


async def pieces() -> AsyncIterator[str]:
    yield "piece"


def test_what_cannot_be_waited_for_is_refused(world: World):
    """And the text says what can."""
    ref = world.start(Waiter)
    for wrong, what in (
        (lambda actor: actor.aio(asyncio.sleep), r"call it: aio\(f\(x\)\)"),
        (lambda actor: actor.aio("text"), "give a coroutine"),
        (lambda actor: actor.aio(pieces()), r"tells this actor each piece: ref\.tell\(piece\)"),
        (lambda actor: actor.aio(anext(pieces())), r"tells this actor each piece"),
        (lambda actor: actor.aio(anext(pieces(), None)), r"tells this actor each piece"),
        (lambda actor: actor.sleep("1"), "number of seconds"),
        (lambda actor: actor.sleep(True), "number of seconds"),
    ):
        with pytest.raises(TypeError, match=what):
            ref.ask(wrong, timeout=1)


# -- blocking code ---------------------------------------------------------------------------------------------------


def look_up(number: int) -> str:
    if number < 0:
        raise LookupError(f"no customer {number}")
    return f"customer {number}"


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "nobody awaits" in record.getMessage()]


@pytest.mark.parametrize("kind", DISPATCHERS)
def test_blocking_code_runs_on_the_pool_and_gives_its_result_or_its_error(
    system: System, kind: Any, caplog: pytest.LogCaptureFixture
):
    """A16: of every actor, on each of the dispatchers; what a handler has awaited is nothing for the log."""
    ref = system.start(Waiter.on_dispatcher(kind))

    def where() -> Any:
        return here.turn, threading.current_thread().name

    turn, thread = ref.ask(lambda actor: actor.blocking(where), timeout=DEADLINE_S)
    assert turn is None
    assert thread.startswith("test-blocking")
    assert ref.ask(lambda actor: actor.blocking(look_up, number=7), timeout=DEADLINE_S) == "customer 7"
    with pytest.raises(LookupError, match="no customer -1"):
        ref.ask(lambda actor: actor.blocking(look_up, -1), timeout=DEADLINE_S)
    assert ref.incarnation == 0
    assert warned(caplog) == []


def test_an_actor_goes_on_while_its_blocking_code_runs(system: System):
    """A16: the result comes as a message."""
    log: list[Any] = []
    may_return = threading.Event()
    ref = system.start(Recorder, log)
    ref.ask(lambda actor: actor.pipe_to_self(actor.blocking(may_return.wait, DEADLINE_S), str), timeout=DEADLINE_S)
    assert ref.ask("meanwhile", timeout=DEADLINE_S) == "meanwhile"
    may_return.set()
    until(lambda: log == ["start", "meanwhile", "True"])


def test_an_error_of_blocking_code_is_told_to_who_asks_or_else_to_the_log(
    world: World, caplog: pytest.LogCaptureFixture
):
    """Once, when the handler is over that has begun it; also of one that awaits, and of one in `on_start`."""
    told: list[Any] = []

    class Begins(Waiter):
        def on_start(self) -> None:
            self.blocking(look_up, -1)

    async def begins(actor: Any) -> None:
        late = actor.blocking(look_up, -2)
        actor.blocking(look_up, -3)
        await actor.sleep(1)
        told.append(warned(caplog))
        with pytest.raises(LookupError):
            await late

    ref = world.start(Begins)
    assert len(warned(caplog)) == 1
    ref.ask(begins, timeout=5)
    world.settle()
    assert told == [warned(caplog)[:1]]
    assert len(warned(caplog)) == 2
    assert [number for number in (-1, -2, -3) if f"no customer {number}" in caplog.text] == [-1, -3]


def test_an_error_that_comes_when_its_handler_is_gone_is_for_the_log(world: World, caplog: pytest.LogCaptureFixture):
    """S10, A15: the actor goes on as the next incarnation, and is told nothing of it."""
    parent = world.start(Parent)
    child = spawn(parent, Crashes, spec=ChildSpec(restart=Restart.PERMANENT))
    blocked: Future[None] = Future(world.dispatcher)

    def crashes_meanwhile() -> None:
        blocked.set()
        world.settle()
        look_up(-1)

    async def awaits(actor: Any) -> None:
        await actor.blocking(crashes_meanwhile)

    blocked.add_done_callback(lambda _blocked: child.tell("crash"))
    child.tell(awaits)
    world.settle()
    assert child.incarnation == 1
    assert len(warned(caplog)) == 1
    assert "no customer -1" in caplog.text


@pytest.mark.parametrize("kind", DISPATCHERS)
@pytest.mark.parametrize("is_late", [False, True])
def test_what_is_piped_is_told_by_its_message_also_if_it_has_failed_by_then(
    system: System, kind: Any, is_late: bool, caplog: pytest.LogCaptureFixture
):
    """A12: the function may be faster than the handler."""
    log: list[Any] = []
    ref = system.start(Recorder.on_dispatcher(kind), log)

    def pipe_it(actor: Any) -> None:
        failed = actor.blocking(look_up, -1)
        if is_late:
            until(lambda: failed.is_settled)
        actor.pipe_to_self(failed, None, str)

    ref.tell(pipe_it)
    until(lambda: "no customer -1" in log)
    ref.ask("and all that comes behind it", timeout=DEADLINE_S)
    assert warned(caplog) == []


@pytest.mark.parametrize("hook", ["on_start", "on_stop", "on_failure", "pre_restart"])
def test_an_error_of_what_a_hook_has_begun_is_for_the_log(world: World, hook: str, caplog: pytest.LogCaptureFixture):
    """A16: also of the last one, after which the actor has no turn any more."""

    class Hooked(Crashes):
        def on_start(self) -> None:
            self.begins("on_start")

        def on_stop(self) -> None:
            self.begins("on_stop")

        def on_failure(self, *_error: Any) -> None:
            self.begins("on_failure")

        def pre_restart(self, *_crash: Any) -> None:
            self.begins("pre_restart")

        def begins(self, name: str) -> None:
            if name == hook and not warned(caplog):
                self.blocking(look_up, -1)

    parent = world.start(Parent)
    child = spawn(parent, Hooked, spec=ChildSpec(restart=Restart.TRANSIENT))
    world.settle()
    child.tell("crash")
    world.settle()
    child.stop(block=False)
    world.settle()
    assert len(warned(caplog)) == 1
    assert "no customer -1" in caplog.text


def test_what_is_no_blocking_code_is_refused(world: World):
    """And the text says what is."""
    ref = world.start(Waiter)
    for wrong, what in (
        (lambda actor: actor.blocking("text"), "give a plain function"),
        (lambda actor: actor.blocking(asyncio.sleep, 1), r"asyncio code is run by aio\(f\(x\)\)"),
    ):
        with pytest.raises(TypeError, match=what):
            ref.ask(wrong, timeout=1)
