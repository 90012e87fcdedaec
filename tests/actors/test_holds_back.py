"""What the connection holds back behind a command that may have been lost, and when it lets it go."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from relay_actors import CallActor, Limits, Timing
from relay_actors.actors.holding import HoldBack, Release
from relay_actors.actors.leaving import SETTLES_S
from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import ConnectionLostError, NotSentError, RelayActorsError
from relay_actors.journal.entries import CommandIntended
from relay_actors.journal.memory import MemoryStore
from tests.support.plain_world import PlainWorld

PATIENT = dataclasses.replace(Timing(), request_timeout_s=10.0)


class Silent(CallActor):
    """Has a call, and does nothing about it."""

    def on_receive(self, message: object) -> None:
        """Wait."""


class Asks:
    """Sends commands of one call by hand, and notes their answers."""

    def __init__(self, world: PlainWorld, subject: str = "call") -> None:
        self.world = world
        self.subject = subject
        self.told: list[tuple[int, RelayActorsError | None]] = []

    def __call__(self, number: int, *, is_repeat: bool = False) -> None:
        def on_answer(_result: Any, error: RelayActorsError | None) -> None:
            self.told.append((number, error))

        params = {"number": number}
        self.world.app._running().office.send(
            Outgoing("calling.x", params, on_answer, self.subject, number, 0, on_late=on_answer, is_repeat=is_repeat)
        )
        self.world.settle()

    def tell(self, message: object) -> None:
        self.world.app._running().office.tell_connection(message)
        self.world.settle()

    @property
    def sent(self) -> list[int]:
        return [params["number"] for params in self.world.requests("calling.x")]


def test_what_comes_behind_is_sent_in_order_when_it_is_released() -> None:
    """And not before; what is sent again goes ahead, and so do other calls. SEMANTICS K6."""
    with PlainWorld() as world:
        world.start()
        asks, other = Asks(world), Asks(world, "another call")
        asks.tell(HoldBack("call"))
        asks(1)
        asks(2)
        other(3)
        asks(4, is_repeat=True)
        assert asks.sent == [3, 4]
        asks.tell(Release("call"))
        assert asks.sent == [3, 4, 1, 2]
        asks(5)
        assert asks.told == [(4, None), (1, None), (2, None), (5, None)]


def test_a_lost_command_holds_back_what_waits_in_the_queue_already() -> None:
    """It would be the first to go out on the next connection."""
    with PlainWorld() as world:
        world.app.calls("support")(Silent)
        world.start()
        world.event("calling.call.receive", {"call_id": "call", "node_id": "node", "context": "support"}, "e")
        world.settle()
        asks = Asks(world)
        world.answer = lambda _frame: None
        asks(1)
        world.say({"jsonrpc": "2.0", "id": "d", "method": "signalwire.disconnect", "params": {}})
        world.settle()
        asks(2)  # the server has announced to leave: this is queued
        world.answer = lambda _frame: {"code": "200"}
        world.vanish()
        world.run(3.0)
        assert [(number, type(error)) for number, error in asks.told] == [(1, ConnectionLostError)]
        assert asks.sent == [1]
        asks.tell(Release("call"))
        assert asks.sent == [1, 2]


def test_nothing_is_held_back_for_a_call_that_has_gone_when_its_last_command_is_lost() -> None:
    """X18: nobody would ever let it go."""
    with PlainWorld() as world:
        world.start()
        asks = Asks(world, "a call that has gone")
        world.answer = lambda _frame: None
        asks(1)
        world.vanish()
        world.run(3.0)
        assert [type(error) for _number, error in asks.told] == [ConnectionLostError]
        assert world.app._running().wire.holding.subjects == set()


def test_what_waits_too_long_is_not_sent() -> None:
    """Proves SEMANTICS K7: as long as in the queue of the connection."""
    with PlainWorld(timing=PATIENT) as world:
        world.start()
        asks = Asks(world)
        asks.tell(HoldBack("call"))
        asks(1)
        world.run(9.9)
        assert asks.told == []
        world.run(0.2)
        [(_number, error)] = asks.told
        assert isinstance(error, NotSentError)
        asks.tell(Release("call"))
        assert asks.sent == []


def test_no_more_wait_than_in_the_queue() -> None:
    """Proves SEMANTICS K7."""
    with PlainWorld(limits=Limits(queued_requests=2)) as world:
        world.start()
        asks = Asks(world)
        asks.tell(HoldBack("call"))
        for number in (1, 2, 3):
            asks(number)
        [(number, error)] = asks.told
        assert (number, type(error)) == (3, NotSentError)
        assert "Execute queue full" in str(error)


@pytest.mark.parametrize("how", ["the call is over", "the application stops"])
def test_what_nobody_wants_any_more_is_not_sent(how: str) -> None:
    with PlainWorld() as world:
        world.start()
        asks = Asks(world)
        asks.tell(HoldBack("call"))
        asks(1)
        if how == "the call is over":
            asks.tell(Release("call", is_over=True))
        else:
            world.app.stop()
        [(_number, error)] = asks.told
        assert isinstance(error, NotSentError | ConnectionLostError)
        assert asks.sent == []


def test_the_journal_knows_of_each_command_once_and_in_the_order_in_which_it_was_asked_for() -> None:
    """Recovery compares what a call asks for with that. SEMANTICS J2, J4."""
    store = MemoryStore()
    with PlainWorld(journal=store) as world:
        world.start()
        asks = Asks(world, "subject")
        asks.tell(HoldBack("subject"))
        for number in (1, 2):
            asks(number)
        entries = list(store.load(subject="subject"))
        assert [entry.number for entry in entries if isinstance(entry, CommandIntended)] == [1, 2]
        world.answer = lambda _frame: None
        asks.tell(Release("subject"))
        assert asks.sent == [1, 2]
        assert list(store.load(subject="subject")) == entries


@pytest.mark.parametrize("is_over", [False, True])
def test_what_is_held_back_stays_here_while_calls_are_left_to_the_next_process(is_over: bool) -> None:
    """C4, K6: the command before it is not sent again here, so it would overtake that."""
    with PlainWorld(journal=MemoryStore()) as world:
        world.start()
        asks = Asks(world)
        world.answer = lambda _frame: None
        asks(1)  # its answer is waited for
        asks.tell(HoldBack("call"))
        asks(2)
        left = world.app._running().leave_for_next()
        asks.tell(Release("call", is_over=is_over))
        world.run(SETTLES_S + 0.1)
        assert left.get(timeout=1.0) is True
        assert asks.sent == [1]
        assert asks.told == []
