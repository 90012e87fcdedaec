"""For all tests of telephony actors: a world in virtual time, and the same from many seeds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.actors.world import World


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
