"""A world whose application can be killed like a process: only what was committed is left of it."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterable
from random import Random
from typing import Any

from relay_actors.actors.call import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.app import RelayApp
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.system import System
from relay_actors.transport.memory import MemoryConnector, MemoryTransport
from tests.actors.world import World

__all__ = ["MortalStore", "MortalWorld", "ToldCall"]


class MortalWorld(World):
    """One server, and one application after the other, with one journal.

    Besides between two turns, the application can die inside one: before and after each commit of the journal, and
    before and after each write to the socket. Those places are counted.

    Attributes:
        medium: where the journal is.
        deaths: how often the application was killed.
        places: how many places there were so far at which it could have died.
        dies_at: at which of them it dies; None: at none.
        dies_again_after: so many places after each death it dies again, once for each number.
        is_dying: whether it has died at such a place; what it still does in that turn has no effect.
    """

    def __init__(self, seed: int = 1, *, dies_at: int | None = None, **more: Any) -> None:
        super().__init__(seed, **more)
        self._more = {key: more[key] for key in ("timing", "limits") if key in more}
        self.medium = MemoryMedium()
        self.deaths = 0
        self.places = 0
        self.dies_at = dies_at
        self.dies_again_after: list[int] = []
        self.is_dying = False
        self._transports: list[MemoryTransport] = []
        self.connector = _Connector(self)
        self.app = self._new_app()

    def __repr__(self) -> str:
        return f"MortalWorld({self.seed}, dies_at={self.dies_at})"

    def _new_app(self) -> RelayApp:
        return RelayApp("project", "token", host="relay.example.com", journal=self.new_store(), **self._more)

    def new_store(self) -> MemoryStore:
        """Return a journal on what was committed."""
        return MortalStore(self, self.medium)

    def dies(self) -> None:
        """Kill the application, in the middle of whatever it was about to do next."""
        if not self.is_dying:
            self._cut()
        former = self.app
        former._free()
        self._quieten(self.system)
        self.deaths += 1
        self.is_dying = False
        if self.dies_again_after:
            self.dies_at = self.places + self.dies_again_after.pop(0)
        number = self.seed * 1000 + self.deaths
        self.dispatcher = DeterministicDispatcher(Random(number), self.clock)
        self.system = System(dispatcher=self.dispatcher, random=Random(number + 500), hooks=self.counters)
        self._tick_timer = None
        self._arm()
        self.connector = _Connector(self)
        self.app = self._new_app()
        self.app._calls, self.app._messages, self.app._services = former._calls, former._messages, former._services

    @staticmethod
    def _quieten(system: System) -> None:
        """Let nobody hear that asyncio's tasks have died, too."""
        loop = getattr(system.loop_host, "_loop", None)
        if loop is None:
            return
        for task in asyncio.all_tasks(loop):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
        loop.close()

    def lives_again(self, *, after_s: float = 0.0) -> None:
        """Start the application again; it may die again before it has logged in."""
        if after_s:
            self.run(after_s)
        self.app.start(wait_s=None, system=self.system, connector=self.connector)

    def dies_after(self, *deaths_s: float, then_s: float = 60.0, cuts_s: Iterable[float] = ()) -> None:
        """Let time pass, in which the application is killed and the socket is cut after so many seconds from now.

        Each time it is started again a quarter of a second after its death.
        """
        began = self.clock.now()
        for at, is_death in sorted([*((at, True) for at in deaths_s), *((at, False) for at in cuts_s)]):
            self.run(max(0.0, began + at - self.clock.now()))
            if is_death:
                self.dies()
                self.lives_again(after_s=0.25)
            else:
                self.sim.drop_sockets()
        self.run(then_s)

    def live(self, seconds: float, *, reborn_after_s: float = 0.5) -> None:
        """Let time pass; whenever the application has died, it is started again a moment later."""
        until = self.clock.now() + seconds
        while self.clock.now() < until:
            if self.is_dying:
                self.dies()
                self.lives_again(after_s=reborn_after_s)
            due = self.dispatcher._timers.next_due()
            if not self.dispatcher.step():
                self.clock.advance_to(until if due is None else min(until, due))

    def place(self) -> None:
        """Pass a place at which it may die."""
        self.places += 1
        if self.places == self.dies_at:
            self.medium = copy.deepcopy(self.medium)  # what the dead one still writes is nowhere
            self.is_dying = True
            self._cut()

    def _cut(self) -> None:
        self.connector.refuse("the process is dead")
        for transport in self._transports:
            transport.abort()
        self._transports.clear()


class MortalStore(MemoryStore):
    """Passes a place before and after each commit."""

    def __init__(self, world: MortalWorld, medium: MemoryMedium) -> None:
        super().__init__(medium)
        self._world = world

    def commit(self) -> None:
        self._world.place()
        super().commit()
        self._world.place()


class _Connector(MemoryConnector):
    """Passes a place before and after each write."""

    def __init__(self, world: MortalWorld) -> None:
        super().__init__(world._accept)
        self._world = world

    def connect(self) -> MemoryTransport:
        near = super().connect()
        write, world = near.send, self._world

        def send(texts: Iterable[bytes]) -> None:
            world.place()
            write(texts)
            world.place()

        near.send = send  # type: ignore[method-assign]
        world._transports.append(near)
        return near


class ToldCall:
    """A call that is up, and is told things; whichever process has it now. What it notes is in its ``data``.

    Args:
        world: where it is.
        actor_class: whose it is.
    """

    def __init__(self, world: MortalWorld, actor_class: type[CallActor]) -> None:
        self.world = world
        self._line, _handle = world.inbound(actor_class)
        world.run(1.0)

    @property
    def actor(self) -> CallHandle:
        """The handle that it has now."""
        found = self.world.app.call(self._line.call_id)
        assert found is not None
        return found

    @property
    def noted(self) -> list[Any]:
        """What it has noted."""
        return list(self.actor.data.get("noted", []))

    def is_told(self, *messages: object) -> None:
        """Let others tell it one thing after the other."""
        for message in messages:
            self.actor.ref.tell(message)
            self.world.run(0.5)
