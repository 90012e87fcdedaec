"""What a flow that goes on where it was has left to be called at the end of something (SEMANTICS X8)."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, gather, race
from relay_actors.config import Limits
from relay_actors.errors import ActorDead
from relay_actors.events import PlayEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_rebuilding import Fragile
from tests.actors.world import CALLER, OURS, Witness, World, device

OTHER = "+15550002222"
LONG = "A long hello, which takes a while. " * 3

KINDS = pytest.mark.parametrize("kind", [World, MortalWorld])


class Notes(Actor):
    """Notes what it is told; of a future, that it is settled."""

    told: ClassVar[list[object]] = []

    def on_receive(self, message: Any) -> None:
        if isinstance(message, Future):
            self.pipe_to_self(message, lambda _value: "settled")
        else:
            self.told.append(message)


class Called(Fragile):
    """Says that it was called back, and crashes when it is told to."""

    way = ""

    def on_over(self, *_over: object) -> None:
        self.app.lookup("notes").tell("over")
        self.play_tts("Over")

    def on_receive(self, message: object) -> None:
        if message == "crash":
            self.may_crash("told")


COMPOSED: dict[str, Callable[[Any, Any], Future[Any]]] = {
    "itself": lambda _call, play: play.wait(),
    "gather": lambda call, play: gather(play.wait(), call.denoise()),
    "race": lambda call, play: race(play.wait(), call.wait_for_ended()),
    "race of a race": lambda call, play: race(race(play.wait(), call.wait_for_ended()), call.sleep(3600)),
    "map": lambda _call, play: play.wait().map(str),
    "join": lambda _call, play: play.wait().join(play),
}


class GivesAway(Called):
    async def run(self) -> None:
        await self.answer()
        over = COMPOSED[self.way](self, await self.play_tts(LONG))
        over.add_done_callback(self.on_over)
        self.app.lookup("notes").tell(over)
        self.may_crash("given")
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", COMPOSED)
@KINDS
def test_who_was_given_a_future_is_not_left_waiting_when_the_flow_has_crashed(
    kind: type[World], way: str, crashes: int
) -> None:
    """A10, X8: also if it is made of several; and the flow's own callback on it is called once."""
    GivesAway.crashes, GivesAway.way, Notes.told = {"given": crashes}, way, []
    with kind() as world:
        world.app.service(Notes, name="notes")
        line, _handle = world.inbound(GivesAway)
        world.run(30)
        assert GivesAway.crashes == {"given": 0}
        assert sorted(map(str, Notes.told)) == ["over", "settled"]
        assert [str(sound) for sound in line.heard].count("Over") == 1


OF_OTHERS: dict[str, Callable[[Any], Future[Any]]] = {
    "dial": lambda call: call.app.dial(Witness, [[device(OTHER)]]).wait_for_answered(),
    "text": lambda call: call.app.send_message(to_number=CALLER, from_number=OURS, body="Hello").wait(),
    "race": lambda call: race(call.app.dial(Witness, [[device(OTHER)]]).wait_for_answered(), call.sleep(3600)),
}


class OfOthers(Called):
    async def run(self) -> None:
        await self.answer()
        OF_OTHERS[self.way](self).add_done_callback(self.on_over)
        self.may_crash("begun")
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", OF_OTHERS)
@KINDS
def test_a_callback_at_the_end_of_something_of_others_is_called_once(kind: type[World], way: str, crashes: int) -> None:
    """X8: of a call that the flow has dialled, or a text that it has sent, as of its own."""
    OfOthers.crashes, OfOthers.way, Notes.told = {"begun": crashes}, way, []
    with kind() as world:
        world.app.service(Notes, name="notes")
        world.sim.phone(OTHER).answers_after(3)
        line, _handle = world.inbound(OfOthers)
        world.run(30)
        assert OfOthers.crashes == {"begun": 0}
        assert Notes.told == ["over"]
        assert [str(sound) for sound in line.heard].count("Over") == 1


AT_ANOTHER: dict[str, Callable[[Any, Any], object]] = {
    "listener": lambda call, other: other.on("calling.call.play", call.on_play),
    "coroutine": lambda call, other: other.on("calling.call.play", call.on_play_later),
    "on_completed": lambda call, other: other.play_tts("Hello", on_completed=call.on_over),
    "coroutine at the end": lambda call, other: other.play_tts("Hello", on_completed=call.on_play_later),
    "on_done": lambda call, other: other.play_tts("Hello").on_done(call.on_over),
}


class AtAnother(Called):
    async def run(self) -> None:
        await self.answer()
        other = self.app.dial(Witness, [[device(OTHER)]])
        await other.wait_for_answered()
        AT_ANOTHER[self.way](self, other)
        self.may_crash("begun")
        await self.sleep(3600)

    def on_play(self, event: PlayEvent) -> None:
        if event.state == "finished":
            self.on_over()

    async def on_play_later(self, event: PlayEvent) -> None:
        self.on_play(event)


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", AT_ANOTHER)
@KINDS
def test_who_is_given_to_another_call_to_be_called_is_called_once(kind: type[World], way: str, crashes: int) -> None:
    """X8, X13: listeners, and what is called at the end of an operation of that call."""
    AtAnother.crashes, AtAnother.way, Notes.told = {"begun": crashes}, way, []
    with kind() as world:
        world.app.service(Notes, name="notes")
        world.sim.phone(OTHER).answers_after(1)
        line, _handle = world.inbound(AtAnother)
        world.run(4)
        if "on_" not in way and "end" not in way:
            other = world.app.call(world.sim.phone(OTHER).line.call_id)
            assert other is not None
            other.play_tts("Hello")
        world.run(20)
        assert AtAnother.crashes == {"begun": 0}
        assert Notes.told == ["over"]
        assert [str(sound) for sound in line.heard].count("Over") == 1


def test_a_callback_on_a_pause_is_called_when_the_flow_begins_anew() -> None:
    """X8: its past was too long to be kept, so nobody brings it again."""
    errors: list[BaseException | None] = []

    class Anew(Fragile):
        async def run(self) -> None:
            await self.answer()
            if self._cell.incarnation:
                await self.sleep(3600)
            self.sleep(3600).add_done_callback(lambda wait: errors.append(wait.error))
            for _ in range(10):
                await self.denoise()
            self.may_crash("long")

    Anew.crashes = {"long": 1}
    with World(limits=Limits(recorded_per_call=10)) as world:
        world.inbound(Anew)
        world.run(3)
        assert Anew.crashes == {"long": 0}
        assert [type(error) for error in errors] == [ActorDead]


LEFT: dict[str, Callable[[Any], object]] = {
    "hangup": lambda call: call.hangup("busy", after=call.said),
    "hangup after a future": lambda call: call.hangup("busy", after=call.written),
    "on_done": lambda call: call.said.on_done(call.on_over),
    "wait": lambda call: call.said.wait().add_done_callback(call.on_over),
    "race": lambda call: race(call.said.wait(), call.wait_for_ended()).add_done_callback(call.on_over),
    "pipe": lambda call: call.pipe_to_self(call.said.wait(), call.on_over, survive_restart=True),
}


class LeavesWhileClosed(Called):
    """Has a flow, or a coroutine of a callback, that arranges something while it is closed."""

    is_aside = False
    written: ClassVar[concurrent.futures.Future[None]]

    async def run(self) -> None:
        await self.answer()
        if self.is_aside:
            await self.play_tts("Hello", on_completed=self.on_said)
        self.said = await self.play_tts(LONG)
        if not self.is_aside:
            await self.on_said()
        await self.sleep(3600)

    async def on_said(self, *_event: object) -> None:
        try:
            await self.sleep(3600)
        finally:
            LEFT[self.way](self)


@pytest.mark.parametrize("is_aside", [False, True])
@pytest.mark.parametrize("way", LEFT)
@KINDS
def test_what_code_arranges_that_is_closed_to_be_run_again_is_not_done(
    kind: type[World], way: str, is_aside: bool
) -> None:
    """X8: as all else that it does then; it comes to that place once more."""
    LeavesWhileClosed.crashes, LeavesWhileClosed.way, LeavesWhileClosed.is_aside = {"told": 1}, way, is_aside
    LeavesWhileClosed.written, Notes.told = concurrent.futures.Future(), []
    with kind() as world:
        world.app.service(Notes, name="notes")
        line, handle = world.inbound(LeavesWhileClosed)
        world.run(3)
        handle.ref.tell("crash")
        world.run(1)
        LeavesWhileClosed.written.set_result(None)
        world.run(30)
        assert LeavesWhileClosed.crashes == {"told": 0}
        assert Notes.told == []
        assert not line.is_over


def test_code_that_is_closed_may_ask_another_call_for_anything() -> None:
    """X8: nothing of it is done, and nothing is raised in its ``finally`` that would keep it from the rest."""
    through: list[int] = []

    class Asks(Called):
        async def run(self) -> None:
            await self.answer()
            other = self.app.dial(Witness, [[device(OTHER)]])
            await other.wait_for_answered()
            try:
                await self.sleep(3600)
            finally:
                other.wait_for("calling.call.play")
                other.on("calling.call.play", self.on_over)
                other.play_tts("Hello", on_completed=self.on_over)
                other.hangup(after=other.play_tts("Bye"))
                through.append(self._cell.incarnation)

    Asks.crashes, Notes.told = {"told": 1}, []
    with World() as world:
        world.app.service(Notes, name="notes")
        world.sim.phone(OTHER).answers_after(1)
        _line, handle = world.inbound(Asks)
        world.run(3)
        handle.ref.tell("crash")
        world.run(3)
        assert (Asks.crashes, through) == ({"told": 0}, [0])
        other = world.app.call(world.sim.phone(OTHER).line.call_id)
        assert other is not None
        other.play_tts("Hello")
        world.run(5)
        assert Notes.told == []
        assert [str(sound) for sound in world.sim.phone(OTHER).line.heard] == ["Hello"]
