"""What a class does in `on_start` and in `on_recovered` is done once, too (SEMANTICS J3, J4, X8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest

from relay_actors import ActionCompleted, Actor, CallActor, Limits
from relay_actors.events import CallStateEvent, PlayEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, device
from tests.support.thorough import some_of

FRIEND = "+15550002222"


class Witness(Actor):
    """A service that notes what it is told; of all tests, emptied by the fixture."""

    told: ClassVar[list[object]] = []

    def on_receive(self, message: object) -> None:
        Witness.told.append(message)


class Friend(CallActor):
    async def run(self) -> None:
        await (await self.play_tts("Somebody thinks of you")).wait()


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    Witness.told.clear()
    with MortalWorld() as world:
        world.app.service(Witness, name="witness")
        yield world


def tell(call: CallActor, what: str) -> None:
    call.app.lookup("witness").tell(what)


def heard(world: MortalWorld, actor_class: type[CallActor], *deaths_s: float) -> list[str]:
    """Return what a caller hears, while the application dies at these times."""
    world.takes_calls(actor_class)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.dies_after(*deaths_s)
    assert line.is_over, line.story()
    return [str(sound) for sound in line.heard]


DEATHS = pytest.mark.parametrize("deaths_s", [(), (0.5,), (2.5,), (4.5,), (1.5, 3.5, 5.5)], ids=str)


# -- on_start --------------------------------------------------------------------------------------------------------


class Crashes(CallActor):
    """Its flow crashes once and begins anew; each time, `on_start` asks for something, for the time, and for luck."""

    def on_start(self) -> None:
        self.denoise()
        self.since, self.luck = self.now(), self.random.random()
        tell(self, "on_start")

    async def run(self) -> None:
        self.data["begun"] = self.data.get("begun", 0) + 1
        await self.answer()
        await (await self.play_tts(f"begun {self.data['begun']}")).wait()
        if self.data["begun"] == 1:
            raise RuntimeError("the first time")
        await (await self.play_tts(f"since {self.since}, {self.luck}, {self.random.random()}")).wait()
        await self.sleep(3)
        await (await self.play_tts(f"since {self.since}, {self.luck}, {self.random.random()}")).wait()


@DEATHS
def test_a_flow_that_has_begun_anew_goes_on_with_what_on_start_gave_it_then(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """Its second `on_start` is run again where it was, and not in place of the first. J4, X8."""
    said = heard(world, Crashes, *deaths_s)
    assert said[:2] == ["begun 1", "begun 2"]
    assert [words.split(", ")[:2] for words in said[2:]] == [said[2].split(", ")[:2]] * 2
    assert world.methods().count("calling.denoise") == 2
    assert Witness.told == ["on_start", "on_start"]
    assert world.count("calls.abandoned") == 0


class Handler(CallActor):
    """Tells somebody, calls somebody, and pays, when it starts; the rest is a handler with a durable timer."""

    paid = 0

    def on_start(self) -> None:
        self.answer()
        tell(self, "on_start")
        self.app.dial(Friend, device(FRIEND))
        self.side_effect(self.pays)

    @staticmethod
    def pays() -> None:
        Handler.paid += 1

    def on_receive(self, message: object) -> None:
        match message:
            case CallStateEvent(call_state="answered"):
                self.play_tts("one")
            case ActionCompleted(event=PlayEvent()):
                self.data["played"] = self.data.get("played", 0) + 1
                if self.data["played"] == 2:
                    self.hangup()
                else:
                    self.start_timer("later", "go on", 10.0, durable=True)
            case "go on":
                self.play_tts("two")


@pytest.mark.parametrize("entries", [1, 500])
@pytest.mark.parametrize("deaths_s", [(), (2.5,), (9.0,), (2.5, 5.0, 9.0)], ids=str)
def test_what_a_handler_has_done_in_on_start_is_not_done_again(deaths_s: tuple[float, ...], entries: int) -> None:
    """Its past is not run again, but `on_start` is; also when the friend's call is long over. J3, X9."""
    Witness.told.clear()
    Handler.paid = 0
    with MortalWorld(limits=Limits(journal_entries_per_call=entries)) as world:
        world.app.service(Witness, name="witness")
        friend = world.sim.phone(FRIEND).answers_after(1.0)
        assert heard(world, Handler, *deaths_s) == ["one", "two"]
        assert Witness.told == ["on_start"]
        assert len(friend.lines) == 1
        assert Handler.paid == 1


def test_a_dial_is_not_lost_between_two_processes_that_die_one_after_the_other() -> None:
    """The note that it was begun is in no journal in which it is not itself. J2, J4."""
    for place in some_of(range(1, 20), 10):
        for later in (8, 9, 10):
            Witness.told.clear()
            with MortalWorld() as world:
                world.app.service(Witness, name="witness")
                friend = world.sim.phone(FRIEND).answers_after(1.0)
                world.takes_calls(Handler)
                line = world.sim.phone(CALLER).dials(context=CONTEXT)
                world.dies_at = world.places + place
                world.dies_again_after.append(later)
                world.live(30.0)
                assert [str(sound) for sound in line.heard] == ["one", "two"], (place, later)
                assert len(friend.lines) == 1, (place, later)


class Welcomes(CallActor):
    """Says welcome by a durable timer that it has started at once."""

    def on_start(self) -> None:
        self.answer()
        self.start_timer("welcome", "welcome", 2.0, durable=True)

    def on_receive(self, message: object) -> None:
        if message == "welcome":
            self.play_tts("Welcome")


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (4.0,), (1.0, 4.0, 8.0)], ids=str)
def test_a_durable_timer_of_on_start_ticks_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """Also if it has ticked long before the process ended. T7."""
    world.takes_calls(Welcomes)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.dies_after(*deaths_s)
    assert [str(sound) for sound in line.heard] == ["Welcome"]
    line.hangs_up()
    world.run(5.0)


def test_a_durable_timer_ticks_once_wherever_two_processes_die_one_after_the_other() -> None:
    """The second may note how far it has come when the timer has ticked in its past, and not in itself. T7."""
    for place in some_of(range(1, 45), 12):
        for later in (5, 9):
            with MortalWorld() as world:
                world.takes_calls(Welcomes)
                line = world.sim.phone(CALLER).dials(context=CONTEXT)
                world.dies_at = world.places + place
                world.dies_again_after.append(later)
                world.live(30.0)
                assert [str(sound) for sound in line.heard] == ["Welcome"], (place, later)
                line.hangs_up()
                world.live(5.0)


# -- on_recovered ----------------------------------------------------------------------------------------------------


class Recovers(CallActor):
    """Asks for something, and does something, whenever it is taken up; and its flow goes on doing the same."""

    effects: ClassVar[list[str]] = []

    def on_recovered(self, pending: object) -> None:
        self.denoise()
        tell(self, "on_recovered")
        self.side_effect(self.notes, f"recovered at {self.now()}")

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(3)
        said = await self.side_effect(self.notes, "the flow's own")
        tell(self, "flow")
        await (await self.play_tts(f"{said}")).wait()
        await self.sleep(3)

    @classmethod
    def notes(cls, what: str) -> str:
        cls.effects.append(what)
        return what


@pytest.mark.parametrize("deaths_s", [(), (2.5,), (2.5, 5.0), (1.5, 3.0, 4.5, 6.0), (3.0, 3.1, 3.2)], ids=str)
def test_what_a_flow_has_done_in_on_recovered_belongs_to_its_past(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """It is asked for in the second process, and compared and counted with the rest in the third. J3, J4."""
    Recovers.effects.clear()
    assert heard(world, Recovers, *deaths_s) == ["one", "the flow's own"]
    times = len(deaths_s)
    assert world.methods().count("calling.denoise") == times
    assert sorted(Witness.told, key=str) == ["flow"] + ["on_recovered"] * times
    assert Recovers.effects.count("the flow's own") == 1
    assert len(set(Recovers.effects)) == len(Recovers.effects) == 1 + times


class CrashesAgain(Recovers):
    """Crashes once while its past is run again, and is taken up none the less."""

    crashes = 0

    async def run(self) -> None:
        if self.leg.course.replay is not None and CrashesAgain.crashes == 0:
            CrashesAgain.crashes += 1
            raise RuntimeError("once, while its past is run again")
        await super().run()


def test_what_is_done_in_on_recovered_after_a_crash_in_the_past_belongs_to_what_begins_then(world: MortalWorld) -> None:
    """It has begun anew, and goes on where it is in the third process. J4, X8."""
    Recovers.effects.clear()
    CrashesAgain.crashes = 0
    assert heard(world, CrashesAgain, 2.5, 5.0) == ["one", "one", "the flow's own"]
    assert CrashesAgain.crashes == 1
    assert Recovers.effects.count("the flow's own") == 1
    assert world.count("calls.abandoned") == 0
