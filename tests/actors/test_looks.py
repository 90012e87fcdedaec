"""A flow sees of other calls what it saw then, and hears what became of those that are forgotten (SEMANTICS J4)."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import CallActor
from relay_actors.actors.dialling import Dialling
from relay_actors.actors.leg import Leg
from relay_actors.actors.looks import leg_of, seen_of
from relay_actors.errors import CallEnded, DialFailedError
from relay_actors.protocol.commands import Dial
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, device
from tests.support.thorough import some_of

A, B = "+15550000001", "+15550000002"
LONG_ENOUGH_S = 60.0


class Called(CallActor):
    """Leaves word in its data."""

    async def run(self) -> None:
        keys = await (await self.prompt_tts("Press", {"digits": {"max": 1}, "initial_timeout": 20.0})).wait()
        self.data["digits"] = keys.digits


class Looks(CallActor):
    """Says what it sees of those whom it has called."""

    async def run(self) -> None:
        await self.answer()
        busy = self.app.dial(Called, [[device(B)]])
        other = self.app.dial(Called, [[device(A)]])
        await other.wait_for_answered()
        await (await self.play_tts(f"{other.state} {other.to_number}")).wait()
        try:
            await busy.wait_for_answered()
        except DialFailedError:
            await (await self.play_tts(f"Nobody: {busy.end_reason}")).wait()
        await other.wait_for_ended()
        await (await self.play_tts(f"{other.data['digits']} {other.end_reason}")).wait()
        await self.sleep(3)
        await (await self.play_tts("Goodbye")).wait()


def tell(world: MortalWorld, dies_at: int | None = None) -> dict[str, Any]:
    """Let the caller call; return what every person has heard."""
    people = [world.sim.phone(number) for number in (CALLER, A, B)]
    people[1].answers_after(1.0).reacts("Press", presses="7", after=8.0)
    people[2].is_busy()
    world.takes_calls(Looks)
    people[0].dials(context=CONTEXT)
    begun_at = world.places
    world.dies_at = None if dies_at is None else begun_at + dies_at
    world.live(LONG_ENOUGH_S)
    world.places -= begun_at
    return {
        phone.number: [([str(one) for one in line.heard], line.is_over) for line in phone.lines] for phone in people
    }


def test_a_flow_that_is_run_again_sees_what_it_saw_then() -> None:
    """Wherever the process dies it is where it was, and calls nobody again; the dial that failed has failed."""
    with MortalWorld() as world:
        undisturbed = tell(world)
        count = world.places
    said = [f"answered {A}", "Nobody: busy", "7 hangup", "Goodbye"]
    assert undisturbed[CALLER] == [(said, True)]
    for place in some_of(range(1, count + 1), 25):
        with MortalWorld() as world:
            assert tell(world, place) == undisturbed, f"{place} of {count}"


def test_what_is_seen_of_a_call_is_all_that_its_handle_says() -> None:
    leg = Leg(direction="outbound", data={"kept": (1, 2), "not kept": object()})
    leg.tag, leg.call_id, leg.node_id, leg.state, leg.end_reason = "tag", "call", "node", "ended", "busy"
    leg.device = device(A)
    seen = leg_of(seen_of(leg))
    assert (seen.tag, seen.call_id, seen.node_id, seen.state, seen.end_reason) == (
        "tag",
        "call",
        "node",
        "ended",
        "busy",
    )
    assert (seen.data, seen.number("to"), seen.direction) == ({"kept": (1, 2)}, A, "outbound")
    assert isinstance(seen.ended_error(), CallEnded)


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_nothing_is_seen_of_a_call_that_has_just_begun(direction: Any) -> None:
    seen = leg_of(seen_of(Leg(direction=direction)))
    assert (seen.state, seen.data, seen.device, seen.direction) == ("", {}, {}, direction)


def test_a_dial_that_has_failed_is_seen_to_have_failed() -> None:
    leg = Leg(direction="outbound")
    leg.tag = "tag"
    leg.dialling = Dialling(Dial(devices=[[device(A)]], tag="tag"), 1.0)
    leg.dialling.error = DialFailedError("tag", "Dial failed")
    error = leg_of(seen_of(leg)).ended_error()
    assert isinstance(error, DialFailedError)
    assert error.tag == "tag"


class Numbers(CallActor):
    """Has data that the journal cannot hold."""

    async def run(self) -> None:
        self.data[1] = "one"  # type: ignore[index]  # as people write
        self.data["two"] = 2
        await self.wait_for_ended()


class LooksAtNumbers(CallActor):
    """Looks at such data."""

    async def run(self) -> None:
        await self.answer()
        handle = self.app.dial(Numbers, [[device(A)]])
        await handle.wait_for_answered()
        await self.sleep(1)
        self.data["seen"] = handle.data.get("two")
        await self.wait_for_ended()


def test_data_that_the_journal_cannot_hold_are_left_out_of_what_is_seen() -> None:
    """The journal refuses a key that is no text, and with that the connection, and all calls, would end."""
    with MortalWorld() as world:
        world.sim.phone(A).answers()
        world.takes_calls(LooksAtNumbers)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(10.0)
        handle = world.app.call(line.call_id)
        assert handle is not None
        assert handle.data == {"seen": 2}
        assert not line.is_over
        leg = Leg(direction="outbound", data={"two": 2, 1: "one"})  # type: ignore[dict-item]  # as above
        assert leg_of(seen_of(leg)).data == {"two": 2}
