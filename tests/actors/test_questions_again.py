"""What a flow that goes on where it was has asked and spawned as it failed, and does not again (SEMANTICS X8)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from relay_actors import Actor
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_rebuilding import Fragile
from tests.actors.world import World


@dataclass(frozen=True)
class Refund:
    """A message that says by its class what is asked."""


@dataclass(frozen=True)
class Charge:
    """Another one."""


class Clerk(Actor):
    """Says what it was asked."""

    def on_receive(self, message: object) -> str:
        return f"done: {message}"

    def refund(self) -> str:
        return "done: refund"

    def charge(self) -> str:
        return "done: charge"


UNLIKE: dict[str, Callable[[Any, bool], Future[str]]] = {
    "text": lambda ref, fails: ref.ask("refund" if fails else "charge", block=False),
    "class": lambda ref, fails: ref.ask(Refund() if fails else Charge(), block=False),
    "proxy": lambda ref, fails: ref.proxy().refund() if fails else ref.proxy().charge(),
}


class CleansUp(Fragile):
    """Asks for something when it fails, and for something else when it does not."""

    way = ""

    async def run(self) -> None:
        await self.answer()
        clerk = self.app.lookup("clerk")
        try:
            await self.sleep(1)
            self.may_crash("failed")
        except RuntimeError:
            UNLIKE[self.way](clerk, True)
            raise
        self.data["got"] = str(await UNLIKE[self.way](clerk, False)).lower()
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", UNLIKE)
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_the_answer_to_what_a_flow_has_asked_as_it_failed_is_none_to_what_it_asks_when_it_goes_on(
    kind: type[World], way: str, crashes: int
) -> None:
    """X8: it does not come by there again, and asks something else."""
    CleansUp.crashes, CleansUp.way = {"failed": crashes}, way
    with kind() as world:
        world.app.service(Clerk, name="clerk")
        _line, handle = world.inbound(CleansUp)
        world.run(10)
        assert CleansUp.crashes == {"failed": 0}
        assert handle.data["got"].startswith("done: charge")


class Does(Actor):
    """Is told by its constructor what it is to do."""

    def __init__(self, what: str, **more: str) -> None:
        super().__init__()
        self.what = f"{what} {more}"

    def on_receive(self, _message: object) -> str:
        return self.what


SPAWNED: dict[str, Callable[[Any, str], Any]] = {
    "spawn": lambda call, what: call.spawn(Does, what),
    "by name": lambda call, what: call.spawn(Does, "seat", how=what),
    "started": lambda call, what: call.spawn_started(Does, what),
}


class Spawns(Fragile):
    """Has a child when it fails, and another one of the same class when it does not."""

    way = ""

    async def run(self) -> None:
        await self.answer()
        try:
            await self.sleep(1)
            self.may_crash("failed")
        except RuntimeError:
            SPAWNED[self.way](self, "refund")
            raise
        child = SPAWNED[self.way](self, "charge")
        await self.sleep(1)
        self.may_crash("spawned")
        self.data["got"] = await child.ask("what?", block=False)
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1, 2])
@pytest.mark.parametrize("way", SPAWNED)
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_a_child_that_a_flow_has_spawned_as_it_failed_is_none_that_it_spawns_when_it_goes_on(
    kind: type[World], way: str, crashes: int
) -> None:
    """X8: it was given something else to do. The one that it had is kept over the next crash, as any."""
    Spawns.crashes, Spawns.way = {"failed": crashes, "spawned": 1}, way
    with kind() as world:
        _line, handle = world.inbound(Spawns)
        world.run(10)
        assert Spawns.crashes == {"failed": 0, "spawned": 0}
        assert "charge" in handle.data["got"]
