"""A call's handler is given what it has raised on once more, and nothing else is done twice (SEMANTICS M6, J4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from relay_actors import ActionCompleted, CallActor
from relay_actors.errors import Poisoned
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, World
from tests.support.thorough import some_of


class Greeter(CallActor):
    """Greets, and hangs up; notes what it is told."""

    def on_receive(self, message: object) -> Any:
        self.note(message)
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("hello")
            case ActionCompleted():
                self.hangup()

    def note(self, message: object) -> None:
        self.data.setdefault("seen", []).append(in_words(message))


class Stumbles(Greeter):
    """The same; the first attempt at each message fails, at once."""

    retries = 1
    tried: object = None

    def on_receive(self, message: object) -> Any:
        if message is not self.tried:
            self.tried = message
            self.note(message)
            raise LookupError("the first attempt")
        return super().on_receive(message)


class StumblesLater(Stumbles):
    """The same, after an await; the end of the call would end that."""

    async def on_receive(self, message: object) -> Any:
        if not isinstance(message, CallStateEvent):
            await self.sleep(0.01)
        return Stumbles.on_receive(self, message)


def in_words(message: object) -> str:
    state = getattr(message, "call_state", "") or getattr(message, "state", "")
    return f"{type(message).__name__} {state}".strip()


@pytest.mark.parametrize("actor_class", [Stumbles, StumblesLater])
def test_each_event_is_handled_once_more_and_the_engine_takes_it_once(
    world: World, actor_class: type[CallActor]
) -> None:
    """Also a state, of which there is no second one, and what follows from an event: M6, X1, X5."""
    with World() as other:
        seen, told = greet(other, Greeter)
    assert len(seen) > 5
    assert greet(world, actor_class) == ([message for message in seen for _attempt in range(2)], told)
    assert world.count("messages.retried") == len(seen)


def greet(world: World, actor_class: type[CallActor]) -> tuple[list[str], int]:
    """Let somebody be greeted; return what the handler was told, and how much of it the wire has told."""
    line, handle = world.inbound(actor_class)
    leg = handle.ref.kept.leg
    world.run(20.0)
    assert line.is_over, line.story()
    assert [str(sound) for sound in line.heard] == ["hello"]
    assert world.methods() == ["calling.answer", "calling.play", "calling.end"]
    return leg.data["seen"], leg.course.told


class Poisonable(CallActor):
    """Fails at every attempt."""

    retries = 1

    def on_receive(self, message: object) -> Any:
        if isinstance(message, str | PlayEvent):
            self.data["attempts"] = self.data.get("attempts", 0) + 1
            raise LookupError("every attempt")


class PoisonableLater(Poisonable):
    """The same, after an await."""

    async def on_receive(self, message: object) -> Any:
        await self.sleep(0.01)
        Poisonable.on_receive(self, message)


@pytest.mark.parametrize("actor_class", [Poisonable, PoisonableLater])
def test_what_fails_twice_fails_the_actor_or_is_given_back_to_who_has_asked(
    world: World, actor_class: type[CallActor]
) -> None:
    """M6: be it told by the wire or by others."""
    _line, handle = world.answered(actor_class)
    with pytest.raises(Poisoned, match="twice: LookupError: every attempt"):
        handle.ref.ask("a question")
    assert (handle.data["attempts"], handle.ref.incarnation) == (2, 0)
    handle.ref.tell("a word")
    world.run(1.0)
    assert (handle.data["attempts"], handle.ref.incarnation) == (4, 1)
    handle.play_silence(1.0)
    world.until(lambda: handle.data["attempts"] == 6)
    world.settle()
    assert handle.ref.incarnation == 2


def test_a_second_attempt_answers_the_question_of_the_first(world: World) -> None:
    """A13: a token that the first one has taken is good for nothing."""

    class Clerk(CallActor):
        retries = 1
        attempts = 0

        def on_receive(self, message: object) -> Any:
            if message == "a question":
                self.attempts += 1
                if self.attempts == 1:
                    self.reply_later()
                    raise LookupError("the first attempt")
                return self.attempts
            return None

        def ring(self) -> int:
            self.attempts += 1
            if self.attempts % 2:
                raise LookupError("odd")
            return self.attempts

    _line, handle = world.answered(Clerk)
    assert handle.ref.ask("a question", timeout=1.0) == 2
    assert handle.ref.proxy().ring().get(timeout=1.0) == 4


def test_what_a_first_attempt_has_put_aside_is_there_once(world: World) -> None:
    """P1: it is for the second one to put it aside."""

    class Shelf(CallActor):
        retries = 1
        stash_capacity = 5
        tried: ClassVar[list[object]] = []

        def on_receive(self, message: object) -> Any:
            if isinstance(message, str | PlayEvent):
                self.data.setdefault("seen", []).append(in_words(message))
                if message == "twice" or not any(message is one for one in self.tried):
                    self.stash()
                if not any(message is one for one in self.tried):
                    self.tried.append(message)
                    raise LookupError("the first attempt")

    _line, handle = world.answered(Shelf)
    handle.ref.tell("once")
    handle.play_silence(0.1)
    world.run(1.0)
    assert world.actor(handle).stash_size == 0
    assert handle.data["seen"] == ["str", "str", *["PlayEvent playing"] * 2, *["PlayEvent finished"] * 2]
    handle.ref.tell("twice")
    world.settle()
    assert world.actor(handle).stash_size == 1
    assert handle.ref.incarnation == 0


def test_what_was_put_aside_fails_and_is_handled_once_more_by_the_handler_alone(world: World) -> None:
    """P2: what the engine does with it was done when it came."""

    class Shelf(CallActor):
        retries = 1
        stash_capacity = 5
        is_open = False
        attempts = 0

        def on_receive(self, message: object) -> Any:
            if message == "open":
                self.is_open = True
                self.unstash_all()
            elif isinstance(message, PlayEvent) and message.state == "finished":
                if not self.is_open:
                    self.stash()
                    return
                self.attempts += 1
                if self.attempts == 1:
                    raise LookupError("the first attempt")

    _line, handle = world.answered(Shelf)
    handle.play_silence(0.1)
    world.run(1.0)
    told = handle.ref.kept.leg.course.told
    handle.ref.tell("open")
    world.settle()
    assert (world.actor(handle).attempts, handle.ref.incarnation) == (2, 0)
    assert handle.ref.kept.leg.course.told == told


def test_who_has_ended_does_not_try_again(world: World) -> None:
    """M6, H4: killed in the middle of the first attempt, or stopped."""
    attempts: list[str] = []

    class Doomed(CallActor):
        retries = 1

        async def on_receive(self, message: object) -> None:
            if isinstance(message, str):
                attempts.append(message)
                if message == "kill":
                    self._cell.kill("test")
                try:
                    await self.sleep(60.0)
                finally:
                    raise OSError("while cleaning up")

    for message in ("kill", "stop"):
        _line, handle = world.answered(Doomed)
        handle.ref.tell(message)
        world.settle()
        handle.ref.stop(block=False, now=True)
        world.run(5.0)
    assert attempts == ["kill", "stop"]


def test_a_handler_that_ends_with_its_call_is_not_tried_again(world: World) -> None:
    """A call that has ended is no bad moment."""
    attempts: list[object] = []

    class Waits(CallActor):
        retries = 1

        async def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                attempts.append(message)
                await self.answer()
                await self.wait_for("calling.call.denoise")

    line, handle = world.inbound(Waits)
    world.run(2.0)
    line.hangs_up()
    world.run(2.0)
    assert len(attempts) == 1
    assert handle.ref.incarnation == 0


# -- after the end of the process ------------------------------------------------------------------------------------

paid: list[str] = []
"""What has been paid, in all processes."""


@pytest.fixture
def mortal() -> Iterator[MortalWorld]:
    paid.clear()
    with MortalWorld() as world:
        yield world


class Told(CallActor):
    """A flow; what it is told beside it asks for something, and fails, and asks for it again."""

    retries = 1
    attempts = 0

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(6)
        await (await self.play_tts(f"two, after {self.attempts}")).wait()

    def on_receive(self, message: object) -> Any:
        if message == "hello":
            self.attempts += 1
            self.denoise()
            if self.attempts == 1:
                raise LookupError("the first attempt")
            self.data["greeted"] = self.data.get("greeted", 0) + 1


class ToldLater(Told):
    """The same, with awaits, in which something is done to the world, too."""

    async def on_receive(self, message: object) -> Any:
        if message == "hello":
            await self.sleep(0.5)
            await self.side_effect(paid.append, f"attempt {self.attempts + 1}")
            Told.on_receive(self, message)
            await self.sleep(1)


class ToldByTheWire(Told):
    """The same, told by the wire."""

    def on_receive(self, message: object) -> Any:
        if isinstance(message, PlayEvent) and message.state == "finished" and self.attempts < 2:
            Told.on_receive(self, "hello")


class ToldLaterByTheWire(ToldLater):
    """The same, with awaits."""

    async def on_receive(self, message: object) -> Any:
        if isinstance(message, PlayEvent) and message.state == "finished" and self.attempts < 2:
            await ToldLater.on_receive(self, "hello")


class Handles(CallActor):
    """A handler without a flow, which knows from its data where it is."""

    retries = 1
    tried: object = None

    def on_receive(self, message: object) -> Any:
        is_first, self.tried = message is not self.tried, message
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("one")
            case "hello":
                self.denoise()
                self.data["attempts"] = self.data.get("attempts", 0) + 1
                self.start_timer("later", "go on", 7.0, durable=True)
            case "go on" if not is_first:
                self.play_tts(f"two, after {self.data['attempts']}")
            case ActionCompleted() if "attempts" in self.data:
                self.hangup()
        if is_first and isinstance(message, str):
            raise LookupError("the first attempt")


DEATHS_S = [(), (0.25,), (0.75,), (1.25,), (3.0,), (5.0,), (0.75, 1.0), (0.25, 2.0)]


@pytest.mark.parametrize("deaths_s", some_of(DEATHS_S, 5), ids=str)
@pytest.mark.parametrize("actor_class", [Told, ToldLater, ToldByTheWire, ToldLaterByTheWire, Handles])
def test_both_attempts_are_a_part_of_the_past_once(
    mortal: MortalWorld, actor_class: type[CallActor], deaths_s: tuple[float, ...]
) -> None:
    """What they have asked for is not sent again, wherever the process ends; nor is the flow begun anew. M6, J3, J4."""
    mortal.takes_calls(actor_class)
    line = mortal.sim.phone(CALLER).dials(context=CONTEXT)
    mortal.run(1.0)
    handle = mortal.app.call(line.call_id)
    assert handle is not None
    if "Wire" not in actor_class.__name__:
        handle.ref.tell("hello")
    mortal.dies_after(*deaths_s)
    assert line.is_over, line.story()
    assert [str(sound) for sound in line.heard] == ["one", "two, after 2"]
    assert sorted(mortal.methods()) == sorted(
        ["calling.answer", *["calling.play"] * 2, *["calling.denoise"] * 2, "calling.end"]
    )
    assert paid == (["attempt 1", "attempt 2"] if "Later" in actor_class.__name__ else [])
    assert mortal.count("calls.abandoned") == 0


class GoesOn(Told):
    """A flow that crashes once, after what it was told beside it, and goes on at that line."""

    restart_flow = "where_it_was"
    crashes: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(6)
        if self.crashes:
            raise LookupError(self.crashes.pop())
        await (await self.play_tts(f"two, after {self.attempts}")).wait()


def test_both_attempts_are_a_part_of_the_past_of_a_flow_that_goes_on_where_it_was(world: World) -> None:
    """X8: also without a journal."""
    GoesOn.crashes.append("once")
    line, handle = world.inbound(GoesOn)
    world.run(1.0)
    handle.ref.tell("hello")
    world.run(30.0)
    assert [str(sound) for sound in line.heard] == ["one", "two, after 2"]
    assert world.methods().count("calling.denoise") == 2
    assert not GoesOn.crashes


class FailsTwice(Told):
    """A flow that begins anew, once, because what it is told beside fails at both attempts."""

    async def run(self) -> None:
        self.data["begun"] = self.data.get("begun", 0) + 1
        await self.answer()
        await (await self.play_tts(f"one {self.data['begun']}")).wait()
        await self.sleep(6)
        await (await self.play_tts(f"two, after {self.attempts}")).wait()

    def on_receive(self, message: object) -> Any:
        if message == "hello":
            self.attempts += 1
            self.denoise()
            raise LookupError("every attempt")


@pytest.mark.parametrize("deaths_s", [(), (0.25,), (3.0,), (0.25, 3.0)], ids=str)
def test_what_has_failed_for_good_is_over_for_the_next_process_too(
    mortal: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """It is not told to the incarnation after it. M6, J4."""
    mortal.takes_calls(FailsTwice)
    line = mortal.sim.phone(CALLER).dials(context=CONTEXT)
    mortal.run(1.0)
    handle = mortal.app.call(line.call_id)
    assert handle is not None
    handle.ref.tell("hello")
    mortal.dies_after(*deaths_s)
    assert [str(sound) for sound in line.heard][-2:] == ["one 2", "two, after 0"]
    assert mortal.methods().count("calling.denoise") == 2


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (1.0, 3.0)], ids=str)
def test_who_has_asked_is_told_of_two_failures_and_the_past_of_the_call_is_none_the_worse(
    mortal: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """A7, M6, J4."""
    mortal.takes_calls(FailsTwice)
    line = mortal.sim.phone(CALLER).dials(context=CONTEXT)
    mortal.run(1.0)
    handle = mortal.app.call(line.call_id)
    assert handle is not None
    with pytest.raises(Poisoned):
        handle.ref.ask("hello")
    mortal.dies_after(*deaths_s)
    assert [str(sound) for sound in line.heard] == ["one 1", "two, after 2"]
    assert mortal.methods().count("calling.denoise") == 2
