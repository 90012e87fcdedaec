"""A world whose application can be killed like a process: nothing of it goes on, and only what was committed is left."""

from __future__ import annotations

from random import Random
from typing import Any

from relay_actors.app import RelayApp
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.system import System
from tests.actors.world import World

__all__ = ["MortalWorld"]


class MortalWorld(World):
    """One server, and one application after the other, with one journal.

    Attributes:
        medium: where the journal is.
        deaths: how often the application was killed.
    """

    def __init__(self, seed: int = 1, **more: Any) -> None:
        super().__init__(seed, **more)
        self._more = {key: more[key] for key in ("timing", "limits") if key in more}
        self.medium = MemoryMedium()
        self.deaths = 0
        self.app = self._new_app()

    def _new_app(self) -> RelayApp:
        return RelayApp("project", "token", host="relay.example.com", journal=MemoryStore(self.medium), **self._more)

    def dies(self) -> None:
        """Kill the application, in the middle of whatever it was about to do next."""
        connection = self.tree.office.connection._cell.actor
        transport = None if connection is None else connection._transport
        if transport is not None:
            transport.abort()
        former = self.app
        former._free()
        self.deaths += 1
        self.dispatcher = DeterministicDispatcher(Random(self.seed * 1000 + self.deaths), self.clock)
        self.system = System(
            dispatcher=self.dispatcher, random=Random(self.seed * 2000 + self.deaths), hooks=self.counters
        )
        self._tick_timer = None
        self._arm()
        self.app = self._new_app()
        self.app._calls, self.app._messages, self.app._services = former._calls, former._messages, former._services

    def lives_again(self, *, after_s: float = 0.0) -> None:
        """Start the application again, and let it log in."""
        if after_s:
            self.run(after_s)
        self.start()
