"""Systems for the tests of the runtime: one on threads, and one that runs when it is told to."""

import sys
from collections.abc import Iterator

import pytest

from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.system import System
from tests.runtime.worlds import World


@pytest.fixture
def system() -> Iterator[System]:
    """A system on threads; that it can be stopped is a part of every test."""
    system = System(name="test")
    yield system
    assert system.stop(5.0), "something was left over"
    assert system.actor_count == 0
    assert isinstance(system.dispatcher, BatonDispatcher)
    assert system.dispatcher.thread_count == 0


@pytest.fixture
def world() -> Iterator[World]:
    """A system on one thread and virtual time; that nothing is left of it is a part of every test."""
    world = World(seed=0)
    yield world
    world.end()


@pytest.fixture
def eager_switches() -> Iterator[None]:
    """Threads that take turns as often as Python can make them."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)
