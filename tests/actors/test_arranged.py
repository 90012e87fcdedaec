"""What is arranged for the end of an operation is done by the next process, too."""

from __future__ import annotations

import concurrent.futures
import logging
from typing import Any, ClassVar

import pytest

from relay_actors import CallActor, Limits
from relay_actors.errors import ArgumentError
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent, RelayEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import Witness, World

LONG = "A long goodbye, which takes a while. " * 4


class Farewell(CallActor):
    """Says goodbye, and hangs up then."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.hangup("decline", after=self.play_tts(LONG))


class Remembers(CallActor):
    """Has a method and a function called when it has said something."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts(LONG, on_completed=self.note)
            case "again":
                self.play_tts(LONG, on_completed=lambda event: self.note(event))

    def note(self, _event: RelayEvent) -> None:
        self.data["noted"] = self.data.get("noted", 0) + 1


class Patient(CallActor):
    """A flow that waits for the end of the call."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for_ended()


class Hasty(CallActor):
    """A flow that says goodbye, and raises before that is over."""

    async def run(self) -> None:
        if self.data.get("said"):
            await self.wait_for_ended()
        self.data["said"] = True
        await self.answer()
        self.hangup(after=await self.play_tts(LONG))
        raise ValueError("this is a test")


def reasons(world: World) -> list[str]:
    return [params["reason"] for params in world.sent("calling.end")]


@pytest.mark.parametrize("deaths_s", [(2.0,), (2.0, 3.0), (2.0, 3.0, 4.0)])
def test_a_call_is_hung_up_after_what_a_former_process_has_begun_to_say(deaths_s: tuple[float, ...]) -> None:
    """J4: a caller must not be left in silence because the process has ended while goodbye was said."""
    with MortalWorld() as world:
        line, _handle = world.inbound(Farewell)
        world.dies_after(*deaths_s)
        assert reasons(world) == ["decline"]
        assert [str(sound) for sound in line.heard] == [LONG]


def test_a_call_is_hung_up_also_if_what_was_said_was_over_while_nobody_was_there() -> None:
    """J4."""
    with MortalWorld() as world:
        line, _handle = world.inbound(Farewell)
        world.run(2.0)
        world.dies()
        world.run(60.0)
        assert not line.is_over
        world.lives_again()
        world.run(5.0)
        assert reasons(world) == ["decline"]


@pytest.mark.parametrize("actor_class", [Witness, Patient])
def test_what_somebody_else_has_arranged_is_done_by_the_next_process(actor_class: type[CallActor]) -> None:
    """J4. The code of the class does not ask for it when it is run again, whether or not that is a flow."""
    with MortalWorld() as world:
        _line, handle = world.answered(actor_class)
        handle.hangup("busy", after=handle.play_tts(LONG))
        world.dies_after(2.0, 3.0)
        assert reasons(world) == ["busy"]


class GoesOn(CallActor):
    """A flow that crashes when it is told to, and goes on where it was."""

    restart_flow = "where_it_was"
    crashes = 1

    async def run(self) -> None:
        await self.answer()
        await self.next(str)
        if type(self).crashes:
            type(self).crashes -= 1
            raise ValueError("this is a test")
        await self.wait_for_ended()


@pytest.mark.parametrize("deaths_s", [(), (2.0,), (2.0, 3.0)])
def test_what_somebody_else_has_arranged_is_done_although_the_flow_has_crashed(deaths_s: tuple[float, ...]) -> None:
    """J4, X8: a flow that goes on where it was does not ask for it either."""
    GoesOn.crashes = 1
    with MortalWorld() as world:
        line, handle = world.answered(GoesOn)
        handle.hangup("busy", after=handle.play_tts(LONG))
        world.dies_after(*deaths_s, then_s=0.5)
        again = world.app.call(line.call_id)
        assert again is not None
        again.ref.tell("crash")
        world.run(60.0)
        assert GoesOn.crashes == 0
        assert reasons(world) == ["busy"]


def test_a_call_is_hung_up_after_what_a_flow_that_has_crashed_since_has_begun_to_say() -> None:
    """X8: the flow that is run again does not ask for it."""
    with MortalWorld() as world:
        world.inbound(Hasty)
        world.dies_after(2.0, 3.0)
        assert reasons(world) == ["hangup"]


def test_a_call_is_hung_up_also_if_its_past_was_summed_up_since() -> None:
    """J4."""
    with MortalWorld(limits=Limits(journal_entries_per_call=1)) as world:
        _line, handle = world.inbound(Farewell)
        world.run(1.0)
        for _ in range(3):
            handle.ref.tell("something that is noted")
            world.run(0.2)
        world.dies_after(0.5, 1.0)
        assert reasons(world) == ["decline"]


@pytest.mark.parametrize("deaths_s", [(), (2.0,), (2.0, 3.0)])
def test_a_method_is_called_once_when_an_operation_is_over_that_a_former_process_has_begun(
    deaths_s: tuple[float, ...],
) -> None:
    """J4."""
    with MortalWorld() as world:
        line, _handle = world.inbound(Remembers)
        world.dies_after(*deaths_s)
        found = world.app.call(line.call_id)
        assert found is not None
        assert found.data == {"noted": 1}


def test_a_method_that_was_called_is_not_called_again_by_the_next_process() -> None:
    """J3: what it did then is known."""
    with MortalWorld() as world:
        line, _handle = world.inbound(Remembers)
        world.dies_after(40.0, 41.0)
        found = world.app.call(line.call_id)
        assert found is not None
        assert found.data == {"noted": 1}


def test_what_the_next_process_cannot_know_is_said_when_it_is_arranged(caplog: pytest.LogCaptureFixture) -> None:
    """A function without a name that is found again, and a future of nobody's."""
    with MortalWorld() as world, caplog.at_level(logging.WARNING, "relay_actors.calls"):
        _line, handle = world.inbound(Remembers)
        world.run(1.0)
        assert caplog.messages == []
        handle.ref.tell("again")
        handle.ref.tell("again")
        world.settle()
        [said] = caplog.messages
        assert said.startswith("on_completed=<lambda> of Remembers is not in the journal")


def test_nothing_is_said_where_no_journal_is_kept(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "relay_actors.calls"):
        line, handle = world.inbound(Remembers)
        world.run(1.0)
        handle.ref.tell("again")
        world.settle()
        line.hangs_up()
    assert caplog.messages == []


def test_a_hang_up_after_something_that_never_comes_is_over_with_the_call(world: World) -> None:
    """X2: nobody waits for ever."""
    line, handle = world.answered(Witness)
    never: Future[None] = Future()
    reply = handle.hangup(after=never)
    world.run(1.0)
    assert not reply.is_settled
    line.hangs_up()
    world.run(1.0)
    assert reply.get(timeout=0) == {}
    never.set(None)
    assert world.sent("calling.end") == []


def test_a_hang_up_may_come_after_a_future_of_another_library(world: World) -> None:
    """Any that tells when it is over, such as what an executor gives."""
    line, handle = world.answered(Witness)
    written: Any = concurrent.futures.Future()
    handle.hangup("busy", after=written)
    world.run(1.0)
    assert not line.is_over
    written.set_result("the notes")
    world.run(1.0)
    assert line.end_reason == "busy"


@pytest.mark.parametrize("after", ["the song", 3.0, print])
def test_a_hang_up_after_what_is_never_over_is_refused_where_it_is_written(world: World, after: Any) -> None:
    """And nothing of it is left: a later hang-up is not mistaken for it."""
    line, handle = world.answered(Witness)
    with pytest.raises(ArgumentError, match=r"hangup\(after=…\): give an operation, .*, or a future, not "):
        handle.hangup(after=after)
    handle.hangup("busy")
    world.run(1.0)
    assert line.end_reason == "busy"


class Stops(CallActor):
    """Crashes in the moment in which it has begun an operation and stopped it; and begins anew."""

    async def run(self) -> None:
        await self.answer()
        if not self.data.get("has_begun"):
            self.data["has_begun"] = True
            self.play_tts(LONG).stop()  # which waits until it is playing
            raise RuntimeError("crash")
        await self.next(str)
        await self.denoise()
        self.data["flow_changed"] = self.flow_changed is not None
        await self.sleep(3600)


@pytest.mark.parametrize("deaths_s", [(), (2.0,), (2.0, 3.0)])
def test_a_stop_that_has_waited_over_a_crash_is_none_of_what_the_next_flow_asks_for(
    deaths_s: tuple[float, ...],
) -> None:
    """J4, X8: the next process runs that flow again, which has never asked for it."""
    with MortalWorld() as world:
        line, _handle = world.inbound(Stops)
        world.dies_after(*deaths_s, then_s=1.0)
        found = world.app.call(line.call_id)
        assert found is not None
        found.ref.tell("go on")
        world.run(1.0)
        assert found.data["flow_changed"] is False
        assert len(world.sent("calling.play.stop")) == 1
        assert world.count("actors.failed") == 1


class Secretary:
    """Has a method that a class of calls may have, too; and is one by itself."""

    told: ClassVar[list[str]] = []

    def takes_note(self, event: PlayEvent) -> None:
        self.told.append(event.state)


class Dictates(Secretary, CallActor):
    """Has another one of those called than itself, and crashes before that."""

    async def run(self) -> None:
        await self.answer()
        if not self.data.get("has_begun"):
            self.data["has_begun"] = True
            await self.play_tts(LONG, on_completed=Secretary().takes_note)
            raise RuntimeError("crash")
        await self.sleep(3600)


def test_a_method_of_another_object_stays_that_of_this_object_over_a_crash(world: World) -> None:
    """X8: also if it is one of a base of the call's class."""
    Secretary.told = []
    world.inbound(Dictates)
    world.run(30.0)
    assert Secretary.told == ["finished"]
    assert world.count("actors.failed") == 1
