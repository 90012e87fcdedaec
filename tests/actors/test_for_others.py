"""What others have listen to a call runs in its turns, and is none of what its own code has done (SEMANTICS J3, X8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, CallActor, race
from relay_actors.events import PlayEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_rebuilding import Fragile
from tests.actors.world import World


class Sink(Actor):
    """Notes what it is told."""

    told: ClassVar[list[object]] = []

    def on_receive(self, message: object) -> None:
        self.told.append(message)


class Tells(Fragile):
    """Crashes, if it is to, right before it tells somebody something."""

    async def run(self) -> None:
        await self.answer()
        await self.next(str)
        await self.sleep(1)
        await self.play_tts("I slept")
        self.may_crash("told")
        self.app.lookup("sink").tell("of the flow")
        await self.sleep(3600)


def of_a_function(world: World) -> Callable[[PlayEvent], Any]:
    return lambda event: world.app.lookup("sink").tell(event.state)


def of_a_coroutine(world: World) -> Callable[[PlayEvent], Any]:
    async def listener(event: PlayEvent) -> None:
        world.app.lookup("sink").tell(event.state)

    return listener


@pytest.mark.parametrize("way", ["on", "on_completed"])
@pytest.mark.parametrize("listens", [of_a_function, of_a_coroutine])
@pytest.mark.parametrize("crashes", [0, 1])
def test_what_a_listener_of_others_has_sent_is_not_taken_for_what_the_flow_sends(
    listens: Callable[[World], Callable[[PlayEvent], Any]], way: str, crashes: int
) -> None:
    """J3, X8: the flow comes to its first message after its crash, and that goes out."""
    Tells.crashes = {"told": crashes}
    Sink.told = []
    with World() as world:
        world.app.service(Sink, name="sink")
        _line, handle = world.inbound(Tells)
        handle.wait_for_answered().get(timeout=5.0)
        if way == "on":
            handle.on("calling.call.play", listens(world))
            handle.play_tts("Hello")
        else:
            handle.play_tts("Hello", on_completed=listens(world))
        world.until(lambda: "finished" in Sink.told, 20.0)
        handle.ref.tell("go on")
        world.run(3)
        assert Tells.crashes == {"told": 0}
        assert Sink.told.count("of the flow") == 1


@pytest.mark.parametrize("way", ["wait", "race", "on_done"])
@pytest.mark.parametrize("crashes", [0, 1])
def test_what_a_callback_of_others_has_sent_is_not_taken_for_what_the_flow_sends(way: str, crashes: int) -> None:
    """A11, J3, X8: it is called in the turn that settles what it is a callback of."""
    Tells.crashes = {"told": crashes}
    Sink.told = []
    with World() as world:
        world.app.service(Sink, name="sink")
        _line, handle = world.inbound(Tells)
        handle.wait_for_answered().get(timeout=5.0)
        play = handle.play_tts("Hello").get(timeout=5.0)

        def tell(*_settled: object) -> None:
            world.app.lookup("sink").tell("over")

        if way == "on_done":
            play.on_done(tell)
        else:
            waiting: Future[Any] = play.wait() if way == "wait" else race(play.wait(), handle.wait_for_ended())
            waiting.add_done_callback(tell)
        world.until(lambda: Sink.told, 20.0)
        handle.ref.tell("go on")
        world.run(3)
        assert Tells.crashes == {"told": 0}
        assert Sink.told == ["over", "of the flow"]


@pytest.mark.parametrize("way", ["reply", "wait", "race", "on_done"])
@pytest.mark.parametrize("crashes", [0, 1])
def test_what_a_callback_that_a_listener_of_others_has_left_sends_is_not_taken_for_what_the_flow_sends(
    way: str, crashes: int
) -> None:
    """A11, J3, X8: it is as that of others who are in no turn of the call."""
    Tells.crashes = {"told": crashes}
    Sink.told = []
    with World() as world:
        world.app.service(Sink, name="sink")
        _line, handle = world.inbound(Tells)
        handle.wait_for_answered().get(timeout=5.0)

        def tell(*_settled: object) -> None:
            world.app.lookup("sink").tell("over")

        def listener(event: PlayEvent) -> None:
            if event.state != "playing" or Sink.told:
                return
            Sink.told.append("playing")
            if way == "on_done":
                play.on_done(tell)
                return
            waiting: Future[Any] = handle.denoise() if way == "reply" else play.wait()
            if way == "race":
                waiting = race(waiting, handle.wait_for_ended())
            waiting.add_done_callback(tell)

        handle.on("calling.call.play", listener)
        play = handle.play_tts("Hello").get(timeout=5.0)
        world.until(lambda: "over" in Sink.told, 20.0)
        handle.ref.tell("go on")
        world.run(3)
        assert Tells.crashes == {"told": 0}
        assert Sink.told == ["playing", "over", "of the flow"]


def test_a_callback_of_others_can_be_taken_back() -> None:
    """A11: as any other."""
    told: list[object] = []
    with World() as world:
        _line, handle = world.inbound(Tells)
        answered = handle.wait_for_answered()
        answered.add_done_callback(told.append)
        answered.remove_done_callback(told.append)
        answered.get(timeout=5.0)
        world.settle()
    assert told == []


class Awaits(Fragile):
    """Awaits what others settle, twice if it crashes; and says what it was given."""

    awaited: ClassVar[list[Future[str]]] = []

    async def run(self) -> None:
        await self.answer()
        await self.next(str)
        self.awaited.append(Future(self.runs_on))
        given = await self.awaited[-1]
        await self.next(str)
        self.may_crash("given")
        self.data["given"] = given
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1])
@pytest.mark.parametrize("ends", [False, True])
def test_what_a_listener_of_others_was_given_is_not_given_to_the_flow(crashes: int, ends: bool) -> None:
    """J3, X8: each has what it has waited for, also if the flow is run again in the next process."""
    Awaits.crashes = {"given": crashes}
    Awaits.awaited = []
    with MortalWorld() as world:
        line, handle = world.inbound(Awaits)
        handle.wait_for_answered().get(timeout=5.0)
        of_the_listener: Future[str] = Future(world.dispatcher)
        given: list[str] = []

        async def listener(_event: PlayEvent) -> None:
            given.append(await of_the_listener)

        handle.play_tts("Hello", on_completed=listener)
        world.run(5)
        handle.ref.tell("go on")
        world.settle()
        of_the_listener.set("the listener's")
        world.settle()
        if ends:
            world.dies()
            world.lives_again(after_s=0.25)
            world.run(1)
        Awaits.awaited[-1].set("the flow's")
        world.settle()
        again = world.app.call(line.call_id)
        assert again is not None
        again.ref.tell("go on")
        world.run(1)
        assert Awaits.crashes == {"given": 0}
        assert (given, again.data) == (["the listener's"], {"given": "the flow's"})


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_time_out_of_a_listener_of_others_is_none_of_the_flow(crashes: int) -> None:
    """J3, X8: it is over while the flow sleeps, which is run again to where it was."""
    Tells.crashes = {"told": crashes}
    Sink.told = []
    with World() as world:
        world.app.service(Sink, name="sink")
        line, handle = world.inbound(Tells)
        handle.wait_for_answered().get(timeout=5.0)

        async def listener(_event: PlayEvent) -> None:
            with pytest.raises(TimeoutError):
                await race(handle.wait_for_ended(), timeout=1.0)
            Sink.told.append("over")

        handle.play_tts("Hello", on_completed=listener)
        world.until(lambda: "over" in Sink.told, 20.0)
        handle.ref.tell("go on")
        world.run(3)
        assert Sink.told == ["over", "of the flow"]
        assert [str(sound) for sound in line.heard] == ["Hello", "I slept"]


class Survives(CallActor):
    """Crashes while a coroutine of its own listens, which goes on; awaits what others settle, as that does."""

    crashes = 1
    awaited: ClassVar[dict[str, Future[str]]] = {}
    given: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        if not self.data.get("crashed"):
            self.data["crashed"] = True
            self.play_tts("Hello", on_completed=self.on_said)
        await self.next(str)
        if type(self).crashes:
            type(self).crashes -= 1
            raise RuntimeError("crash")
        self.awaited["flow"] = Future(self.runs_on)
        self.data["given"] = await self.awaited["flow"]
        await self.sleep(3600)

    async def on_said(self, _event: PlayEvent) -> None:
        await (await self.play_silence(5)).wait()
        self.awaited["listener"] = Future(self.runs_on)
        self.given.append(await self.awaited["listener"])


@pytest.mark.parametrize("ends", [False, True])
def test_what_a_coroutine_of_a_former_incarnation_was_given_is_not_given_to_the_flow(ends: bool):
    """J3: it has gone on after the crash, and is not run again in the next process, as the flow is."""
    Survives.crashes, Survives.awaited, Survives.given = 1, {}, []
    with MortalWorld() as world:
        line, handle = world.inbound(Survives)
        handle.wait_for_answered().get(timeout=5.0)
        world.run(3)
        handle.ref.tell("crash")
        world.settle()
        assert Survives.crashes == 0
        world.run(10)
        assert "listener" in Survives.awaited
        handle.ref.tell("go on")
        world.settle()
        Survives.awaited["listener"].set("the listener's")
        world.settle()
        if ends:
            world.dies()
            world.lives_again(after_s=0.25)
            world.run(1)
        Survives.awaited["flow"].set("the flow's")
        world.run(1)
        again = world.app.call(line.call_id)
        assert again is not None
        assert (Survives.given, again.data["given"]) == (["the listener's"], "the flow's")


async def gives(value: str) -> str:
    return value


DOES: dict[str, Callable[[CallActor], Any]] = {
    "command": lambda call: call.denoise(),
    "operation": lambda call: call.play_tts("Thanks"),
    "side_effect": lambda call: call.side_effect(str, "the listener's"),
    "blocking": lambda call: call.blocking(str, "the listener's"),
    "aio": lambda call: call.aio(gives("the listener's")),
    "now": lambda call: gives(str(call.now())),
}
"""What the code of a call does that is on record, and is asked for again, or given, when it is run again."""


class Outlived(CallActor):
    """Crashes while a coroutine of its own listens, which goes on, and then does something."""

    crashes = 1
    does = ""
    did: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        if not self.data.get("has_begun"):
            self.data["has_begun"] = True
            self.play_tts("Hello", on_completed=self.on_said)
        await self.next(str)
        if type(self).crashes:
            type(self).crashes -= 1
            raise RuntimeError("crash")
        self.data["given"] = await self.side_effect(self.effect)
        await self.play_tts("I went on")
        await self.sleep(3600)

    async def on_said(self, _event: PlayEvent) -> None:
        await (await self.play_silence(5)).wait()
        await DOES[self.does](self)
        self.did.append("listener")

    @classmethod
    def effect(cls) -> str:
        cls.did.append("flow")
        return "the flow's"


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("does", DOES)
def test_what_a_coroutine_of_a_former_incarnation_does_is_not_asked_of_the_flow(does: str, ends: bool):
    """J3, X8: it is not run again in the next process; the flow is, goes on where it was, and does nothing twice."""
    Outlived.crashes, Outlived.does, Outlived.did = 1, does, []
    with MortalWorld() as world:
        line, handle = world.inbound(Outlived)
        handle.wait_for_answered().get(timeout=5.0)
        world.run(3)
        handle.ref.tell("crash")
        world.run(10)
        assert (Outlived.crashes, Outlived.did) == (0, ["listener"])
        handle.ref.tell("go on")
        world.run(3)
        if ends:
            world.dies()
            world.lives_again(after_s=0.25)
            world.run(3)
        again = world.app.call(line.call_id)
        assert again is not None
        assert (again.data["given"], Outlived.did) == ("the flow's", ["listener", "flow"])
        assert [str(sound) for sound in line.heard].count("I went on") == 1
        assert world.count("actors.failed") == 1


class Begun(CallActor):
    """Crashes while something is said of which it has itself told the end; and begins anew, as most classes do."""

    is_method = True
    does = ""
    did: ClassVar[list[str]] = []
    awaited: ClassVar[dict[str, Future[str]]] = {}

    async def run(self) -> None:
        await self.answer()
        if not self.data.get("has_begun"):
            self.data["has_begun"] = True
            is_said = self.on_said if self.is_method else lambda event: self.on_said(event)
            await self.play_tts("A long hello, which takes a while. ", on_completed=is_said)
            raise RuntimeError("crash")
        await self.next(str)
        self.data["effect"] = await self.side_effect(self.effect)
        await self.play_tts("I went on")
        self.awaited["flow"] = Future(self.runs_on)
        self.data["given"] = await self.awaited["flow"]
        await self.sleep(3600)

    async def on_said(self, _event: PlayEvent) -> None:
        self.listened = True
        await DOES[self.does](self)
        self.did.append("listener")
        self.awaited["listener"] = Future(self.runs_on)
        assert await self.awaited["listener"] == "the listener's"

    @classmethod
    def effect(cls) -> str:
        cls.did.append("flow")
        return "the flow's"


@pytest.mark.parametrize("is_method", [True, False])
@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("does", DOES)
def test_what_is_called_at_the_end_of_what_a_former_incarnation_has_begun_is_told_from_the_flow(
    does: str, ends: bool, is_method: bool
) -> None:
    """J3, J4, X8: a method is the present one's, and run again with it in the next process; nothing else is."""
    Begun.does, Begun.is_method, Begun.did, Begun.awaited = does, is_method, [], {}
    with MortalWorld() as world:
        line, handle = world.inbound(Begun)
        world.run(10)
        assert Begun.did == ["listener"]
        assert hasattr(world.actor(handle), "listened") is is_method
        handle.ref.tell("go on")
        world.run(3)
        Begun.awaited["listener"].set("the listener's")
        world.settle()
        if ends:
            world.dies()
            world.lives_again(after_s=0.25)
            world.run(3)
        Begun.awaited["flow"].set("the flow's")
        world.run(1)
        again = world.app.call(line.call_id)
        assert again is not None
        assert again.data == {"has_begun": True, "effect": "the flow's", "given": "the flow's"}
        assert Begun.did.count("flow") == 1
        said = [str(sound) for sound in line.heard]
        assert [said.count(words) for words in ("I went on", "Thanks")] == [1, int(does == "operation")]
        assert len(world.sent("calling.denoise")) == int(does == "command")
        assert world.count("actors.failed") == 1


class InThread(CallActor):
    """A flow on a thread that cleans up when its handler crashes, and begins anew."""

    def run(self) -> None:
        self.answer().get()
        if not self.data.get("has_begun"):
            self.data["has_begun"] = True
            try:
                self.sleep(3600).get()
            finally:
                self.app.lookup("sink").tell("released")
        self.next(str).get()
        self.play_tts("Hello").get().wait().get()
        self.app.lookup("sink").tell("of the flow")
        self.sleep(3600).get()

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise RuntimeError("crash")


@pytest.mark.parametrize("place", range(1, 7))
def test_what_a_flow_on_a_thread_has_told_while_it_cleaned_up_is_not_taken_for_what_the_next_one_tells(place: int):
    """J3: wherever the process ends after the prompt, what the flow says then is not taken for said."""
    Sink.told = []
    with MortalWorld() as world:
        world.app.service(Sink, name="sink")
        _line, handle = world.inbound(InThread)
        world.run(1)
        handle.ref.tell("crash")
        world.run(1)
        handle.ref.tell("go on")
        world.until(lambda: world.sent("calling.play"))
        world.dies_at = world.places + place
        world.live(20)
        assert world.deaths == 1
        assert "of the flow" in Sink.told
        assert Sink.told.count("released") == 1
