"""A flow directs another call by its handle, and goes on with that in the next process (SEMANTICS J4, J5, X8)."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import CallActor, PlayAction
from relay_actors.actors.orders import Again, Begin
from relay_actors.commands import Play
from relay_actors.params import tts
from relay_actors.protocol.frozen import NOTHING
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, World, device
from tests.support.thorough import some_of

A = "+15550000001"
LONG_ENOUGH_S = 60.0


class Directed(CallActor):
    """Does what its handle is asked for."""

    def on_receive(self, message: object) -> None:
        """Wait."""


class Directs(CallActor):
    """Has somebody called, and does all that is done on that call: operations, what is done to them, and the rest."""

    async def run(self) -> None:
        await self.answer()
        other = self.app.dial(Directed, [[device(A)]])
        await other.wait_for_answered()
        recording = await other.record({"initial_timeout": 0.0, "end_silence_timeout": 0.0})
        await (await other.play_tts("You are called")).wait()
        await recording.stop()
        state = (await recording.wait()).state
        await other.hold()
        await self.sleep(1)
        await other.unhold()
        keys = await (await other.prompt_tts("Press", {"digits": {"max": 1}, "initial_timeout": 20.0})).wait()
        await self.play_tts(f"They have pressed {keys.digits}, recorded {state}").wait()
        await other.hangup()
        await other.wait_for_ended()
        await self.play_tts("They have gone").wait()


class DirectsInPlace(Directs):
    """The same, and goes on where it was when it has crashed, which it does in the middle."""

    restart_flow = "where_it_was"
    crashes = True

    async def on_receive(self, message: object) -> None:
        """Hear of nothing."""

    async def run(self) -> None:
        await self.answer()
        other = self.app.dial(Directed, [[device(A)]])
        await other.wait_for_answered()
        play = other.play_tts("You are called")
        await self.sleep(0.2)
        if type(self).crashes:
            type(self).crashes = False
            raise LookupError("this is a test")
        await play.wait()
        await other.hangup()
        await self.play_tts("They have gone").wait()


def tell(world: World, actor_class: type[CallActor], dies_at: int | None = None) -> dict[str, Any]:
    """Let the caller call; return what every person has heard, and how it ended for them."""
    people = [world.sim.phone(number) for number in (CALLER, A)]
    people[1].answers_after(1.0).reacts("Press", presses="7", after=1.0)
    world.takes_calls(actor_class)
    people[0].dials(context=CONTEXT)
    if isinstance(world, MortalWorld):
        begun_at = world.places
        world.dies_at = None if dies_at is None else begun_at + dies_at
        world.live(LONG_ENOUGH_S)
        world.places -= begun_at
    else:
        world.run(LONG_ENOUGH_S)
    return {
        phone.number: [([str(sound) for sound in line.heard], line.is_over, line.end_reason) for line in phone.lines]
        for phone in people
    }


@pytest.mark.parametrize("later", [[], [5]])
def test_what_was_asked_of_another_call_is_asked_once_and_followed(later: list[int]) -> None:
    """Wherever the process dies: nobody is left up, hears anything twice, or is called a second time."""
    with MortalWorld() as world:
        undisturbed = tell(world, Directs)
        count = world.places
    assert undisturbed[CALLER] == [(["They have pressed 7, recorded finished", "They have gone"], True, "hangup")]
    for place in some_of(range(1, count + 1), 25):
        with MortalWorld() as world:
            world.dies_again_after = list(later)
            assert tell(world, Directs, place) == undisturbed, f"{place} of {count}"


@pytest.mark.parametrize(
    ("may_be_lost", "others", "is_done"), [(True, NOTHING, True), (False, NOTHING, False), (True, None, False)]
)
def test_what_is_on_no_record_is_done_only_if_it_cannot_have_been_done(
    may_be_lost: bool, others: Any, is_done: bool
) -> None:
    """Not so without the end of a process, or when the past of the other call is summed up: then nobody knows."""
    with World() as world:
        line, handle = world.answered(Directed)
        handle.leg.course.others = others
        action = PlayAction.begun(handle, Play(media=[tts("Once")], control_id="of-then"), None)
        handle.ref.post(Again(Begin(action), may_be_lost))
        world.run(5)
        assert (action.error is None) is is_done
        assert [str(sound) for sound in line.heard] == ["Once"] * is_done


def test_a_flow_that_goes_on_where_it_was_follows_what_it_had_asked_for() -> None:
    """No process has ended, so what it had asked another call for goes on, and is not asked for again."""
    DirectsInPlace.crashes = True
    with World() as world:
        heard = tell(world, DirectsInPlace)
    assert heard[A] == [(["You are called"], True, "hangup")]
    assert heard[CALLER] == [(["They have gone"], True, "hangup")]
