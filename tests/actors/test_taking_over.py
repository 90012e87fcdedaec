"""What others have asked of a call, and what is under way, is taken over when its flow is brought to where it was."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, AskTimeout, gather, race
from relay_actors.actors.actions import PlayAction
from relay_actors.config import Limits
from relay_actors.events import CollectEvent, PlayEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.test_rebuilding import Fragile
from tests.actors.world import World


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


def test_what_others_have_asked_of_the_call_and_wait_for_goes_on(world: World) -> None:
    """Handles, replies and waits of others are not the flow's, and survive it. X6, X8."""

    class Waits(Fragile):
        async def run(self) -> None:
            await self.answer()
            await self.next(CollectEvent)
            self.may_crash("collected")
            self.data["seen"] = True
            await self.sleep(3600)

    Waits.crashes = {"collected": 1}
    line, handle = world.inbound(Waits)
    handle.wait_for_answered().get(timeout=5.0)
    music = handle.play_tts("a long tale " * 200).get(timeout=5.0)
    heard: list[Any] = []
    handle.on("calling.call.play", heard.append)
    ended = handle.wait_for_ended()
    collect = handle.collect(digits={"max": 1}, initial_timeout=60.0).get(timeout=5.0)
    line.presses("7")
    world.settle()
    assert collect.wait().get(timeout=5.0).digits == "7"
    assert handle.data == {"seen": True}
    music.stop().get(timeout=5.0)
    assert isinstance(music.wait().get(timeout=5.0), PlayEvent)
    assert [event.state for event in heard] == ["finished"]
    line.hangs_up()
    ended.get(timeout=5.0)
    assert world.methods().count("calling.play") == 1


class Plays(Fragile):
    """Plays something, of which others get the handle, and crashes when it is told to go on."""

    handles: ClassVar[list[PlayAction]] = []

    async def run(self) -> None:
        await self.answer()
        self.handles.append(self.play_tts("a long tale " * 200))
        while True:
            await self.next(str)
            self.may_crash("told")


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_a_handle_that_others_were_given_tells_what_the_operation_does_after_crashes(
    world: World, crashes: int
) -> None:
    """They know nothing of the crash, and what runs has not felt it. X5, X8."""
    Plays.crashes = {"told": crashes}
    Plays.handles.clear()
    _line, handle = world.inbound(Plays)
    world.run(3)
    play = Plays.handles[0]
    handle.ref.tell("go on")
    world.settle()
    assert Plays.crashes == {"told": 0}
    assert len(Plays.handles) == 1 + crashes
    play.pause().get(timeout=5.0)
    world.run(1)
    assert play.state == "paused"
    play.stop().get(timeout=5.0)
    assert play.wait().get(timeout=5.0).state == "finished"
    assert play.state == "finished"


class Idle(Fragile):
    """Has nothing of its own run, and crashes when it is told to go on."""

    async def run(self) -> None:
        await self.answer()
        while True:
            await self.next(str)
            self.may_crash("told")


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_what_others_have_done_to_what_they_play_does_not_end_it(world: World, crashes: int) -> None:
    """It is paused still, and can be gone on with. X6, X8."""
    Idle.crashes = {"told": crashes}
    _line, handle = world.inbound(Idle)
    handle.wait_for_answered().get(timeout=5.0)
    play = handle.play_tts("a long tale " * 200).get(timeout=5.0)
    play.volume(3).get(timeout=5.0)
    play.pause().get(timeout=5.0)
    world.run(1)
    handle.ref.tell("go on")
    world.settle()
    assert Idle.crashes == {"told": 0}
    assert (play.state, play.is_done) == ("paused", False)
    play.resume().get(timeout=5.0)
    world.run(1)
    assert (play.state, play.is_done) == ("executing", False)
    play.stop().get(timeout=5.0)
    assert play.wait().get(timeout=5.0).state == "finished"


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("plays", [Plays, Idle])
def test_a_stop_of_others_that_waits_for_a_beginning_is_sent_after_crashes(
    world: World, plays: type[Fragile], crashes: int
) -> None:
    """It was not done yet, whoever has begun what is to be stopped. X5, X8."""
    plays.crashes = {"told": crashes}
    Plays.handles.clear()
    world.sim.stop_answering("calling.play", but_do_it=False, times=1)  # it is sent once more, after a while
    _line, handle = world.inbound(plays)
    handle.wait_for_answered().get(timeout=5.0)
    world.settle()
    play = Plays.handles[0] if plays is Plays else handle.play_tts("a long tale " * 200)
    reply = play.stop()
    handle.ref.tell("go on")
    world.run(1)
    assert plays.crashes == {"told": 0}
    assert not reply.is_settled
    assert reply.get(timeout=30.0)["code"] == "200"
    assert play.wait().get(timeout=5.0).state == "finished"
    assert world.methods()[-2:] == ["calling.play", "calling.play.stop"]


class Told(Fragile):
    """Crashes when it is told something."""

    async def run(self) -> None:
        await self.answer()
        await self.next(str)
        self.may_crash("told")
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [0, 1])
@pytest.mark.parametrize("verb", ["hangup", "denoise"])
def test_a_command_of_others_that_is_in_doubt_while_the_flow_crashes_is_settled(
    world: World, verb: str, crashes: int
) -> None:
    """It is sent once more, and who has asked for it is told what came of that. X2, X8."""
    Told.crashes = {"told": crashes}
    _line, handle = world.inbound(Told)
    handle.wait_for_answered().get(timeout=5.0)
    method = {"hangup": "calling.end", "denoise": "calling.denoise"}[verb]
    world.sim.stop_answering(method, but_do_it=False, times=1)
    reply = getattr(handle, verb)()
    world.run(0.5)
    world.sim.drop_sockets()
    world.until(lambda: world.count("commands.in_doubt") == 1)
    handle.ref.tell("go on")
    world.run(0.01)
    assert Told.crashes == {"told": 0}
    assert not reply.is_settled
    assert set(reply.get(timeout=30.0)) >= {"code"}
    assert world.methods() == ["calling.answer", method, method]


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_hang_up_of_others_that_was_to_come_later_is_over_when_the_call_is(world: World, crashes: int) -> None:
    """What it was to come after never comes. X2, X8."""
    Told.crashes = {"told": crashes}
    line, handle = world.inbound(Told)
    handle.wait_for_answered().get(timeout=5.0)
    later = handle.hangup(after=Future(world.dispatcher))
    handle.ref.tell("go on")
    world.run(1)
    assert Told.crashes == {"told": 0}
    line.hangs_up()
    assert later.get(timeout=5.0) == {}


def test_a_side_effect_that_runs_while_the_flow_crashes_is_not_done_twice(world: World) -> None:
    """What is being found out elsewhere goes on, and the flow that goes on is given it."""
    done: list[str] = []

    def pay() -> str:
        done.append("paid")
        return "receipt"

    class Pays(Fragile):
        async def run(self) -> None:
            await self.answer()
            paid = self.side_effect(pay)
            self.may_crash("paying")
            self.data["receipt"] = await paid
            self.may_crash("paid")
            self.data["again"] = await self.blocking(pay)
            await self.sleep(60)

    Pays.crashes = {"paying": 1, "paid": 1}
    _line, handle = world.inbound(Pays)
    world.run(5)
    assert handle.data == {"receipt": "receipt", "again": "receipt"}
    assert done == ["paid", "paid"]


@pytest.mark.parametrize("crashes", [0, 1, 2])
def test_what_the_flow_had_arranged_before_it_crashed_is_done_once(world: World, crashes: int) -> None:
    """It has arranged that again, and both are of the same call. X8."""

    class Says(Fragile):
        async def run(self) -> None:
            await self.answer()
            self.hangup(after=self.play_tts("Bye"))
            await self.sleep(0.5)
            self.may_crash("saying")
            await self.sleep(3600)

    Says.crashes = {"saying": crashes}
    line, _handle = world.inbound(Says)
    line.is_hung_up(within=30)
    world.run(5)
    assert Says.crashes == {"saying": 0}
    assert world.methods() == ["calling.answer", "calling.play", "calling.end"]


@pytest.mark.parametrize("crashes", [0, 1, 2])
@pytest.mark.parametrize("is_own", [False, True])
def test_a_stop_that_waits_until_its_operation_runs_is_not_lost_when_the_flow_crashes(
    world: World, is_own: bool, crashes: int
) -> None:
    """Whose operation it is, and who has asked for the stop, makes no difference. X5, X8."""
    begun: list[Any] = []

    class Plays(Fragile):
        async def run(self) -> None:
            await self.answer()
            if is_own:
                begun.append(self.play_tts("a long tale " * 200))
            await self.next(str)
            self.may_crash("told")
            await self.sleep(3600)

    Plays.crashes = {"told": crashes}
    world.sim.stop_answering("calling.play", but_do_it=False, times=1)
    _line, handle = world.inbound(Plays)
    handle.wait_for_answered().get(timeout=5.0)
    world.run(0.5)
    music = begun[0] if is_own else handle.play_tts("a long tale " * 200)
    world.run(0.5)
    stop = music.stop()
    world.run(0.5)
    handle.ref.tell("go on")
    world.run(0.5)
    assert Plays.crashes == {"told": 0}
    assert not stop.is_settled
    stop.get(timeout=40.0)
    music.wait().get(timeout=5.0)
    assert world.methods() == ["calling.answer", "calling.play", "calling.play", "calling.play.stop"]


def test_an_error_of_blocking_code_that_nobody_awaits_is_logged_also_if_the_flow_crashes_meanwhile(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """At the latest when the call is over."""

    def fails() -> None:
        raise ValueError("no such customer")

    class Asks(Fragile):
        async def run(self) -> None:
            await self.answer()
            self.blocking(fails)
            self.may_crash("asking")
            await self.sleep(2)

    Asks.crashes = {"asking": 1}
    line, _handle = world.inbound(Asks)
    line.is_hung_up(within=30)
    world.run(5)
    assert caplog.text.count(f"nobody awaits it any more: {fails.__qualname__}") == 1


class Finds(Fragile):
    """Has something found out by asyncio, or on the blocking pool, when its handler crashes."""

    way = ""
    asks = True
    steps: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        if not self.asks:
            await self.denoise()
        match self.way:
            case "await":
                self.data["found"] = await self.aio(self.find_out())
            case "gather":
                self.data["found"] = (await gather(self.aio(self.find_out()), self.sleep(1)))[0]
            case "listener":
                await self.play_tts("Hello", on_completed=self.on_said)
        await self.sleep(3600)

    async def on_said(self, _event: PlayEvent) -> None:
        self.data["found"] = await self.aio(self.find_out())

    async def find_out(self) -> str:
        self.steps.append("begun")
        try:
            await asyncio.sleep(20)
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise
        self.steps.append("found")
        return "a seat"

    def on_receive(self, message: object) -> None:
        if message == "crash":
            self.may_crash("told")


@pytest.mark.parametrize("crashes", [0, 1, 2])
@pytest.mark.parametrize("way", ["await", "gather", "listener"])
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_what_a_flow_awaits_of_asyncio_goes_on_over_a_crash_of_its_handler(
    kind: type[World], way: str, crashes: int
) -> None:
    """X8: it is found out once, and given to the flow that goes on; cancelled it would be given to each of them."""
    Finds.way, Finds.asks, Finds.steps = way, True, []
    with kind() as world:
        _line, handle = world.inbound(Finds)
        world.run(5)
        for _ in range(crashes):
            Finds.crashes = {"told": 1}
            handle.ref.tell("crash")
            world.run(1)
        world.run(30)
        assert (Finds.steps, handle.data) == (["begun", "found"], {"found": "a seat"})
        assert world.count("actors.failed") == crashes


@pytest.mark.parametrize("ends", ["call", "flow"])
def test_what_a_flow_awaits_of_asyncio_is_cancelled_when_nobody_wants_it_any_more(world: World, ends: str) -> None:
    """With the call; or because the flow that goes on has not asked for it. X2, X8."""
    Finds.way, Finds.asks, Finds.steps, Finds.crashes = "await", True, [], {"told": 1}
    line, handle = world.inbound(Finds)
    world.run(5)
    Finds.asks = ends == "call"
    handle.ref.tell("crash")
    world.run(1)
    if ends == "call":
        assert Finds.steps == ["begun"]
        line.hangs_up()
        world.run(1)
        assert Finds.steps == ["begun", "cancelled"]
    else:
        assert Finds.steps == ["begun", "cancelled", "begun"]


class Till(Actor):
    """Takes its time to answer, and notes what it was asked."""

    asked: ClassVar[list[object]] = []
    takes_s = 3.0

    async def on_receive(self, message: object) -> str:
        self.asked.append(message)
        await self.sleep(self.takes_s)
        return f"charged for {message}"


ASKED: dict[str, Callable[[Any, Future[Any]], Future[Any]]] = {
    "itself": lambda _call, asked: asked,
    "map": lambda _call, asked: asked.map(str),
    "race": lambda call, asked: race(asked, call.sleep(3600)).map(lambda first: first.value),
}


class Asks(Fragile):
    """Asks somebody, and crashes before the answer is there, or when it is there and was not awaited."""

    way = "itself"
    called: ClassVar[list[object]] = []

    async def run(self) -> None:
        await self.answer()
        till = self.app.lookup("till")
        first = till.ask("a seat", block=False)
        first.add_done_callback(lambda asked: self.called.append(asked.get(timeout=0)))
        self.may_crash("asked")
        second = till.ask("a meal", block=False, timeout=20)
        await self.sleep(1)
        self.may_crash("waited")
        await self.sleep(self.data.setdefault("waits_s", 5))
        self.may_crash("answered")
        self.data["got"] = [await ASKED[self.way](self, asked) for asked in (first, second)]
        self.may_crash("got")
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [1, 3])
@pytest.mark.parametrize("place", ["none", "asked", "waited", "answered", "got"])
@pytest.mark.parametrize("way", ASKED)
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_who_was_asked_is_not_asked_again_because_the_flow_has_crashed(
    kind: type[World], way: str, place: str, crashes: int
) -> None:
    """X8: whoever was asked is still there, and its answer is for the flow that goes on. It may have charged a card."""
    Asks.crashes, Asks.way, Asks.called, Till.asked, Till.takes_s = {place: crashes}, way, [], [], 3.0
    with kind() as world:
        world.app.service(Till, name="till")
        _line, handle = world.inbound(Asks)
        world.run(30)
        assert place == "none" or Asks.crashes == {place: 0}
        assert handle.data["got"] == ["charged for a seat", "charged for a meal"]
        assert Till.asked == ["a seat", "a meal"]
        if place not in ("answered", "got"):  # a callback on what is another's is called again by a flow after that
            assert Asks.called == ["charged for a seat"]


def test_a_question_has_the_time_that_it_had_before_the_crash(world: World) -> None:
    """A2: it is the same question."""
    Asks.crashes, Asks.way, Asks.called, Till.asked, Till.takes_s = {"waited": 1}, "itself", [], [], 10.0
    world.app.service(Till, name="till")
    _line, handle = world.inbound(Asks)
    world.run(4.5)
    assert not Asks.crashes["waited"]
    (asked, _later) = world.actor(handle).leg.course.questions.values()
    assert not asked.reply.is_settled
    world.run(1)
    assert isinstance(asked.reply.error, AskTimeout)


def test_an_answer_that_was_awaited_is_kept_no_longer(world: World) -> None:
    """A call that asks for hours does not keep all that it was answered twice."""
    Asks.crashes, Asks.way, Till.takes_s = {}, "itself", 3.0
    world.app.service(Till, name="till")
    _line, handle = world.inbound(Asks)
    world.run(3)
    assert len(world.actor(handle).leg.course.questions) == 2
    world.run(20)
    assert not world.actor(handle).leg.course.questions


class Helper(Actor):
    """A child that counts what it is told."""

    born: ClassVar[list[int]] = []

    def __init__(self) -> None:
        super().__init__()
        self.told = 0

    def on_start(self) -> None:
        self.born.append(1)

    def on_receive(self, message: object) -> int:
        self.told += 1
        return self.told


class HasHelp(Fragile):
    """Has children do something, and crashes."""

    async def run(self) -> None:
        await self.answer()
        helper, other = self.spawn(Helper), self.spawn_started(Helper)
        helper.tell("first")
        self.may_crash("told")
        await self.denoise()
        third = self.spawn(Helper)
        self.may_crash("spawned")  # in the same turn, which is a part of the past that is run again the next time
        counted = [await child.ask("how many?", block=False) for child in (helper, other, third)]
        self.may_crash("asked")
        self.data["counted"] = [*counted, await helper.ask("how many?", block=False)]
        await self.sleep(3600)


@pytest.mark.parametrize("crashes", [1, 3])
@pytest.mark.parametrize("place", ["none", "told", "spawned", "asked"])
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_a_flow_that_goes_on_has_the_children_that_it_had(kind: type[World], place: str, crashes: int) -> None:
    """X8: they have not crashed, and know what they were told; of others nobody would know."""
    HasHelp.crashes, Helper.born = {place: crashes}, []
    with kind() as world:
        _line, handle = world.inbound(HasHelp)
        world.run(5)
        assert place == "none" or HasHelp.crashes == {place: 0}
        assert handle.data["counted"] == [2, 1, 1, 3]
        assert len(Helper.born) == 3


class AsksForHours(Fragile):
    """Asks and spawns again and again, and awaits the answers otherwise than one by one."""

    async def run(self) -> None:
        await self.answer()
        till = self.app.lookup("till")
        while True:
            helper = self.spawn(Helper)
            await gather(till.ask("a seat", block=False), helper.ask("how many?", block=False))
            helper.stop(block=False)


def test_a_flow_that_is_too_long_to_be_run_again_keeps_nothing_for_that() -> None:
    """A call that asks and spawns for hours does not keep what it was answered, and who has ended, until it is over."""
    Helper.born, Till.asked, Till.takes_s = [], [], 0.5
    with World(limits=Limits(recorded_per_call=40)) as world:
        world.app.service(Till, name="till")
        _line, handle = world.inbound(AsksForHours)
        world.run(3)
        course = world.actor(handle).leg.course
        assert course.questions
        assert course.children
        world.run(30)
        assert course.record is None
        assert not course.questions
        assert not course.children


def test_a_new_process_spawns_the_children_of_a_flow_anew() -> None:
    """J3: they have ended with the one before."""
    HasHelp.crashes, Helper.born = {}, []
    with MortalWorld() as world:
        line, _handle = world.inbound(HasHelp)
        world.dies_after(5.0, then_s=1.0)
        assert len(Helper.born) == 6
        again = world.app.call(line.call_id)
        assert again is not None
        assert again.data["counted"] == [2, 1, 1, 3]
