"""An error of blocking code is told exactly once: to who asks for it, or else to the log."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime.blocking import BlockingFuture
from relay_actors.runtime.future import WaitTimeout

LOG = logging.LoggerAdapter(logging.getLogger("relay_actors.tests"))


def fails(number: object = 1) -> None:
    raise LookupError(f"no customer {number}")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "nobody awaits" in record.getMessage()]


def test_an_error_that_nobody_will_ask_for_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture):
    """Once, however often its owner says so."""
    wait = BlockingFuture[None]("fails", LOG)
    wait.does(fails, 7)()
    assert warned(caplog) == []
    wait.abandon()
    wait.abandon()
    assert warned(caplog) == ["blocking code raised, and nobody awaits it any more: fails"]
    assert "LookupError: no customer 7" in caplog.text
    assert "in fails" in caplog.text


def test_an_error_that_comes_when_nobody_will_ask_is_logged_when_it_comes(caplog: pytest.LogCaptureFixture):
    wait = BlockingFuture[None]("fails", LOG)
    wait.abandon()
    assert warned(caplog) == []
    wait.does(fails)()
    assert len(warned(caplog)) == 1


def test_whatever_comes_first_an_error_is_told_exactly_once(caplog: pytest.LogCaptureFixture):
    """The end of its owner and the end of the function race on two threads."""
    for _ in range(200):
        wait = BlockingFuture[None]("fails", LOG)
        start = threading.Barrier(2)
        run = wait.does(fails)

        def end(wait: BlockingFuture[None] = wait, start: threading.Barrier = start) -> None:
            start.wait(5)
            wait.abandon()

        other = threading.Thread(target=end)
        other.start()
        start.wait(5)
        run()
        other.join(5)
    assert len(warned(caplog)) == 200


def get(wait: Any) -> None:
    with pytest.raises(LookupError):
        wait.get(timeout=0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wait: wait.error,
        lambda wait: wait.add_done_callback(lambda settled: settled.error),
        get,
    ],
    ids=["error", "callback", "get"],
)
def test_an_error_that_somebody_has_asked_for_is_not_logged(
    ask: Callable[[Any], object], caplog: pytest.LogCaptureFixture
):
    wait = BlockingFuture[None]("fails", LOG)
    wait.does(fails)()
    ask(wait)
    wait.abandon()
    assert warned(caplog) == []
    assert not wait.is_owed


def test_who_has_asked_too_early_has_not_been_told(caplog: pytest.LogCaptureFixture):
    wait = BlockingFuture[None]("fails", LOG)
    with pytest.raises(WaitTimeout):
        wait.get(timeout=0)
    wait.does(fails)()
    wait.abandon()
    assert len(warned(caplog)) == 1


def test_a_value_that_nobody_has_asked_for_is_nothing_to_log(caplog: pytest.LogCaptureFixture):
    wait = BlockingFuture[int]("sum", LOG)
    assert wait.is_owed
    wait.does(sum, [1, 2])()
    assert not wait.is_owed
    wait.abandon()
    assert warned(caplog) == []
