"""A request is answered once, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from relay_actors.actors.outgoing import Outgoing
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
