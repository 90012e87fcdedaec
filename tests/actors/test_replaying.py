"""One call rebuilt from its history: code that is run again, and code that does not fit (SEMANTICS J3, J4, X8)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any, ClassVar

import pytest

from relay_actors import (
    ActionCompleted,
    Apologise,
    CallActor,
    CallEnded,
    ConnectionLost,
    ConnectionRestored,
    gather,
)
from relay_actors.actors.recovery import AT_ONCE
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from relay_actors.journal.codec import decode, encode
from relay_actors.journal.entries import EventReceived
from relay_actors.journal.memory import Kept, MemoryStore
from relay_actors.simulator import Line
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, device

DIGITS: dict[str, Any] = {"digits": {"max": 1}, "initial_timeout": 60.0}
DEATHS = [(), (0.3,), (1.5,), (3.5,), (6.0,), (1.5, 3.5, 6.0), (0.3, 1.0, 2.0, 4.0, 8.0)]

Flow = Callable[[Any], Any]


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    with MortalWorld() as world:
        yield world


def dials(world: MortalWorld, actor_class: type[CallActor]) -> Line:
    world.takes_calls(actor_class)
    return world.sim.phone(CALLER).dials(context=CONTEXT)


def heard(line: Line) -> list[str]:
    assert line.is_over, line.story()
    return [str(sound) for sound in line.heard]


async def say(call: CallActor, text: str) -> None:
    await (await call.play_tts(text)).wait()


# -- code that is deployed between two lives ---------------------------------------------------------------------------


class Deployed(CallActor):
    """A class whose code is another one after the death of the process."""

    code: ClassVar[Flow]
    why: ClassVar[list[str]] = []

    async def run(self) -> None:
        if self.flow_changed is not None:
            type(self).why.append(str(self.flow_changed))
            await say(self, f"Again, {self.data.get('name', 'stranger')}")
        await type(self).code(self)


async def _as_it_was(call: CallActor) -> None:
    await call.answer()
    await say(call, "Hello")
    call.data["name"] = "Ada"
    began = call.now()
    await call.sleep(5)
    await say(call, f"Bye {began > 0}")


async def _goes_on_otherwise(call: CallActor) -> None:
    await call.answer()
    await say(call, "Hello")
    call.data["name"] = "Ada"
    call.now()
    await call.sleep(5)
    await say(call, "Farewell")


async def _asks_for_more(call: CallActor) -> None:
    await call.answer()
    await call.denoise()
    await say(call, "Hello")
    await say(call, "Bye")


async def _asks_for_less(call: CallActor) -> None:
    await call.answer()
    call.now()
    await call.sleep(5)
    await say(call, "Bye")


async def _says_otherwise(call: CallActor) -> None:
    await call.answer()
    await say(call, "Good day")
    await say(call, "Bye")


async def _in_another_order(call: CallActor) -> None:
    await call.answer()
    call.now()
    await say(call, "Hello")
    await call.sleep(5)
    await say(call, "Bye")


async def _without_the_time(call: CallActor) -> None:
    await call.answer()
    await say(call, "Hello")
    await call.sleep(5)
    await say(call, "Bye")


async def _ends_at_once(call: CallActor) -> None:
    await call.answer()


@pytest.fixture
def deployed() -> Iterator[type[Deployed]]:
    class Once(Deployed):
        code = staticmethod(_as_it_was)
        why: ClassVar[list[str]] = []

    yield Once
    _forget(Once)


def _forget(actor_class: type[CallActor]) -> None:
    """Give the class a name that no journal speaks of."""
    actor_class.__qualname__ = f"{actor_class.__qualname__}, of a test that is over"


def test_code_that_has_changed_only_where_the_call_has_not_been_goes_on(
    world: MortalWorld, deployed: type[Deployed]
) -> None:
    """X8."""
    line = dials(world, deployed)
    world.run(4.0)
    deployed.code = staticmethod(_goes_on_otherwise)
    world.dies_after(0.0)
    assert heard(line) == ["Hello", "Farewell"]
    assert deployed.why == []


@pytest.mark.parametrize(
    ("code", "says", "why"),
    [
        (_asks_for_more, ["Hello", "Bye"], "it asks for calling.denoise, where it asked for calling.play then"),
        (_asks_for_less, ["Bye"], "it asks for the time, where it did not then"),
        (_says_otherwise, ["Good day", "Bye"], "it asks for calling.play with other params than then: play"),
        (_in_another_order, ["Hello", "Bye"], "it asks for the time, where it did not then"),
        (_without_the_time, ["Hello", "Bye"], "it asked for the time here, and does not any more"),
        (_ends_at_once, [], "it asks for calling.end, where it asked for calling.play then"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_flow_that_cannot_be_brought_to_where_it_was_begins_anew_with_its_data_and_is_told_why(
    world: MortalWorld, deployed: type[Deployed], code: Flow, says: list[str], why: str
) -> None:
    """X8."""
    line = dials(world, deployed)
    world.run(4.0)
    deployed.code = staticmethod(code)
    world.dies_after(0.0)
    assert deployed.why == [why]
    assert heard(line) == ["Hello", "Again, Ada", *says]
    assert world.methods().count("calling.end") == 1


def test_what_the_text_says_of_a_change_is_nothing_of_what_was_said(
    world: MortalWorld, deployed: type[Deployed]
) -> None:
    """What is played may be anybody's business. J10."""
    dials(world, deployed)
    world.run(4.0)
    deployed.code = staticmethod(_says_otherwise)
    world.dies_after(0.0)
    assert "Hello" not in deployed.why[0]
    assert "Good day" not in deployed.why[0]


@pytest.mark.parametrize(
    ("policy", "says"), [(None, ["Hello"]), (Apologise("We are sorry"), ["Hello", "We are sorry"])], ids=str
)
def test_a_class_may_give_up_the_call_of_a_flow_that_has_changed(
    world: MortalWorld, policy: Any, says: list[str]
) -> None:
    """X7, X8."""

    class GivesUp(Deployed):
        code = staticmethod(_as_it_was)
        on_flow_changed = "give_up"
        if policy is not None:
            on_give_up = policy

    line = dials(world, GivesUp)
    world.run(4.0)
    GivesUp.code = staticmethod(_says_otherwise)
    world.dies_after(0.0)
    assert heard(line) == says
    assert world.methods().count("calling.end") == 1
    assert world.count("calls.abandoned") == 1
    _forget(GivesUp)


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.3, 1.0])
def test_a_call_that_is_being_given_up_when_the_process_dies_is_given_up_by_the_next_one(
    world: MortalWorld, after_s: float
) -> None:
    """X7."""

    class GivesUp(Deployed):
        code = staticmethod(_as_it_was)
        on_flow_changed = "give_up"
        on_give_up = Apologise("We are sorry")

    line = dials(world, GivesUp)
    world.run(4.0)
    GivesUp.code = staticmethod(_says_otherwise)
    world.dies_after(0.0, then_s=after_s)
    world.dies_after(0.0, 0.5)
    assert "We are sorry" in heard(line)
    assert len(heard(line)) <= 3
    assert world.methods().count("calling.end") == 1
    _forget(GivesUp)


def test_a_flow_that_began_anew_goes_on_where_it_is_after_another_death(
    world: MortalWorld, deployed: type[Deployed]
) -> None:
    line = dials(world, deployed)
    world.run(4.0)
    deployed.code = staticmethod(_says_otherwise)
    world.dies_after(0.0, 1.5, 3.0, 4.5)
    assert heard(line) == ["Hello", "Again, Ada", "Good day", "Bye"]
    assert len(set(deployed.why)) == 1


# -- who has the call --------------------------------------------------------------------------------------------------


def test_a_call_whose_class_is_gone_is_hung_up_once_and_counted(world: MortalWorld, deployed: type[Deployed]) -> None:
    """X7."""
    line = dials(world, deployed)
    world.run(4.0)
    deployed.__qualname__ = "Renamed"
    world.dies_after(0.0, 0.3, then_s=30)
    assert heard(line) == ["Hello"]
    assert world.methods().count("calling.end") == 1
    assert world.count("calls.abandoned") == 1


def test_a_class_of_the_module_that_is_run_is_found_when_that_is_imported(
    world: MortalWorld, deployed: type[Deployed]
) -> None:
    """``python app.py`` calls it ``__main__``, and ``relay-actors run app:app`` by its name."""
    deployed.__module__ = "__main__"
    line = dials(world, deployed)
    world.run(4.0)
    deployed.__module__ = "app"
    world.dies_after(0.0)
    assert heard(line) == ["Hello", "Bye True"]


def test_a_crash_while_the_past_is_run_again_begins_anew_and_does_not_loop(
    world: MortalWorld, deployed: type[Deployed]
) -> None:
    crashes = []

    async def crashes_in_its_past(call: CallActor) -> None:
        await call.answer()
        if not crashes:
            crashes.append(1)
            raise LookupError("what was there then is not there now")
        await say(call, "Hello")
        await call.sleep(3)
        await say(call, "Bye")

    line = dials(world, deployed)
    world.run(4.0)
    deployed.code = staticmethod(crashes_in_its_past)
    world.dies_after(0.0, 4.5, then_s=30)
    assert heard(line) == ["Hello", "Hello", "Bye"]
    assert world.methods().count("calling.end") == 1


# -- what a flow knows again -------------------------------------------------------------------------------------------


class Handles(CallActor):
    """Has handles, listeners and callbacks of what began before the death."""

    notes: ClassVar[list[str]] = []

    async def run(self) -> None:
        self.on("calling.call.play", self.note)
        await self.answer()
        music = await self.play_tts("Music " * 40, on_completed=lambda event: self.notes.append(f"over {event.state}"))
        await self.sleep(3)
        await music.stop()
        event = await music.wait()
        await say(self, f"Stopped {event.state}")
        await self.sleep(2)

    def note(self, event: PlayEvent) -> None:
        self.data.setdefault("seen", []).append(event.state)


@pytest.mark.parametrize("deaths_s", DEATHS, ids=str)
def test_a_handle_of_before_stops_and_completes_what_it_stands_for(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """X8."""
    Handles.notes.clear()
    line = dials(world, Handles)
    world.dies_after(*deaths_s)
    assert heard(line)[-1] == "Stopped finished"
    assert len(heard(line)) == 2
    assert len(world.sent("calling.play.stop")) == 1
    assert "over finished" in Handles.notes


class Everything(CallActor):
    """Waits in each way there is."""

    async def run(self) -> None:
        await self.answer()
        answered = (
            await self.wait_for("calling.call.state", lambda event: event.call_state == "answered", timeout=5)
            if self.state != "answered"
            else None
        )
        self.data["answered"] = answered is not None
        menu = await self.prompt_tts("Key", DIGITS)
        event = await self.next(CollectEvent, where=lambda event: event.control_id == menu.control_id)
        found, again = await gather(self.blocking(str.upper, "found"), self.side_effect(str.lower, "AGAIN"))
        try:
            await self.next(str, timeout=1.5)
        except TimeoutError:
            found += "!"
        await say(self, f"{event.digits} {found} {again}")
        pair = await gather(self.sleep(1), self.sleep(2))
        await say(self, f"{pair}")
        await self.wait_for_ended()


@pytest.mark.parametrize("deaths_s", DEATHS, ids=str)
@pytest.mark.parametrize("cuts_s", [(), (1.0, 5.0)], ids=str)
def test_every_way_to_wait_goes_on(world: MortalWorld, deaths_s: tuple[float, ...], cuts_s: tuple[float, ...]) -> None:
    """X8, K6."""
    world.sim.phone(CALLER).reacts("Key", presses="7", after=0.5)
    line = dials(world, Everything)
    world.dies_after(*deaths_s, cuts_s=cuts_s, then_s=20)
    assert [str(sound) for sound in line.heard] == ["Key", "7 FOUND! again", "[None, None]"]
    line.hangs_up()
    world.run(5)


class Cut(CallActor):
    """Sees how the connection is lost and restored."""

    async def run(self) -> None:
        await self.answer()
        await self.next(ConnectionLost)
        restored = await self.next(ConnectionRestored)
        await say(self, f"restored {restored.resumed}")
        await self.sleep(4)
        await say(self, "bye")


@pytest.mark.parametrize("deaths_s", [(), (4.0,), (5.0, 6.0, 7.0)], ids=str)
def test_what_a_flow_has_seen_of_the_connection_it_has_seen_again(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    line = dials(world, Cut)
    world.dies_after(*deaths_s, cuts_s=[1.0])
    assert heard(line) == ["restored True", "bye"]


class Commanded(CallActor):
    """Has things played by others, beside what it does itself."""

    async def run(self) -> None:
        await self.answer()
        await self.sleep(8)
        await say(self, "own")


@pytest.mark.parametrize("deaths_s", DEATHS, ids=str)
def test_what_others_have_begun_on_a_call_is_known_and_goes_on(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """X8."""
    line = dials(world, Commanded)
    world.run(0.1)
    handle = world.app.call(line.call_id)
    assert handle is not None
    handle.play_tts("of another")
    world.dies_after(*deaths_s)
    assert heard(line) == ["of another", "own"]
    assert len(world.sent("calling.play")) == 2


@pytest.mark.parametrize("seed", range(12))
def test_deaths_in_a_row_and_cuts_at_random_places_change_nothing_that_is_heard(seed: int) -> None:
    """J1 to J5, X8."""
    random = Random(seed)
    deaths = [random.uniform(0.0, 12.0) for _ in range(random.randint(2, 5))]
    cuts = [random.uniform(0.0, 12.0) for _ in range(random.randint(0, 3))]
    actor_class = random.choice([Everything, Handles, Commanded])
    with MortalWorld(seed) as world:
        world.sim.phone(CALLER).reacts("Key", presses="7", after=0.5)
        line = dials(world, actor_class)
        world.dies_after(*deaths, cuts_s=cuts, then_s=25)
        texts = [str(sound) for sound in line.heard]
        assert len(texts) == len(set(texts)) == {Everything: 3, Handles: 2, Commanded: 1}[actor_class], (deaths, cuts)
        line.hangs_up()
        world.run(5)


class Fetches(CallActor):
    """Runs asyncio code."""

    begun: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        first = await self.aio(self.fetch("first", 1.0))
        await say(self, first)
        second = await self.aio(self.fetch("second", 4.0))
        await say(self, second)
        await self.sleep(3)

    async def fetch(self, what: str, seconds: float) -> str:
        self.begun.append(what)
        await asyncio.sleep(seconds)
        return what


@pytest.mark.parametrize("deaths_s", [(), (0.5,), (2.0,), (4.0,), (9.0,)], ids=str)
def test_what_asyncio_code_has_found_is_not_looked_for_again(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3, J4."""
    Fetches.begun.clear()
    line = dials(world, Fetches)
    world.dies_after(*deaths_s)
    assert heard(line) == ["first", "second"]
    assert Fetches.begun.count("first") == (2 if deaths_s == (0.5,) else 1)
    assert Fetches.begun.count("second") == (2 if deaths_s in [(2.0,), (4.0,)] else 1)


class InBlockingPython(CallActor):
    """A flow on a thread, and a listener, that wait for the same."""

    why: ClassVar[list[str]] = []

    def on_start(self) -> None:
        self.on("calling.call.play", self.on_play)

    async def on_play(self, event: PlayEvent) -> None:
        if event.state == "playing":
            await self.hello.wait()
            await self.send_digits("2")

    def run(self) -> None:
        if self.flow_changed is not None:
            self.why.append(str(self.flow_changed))
        self.answer().get()
        self.hello = self.play_tts("Hello")
        self.hello.wait().get()
        self.send_digits("1").get()
        self.sleep(5).get()


def test_a_flow_on_a_thread_goes_on_first_if_it_was_the_first_to_wait(world: MortalWorld) -> None:
    """J3: as it did then, and before anybody else whom the same event has woken."""
    InBlockingPython.why.clear()
    line = dials(world, InBlockingPython)
    world.dies_after(3.0)
    assert heard(line) == ["Hello", "digits 1", "digits 2"]
    assert InBlockingPython.why == []


class OnTheLoop(CallActor):
    """Runs on the asyncio loop, where nobody sees what it awaits."""

    dispatcher = "loop"
    why: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        if self.flow_changed is not None:
            self.why.append(str(self.flow_changed))
        await say(self, f"{self.data.get('times', 0)}")
        self.data["times"] = self.data.get("times", 0) + 1
        await self.sleep(5)


def test_a_flow_on_the_loop_begins_anew_with_its_data(world: MortalWorld) -> None:
    OnTheLoop.why.clear()
    line = dials(world, OnTheLoop)
    world.dies_after(3.0)
    assert heard(line) == ["0", "1"]
    assert OnTheLoop.why == ["flows on the asyncio loop are not run again where they were"]


class Ungrateful(CallActor):
    """Is told what the journal cannot hold."""

    async def run(self) -> None:
        await self.answer()
        told = await self.next(object_of_nobody)
        await say(self, f"told {type(told).__name__} {self.flow_changed is not None}")
        await self.sleep(5)


class object_of_nobody:  # noqa: N801  # what an application calls it
    """Is no plain data."""


def test_what_is_told_and_cannot_be_kept_is_warned_of_while_the_process_lives(
    world: MortalWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """After its end it is too late: the caller is asked anew. Once for a class, and what a handler has kept is fine."""
    for _ in range(2):
        line = dials(world, Ungrateful)
        world.run(1.0)
        handle = world.app.call(line.call_id)
        assert handle is not None
        handle.ref.tell(object_of_nobody())
        world.run(20.0)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.partition(":")[0] for text in warnings] == [
        "Ungrateful is given a object_of_nobody, which cannot be kept"
    ]


def test_what_was_told_and_cannot_be_kept_is_missed(world: MortalWorld) -> None:
    line = dials(world, Ungrateful)
    world.run(1.0)
    handle = world.app.call(line.call_id)
    assert handle is not None
    handle.ref.tell(object_of_nobody())
    world.run(2.0)
    world.dies_after(0.0, then_s=5.0)
    handle = world.app.call(line.call_id)
    assert handle is not None
    handle.ref.tell(object_of_nobody())
    world.run(20.0)
    assert heard(line) == ["told object_of_nobody False", "told object_of_nobody True"]


# -- the process dies while it recovers --------------------------------------------------------------------------------


@pytest.mark.parametrize("place", range(1, 12))
def test_a_process_may_die_while_it_recovers(place: int) -> None:
    """J4."""
    with MortalWorld() as world:
        world.sim.phone(CALLER).reacts("Key", presses="7", after=0.5)
        line = dials(world, Everything)
        world.run(3.0)
        world.dies()
        world.dies_at = world.places + place
        world.app.start(wait_s=None, system=world.system, connector=world.connector)
        world.live(25.0)
        assert world.deaths == 2
        assert [str(sound) for sound in line.heard] == ["Key", "7 FOUND! again", "[None, None]"]
        line.hangs_up()
        world.run(5)


# -- what is told and counted ------------------------------------------------------------------------------------------


class Chatty(CallActor):
    """Logs what it does."""

    async def run(self) -> None:
        await self.answer()
        self.log.info("answered")
        await self.sleep(3)
        self.log.info("slept")


def test_what_a_flow_has_logged_is_not_logged_again(world: MortalWorld, caplog: pytest.LogCaptureFixture) -> None:
    """J3."""
    caplog.set_level(logging.INFO)
    line = dials(world, Chatty)
    world.dies_after(1.0, 2.0, 5.0)
    assert line.is_over
    lines = [record.getMessage().split("] ")[1] for record in caplog.records if record.name == "relay_actors.Chatty"]
    assert lines == ["answered", "slept"]


def test_what_a_call_has_been_through_is_not_counted_again(world: MortalWorld) -> None:
    """J3."""
    world.sim.phone(CALLER).reacts("Key", presses="7", after=0.5)
    line = dials(world, Everything)
    world.dies_after(0.01, 3.0, 5.0, 7.0, then_s=20)
    assert world.count("commands.in_doubt") <= 2
    assert world.count("calls.recovered") == 4
    line.hangs_up()
    world.run(5)


# -- the end of a call -------------------------------------------------------------------------------------------------


class Cleaner(CallActor):
    """Has something to do when its call has ended."""

    cleaned: ClassVar[list[str]] = []

    async def run(self) -> None:
        await self.answer()
        try:
            await self.sleep(60)
        except CallEnded:
            self.cleaned.append(await self.side_effect(str, "cleaned"))
            await self.sleep(0.5)
            self.cleaned.append("over")


@pytest.mark.parametrize("later_s", [None, 0.2])
def test_the_end_of_a_call_while_nobody_was_there_is_told_at_the_await_of_the_flow(
    world: MortalWorld, later_s: float | None
) -> None:
    """X2."""
    Cleaner.cleaned.clear()
    line = dials(world, Cleaner)
    world.run(2.0)
    world.dies()
    line.hangs_up()
    world.lives_again(after_s=1.0)
    world.dies_after(*([] if later_s is None else [later_s]), then_s=20)
    assert Cleaner.cleaned.count("over") == 1
    assert world.methods().count("calling.end") == 0


def test_a_server_with_a_new_session_ends_the_calls_as_lost(world: MortalWorld) -> None:
    """K8."""
    Cleaner.cleaned.clear()
    dials(world, Cleaner)
    world.run(2.0)
    world.dies()
    world.sim.forget_sessions()
    world.lives_again(after_s=1.0)
    world.run(10)
    assert Cleaner.cleaned == ["cleaned", "over"]
    assert world.count("calls.lost") == 1


class Unaware(CallActor):
    """Says one thing, whatever others do meanwhile."""

    restart_flow = "where_it_was"
    crashes: ClassVar[int] = 0

    async def run(self) -> None:
        await self.answer()
        await self.sleep(8)
        if type(self).crashes:
            type(self).crashes -= 1
            raise RuntimeError("crash")
        await say(self, f"Bye {self.flow_changed}")


@pytest.mark.parametrize(("deaths_s", "crashes"), [((), 0), ((4.0,), 0), ((2.0,), 0), ((), 2), ((4.0,), 1)], ids=str)
def test_a_stop_of_others_that_had_to_wait_is_not_taken_for_one_of_the_flow(
    world: MortalWorld, deaths_s: tuple[float, ...], crashes: int
) -> None:
    """It is sent with the acceptance, and is theirs nevertheless: the flow has not changed. J3, X8."""
    Unaware.crashes = crashes
    line = dials(world, Unaware)
    world.run(0.5)
    handle = world.app.call(line.call_id)
    assert handle is not None
    world.sim.answer_late("calling.play", seconds=1)
    world.sim.delay_next("calling.call.play", 2)
    handle.play_tts("Music " * 40).stop()
    world.dies_after(*deaths_s)
    assert heard(line)[-1] == "Bye None"
    assert world.count("calls.abandoned") == 0
    assert [one for one in world.methods() if "play" in one] == ["calling.play", "calling.play.stop", "calling.play"]


# -- message by message ------------------------------------------------------------------------------------------------


class Handler(CallActor):
    """Message by message, with data, a hook, and a timer that is late."""

    recovered: ClassVar[list[Any]] = []
    late: ClassVar[list[float]] = []

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.data["step"] = 1
                self.start_timer("pause", "pause over", 3.0, durable=True)
                self.start_timer("beat", "beat", 1.0, interval_s=2.0, durable=True)
            case "beat":
                self.data["beats"] = self.data.get("beats", 0) + 1
            case "pause over":
                self.late.append(self.late_by_s)
                self.play_tts(f"step {self.data['step']}")
            case ("note", text):
                self.data["note"] = text
            case ActionCompleted():
                self.hangup()
            case _:
                super().on_receive(message)

    def on_recovered(self, pending: Any) -> None:
        self.recovered.append([command.method for command in pending])


def test_a_timer_that_came_due_while_nobody_was_there_fires_once_and_says_how_late_it_is(world: MortalWorld) -> None:
    """T7."""
    Handler.late.clear()
    Handler.recovered.clear()
    line = dials(world, Handler)
    world.run(1.5)
    world.dies()
    world.lives_again(after_s=10.0)
    world.run(20)
    assert heard(line) == ["step 1"]
    assert len(Handler.late) == 1
    assert 8.0 < Handler.late[0] < 9.0
    assert Handler.recovered == [[]]


@pytest.mark.parametrize("deaths_s", [(), (1.5,), (2.2,), (1.2, 1.8)], ids=str)
def test_a_repeating_timer_goes_on_at_its_pace(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """T7."""
    line = dials(world, Handler)
    beats: list[int] = []
    world.dies_after(*deaths_s, then_s=2.7 - max(deaths_s, default=0.0))
    handle = world.app.call(line.call_id)
    assert handle is not None
    beats.append(handle.data["beats"])
    world.run(0.6)
    beats.append(handle.data["beats"])
    assert beats == [1, 2]
    world.run(20)


def test_on_recovered_is_told_what_was_given_and_not_answered(world: MortalWorld) -> None:
    """J4, J5."""
    Handler.recovered.clear()
    line = dials(world, Handler)
    world.until(lambda: line.call_id and world.sim.frames.received("calling.answer"))
    world.dies()
    world.lives_again()
    world.run(20)
    assert Handler.recovered == [["calling.answer"]]
    assert heard(line) == ["step 1"]


class Patient(Handler):
    """Answers, and is there."""

    def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            self.answer()


@pytest.mark.parametrize(
    ("after_s", "cut_s", "pending"),
    [
        (0.5, None, ["calling.denoise"]),
        (11.0, None, ["calling.denoise"]),  # it has taken too long, and is in doubt
        (90.0, None, []),  # it has failed, since nothing has shown that it was done
        (1.0, 0.5, ["calling.denoise"]),  # its answer was lost with the socket, and nobody has asked again yet
        (90.0, 0.5, []),
    ],
    ids=str,
)
def test_on_recovered_is_told_of_a_command_as_long_as_its_outcome_is_not_known(
    world: MortalWorld, after_s: float, cut_s: float | None, pending: list[str]
) -> None:
    """One that was settled without its answer is not in question any more, though that might have come late. J4."""
    Handler.recovered.clear()
    line = dials(world, Patient)
    world.until(lambda: line.state == "answered")
    world.settle()
    world.sim.stop_answering("calling.denoise", but_do_it=False)
    handle = world.app.call(line.call_id)
    assert handle is not None
    reply = handle.denoise()
    world.dies_after(after_s, then_s=1, cuts_s=() if cut_s is None else (cut_s,))
    assert Handler.recovered == [pending]
    assert reply.is_settled is not bool(pending)


class Awaiting(CallActor):
    """Awaits in its handler, in the middle of which the process dies."""

    async def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                await self.answer()
                await (await self.play_tts("one")).wait()
                self.data["said"] = "one"
                await (await self.play_tts("two")).wait()
                await self.hangup()


@pytest.mark.parametrize("deaths_s", [(), (0.3,), (1.0,), (2.0,), (0.3, 1.0, 2.0)], ids=str)
def test_a_handler_that_awaits_goes_on_where_it_was(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """X8."""
    line = dials(world, Awaiting)
    world.dies_after(*deaths_s)
    assert heard(line) == ["one", "two"]


class Told(CallActor):
    """Is told things by others."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case str():
                self.data["told"] = [*self.data.get("told", []), message]
            case _:
                super().on_receive(message)


def test_what_others_have_told_is_there_and_was_told_once(world: MortalWorld) -> None:
    """J4."""
    line = dials(world, Told)
    for text in ("a", "b", "c"):
        world.run(1.0)
        handle = world.app.call(line.call_id)
        assert handle is not None
        handle.ref.tell(text)
        world.run(0.1)
        world.dies()
        world.lives_again(after_s=0.2)
    handle = world.app.call(line.call_id)
    assert handle is not None
    assert handle.data["told"] == ["a", "b", "c"]


class Dialler(CallActor):
    """Has somebody else called, once."""

    async def run(self) -> None:
        await self.answer()
        tag = await self.side_effect(lambda: self.app.dial(Reached, [[device("+15550100101")]]).leg.tag)
        await self.sleep(3)
        await say(self, f"dialled {tag}")
        await self.sleep(3)


class Reached(CallActor):
    """Is called."""

    async def run(self) -> None:
        await say(self, "for you")


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (0.4, 1.0, 4.0, 6.0)], ids=str)
def test_what_is_dialled_as_a_side_effect_is_dialled_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3."""
    phone = world.sim.phone("+15550100101")
    phone.answers_after(1.0)
    line = dials(world, Dialler)
    world.dies_after(*deaths_s)
    [tag] = {params["tag"] for params in world.sent("calling.dial")}
    assert heard(line) == [f"dialled {tag}"]
    assert heard(phone.line) == ["for you"]


def test_as_many_calls_as_there_are_go_on(world: MortalWorld) -> None:
    """J8: more than are rebuilt at once."""
    world.takes_calls(Commanded)
    lines = [world.sim.phone(f"+1555000{number:04}").dials(context=CONTEXT) for number in range(2 * AT_ONCE + 7)]
    world.dies_after(2.0, 5.0)
    assert [heard(line) for line in lines] == [["own"]] * len(lines)
    assert world.count("calls.recovered") == 2 * len(lines)


class Watchful(CallActor):
    """Knows how many are being rebuilt while it is."""

    at_once: ClassVar[list[int]] = []

    async def run(self) -> None:
        await self.answer()
        replaying = [cell for cell in self.system.living if getattr(cell.ref, "kept", None) is not None]
        type(self).at_once.append(sum(cell.ref.kept.leg.course.replay is not None for cell in replaying))
        await self.sleep(8)
        await say(self, "own")


def test_no_more_than_fifty_calls_are_rebuilt_at_once(world: MortalWorld) -> None:
    """J8."""
    Watchful.at_once.clear()
    world.takes_calls(Watchful)
    lines = [world.sim.phone(f"+1555000{number:04}").dials(context=CONTEXT) for number in range(AT_ONCE + 20)]
    world.dies_after(2.0)
    assert [heard(line) for line in lines] == [["own"]] * len(lines)
    assert 1 < max(Watchful.at_once) <= AT_ONCE


def test_a_journal_of_a_release_that_did_not_say_who_had_a_call_has_it_handled_anew(world: MortalWorld) -> None:
    """J9."""
    line = dials(world, Commanded)
    world.run(2.0)
    world.dies()
    for subject, kept in world.medium.entries.items():
        old = [one for one in kept if isinstance(decode(one.body), EventReceived)]
        world.medium.entries[subject] = [
            Kept(one.position, place, encode(replace(decode(one.body), sequence=place)))
            for place, one in enumerate(old, start=1)
        ]
    world.lives_again()
    world.run(30)
    assert heard(line) == ["own"]
    assert world.count("calls.recovered") == 0


def test_a_call_whose_entries_are_damaged_is_hung_up_and_the_others_go_on(world: MortalWorld) -> None:
    """J7, X7: nobody is left up."""
    world.takes_calls(Commanded)
    lines = [world.sim.phone(f"+1555000000{number}").dials(context=CONTEXT) for number in range(3)]
    world.run(2.0)
    world.dies()
    del world.medium.entries[lines[1].call_id][2]
    world.lives_again()
    world.run(30)
    assert [heard(line) for line in lines] == [["own"], [], ["own"]]
    assert world.methods().count("calling.end") == 3
    assert world.count("calls.abandoned") == 1


def test_a_call_whose_summed_up_past_cannot_be_read_keeps_nobody_from_their_calls(world: MortalWorld) -> None:
    """J7: of it only what came after is known; all others go on."""
    world.takes_calls(Commanded)
    lines = [world.sim.phone(f"+1555000000{number}").dials(context=CONTEXT) for number in range(3)]
    world.run(2.0)
    world.dies()
    store = MemoryStore(world.medium)
    store.snapshot(lines[1].call_id, {"form": 99}, at=world.clock.wall())
    store.commit()
    world.app = world._new_app()
    world.app.calls(CONTEXT)(Commanded)
    world.lives_again()
    world.run(30)
    assert [heard(line) for line in (lines[0], lines[2])] == [["own"], ["own"]]
    assert world.count("calls.recovered") == 2
    assert world.count("calls.abandoned") == 1
    lines[1].hangs_up()
    world.run(5)
