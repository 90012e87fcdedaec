"""A flow that is run again after the end of the process does not dial or text twice (SEMANTICS J3, X9, X17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors import CallActor, RelayActorsError
from relay_actors.events import RelayEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, OURS, device
from tests.support.thorough import some_of

FRIEND = "+15550002222"


class Friend(CallActor):
    async def run(self) -> None:
        await (await self.play_tts(f"Somebody thinks of you, {self.data['name']}")).wait()
        await self.sleep(5)


class Caller(CallActor):
    """Dials, without a tag of its own, and waits for the one who is called."""

    async def run(self) -> None:
        await self.answer()
        friend = self.app.dial(Friend, device(FRIEND), name="Ada")
        await friend.wait_for_answered()
        await (await self.play_tts("Your friend is there")).wait()
        await friend.wait_for_ended()
        await (await self.play_tts("Your friend has gone")).wait()


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    with MortalWorld() as world:
        yield world


def tell(world: MortalWorld, dies_at: int | None = None) -> tuple[list[str], list[str]]:
    friend, caller = world.sim.phone(FRIEND).answers_after(2.0), world.sim.phone(CALLER)
    world.takes_calls(Caller)
    caller.dials(context=CONTEXT)
    if dies_at is not None:
        world.dies_at = world.places + dies_at
    before = world.places
    world.live(120.0)
    world.places -= before
    assert caller.line.is_over
    assert len(friend.lines) == 1
    return [str(sound) for sound in caller.line.heard], [str(sound) for sound in friend.line.heard]


def test_wherever_the_process_dies_the_friend_is_called_once_and_the_caller_is_told() -> None:
    """At every commit and every write; the handle that the flow has is that of the same call. J3, J4, X9."""
    with MortalWorld() as world:
        undisturbed = tell(world)
        places = world.places
    assert undisturbed == (["Your friend is there", "Your friend has gone"], ["Somebody thinks of you, Ada"])
    for place in some_of(range(1, places + 1), 12):
        with MortalWorld() as another:
            assert tell(another, place) == undisturbed, place
            assert another.deaths == 1


class Greets(CallActor):
    """Begins with what its leg has told while it rang."""

    async def run(self) -> None:
        early = await self.next(RelayEvent, where=lambda event: event.event_type == "calling.call.user_event")
        await (await self.play_tts(f"Hello {early.params['event']}")).wait()
        await self.sleep(2)
        await (await self.play_tts("Bye")).wait()


@pytest.mark.parametrize("deaths_s", [(), (0.6,), (0.9,), (2.5,), (0.6, 0.9, 2.5)], ids=str)
def test_what_a_leg_tells_before_its_dial_is_answered_is_a_part_of_its_call(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """It names the leg alone, and is told in the same place when the flow is run again. J1, J3, X9."""
    world.start()
    phone = world.sim.phone(FRIEND).answers_after(1.5)
    world.app.dial(Greets, device(FRIEND), tag="t-1")
    world.until(lambda: phone.lines)
    began = world.clock.now()
    for at in sorted([*deaths_s, 0.75]):
        world.run(max(0.0, began + at - world.clock.now()))
        if at in deaths_s:
            world.dies()
            world.lives_again(after_s=0.1)
        else:
            world.tells("calling.call.user_event", {"call_id": phone.line.call_id, "event": "Ada"})
    world.run(20)
    assert [str(sound) for sound in phone.line.heard] == ["Hello Ada", "Bye"]
    assert world.count("calls.abandoned") == 0


@pytest.mark.parametrize("tag", ["t-1", "session"])
def test_a_dial_is_taken_up_whatever_its_tag_is(world: MortalWorld, tag: str) -> None:
    """Tags are anybody's choice: none may be what the journal calls something of its own, and forgets. J4."""
    friend = world.sim.phone(FRIEND).answers_after(2.0)
    world.start()
    world.app.dial(Friend, device(FRIEND), tag=tag, name="Ada")
    world.live(3.0)
    world.dies()

    world.lives_again(after_s=0.5)
    world.live(60.0)

    assert [str(sound) for sound in friend.line.heard] == ["Somebody thinks of you, Ada"]
    assert friend.line.is_over


def test_a_dial_is_in_the_journal_before_what_its_caller_does_next(world: MortalWorld) -> None:
    """`app.dial` has returned: whatever the flow writes down after that, somebody will be called. J2."""

    class Writes(CallActor):
        async def run(self) -> None:
            await self.side_effect(self.dials)
            await self.sleep(3600)

        def dials(self) -> None:
            self.app.dial(Friend, device(FRIEND), tag="t-1", name="Ada")

    world.takes_calls(Writes)
    world.sim.phone(CALLER).dials(context=CONTEXT)
    world.settle()
    entries: list[Any] = [type(entry).__name__ for entry in world.app._journal.store.load()]  # type: ignore[union-attr]
    what = [getattr(entry, "what", "") for entry in world.app._journal.store.load()]  # type: ignore[union-attr]
    dialled = max(place for place, name in enumerate(entries) if name == "CallStarted")
    assert dialled < what.index("result")


class Texts(CallActor):
    """Sends two texts, and waits for the last state of the second."""

    async def run(self) -> None:
        await self.answer()
        self.app.send_message(to_number=FRIEND, from_number=OURS, body="one")
        await (await self.play_tts("One is on its way")).wait()
        second = self.app.send_message(to_number=FRIEND, from_number=OURS, body="two")
        try:
            event = await second.wait(timeout=30)
            said = event.message_state
        except RelayActorsError:
            said = "of unknown fate"
        await (await self.play_tts(f"Two is {said}")).wait()


def test_wherever_the_process_dies_each_text_is_sent_at_most_once_and_the_flow_goes_on() -> None:
    """A text is never sent twice; where the end of the process has hidden its fate, the wait says so. K6, X17."""
    with MortalWorld() as world:
        heard, bodies, places = texts(world)
    assert (heard, bodies) == (["One is on its way", "Two is delivered"], ["one", "two"])
    fates = set()
    for place in some_of(range(1, places + 1), 12):
        with MortalWorld() as another:
            heard, bodies, _places = texts(another, place)
            assert heard[0] == "One is on its way", place
            assert heard[1:] in (["Two is delivered"], ["Two is of unknown fate"]), place
            assert bodies == sorted(set(bodies)), f"{place}: {bodies}"
            fates.add((heard[-1], tuple(bodies)))
    assert ("Two is delivered", ("one", "two")) in fates


def texts(world: MortalWorld, dies_at: int | None = None) -> tuple[list[str], list[str], int]:
    caller = world.sim.phone(CALLER)
    world.takes_calls(Texts)
    caller.dials(context=CONTEXT)
    before = world.places
    if dies_at is not None:
        world.dies_at = before + dies_at
    world.live(120.0)
    assert caller.line.is_over
    bodies = [text.body for text in world.sim.phone(FRIEND).inbox]
    return [str(sound) for sound in caller.line.heard], bodies, world.places - before
