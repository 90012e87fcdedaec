"""One timer for all calls that wait for the same length of time."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.actors.due_queue import DueQueue
from relay_actors.runtime.actor import Actor
from tests.runtime.worlds import DEADLINE_S, World


class Call(Actor):
    """Writes down when it is told that its time is over."""

    def __init__(self, name: str, seen: list[Any]) -> None:
        super().__init__()
        self.name, self.seen = name, seen

    def on_due(self) -> None:
        self.seen.append((self.name, self.system.clock.now()))


class Calls:
    """A queue, and calls by name."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: list[Any] = []
        self.queue = DueQueue(world.system, 5.0, lambda call: call.on_due())
        self.cells = {name: world.start(Call, name, self.seen)._cell for name in "abc"}

    def add(self, name: str) -> Any:
        return self.queue.add(self.cells[name])


@pytest.fixture
def calls() -> Iterator[Calls]:
    world = World(1)
    yield Calls(world)
    world.end()


def test_each_call_is_told_when_its_own_time_is_over(calls: Calls) -> None:
    """Whoever else waits, and by one timer."""
    world, began = calls.world, calls.world.now
    calls.add("a")
    calls.add("b")
    world.advance(2.0)
    calls.add("c")
    assert (len(calls.queue), world.dispatcher.pending_timers) == (3, 1)
    world.advance(2.9)
    assert calls.seen == []
    world.advance(0.1)
    assert sorted(calls.seen) == [("a", began + 5.0), ("b", began + 5.0)]
    world.advance(2.0)
    assert calls.seen[2:] == [("c", began + 7.0)]
    assert (len(calls.queue), world.dispatcher.pending_timers) == (0, 0)


def test_what_is_taken_back_is_not_told_and_leaves_no_timer(calls: Calls) -> None:
    """X18: calls that are over leave nothing behind, and who comes later is told all the same."""
    world, began = calls.world, calls.world.now
    first, second = calls.add("a"), calls.add("b")
    second.cancel()
    second.cancel()
    assert (len(calls.queue), world.dispatcher.pending_timers) == (1, 1)
    first.cancel()
    assert (len(calls.queue), world.dispatcher.pending_timers) == (0, 0)
    calls.add("c")
    world.advance(9.0)
    first.cancel()
    assert calls.seen == [("c", began + 5.0)]


def test_what_is_taken_back_on_its_way_is_not_told(calls: Calls) -> None:
    """T2: as with every timer."""
    waiting = calls.add("a")
    calls.world.dispatcher.clock.advance_to(calls.world.now + 5.0)
    calls.queue._look()
    waiting.cancel()
    calls.world.settle()
    assert calls.seen == []


def test_very_many_that_are_taken_back_do_not_pile_up(calls: Calls) -> None:
    """T6: also behind one that goes on waiting."""
    first = calls.add("a")
    for _ in range(10_000):
        calls.add("b").cancel()
    assert len(calls.queue) == 1
    assert len(calls.queue._queue) < 200
    first.cancel()
    assert len(calls.queue._queue) == 0


def test_threads_may_add_and_take_back_at_once(calls: Calls) -> None:
    """A handler that blocks goes on beside the others: none is lost, and none counted twice."""

    def add_and_take_back(name: str) -> None:
        for number in range(500):
            waiting = calls.add(name)
            if number % 2:
                waiting.cancel()

    threads = [threading.Thread(target=add_and_take_back, args=(name,)) for name in "abc"]
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
    finally:
        sys.setswitchinterval(interval_s)
    assert len(calls.queue) == 750
    calls.world.advance(9.0)
    assert len(calls.seen) == 750
    assert (len(calls.queue), calls.world.dispatcher.pending_timers) == (0, 0)
