"""Coroutines that run beside an actor's own work: driven in its turns, and harmless."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Any

import pytest

from relay_actors.actors.aside import run_aside
from relay_actors.errors import CallEnded
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System


class Busy(Actor):
    """Runs what it is given beside what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[object] = []
        self.flows: list[Flow] = []

    def on_receive(self, message: object) -> None:
        if callable(message):
            given = message()
            self.flows.append(
                run_aside(
                    self._cell, given, "a test", "a=1", expected=CallEnded, on_over=lambda: self.told.append("over")
                )
            )
        else:
            self.told.append(message)


class Stage:
    def __init__(self) -> None:
        self.dispatcher = DeterministicDispatcher(Random(1))
        self.system = System(dispatcher=self.dispatcher, random=Random(2))
        self.ref: ActorRef[Busy] = self.system.start(Busy)
        self.gate: Future[str] = Future(self.dispatcher)

    @property
    def actor(self) -> Any:
        return self.ref._cell.actor

    def runs(self, script: Callable[[], Coroutine[Any, Any, None]]) -> Flow:
        self.ref.tell(script)
        self.dispatcher.settle()
        flow: Flow = self.actor.flows[-1]
        return flow


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    assert stage.system.stop()


def test_it_goes_on_in_the_actors_turns_while_the_actor_works(stage: Stage):
    turns: list[bool] = []

    async def script() -> None:
        turns.append(here.turn is stage.ref._cell)
        stage.actor.told.append(await stage.gate)
        turns.append(here.turn is stage.ref._cell)

    flow = stage.runs(script)
    stage.ref.tell("meanwhile")
    stage.dispatcher.settle()
    assert (stage.actor.told, flow.is_over) == (["meanwhile"], False)
    stage.gate.set("go on")
    stage.dispatcher.settle()
    assert (stage.actor.told, flow.is_over) == (["meanwhile", "go on", "over"], True)
    assert turns == [True, True]


@pytest.mark.parametrize("error", [RuntimeError("a bug"), SystemExit(1), KeyboardInterrupt()])
@pytest.mark.parametrize("is_late", [True, False])
def test_what_it_raises_is_logged_and_the_actor_lives(
    stage: Stage, caplog: pytest.LogCaptureFixture, error: BaseException, is_late: bool
):
    """SEMANTICS X13, early or late."""

    async def script() -> None:
        if is_late:
            await stage.gate
        raise error

    flow = stage.runs(script)
    stage.gate.set("go on")
    stage.dispatcher.settle()
    stage.ref.tell("after")
    stage.dispatcher.settle()
    assert (flow.is_over, stage.actor.told) == (True, ["over", "after"])
    assert stage.ref.is_alive()
    [record] = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert record.getMessage() == "a test raised a=1"
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_what_is_expected_is_no_error(stage: Stage, caplog: pytest.LogCaptureFixture):
    async def script() -> None:
        await stage.gate

    stage.runs(script)
    stage.gate.try_fail(CallEnded("c", "hangup"))
    stage.dispatcher.settle()
    assert stage.actor.told == ["over"]
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_one_that_is_closed_closes_what_it_has_open_and_is_not_called_over(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    closed: list[str] = []

    async def script() -> None:
        try:
            await stage.gate
        finally:
            closed.append("closed")

    flow = stage.runs(script)
    flow.close()
    stage.gate.set("too late")
    stage.dispatcher.settle()
    assert (closed, flow.is_over, stage.actor.told) == (["closed"], True, [])
    assert caplog.records == []
