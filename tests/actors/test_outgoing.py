"""A request is answered once, whatever becomes of it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from relay_actors.actors.outgoing import Outgoing, last_word
from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from tests.support.plain_world import PlainWorld

Outcome = type[RelayActorsError] | None


def fine(world: PlainWorld) -> None:
    """The server accepts it."""


def refused(world: PlainWorld) -> None:
    world.answer = lambda _frame: {"code": "500", "message": "no"}


def silent(world: PlainWorld) -> None:
    world.answer = lambda _frame: None


def broken(world: PlainWorld) -> None:
    def vanish(_frame: object) -> object:
        world.vanish()

    world.answer = vanish


def stopped(world: PlainWorld) -> None:
    world.app.stop()


@pytest.mark.parametrize(
    ("how", "params", "expected"),
    [
        (fine, {}, None),
        (refused, {}, CommandRejectedError),
        (silent, {}, RequestTimeoutError),
        (broken, {}, ConnectionLostError),
        (stopped, {}, NotSentError),
        (fine, {"x": object()}, NotSentError),
    ],
)
def test_every_outcome_is_told_exactly_once(
    how: Callable[[PlainWorld], None], params: dict[str, object], expected: Outcome
) -> None:
    """SEMANTICS K6: ok, rejected, unknown or not sent. Once."""
    with PlainWorld() as world:
        world.start()
        office = world.app._running().office
        told: list[RelayActorsError | None] = []
        how(world)
        office.send(Outgoing("calling.x", params, lambda _result, error: told.append(error), "subject"))
        world.run(60.0)
        world.app.stop()
        [error] = told
        assert (type(error) if error is not None else None) is expected


def test_the_last_word_on_a_leg_is_a_hang_up_that_nobody_waits_for() -> None:
    outgoing = last_word({"node_id": "n", "call_id": "c"}, "cancel")
    assert (outgoing.method, outgoing.subject) == ("calling.end", "c")
    assert outgoing.params == {"node_id": "n", "call_id": "c", "reason": "cancel"}


@pytest.mark.parametrize(
    ("error", "level"),
    [
        (None, None),
        (CommandRejectedError("calling.end", 404, "gone"), logging.DEBUG),
        (NotSentError("no connection"), logging.WARNING),
    ],
)
def test_that_the_last_word_was_not_taken_is_worth_a_line(
    error: RelayActorsError | None, level: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal means that the leg has ended already; anything else may have left it up."""
    caplog.set_level(logging.DEBUG)
    last_word({"node_id": "n", "call_id": "c"}, "cancel").on_answer(None if error else {}, error)
    assert [record.levelno for record in caplog.records] == ([] if level is None else [level])
