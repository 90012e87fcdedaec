"""Where the user's functions run: on a loop, in order, each on its own; or on one that is made for them."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading
from typing import Any

import pytest

from relay_actors.runtime.loop_calls import LoopCalls, aside
from tests.support.plain_app import wait_until

DEADLINE_S = 10.0


def elsewhere(does: object, *args: object) -> None:
    thread = threading.Thread(target=does, args=args)  # type: ignore[arg-type]  # a test's own functions
    thread.start()
    thread.join(DEADLINE_S)


def test_plain_handlers_run_on_the_loop_in_the_order_in_which_they_were_asked_for() -> None:
    """Whoever asks: users' code shares what it likes, and needs no lock."""
    told: list[tuple[int, int]] = []

    async def story() -> None:
        handlers, done = LoopCalls(), asyncio.Event()
        handlers.bind()
        for number in range(50):
            elsewhere(handlers.run, lambda n: told.append((n, threading.get_ident())), number)
        handlers.run(done.set)
        await asyncio.wait_for(done.wait(), DEADLINE_S)

    asyncio.run(story())
    assert told == [(number, threading.get_ident()) for number in range(50)]


def test_a_coroutine_is_a_task_of_its_own_and_holds_up_nobody() -> None:
    """One waits for the other, which was asked for later."""

    async def story() -> str:
        handlers, may_end = LoopCalls(), asyncio.Event()
        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def slow(word: str) -> None:
            await may_end.wait()
            ended.set_result(word)

        handlers.bind()
        handlers.on_loop(slow)("done")
        handlers.run(may_end.set)
        return await asyncio.wait_for(ended, DEADLINE_S)

    assert asyncio.run(story()) == "done"


def test_what_a_handler_raises_is_logged_and_harms_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Sync or async. SEMANTICS X13."""

    async def story() -> None:
        handlers, done = LoopCalls(), asyncio.Event()

        def breaks() -> None:
            raise ValueError("plain")

        async def breaks_later() -> None:
            raise ValueError("later")

        handlers.bind()
        for handler in (breaks, breaks_later, done.set):
            handlers.run(handler)
        await asyncio.wait_for(done.wait(), DEADLINE_S)
        await asyncio.sleep(0)

    asyncio.run(story())
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["plain", "later"]


def test_functions_see_the_context_in_which_the_loop_was_bound() -> None:
    """As tasks that were started there would."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def story() -> str:
        handlers = LoopCalls()
        seen: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        variable.set("at home")
        handlers.bind()
        elsewhere(handlers.run, lambda: seen.set_result(variable.get("nowhere")))
        return await asyncio.wait_for(seen, DEADLINE_S)

    assert asyncio.run(story()) == "at home"


@pytest.mark.parametrize("is_bound", [True, False])
def test_a_handler_that_has_no_loop_is_not_forgotten_in_silence(
    is_bound: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop has been closed, or there never was one."""
    handlers = LoopCalls()

    async def bind() -> None:
        handlers.bind()

    if is_bound:
        asyncio.run(bind())
    with caplog.at_level(logging.ERROR, "relay_actors.runtime"):
        assert handlers.run(print, 1) is False
    assert "there is no loop for it handler=print" in caplog.text


def test_what_cannot_be_called_is_refused_when_it_is_given() -> None:
    """And not when the first event comes, at night."""
    with pytest.raises(TypeError, match="function of one argument"):
        LoopCalls().on_loop("handler")  # type: ignore[arg-type]  # the mistake


def test_a_function_runs_on_another_loop_and_on_the_bound_one_once_that_is_closed() -> None:
    """A listener stays on the loop on which it was registered; and is not forgotten when that has ended."""
    threads: list[str] = []

    async def story() -> None:
        calls, done = LoopCalls(), asyncio.Event()
        calls.bind()

        async def registers() -> None:
            on_other = calls.on_loop(lambda _event: threads.append(threading.current_thread().name))
            told = asyncio.Event()
            elsewhere(on_other, "first")
            elsewhere(calls.on_loop(lambda _event: told.set()), "first")
            await asyncio.wait_for(told.wait(), DEADLINE_S)
            kept.append(on_other)

        kept: list[object] = []
        other = threading.Thread(target=asyncio.run, args=(registers(),), name="other")
        other.start()
        await asyncio.to_thread(other.join, DEADLINE_S)
        elsewhere(kept[0], "second")
        calls.run(done.set)
        await asyncio.wait_for(done.wait(), DEADLINE_S)

    asyncio.run(story())
    assert threads == ["other", threading.main_thread().name]


def test_a_function_that_is_registered_on_no_loop_runs_on_the_bound_one() -> None:
    """In the turn of an actor, for example."""
    threads: list[threading.Thread] = []

    async def story() -> None:
        calls, done = LoopCalls(), asyncio.Event()
        calls.bind()

        def registers() -> None:
            calls.on_loop(lambda _event: (threads.append(threading.current_thread()), done.set()))("told")

        elsewhere(registers)
        await asyncio.wait_for(done.wait(), DEADLINE_S)

    asyncio.run(story())
    assert threads == [threading.main_thread()]


def test_what_runs_apart_has_a_thread_and_stays_for_what_it_has_started() -> None:
    """Nothing of it is cut off; and it does not hold up the end of the process."""
    seen: list[threading.Thread] = []
    told: list[str] = []
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")
    may_end = threading.Event()

    async def later() -> None:
        await asyncio.to_thread(may_end.wait, DEADLINE_S)
        await asyncio.sleep(0)
        told.append(variable.get())

    async def serves(name: str) -> None:
        seen.append(threading.current_thread())
        told.append(name)
        background.add(asyncio.create_task(later()))
        may_end.set()

    background: set[asyncio.Task[None]] = set()

    async def story() -> None:
        variable.set("at home")
        calls = LoopCalls()
        calls.bind()
        calls.run_apart(serves, "call 1")

    asyncio.run(story())
    assert may_end.wait(DEADLINE_S)
    seen[0].join(DEADLINE_S)
    assert not seen[0].is_alive()
    assert seen[0].daemon
    assert told == ["call 1", "at home"]


def test_what_is_given_to_a_loop_that_comes_to_its_end_runs_somewhere() -> None:
    """On it, or on the bound one: each exactly once, whenever it comes."""
    told: list[int] = []
    last = 400

    async def story() -> None:
        calls, is_all_told = LoopCalls(), asyncio.Event()
        calls.bind()

        def tell(number: int) -> None:
            told.append(number)
            if number == last:
                calls.run(is_all_told.set)

        async def serves() -> None:
            registered.append(calls.on_loop(tell))

        registered: list[Any] = []
        calls.run_apart(serves)
        await asyncio.to_thread(wait_until, lambda: registered)
        await asyncio.to_thread(lambda: [registered[0](number) for number in range(last + 1)])
        await asyncio.wait_for(is_all_told.wait(), DEADLINE_S)
        assert await asyncio.to_thread(calls.join, DEADLINE_S)

    asyncio.run(story())
    assert sorted(told) == list(range(last + 1))


def test_what_runs_apart_ends_also_when_what_was_given_to_its_loop_does_not(caplog: pytest.LogCaptureFixture) -> None:
    """A listener may wait for what never comes: its thread must not stay for ever. SEMANTICS X18."""
    calls = LoopCalls()
    is_cancelled = threading.Event()

    async def listener(begun: asyncio.Event) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            is_cancelled.set()

    async def attend() -> None:
        begun = asyncio.Event()
        calls.run(listener, begun, on=asyncio.get_running_loop())
        await begun.wait()

    async def main() -> None:
        calls.bind()
        calls.run_apart(attend, patience_s=0.05)

    asyncio.run(main())
    assert calls.join(DEADLINE_S)
    assert is_cancelled.is_set()
    assert "a task goes on after its call, and is cancelled" in caplog.text


def test_who_waits_for_everything_waits_for_tasks_and_for_loops_of_their_own() -> None:
    """And is told when it is not over in time."""
    may_end = threading.Event()

    async def later() -> None:
        await asyncio.to_thread(may_end.wait, DEADLINE_S)

    async def story() -> None:
        calls = LoopCalls()
        calls.bind()
        assert calls.join(0)
        calls.run(later)
        calls.run_apart(later)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not await asyncio.to_thread(calls.join, 0.01)
        may_end.set()
        assert await asyncio.to_thread(calls.join, DEADLINE_S)

    asyncio.run(story())


def test_two_that_run_apart_at_once_share_the_context_and_do_not_meet_in_it() -> None:
    """A context can be entered by one thread at a time."""
    both = threading.Barrier(2)
    seen: list[threading.Thread] = []

    async def serves() -> None:
        seen.append(threading.current_thread())
        both.wait(DEADLINE_S)

    async def story() -> None:
        calls = LoopCalls()
        calls.bind()
        for _ in range(2):
            calls.run_apart(serves)

    asyncio.run(story())
    for thread in list(threading.enumerate()):
        if thread.name == "relay-loop":
            thread.join(DEADLINE_S)
    assert len(seen) == 2
    assert not both.broken


def test_what_blocks_is_done_aside_and_its_error_is_for_who_waits() -> None:
    """The loop goes on meanwhile."""
    may_end = threading.Event()

    def blocks(number: int) -> int:
        assert may_end.wait(DEADLINE_S)
        return 10 // number

    async def story() -> int:
        waits = aside(blocks, 5)
        await asyncio.sleep(0)
        may_end.set()
        with pytest.raises(ZeroDivisionError):
            await aside(blocks, 0)
        return await waits

    assert asyncio.run(story()) == 2
