"""The process ends wherever it likes, and then the flow crashes, or the process ends once more (J3, J4, X8)."""

from __future__ import annotations

from typing import ClassVar

import pytest

from tests.actors.mortal_world import MortalWorld
from tests.actors.test_rebuilding import Fragile

SAID = ["Welcome", "Press a key", "Bye"]


class Speaks(Fragile):
    """Says three things, and does one beside; each is asked for in the turn in which something else has come."""

    effects: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        welcome = await self.play_tts("Welcome")
        await self.denoise()
        await welcome.wait()
        began = self.now()
        await (await self.play_tts("Press a key")).wait()
        self.data["effect"] = await self.side_effect(self.effect, began)
        await self.sleep(10)
        await self.denoise_stop()
        self.hangup(after=await self.play_tts("Bye"))
        await self.sleep(3600)

    def on_receive(self, message: object) -> None:
        if message == "crash":
            self.may_crash("told")

    @classmethod
    def effect(cls, began: float) -> str:
        cls.effects.append(str(began))
        return f"effect {began}"


def heard(crashes: int, *dies_after: int) -> tuple[list[str], MortalWorld]:
    """Return what a caller hears, with so many crashes at the end, and deaths after so many places each."""
    Speaks.crashes, Speaks.effects = {"told": crashes}, []
    with MortalWorld() as world:
        line, _handle = world.inbound(Speaks)
        first, *world.dies_again_after = dies_after or (None,)
        world.dies_at = None if first is None else world.places + first
        world.live(10.0)
        if crashes:
            call = world.app.call(line.call_id)
            assert call is not None
            call.ref.tell("crash")
        world.live(60.0)
        assert line.is_over
        return [str(sound) for sound in line.heard], world


def places() -> int:
    """Return how many places there are in an undisturbed call, until shortly before its end."""
    _heard, world = heard(0, 10_000)
    return world.places - 20


def test_a_flow_that_crashes_in_the_next_process_goes_on_where_it_was() -> None:
    """X8: wherever the one before has ended; what it had not given by then is on record where it was asked for."""
    for place in range(1, places() + 1):
        said, world = heard(1, place)
        assert said == SAID, place
        assert len(set(Speaks.effects)) == 1, place
        assert (world.count("actors.failed"), Speaks.crashes) == (1, {"told": 0}), place


@pytest.mark.parametrize("later", [5, 9, 16, 25, 36])
def test_a_flow_goes_on_where_it_was_also_in_the_third_process(later: int) -> None:
    """J4: a command that the second has given is not taken for one of the first, whose answer nobody would know."""
    for place in range(1, places() + 1):
        said, world = heard(0, place, later)
        assert said == SAID, (place, world.deaths)
        assert len(set(Speaks.effects)) == 1, place
