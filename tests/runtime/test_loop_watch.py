"""An asyncio loop that is held up is reported with the line that holds it; one that goes on is not."""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.loop_watch import LoopWatch

DEADLINE_S = 10.0
REPORT_S = 0.1


class Watched:
    """A loop on a thread of its own, and a watch whose clock the test moves."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.dispatcher = DeterministicDispatcher(Random(1))
        self.watch = LoopWatch(self.loop, self.thread, self.dispatcher, report_s=REPORT_S, advice="all wait")

    def goes_on(self) -> None:
        """Wait until the loop has done all that it was asked for."""
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(DEADLINE_S)

    def passes(self, seconds: float) -> None:
        """Let time pass in which nobody is in the way."""
        for _ in range(round(seconds * 20)):
            self.dispatcher.advance(0.05)
            self.goes_on()

    def is_blocked_by(self, handler: Callable[[threading.Event, threading.Event], None], seconds: float) -> None:
        """Let time pass while a handler blocks the loop."""
        begun, may_end = threading.Event(), threading.Event()
        self.loop.call_soon_threadsafe(handler, begun, may_end)
        assert begun.wait(DEADLINE_S)
        self.dispatcher.advance(seconds)
        may_end.set()
        self.goes_on()

    def ends(self) -> None:
        self.watch.stop()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(DEADLINE_S)
        self.loop.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    made = Watched()
    yield made
    made.ends()


def blocks(begun: threading.Event, may_end: threading.Event) -> None:
    begun.set()
    may_end.wait(DEADLINE_S)  # here


def blocks_elsewhere(begun: threading.Event, may_end: threading.Event) -> None:
    blocks(begun, may_end)


def reports(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "blocks the asyncio loop" in record.getMessage()]


def test_what_blocks_the_loop_is_reported_with_its_line(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """The handler's own line, and where it is inside of it. SEMANTICS A16."""
    watched.passes(0.2)
    with caplog.at_level(logging.WARNING, "relay_actors.runtime"):
        watched.is_blocked_by(blocks_elsewhere, 0.3)

    [report] = reports(caplog)
    lines, first = inspect.getsourcelines(blocks_elsewhere)
    assert f"at={__file__}:{first + len(lines) - 1} function=blocks_elsewhere blocked_s=0." in report
    assert ": all wait\n" in report
    assert "may_end.wait(DEADLINE_S)  # here" in report
    assert "asyncio" not in report.partition("\n")[2].partition("blocks_elsewhere")[0]


def test_a_loop_that_goes_on_is_not_reported(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """However long its tasks wait, and however late the one who looks is."""
    waiting = asyncio.run_coroutine_threadsafe(asyncio.Event().wait(), watched.loop)
    watched.passes(5.0)
    watched.dispatcher.advance(0.05)
    watched.goes_on()
    watched.dispatcher.clock.advance(60.0)
    watched.dispatcher.settle()

    assert reports(caplog) == []
    waiting.cancel()
    watched.goes_on()
    watched.goes_on()


def test_what_blocks_for_less_is_not_reported(watched: Watched, caplog: pytest.LogCaptureFixture) -> None:
    """A prompt handler has nothing to fear."""
    for _ in range(10):
        watched.is_blocked_by(blocks, 0.05)
        watched.passes(0.1)

    assert reports(caplog) == []


def test_one_line_is_reported_once_a_minute_and_says_how_often_more(
    watched: Watched, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler that blocks with every call must not fill the disk; another line is news."""
    for _ in range(4):
        watched.is_blocked_by(blocks, 1.0)
        watched.passes(0.2)
    assert len(reports(caplog)) == 1
    watched.is_blocked_by(blocks_elsewhere, 1.0)
    watched.passes(60.0)
    assert len(reports(caplog)) == 2
    watched.is_blocked_by(blocks, 1.0)

    assert len(reports(caplog)) == 3
    assert "(3 more reports of this line were left out)" in reports(caplog)[2]


@pytest.mark.parametrize("how", ["stopped", "closed"])
def test_nobody_looks_any_more_once_it_is_over(watched: Watched, how: str) -> None:
    """Neither at a loop that is closed, nor after `stop`: no timer is left."""
    if how == "stopped":
        watched.watch.stop()
        watched.watch.stop()
    else:
        watched.goes_on()
        watched.loop.call_soon_threadsafe(watched.loop.stop)
        watched.thread.join(DEADLINE_S)
        watched.loop.close()
        watched.dispatcher.advance(1.0)

    assert watched.dispatcher.pending_timers == 0
    if how == "closed":
        watched.loop = asyncio.new_event_loop()
        watched.thread = threading.Thread(target=watched.loop.run_forever, daemon=True)
        watched.thread.start()


def test_who_stops_in_the_middle_of_a_look_leaves_no_timer() -> None:
    """X18: the last coroutine of a loop may end while another thread looks."""

    class Loop(asyncio.SelectorEventLoop):
        meanwhile: Callable[[], object] = bool

        def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> asyncio.Handle:
            self.meanwhile()
            return self.call_soon(callback, *args, context=context)

    dispatcher, loop = DeterministicDispatcher(Random(1)), Loop()
    watch = LoopWatch(loop, threading.current_thread(), dispatcher, report_s=REPORT_S, advice="all wait")
    loop.run_until_complete(asyncio.sleep(0))
    assert dispatcher.pending_timers == 1
    loop.meanwhile = watch.stop
    dispatcher.advance(REPORT_S / 2)
    assert dispatcher.pending_timers == 0
    loop.close()
