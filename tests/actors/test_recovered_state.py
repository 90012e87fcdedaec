"""At any moment, what a new process makes of the journal is what the living one knows of its call (J3, J4)."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from relay_actors.actors.leg import Leg
from relay_actors.app import RelayApp
from relay_actors.config import Limits
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.system import System
from relay_actors.transport.memory import MemoryConnector
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_recovery import STORIES, Story
from tests.support.thorough import some_of

STEP = 3
"""In the middle, they are compared after every so many turns: a whole application is started for it."""

OF_THE_WIRE = ("id", "node", "state", "reason", "peer", "is_bridged", "device")
"""What follows from what the wire has told alone."""


def known(leg: Leg) -> dict[str, Any]:
    """Return what is known of a call, as plain values."""
    return {
        "id": leg.call_id,
        "node": leg.node_id,
        "state": leg.state,
        "reason": leg.end_reason,
        "peer": leg.peer,
        "is_bridged": leg.is_bridged,
        "device": leg.device,
        "actions": {control_id: str(action.state) for control_id, action in sorted(leg.actions.items())},
        "data": leg.data,
        "told": leg.course.told,
        "commands": leg.course.commands,
        "flow_is_over": leg.flow_is_over,
        "hand_on": leg.hand_on is not None,
        "hang_up": leg.hang_up is not None,
        "timers": sorted(str(key) for key in leg.course.timers if isinstance(key, int)),
    }


class Heir:
    """Another application, that is started on a copy of the journal and reaches nobody."""

    def __init__(self, world: MortalWorld) -> None:
        self.clock = ManualClock(wall_start=world.clock.wall())
        self.dispatcher = DeterministicDispatcher(Random(world.places), self.clock)
        self.medium: MemoryMedium = copy.deepcopy(world.medium)
        self.system = System(dispatcher=self.dispatcher, random=Random(2), hooks=Counters())
        self.app = RelayApp("project", "token", host="relay.example.com", journal=MemoryStore(self.medium))
        self.app._calls, self.app._services = world.app._calls, world.app._services
        self.sent = 0

    def legs(self) -> dict[str, dict[str, Any]]:
        """Return what it knows of each call, by its subject in the journal."""
        connector = MemoryConnector(lambda _far: None)
        connector.refuse("nobody is reached")
        self.app.start(wait_s=None, system=self.system, connector=connector)
        try:
            refs = self.app._running().refs()
            return {ref.kept.leg.subject: known(ref.kept.leg) for ref in refs}
        finally:
            self.app._free()


@pytest.fixture
def two_applications(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RELAY_MAX_CONNECTIONS", "2")
    logging.disable(logging.ERROR)
    yield
    logging.disable(logging.NOTSET)


def compare(world: MortalWorld, *, in_the_middle: bool) -> int:
    """Compare each call of the living application with what an heir makes of it; return how many there were.

    In the middle of what happens the journal knows what the wire has told before the call does, and what the call has
    asked for after it.
    """
    heirs = Heir(world).legs()
    compared = 0
    for ref in world.app._running().refs():
        leg = ref.kept.leg
        if leg.is_ended or leg.subject not in heirs:
            continue
        heir, mine = heirs[leg.subject], known(leg)
        if in_the_middle:
            assert heir["told"] >= mine["told"], f"at {world.clock.now():.3f} s: the journal is behind"
            if heir["told"] == mine["told"]:
                assert {key: heir[key] for key in OF_THE_WIRE} == {key: mine[key] for key in OF_THE_WIRE}
        else:
            assert heir == mine, f"at {world.clock.now():.3f} s, after {world.places} places"
        compared += 1
    return compared


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize(("seed", "entries"), some_of([(1, 500), (2, 500), (2, 1)], 2))
@pytest.mark.usefixtures("two_applications")
def test_what_is_rebuilt_is_what_is_known(name: str, seed: int, entries: int) -> None:
    """Also when its past is summed up as often as that can be. J3, J4."""
    story: Story = STORIES[name]
    with MortalWorld(seed, limits=Limits(journal_entries_per_call=entries)) as world:
        story.begin(world)
        compared, steps = 0, 0
        until = world.clock.now() + 40.0
        while world.clock.now() < until:
            due = world.dispatcher._timers.next_due()
            if world.dispatcher.step():
                steps += 1
                if steps % STEP == 0:
                    compare(world, in_the_middle=True)
            else:
                compared += compare(world, in_the_middle=False)
                world.clock.advance_to(until if due is None else min(until, due))
    assert compared > 3
