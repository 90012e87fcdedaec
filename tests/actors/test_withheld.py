"""What a call's code sends to others while its past is run again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors import Actor
from relay_actors.actors.leg import StateWait
from relay_actors.actors.orders import Perform, WaitFor
from relay_actors.actors.waits import Reply
from relay_actors.actors.withheld import Withheld, WithheldOrder
from relay_actors.errors import ActorDead, ConnectionLostError
from relay_actors.protocol.commands import Answer
from relay_actors.runtime.future import Future
from tests.actors.world import Witness, World


class Listener(Actor):
    def __init__(self, told: list[object]) -> None:
        super().__init__()
        self.told = told

    def on_receive(self, message: object) -> object:
        self.told.append(message)
        return "answer"


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def listener(world: World) -> tuple[Any, list[object]]:
    told: list[object] = []
    return world.system.start(Listener, told), told


def test_what_was_sent_then_is_not_sent_again(world: World) -> None:
    ref, told = listener(world)
    Withheld(ref._cell, "news", None).was_sent(may_be_lost=True)
    world.settle()
    assert told == []
    ref.stop()


def test_what_was_never_sent_is_sent_now(world: World) -> None:
    ref, told = listener(world)
    Withheld(ref._cell, "news", None).send()
    world.settle()
    assert told == ["news"]
    ref.stop()


def test_who_still_waits_for_an_answer_asks_again_and_who_has_it_does_not(world: World) -> None:
    ref, told = listener(world)
    known, unknown = Future[Any](world.dispatcher), Future[Any](world.dispatcher)
    known.try_set("of then")
    for reply in (known, unknown):
        Withheld(ref._cell, "question", reply).was_sent(may_be_lost=True)
    world.settle()
    assert told == ["question"]
    assert unknown.get(timeout=1) == "answer"
    ref.stop()


def test_who_asks_somebody_who_has_ended_is_told_so(world: World) -> None:
    ref, _told = listener(world)
    ref.stop()
    reply = Future[Any](world.dispatcher)
    Withheld(ref._cell, "question", reply).send()
    with pytest.raises(ActorDead):
        reply.get(timeout=1)


def test_a_command_to_another_call_is_not_given_twice_and_who_waits_is_told_that_nobody_knows(world: World) -> None:
    """J5."""
    _line, handle = world.inbound(Witness)
    command = Answer()
    order = Perform(command, Reply(command, handle.runs_on, handle.runs_as))
    WithheldOrder(handle.ref, order).was_sent(may_be_lost=False)
    with pytest.raises(ConnectionLostError):
        order.reply.get(timeout=1)
    assert world.sent("calling.answer") == []


def test_a_command_that_was_never_given_is_given(world: World) -> None:
    _line, handle = world.inbound(Witness)
    command = Answer()
    order = Perform(command, Reply(command, handle.runs_on, handle.runs_as))
    WithheldOrder(handle.ref, order).send()
    order.reply.get(timeout=1)
    assert len(world.sent("calling.answer")) == 1


def test_to_wait_for_another_call_is_begun_again(world: World) -> None:
    _line, handle = world.inbound(Witness)
    wait = StateWait(lambda _event: True, handle.runs_on, handle.runs_as)
    WithheldOrder(handle.ref, WaitFor(wait, state="created")).was_sent(may_be_lost=True)
    world.settle()
    assert wait.is_settled
