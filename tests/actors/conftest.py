"""For all tests of telephony actors: a world in virtual time, the same from many seeds, and a server on a socket."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actors.world import World
from tests.support.plain_server import PlainServer


@pytest.fixture
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An application that is not started yet, and its server; `over_seeds` runs a test in many of them."""
    world = World(getattr(request, "param", 1))
    try:
        yield world
    except BaseException:
        world.app.stop()
        raise
    world.close()


@pytest.fixture
def server() -> Iterator[PlainServer]:
    """A server on a real socket, which the test plays itself."""
    with PlainServer() as server:
        yield server
