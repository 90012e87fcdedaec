"""What asyncio code raises is told exactly once: to who asks for it, or else to the log when nobody can any more."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime.owed import Brought
from relay_actors.runtime.piping import pipe
from tests.runtime.worlds import Recorder, World

LOG = logging.LoggerAdapter(logging.getLogger("relay_actors.tests"))


async def stream() -> None:
    """What brings it; it is not run here, only named."""


def brought() -> Brought[None]:
    coroutine = stream()
    coroutine.close()
    return Brought(coroutine, LOG)


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    gc.collect()
    return [record.getMessage() for record in caplog.records if "nobody awaits" in record.getMessage()]


def test_an_error_is_logged_once_when_nobody_is_left_who_could_ask(caplog: pytest.LogCaptureFixture):
    """A16: with its traceback, and by the name of what has raised it."""
    wait = brought()
    wait.raised(OSError("the model is away"))
    assert warned(caplog) == []
    del wait
    assert warned(caplog) == ["asyncio code raised, and nobody awaits it any more: stream"]
    assert "OSError: the model is away" in caplog.text


def get(wait: Any) -> None:
    with pytest.raises(OSError, match="away"):
        wait.get(timeout=0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wait: wait.error,
        lambda wait: wait.add_done_callback(lambda settled: settled.error),
        lambda wait: wait.was_asked_for(),
        get,
    ],
    ids=["error", "callback", "by what follows it", "get"],
)
def test_an_error_that_somebody_has_asked_for_is_not_logged(
    ask: Callable[[Any], object], caplog: pytest.LogCaptureFixture
):
    wait = brought()
    wait.raised(OSError("the model is away"))
    assert isinstance(wait.untold, OSError), "who looks there has not asked"
    ask(wait)
    del wait
    assert warned(caplog) == []


def test_one_that_is_piped_is_told_by_its_message(world: World, caplog: pytest.LogCaptureFixture):
    """A12."""
    log: list[Any] = []
    ref, wait = world.start(Recorder, log), brought()
    pipe(ref._cell, wait, None, None, survive_restart=False)
    wait.raised(OSError("the model is away"))
    del wait
    world.settle()
    assert "PipeFailed" in repr(log)
    assert warned(caplog) == []


@pytest.mark.parametrize("settle", ["it is let go", "it was cancelled", "it was too late"])
def test_what_ends_it_otherwise_is_nothing_to_log(settle: str, caplog: pytest.LogCaptureFixture):
    """Whoever lets it go, or loses it in a race, wants nothing more of it."""
    wait = brought()
    match settle:
        case "it is let go":
            wait.let_go()
        case "it was cancelled":
            wait.try_fail(asyncio.CancelledError())
        case _:
            wait.try_set(None)
    wait.raised(OSError("the model is away"))
    del wait
    assert warned(caplog) == []
