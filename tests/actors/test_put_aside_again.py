"""What a call has put aside is brought back once, also when its past is run again (SEMANTICS P1, P2, J3, J4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from relay_actors import CallActor
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, World


@pytest.fixture
def mortal() -> Iterator[MortalWorld]:
    with MortalWorld() as world:
        yield world


class Shop(CallActor):
    """A flow; what is told beside it is put aside until the shop opens."""

    stash_capacity = 10
    is_open = False
    served = 0

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(6)
        await (await self.play_tts(f"two, {self.served} served")).wait()

    def on_receive(self, message: object) -> Any:
        if message == "open":
            self.is_open = True
            self.unstash_all()
        elif self.is_wanted(message):
            if self.is_open:
                self.served += 1
                self.denoise()
            else:
                self.stash()

    def is_wanted(self, message: object) -> bool:
        return message == "hello"


class ShopOfTheWire(Shop):
    """The same, with what the wire has told."""

    def is_wanted(self, message: object) -> bool:
        return isinstance(message, PlayEvent) and message.state == "finished" and self.served < 1


class ShopThatStumbles(Shop):
    """The same; serving fails, and comes to its end at the second attempt."""

    retries = 1
    tried: object = None

    def on_receive(self, message: object) -> Any:
        super().on_receive(message)
        if self.served and self.tried is None:
            self.tried, self.served, self.is_open = message, 0, True
            raise LookupError("the first attempt")


class ShopThatDoubts(Shop):
    """The same; it puts aside again what was brought back, once."""

    def on_receive(self, message: object) -> Any:
        if self.is_open and self.is_wanted(message) and not self.served:
            self.served = 1
            self.stash()
            self.unstash_all()
            return
        super().on_receive(message)


def trade(world: MortalWorld, actor_class: type[CallActor], *deaths_s: float) -> list[str]:
    """Let somebody call, and be told things from outside; return what is heard in all."""
    world.takes_calls(actor_class)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.run(1.0)
    begun_at = world.clock.now()
    told = {0.0: "hello", 2.0: "open"}
    for at in sorted([*told, *deaths_s]):
        world.run(max(0.0, begun_at + at - world.clock.now()))
        if at in told:
            handle = world.app.call(line.call_id)
            assert handle is not None
            handle.ref.tell(told[at])
        else:
            world.dies()
            world.lives_again(after_s=0.25)
    world.run(40.0)
    assert world.count("calls.abandoned") == 0
    return [str(sound) for sound in line.heard]


@pytest.mark.parametrize("deaths_s", [(), (0.5,), (1.5,), (3.0,), (5.5,), (0.5, 3.0), (0.5, 1.2, 3.0, 4.5)], ids=str)
@pytest.mark.parametrize("actor_class", [Shop, ShopOfTheWire, ShopThatStumbles, ShopThatDoubts])
def test_what_is_brought_back_is_handled_once(
    mortal: MortalWorld, actor_class: type[CallActor], deaths_s: tuple[float, ...]
) -> None:
    """It is put aside again, and comes back where it did; nothing is begun anew. P2, J4."""
    served = 2 if actor_class is ShopThatDoubts else 1
    asked = 2 if actor_class is ShopThatStumbles else 1
    assert trade(mortal, actor_class, *deaths_s) == ["one", f"two, {served} served"]
    assert sorted(mortal.methods()) == sorted(
        ["calling.answer", *["calling.play"] * 2, *["calling.denoise"] * asked, "calling.end"]
    )


class Counter(CallActor):
    """A handler without a flow; what it was told too early it is told again after a crash, and crashes no more."""

    stash_capacity = 10

    def on_receive(self, message: object) -> Any:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("one")
            case "hello" if "is_open" not in self.data:
                self.stash()
            case "hello":
                self.denoise()
                self.data["served"] = self.data.get("served", 0) + 1
            case "open":
                self.data["is_open"] = True
                raise LookupError("what is aside is brought back by the restart")


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (3.0,), (1.0, 3.0)], ids=str)
def test_what_a_restart_brings_back_is_told_once(mortal: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """The next process begins behind the restart, and has nothing put aside: it is told by the record. P1, J4."""
    trade(mortal, Counter, *deaths_s)
    assert mortal.methods().count("calling.denoise") == 1
    [leg] = [cell.ref.kept.leg for cell in mortal.call_actors()]
    assert leg.data["served"] == 1


class GoesOn(Shop):
    """A flow that crashes once."""

    restart_flow = "where_it_was"
    crashes: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(3)
        if self.crashes:
            raise LookupError(self.crashes.pop())
        await (await self.play_tts(f"two, {self.served} served")).wait()


class GoesOnByTheWire(GoesOn, ShopOfTheWire):
    """The same, with what the wire has told."""


@pytest.mark.parametrize("actor_class", [GoesOn, GoesOnByTheWire])
def test_a_flow_beside_which_something_was_put_aside_begins_anew(world: World, actor_class: type[CallActor]) -> None:
    """That is kept over a crash, so it must not be put aside a second time by running the past again. P1, X8."""
    GoesOn.crashes[:] = ["once"]
    line, handle = world.inbound(actor_class)
    world.run(1.0)
    handle.ref.tell("hello")
    world.until(lambda: handle.ref.incarnation == 1, within_s=10.0)
    world.settle()
    assert world.actor(handle).stash_size == 1
    handle.ref.tell("open")
    world.run(30.0)
    assert [str(sound) for sound in line.heard] == ["one", "one", "two, 1 served"]
    assert world.methods().count("calling.denoise") == 1
    assert handle.ref.incarnation == 1
