"""One timer for all calls whose commands may take too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.actors.stall_queue import StallQueue
from relay_actors.runtime.actor import Actor
from tests.runtime.worlds import World


class Call(Actor):
    """Writes down when it is looked at, and ends the watch as a call does."""

    def __init__(self, call_id: str, stalls: StallQueue, seen: list[Any]) -> None:
        super().__init__()
        self.call_id, self.stalls, self.seen = call_id, stalls, seen

    def on_start(self) -> None:
        self.register(("call", self.call_id))

    def on_stall_watch(self) -> None:
        self.stalls.cancel()
        self.seen.append((self.call_id, self.system.clock.now()))


@pytest.fixture
def world() -> Iterator[World]:
    world = World(1)
    yield world
    world.end()


def test_each_call_is_looked_at_when_its_own_time_is_over(world: World) -> None:
    """SEMANTICS X15: five seconds after its command, whoever else is watched."""
    stalls, seen, began = StallQueue(world.system, 5.0), list[Any](), world.now
    for name in ("a", "b", "c"):
        world.start(Call, name, stalls, seen)
    stalls.add("a")
    stalls.add("b")
    world.advance(2.0)
    stalls.add("c")
    assert world.dispatcher.pending_timers == 1
    world.advance(2.9)
    assert seen == []
    world.advance(0.1)
    assert sorted(seen) == [("a", began + 5.0), ("b", began + 5.0)]
    world.advance(2.0)
    assert seen[2:] == [("c", began + 7.0)]
    assert world.dispatcher.pending_timers == 0


def test_nothing_is_due_when_nobody_is_watched_any_more(world: World) -> None:
    """X18: calls that are over leave no timer behind, and whoever comes later is looked at all the same."""
    stalls, seen, began = StallQueue(world.system, 5.0), list[Any](), world.now
    world.start(Call, "later", stalls, seen)
    for watch in (stalls.add("a"), stalls.add("b")):
        watch.cancel()
    assert world.dispatcher.pending_timers == 0
    stalls.add("later")
    world.advance(9.0)
    assert seen == [("later", began + 5.0)]


def test_who_is_gone_is_passed_over(world: World) -> None:
    stalls, seen, began = StallQueue(world.system, 5.0), list[Any](), world.now
    world.start(Call, "there", stalls, seen)
    gone = stalls.add("gone")
    stalls.add("there")
    gone.cancel()
    world.advance(9.0)
    assert seen == [("there", began + 5.0)]
    assert world.dispatcher.pending_timers == 0
