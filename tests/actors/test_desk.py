"""Answers to an application's own requests."""

from __future__ import annotations

import inspect
import queue
import threading
from collections.abc import Iterator

import pytest

from relay_actors.actors.desk import Desk, DeskActor
from relay_actors.errors import CommandRejectedError, ConnectionLostError
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System
from tests.support.plain_app import logged_in
from tests.support.plain_server import DEADLINE_S, PlainServer


@pytest.fixture
def system() -> Iterator[System]:
    system = System(name="desk")
    yield system
    system.stop()


def test_an_answer_settles_its_future(system: System) -> None:
    """Result or error."""
    desk = Desk(system.start(DeskActor), system.dispatcher)
    (good, on_good), (bad, on_bad) = desk.open(), desk.open()
    on_good({"code": "200"}, None)
    on_bad(None, CommandRejectedError("calling.x", 500, "no"))
    assert good.get(timeout=DEADLINE_S) == {"code": "200"}
    with pytest.raises(CommandRejectedError):
        bad.get(timeout=DEADLINE_S)


def test_a_desk_that_has_ended_still_settles(system: System) -> None:
    """Whatever ends first, nobody waits (SEMANTICS A6)."""
    ref = system.start(DeskActor)
    desk = Desk(ref, system.dispatcher)
    future, on_answer = desk.open()
    ref.stop()
    on_answer({"code": "200"}, None)
    assert future.get(timeout=DEADLINE_S) == {"code": "200"}


def test_what_is_never_answered_fails_when_it_closes(system: System) -> None:
    """A request may have been on its way when everything stopped."""
    desk = Desk(system.start(DeskActor), system.dispatcher)
    answered, on_answer = desk.open()
    waiting, _ = desk.open()
    assert desk.open_count == 2
    on_answer({}, None)
    answered.get(timeout=DEADLINE_S)
    assert desk.open_count == 1
    desk.close(ConnectionLostError("Connection shut down"))
    with pytest.raises(ConnectionLostError, match="Connection shut down"):
        waiting.get(timeout=0)
    assert answered.get(timeout=0) == {}


def test_a_coroutine_for_which_nobody_else_is_left_is_driven(system: System, caplog: pytest.LogCaptureFixture) -> None:
    """In the desk's turns, over its awaits; what it raises harms no answer."""
    desk = Desk(system.start(DeskActor), system.dispatcher)
    gate: Future[str] = Future(system.dispatcher)
    told: queue.SimpleQueue[str] = queue.SimpleQueue()

    async def script() -> None:
        told.put("begun")
        told.put(await gate)
        raise RuntimeError("a bug")

    desk.drive(script(), "on_completed", "action=1")
    assert told.get(timeout=DEADLINE_S) == "begun"
    gate.set("gone on")
    assert told.get(timeout=DEADLINE_S) == "gone on"
    future, on_answer = desk.open()
    on_answer({}, None)
    assert future.get(timeout=DEADLINE_S) == {}
    assert "on_completed raised action=1" in caplog.text


def test_a_coroutine_that_comes_when_everything_has_stopped_is_closed_and_told_of(
    system: System, caplog: pytest.LogCaptureFixture
) -> None:
    """And not forgotten as a coroutine that was never awaited."""
    ref = system.start(DeskActor)
    desk = Desk(ref, system.dispatcher)
    ref.stop()

    async def script() -> None:
        raise AssertionError("nobody drives this")

    coroutine = script()
    desk.drive(coroutine, "on_completed", "action=1")
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert "on_completed was not run, the application has stopped action=1" in caplog.text


def test_a_callback_that_blocks_holds_up_neither_socket_nor_calls() -> None:
    """It is user code, and the connection waits for none. SEMANTICS D5, K11."""
    go_on, reached = threading.Event(), threading.Event()

    def blocks(_future: object) -> None:
        reached.set()
        assert go_on.wait(DEADLINE_S)

    with PlainServer() as server, logged_in(server) as (app, peer):
        reply = app.execute("calling.x", {})
        reply.add_done_callback(blocks)
        peer.ok(peer.expect("calling.x"))
        assert reached.wait(DEADLINE_S)
        peer.settle()
        peer.call(context="nobody's")
        peer.ok(peer.expect("calling.end"))
        go_on.set()
