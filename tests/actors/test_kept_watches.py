"""Whom a call watches, over the end of the process (SEMANTICS J3, J4, W1, W2)."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, CallActor, Down, WatchedRestarted
from relay_actors.actors.call_handle import HandleByTag
from relay_actors.actors.course import Course
from relay_actors.actors.kept_watches import ended_call
from relay_actors.errors import ActorDead
from relay_actors.events import CallReceiveEvent, CallStateEvent
from tests.actors.mortal_world import MortalWorld, ToldCall
from tests.actors.world import CALLER, CONTEXT, device
from tests.support.thorough import some_of

FRIEND = "+15550002222"


class Friend(CallActor):
    """Is told something before anybody answers, and says it."""

    def on_receive(self, message: object) -> None:
        match message:
            case str():
                self.data["told"] = message
            case CallStateEvent(call_state="answered"):
                self.hangup(after=self.play_tts(f"Hello {self.data['told']}"))


class Handles(CallActor):
    """Dials, tells the new call something, and watches it, in one turn."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                friend = self.app.dial(Friend, device(FRIEND), told="Ada")
                self.watch(friend.ref)
                self.play_tts("Wait")
            case Down(reason=reason):
                self.hangup(after=self.play_tts(f"They have left, {reason.kind}"))


class Flows(CallActor):
    """The same as a flow, which goes on after that."""

    async def run(self) -> None:
        await self.answer()
        friend = self.app.dial(Friend, device(FRIEND), told="Ada")
        self.watch(friend.ref)
        await (await self.play_tts("Wait")).wait()
        down = await self.next(Down)
        await (await self.play_tts(f"They have left, {down.reason.kind}")).wait()
        await self.sleep(3)
        await (await self.play_tts("Goodbye")).wait()


def tell(world: MortalWorld, actor_class: type[CallActor], dies_at: int | None, *later: int) -> list[Any]:
    friend, caller = world.sim.phone(FRIEND).answers_after(2.0), world.sim.phone(CALLER)
    world.takes_calls(actor_class)
    caller.dials(context=CONTEXT)
    before = world.places
    world.dies_at = None if dies_at is None else before + dies_at
    world.dies_again_after = list(later)
    world.live(90.0)
    world.places -= before
    assert caller.line.is_over, f"left up: {caller.line.story()}"
    return [[str(sound) for sound in line.heard] for phone in (caller, friend) for line in phone.lines]


@pytest.mark.parametrize("later", [(), (6,)])
@pytest.mark.parametrize("actor_class", [Handles, Flows])
def test_wherever_the_process_dies_it_is_told_once_of_the_end_of_a_call_that_it_has_dialled(
    actor_class: type[CallActor], later: tuple[int, ...]
) -> None:
    """Also if it had not dialled yet, if it was told already, and if the other call is over by then. J4, W1."""
    with MortalWorld() as world:
        undisturbed = tell(world, actor_class, None)
        count = world.places
    assert len(undisturbed) == 2
    assert undisturbed[1] == ["Hello Ada"]
    for place in some_of(range(1, count + 1), 12):
        with MortalWorld() as world:
            assert tell(world, actor_class, place, *later) == undisturbed, f"{place} of {count}"


class Clerk(Actor):
    """Fails when it is told to, and is then begun anew."""

    def on_receive(self, message: object) -> None:
        raise ValueError("this is a test")


class Watches(CallActor):
    """Watches whom it is told to, and notes what it is told of them."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case "clerk":
                self.watch(self.app.lookup("clerk"), on_restart=True)
            case "other":
                self.watch(Clerk.start())
            case "no more":
                self.unwatch(1)
            case WatchedRestarted() | Down():
                self.data.setdefault("noted", []).append(type(message).__name__)


def told(world: MortalWorld) -> ToldCall:
    """Let somebody call, and have a clerk at hand."""
    world.app.service(Clerk, name="clerk")
    return ToldCall(world, Watches)


def test_a_service_is_watched_by_the_next_process_too() -> None:
    """W2: its restarts are told as well."""
    with MortalWorld() as world:
        call = told(world)
        call.is_told("clerk")
        world.dies_after(1.0, 2.0, then_s=5.0)
        assert "noted" not in call.actor.data
        world.app.lookup("clerk").tell("fail")
        world.run(5.0)
        assert call.actor.data["noted"] == ["WatchedRestarted"]
        world.dies_after(1.0, then_s=5.0)
        assert call.actor.data["noted"] == ["WatchedRestarted"]


def test_a_watch_that_was_ended_is_not_there_again() -> None:
    """W3."""
    with MortalWorld() as world:
        call = told(world)
        call.is_told("clerk")
        world.dies_after(1.0, then_s=2.0)
        call.is_told("no more")
        world.dies_after(1.0, then_s=2.0)
        world.app.lookup("clerk").tell("fail")
        world.run(5.0)
        assert "noted" not in call.actor.data


def test_a_watch_of_somebody_without_a_name_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    with MortalWorld() as world, caplog.at_level(logging.WARNING, "relay_actors.calls"):
        world.app.service(Clerk, name="clerk")
        line, _handle = world.inbound(Named)
        world.run(2.0)
        world.dies_after(1.0, then_s=2.0)
        assert not line.is_over
        Named.nobody.stop()
    assert "a watch of Named is not in the journal" in caplog.text


class Named(CallActor):
    """Watches an actor that only it knows."""

    nobody: ClassVar[Any] = None

    def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            type(self).nobody = self.spawn(Clerk)
            self.watch(self.nobody)
            self.answer()


class CrashesOnce(Flows):
    """A flow that fails after it was told, and goes on where it was."""

    restart_flow = "where_it_was"
    has_crashed: ClassVar[bool] = False

    async def run(self) -> None:
        await self.answer()
        friend = self.app.dial(Friend, device(FRIEND), told="Ada")
        self.watch(friend.ref)
        await (await self.play_tts("Wait")).wait()
        await self.next(Down)
        await (await self.play_tts("They have left")).wait()
        if not self.has_crashed:
            type(self).has_crashed = True
            raise ValueError("this is a test")
        await (await self.play_tts("Goodbye")).wait()


def test_a_flow_that_goes_on_where_it_has_crashed_was_told_as_it_was_then() -> None:
    """X8: it dials nobody twice, and is told once."""
    CrashesOnce.has_crashed = False
    with MortalWorld() as world:
        assert tell(world, CrashesOnce, None) == [["Wait", "They have left", "Goodbye"], ["Hello Ada"]]
        assert CrashesOnce.has_crashed


def test_a_ref_of_a_call_that_is_over_is_one_of_an_actor_that_has_ended() -> None:
    with MortalWorld() as world:
        world.start()
        ref = ended_call(world.app._running().office, "tag-1")
        assert not ref.is_alive()
        assert ref.kept.leg.is_ended
        with pytest.raises(ActorDead):
            ref.tell("hello")


def test_a_handle_of_a_call_that_is_over_has_one_ref() -> None:
    """The handle that a flow has again of a dial."""
    with MortalWorld() as world:
        world.start()
        handle = HandleByTag(world.app._running().office, "tag-1", Course())
        assert handle.ref is handle.ref
        assert handle.state == "ended"
