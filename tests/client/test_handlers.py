"""Where the user's handlers run: on one loop, in order, each on its own."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import threading

import pytest

from relay_actors.client.handlers import Handlers
from tests.client.conftest import DEADLINE_S


def elsewhere(does: object, *args: object) -> None:
    thread = threading.Thread(target=does, args=args)  # type: ignore[arg-type]  # a test's own functions
    thread.start()
    thread.join(DEADLINE_S)


def test_plain_handlers_run_on_the_loop_in_the_order_in_which_they_were_asked_for() -> None:
    """Whoever asks: users' code shares what it likes, and needs no lock."""
    told: list[tuple[int, int]] = []

    async def story() -> None:
        handlers, done = Handlers(), asyncio.Event()
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
        handlers, may_end = Handlers(), asyncio.Event()
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
        handlers, done = Handlers(), asyncio.Event()

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


def test_handlers_see_the_context_in_which_the_client_was_connected() -> None:
    """As tasks that were started there would."""
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable")

    async def story() -> str:
        handlers = Handlers()
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
    handlers = Handlers()

    async def bind() -> None:
        handlers.bind()

    if is_bound:
        asyncio.run(bind())
    with caplog.at_level(logging.ERROR, "relay_actors.client"):
        assert handlers.run(print, 1) is False
    assert "not run handler=print" in caplog.text


def test_what_cannot_be_called_is_refused_when_it_is_given() -> None:
    """And not when the first event comes, at night."""
    with pytest.raises(TypeError, match="function of one argument"):
        Handlers().on_loop("handler")  # type: ignore[arg-type]  # the mistake
