"""What there is of an application, from the offer of a call to the last word on it."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from relay_actors import ActionCompleted
from relay_actors.actors.call import CallActor
from relay_actors.actors.leg import Leg
from relay_actors.actors.residue import residue_of_tree
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import PATIENCE_S, World

ONE_DIGIT = {"digits": {"max": 1}}


class Asks(CallActor):
    """Asks the server for something that it does not answer."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello")


def kinds(world: World) -> set[object]:
    return {key[0] for key in residue_of_tree(world.tree)}  # type: ignore[index]


def test_of_a_call_that_is_over_nothing_is_left(world: World):
    """SEMANTICS X18: neither at the connection nor anywhere else."""
    world.takes_calls(Asks)
    world.run(1.0)
    before = residue_of_tree(world.tree).keys()

    world.sim.stop_answering("calling.play")
    line, handle = world.inbound()
    world.until(lambda: world.sent("calling.play"))
    new = {key: text for key, text in world.app.residue().items() if key not in before}
    assert ("known", handle.ref) in new
    assert any("Asks#" in text and "whose flow waits at" in text for text in new.values())
    assert any(text.startswith("request calling.play (") for text in new.values())

    world.sim.resume_answering()
    line.hangs_up()
    world.run(PATIENCE_S)
    assert residue_of_tree(world.tree).keys() - before == set()


class Wonders(CallActor):
    """Waits in a function of its own for what nobody says."""

    async def run(self) -> None:
        await self.answer()
        await self.wonder()

    async def wonder(self) -> None:
        await self.next(str)


def test_a_flow_that_is_kept_in_a_journal_is_found_by_the_line_of_its_user() -> None:
    """And not by the framework's own, by which it sees what the flow awaits."""
    with MortalWorld() as world:
        _line, handle = world.inbound(Wonders)
        world.run(1.0)
        [text] = [text for text in world.app.residue().values() if "whose flow waits at" in text]
        assert text.endswith("in Wonders.wonder")
        assert "test_residue.py" in text
        assert handle.ref.is_alive()


def test_what_waits_at_the_connection_is_told(world: World):
    """Events for nobody, requests of the application's own, and commands in doubt."""
    world.start()
    world.sim.stop_answering("calling.answer")
    world.app.execute("calling.answer", {"call_id": "nobody"})
    world.tells("calling.call.play", {"call_id": "stranger", "control_id": "x", "state": "playing"})
    world.tree.wire.holding.hold("doubtful")
    world.settle()

    assert {"request", "asked", "parked", "held"} <= kinds(world)

    world.tree.wire.holding.forget("doubtful")
    world.sim.resume_answering()
    world.run(PATIENCE_S)
    assert not {"request", "asked", "parked", "held"} & kinds(world)


def legs() -> set[int]:
    """All that there are, of other tests, too: their identities."""
    return {id(one) for one in gc.get_objects() if isinstance(one, Leg)}


class Menu(CallActor):
    """A call that plays, asks for a key, and hangs up, as a flow."""

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello").wait()
        await (await self.prompt_tts("Press one.", ONE_DIGIT)).wait()
        await self.hangup()


class MenuOfMessages(CallActor):
    """The same in message style."""

    def on_receive(self, message: Any) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("Hello")
            case ActionCompleted(event=PlayEvent()):
                self.prompt_tts("Press one.", ONE_DIGIT)
            case ActionCompleted(event=CollectEvent()):
                self.hangup()


class HangsUpInTheMiddle(CallActor):
    """The caller hangs up while all of this runs."""

    async def run(self) -> None:
        await self.answer()
        self.record()
        await self.play_tts("Hello").wait()
        await self.prompt_tts("Press one.", ONE_DIGIT).wait()


@pytest.mark.parametrize("kind", [Menu, MenuOfMessages, HangsUpInTheMiddle])
def test_a_call_that_is_over_is_freed_without_the_garbage_collector(world: World, kind: type[CallActor]):
    """Thousands of calls a second would keep it busy, and it stops everything while it looks for them."""
    world.takes_calls(kind)
    world.run(1.0)
    gc.collect()
    gc.disable()
    try:
        line, handle = world.inbound()
        line.hears("press one")
        actor = handle.ref._cell.actor
        assert actor is not None
        remains = [weakref.ref(part) for part in (actor, actor._cell, *actor.leg.actions.values())]
        assert len(remains) > 2
        leg = id(actor.leg)  # it has no room for a weak reference
        assert leg in legs()
        del actor
        if kind is HangsUpInTheMiddle:
            line.hangs_up()
        else:
            line.presses("1")
            line.is_hung_up()
        world.run(PATIENCE_S)
        del handle, line
        assert {part() for part in remains} == {None}
        assert leg not in legs()
    finally:
        gc.enable()
