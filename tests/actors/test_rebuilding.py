"""A flow that crashes goes on where it was, if its class says so, in a call that never stopped (SEMANTICS X8)."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, CallActor, MessageActor
from relay_actors.actors.course import Note
from relay_actors.actors.history import Answered
from relay_actors.events import PlayEvent
from relay_actors.runtime.future import Future
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, OURS, Witness, World, device

OTHER = "+15550002222"
DIGITS: dict[str, Any] = {"digits": {"max": 1}, "initial_timeout": 60.0}


@pytest.fixture
def world() -> Iterator[World]:
    with World() as world:
        yield world


class Fragile(CallActor):
    """Crashes as often as it is told to, at the place it is told."""

    restart_flow = "where_it_was"
    crashes: ClassVar[dict[str, int]] = {}

    def may_crash(self, place: str) -> None:
        if type(self).crashes.get(place, 0) > 0:
            type(self).crashes[place] -= 1
            raise RuntimeError(f"crash at {place}")


class Menu(Fragile):
    async def run(self) -> None:
        await self.answer()
        menu = await self.prompt_tts("Press one", DIGITS)
        self.may_crash("asked")
        event = await menu.wait()
        self.data["pressed"] = event.digits
        self.may_crash("pressed")
        lucky, began = self.random.random(), self.now()
        await (await self.play_tts(f"Thanks {lucky} {began}")).wait()
        self.may_crash("thanked")
        await (await self.play_tts(f"Bye {lucky} {began}")).wait()
        self.may_crash("said bye")


@pytest.mark.parametrize("place", ["asked", "pressed", "thanked", "said bye"])
@pytest.mark.parametrize("crashes", [1, 3])
def test_a_flow_goes_on_where_it_crashed_and_nobody_hears_anything_twice(
    world: World, place: str, crashes: int
) -> None:
    """Everything before the crash has been said and keyed, and is not said again. X8."""
    Menu.crashes = {place: crashes}
    world.takes_calls(Menu)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    line.hears("press one").presses("1")
    line.hears("bye", within=30).is_hung_up(within=30)
    heard = [str(sound) for sound in line.heard]
    assert [words.split()[0] for words in heard] == ["Press", "Thanks", "Bye"]
    assert heard[1].split()[1:] == heard[2].split()[1:]
    assert Menu.crashes == {place: 0}
    assert world.methods().count("calling.end") == 1


def test_a_flow_that_crashes_again_and_again_at_its_place_is_given_up(world: World) -> None:
    """The crash loop that going on could make is cut by the window of restarts. S6, X7."""
    Menu.crashes = {"pressed": 100}
    world.takes_calls(Menu)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    line.hears("press one").presses("1")
    line.is_hung_up(within=30)
    assert Menu.crashes == {"pressed": 100 - 1 - Menu.max_restarts}
    assert world.count("calls.abandoned") == 1


def test_a_dialled_flow_goes_on_too(world: World) -> None:
    """The dial, its legs and its winner are on record like all else. X8, X9."""

    class Reminder(Fragile):
        async def run(self) -> None:
            await (await self.play_tts(f"Hello {self.data['name']}")).wait()
            self.data["name"] = "nobody"
            self.may_crash("said")
            await (await self.play_tts("Bye")).wait()

    Reminder.crashes = {"said": 2}
    world.start()
    phone = world.sim.phone(CALLER).answers_after(1.0)
    world.app.dial(Reminder, [[device(CALLER)]], name="Ada")
    phone.rings(within=5)
    world.run(60)
    assert [str(sound) for sound in phone.line.heard] == ["Hello Ada", "Bye"]
    assert world.methods().count("calling.dial") == 1


class Careless(Fragile):
    """Changes in place what it has sent, what it was given, and what its data began with."""

    async def run(self) -> None:
        self.data["names"].append("Bob")
        answer = await self.denoise()
        keys = sorted(answer)
        answer.clear()
        words = [{"type": "tts", "params": {"text": f"{self.data['names']} {keys}"}}]
        event = await (await self.play(words)).wait()
        state = event.params.pop("state")
        words[0]["params"]["text"] = state
        words.append({"type": "tts", "params": {"text": "and more"}})
        await (await self.play(words)).wait()
        self.may_crash("played")
        await (await self.play_tts("Bye")).wait()


@pytest.mark.parametrize("crashes", [0, 1, 2])
@pytest.mark.parametrize("deaths_s", [None, (2.0,), (0.5, 3.5)], ids=str)
def test_what_a_flow_changes_in_place_is_on_record_as_it_was(deaths_s: tuple[float, ...] | None, crashes: int) -> None:
    """Without a journal as with one; also when it is what a former process has known. J3, X8."""
    Careless.crashes = {"played": crashes}
    world = World() if deaths_s is None else MortalWorld()
    with world:
        world.start()
        phone = world.sim.phone(CALLER).answers_after(0.1)
        world.app.dial(Careless, [[device(CALLER)]], names=["Ada"], of_no_use=threading.Lock() if not deaths_s else 0)
        if isinstance(world, MortalWorld):
            world.dies_after(*(deaths_s or ()))
        world.run(60)
        said, state, *rest = [str(sound) for sound in phone.line.heard]
        assert said.startswith("['Ada', 'Bob'] [")
        assert [state, *rest] == ["finished", "and more", "Bye"]
        assert world.count("calls.abandoned") == 0


class Thanks(Fragile):
    """Listens by a coroutine, and crashes while that runs."""

    async def run(self) -> None:
        self.on("calling.call.play", self.on_play)
        await self.answer()
        await self.play_tts("Hello")
        await self.next(str)
        self.may_crash("told")
        await self.sleep(60)

    async def on_play(self, event: PlayEvent) -> None:
        if event.state != "finished" or self.data.setdefault("said", event.control_id) != event.control_id:
            return
        try:
            await (await self.play_silence(5)).wait()
            await (await self.play_tts("Thanks")).wait()
        except GeneratorExit:
            self.hangup()  # it is closed, and goes on in the next incarnation
            raise


@pytest.mark.parametrize("crashes", [0, 1, 3])
def test_a_coroutine_that_listens_goes_on_once_after_a_crash_of_the_flow(world: World, crashes: int) -> None:
    """It is run again with the flow; the one before does nothing more. X8."""
    Thanks.crashes = {"told": crashes}
    world.takes_calls(Thanks)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    line.hears("hello", within=10)
    world.run(3)
    call = world.app.call(line.call_id)
    assert call is not None
    call.ref.tell("go on")
    world.run(20)
    assert Thanks.crashes == {"told": 0}
    assert [str(sound) for sound in line.heard] == ["Hello", "silence", "Thanks"]
    assert not line.is_over


class Notes(Actor):
    """Notes what it is told."""

    told: ClassVar[list[object]] = []

    def on_receive(self, message: object) -> None:
        self.told.append(message)


async def notes() -> None:
    Notes.told.append("over")


CLEANS_UP: dict[str, Callable[[Any], object]] = {
    "play": lambda call: call.play_tts("Over"),
    "tell": lambda call: call.app.lookup("notes").tell("over"),
    "ask": lambda call: call.app.lookup("notes").ask("over", block=False),
    "order": lambda call: type(call).other.play_tts("Over"),
    "text": lambda call: call.app.send_message(to_number=CALLER, from_number=OURS, body="Over"),
    "dial": lambda call: call.app.dial(Witness, [[device(OURS)]]),
    "side effect": lambda call: call.side_effect(Notes.told.append, "over"),
    "blocking": lambda call: call.blocking(Notes.told.append, "over"),
    "aio": lambda call: call.aio(notes()),
    "now": lambda call: call.app.lookup("notes").tell(f"over, {call.now()}"),
}


class CleansUp(Fragile):
    """Listens by a coroutine that cleans up, and crashes while that waits; also when it is run again."""

    way = ""
    closed = 0
    other: Any = None

    async def run(self) -> None:
        await self.answer()
        await self.play_tts("Hello", on_completed=self.on_said)
        await self.next(str)
        self.may_crash("told")
        await self.sleep(60)

    async def on_said(self, _event: PlayEvent) -> None:
        try:
            await (await self.play_silence(5)).wait()
        finally:
            type(self).closed += 1
            CLEANS_UP[self.way](self)


class CleansUpItself(CleansUp):
    """The same as a flow that waits while its handler crashes."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Hello")).wait()
        await self.on_said(PlayEvent("calling.call.play", {}))
        await self.sleep(60)

    def on_receive(self, message: object) -> None:
        if message == "go on":
            self.may_crash("told")


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", CLEANS_UP)
@pytest.mark.parametrize("kind", [World, MortalWorld])
@pytest.mark.parametrize("cleans_up", [CleansUp, CleansUpItself])
def test_a_coroutine_that_is_run_again_has_cleaned_up_once(
    kind: type[World], way: str, crashes: int, cleans_up: type[CleansUp]
) -> None:
    """X8: those before are closed at once, and what they do then is not done: the last one does it."""
    cleans_up.crashes, cleans_up.way, cleans_up.closed, Notes.told = {"told": crashes}, way, 0, []
    with kind() as world:
        world.app.service(Notes, name="notes")
        line, handle = world.inbound(cleans_up)
        line.hears("hello", within=10)
        cleans_up.other = world.app.dial(Witness, [[device(OTHER)]])
        others_line = world.sim.phone(OTHER).rings(within=10)
        others_line.answers()
        world.run(3)
        handle.ref.tell("go on")
        world.settle()
        assert (cleans_up.crashes, cleans_up.closed) == ({"told": 0}, crashes)
        world.run(10)
        assert cleans_up.closed == crashes + 1
        said = [str(sound) for sound in (*line.heard, *others_line.heard)].count("Over")
        done = said + len(Notes.told) + len(world.sent("messaging.send")) + len(world.sent("calling.dial"))
        assert done == 1 + 1  # with the dial of the other call


CALLED_BACK: dict[str, Callable[[Any, Any, Callable[..., object]], object]] = {
    "on_done": lambda _call, play, callback: play.on_done(callback),
    "wait": lambda _call, play, callback: play.wait().add_done_callback(callback),
    "accepted": lambda _call, play, callback: play.add_done_callback(callback),
    "reply": lambda call, _play, callback: call.denoise().add_done_callback(callback),
    "event": lambda call, _play, callback: call.wait_for("calling.call.play").add_done_callback(callback),
    "sleep": lambda call, _play, callback: call.sleep(1).add_done_callback(callback),
}


class CalledBack(Fragile):
    """Has something done when something is over, and crashes before that."""

    way = ""

    async def run(self) -> None:
        await self.answer()
        play = self.play_tts("A long hello, which takes a while. ")
        CALLED_BACK[self.way](self, play, self.on_over)
        self.may_crash("begun")
        await self.sleep(3600)

    def on_over(self, *_over: object) -> None:
        self.app.lookup("notes").tell("over")
        self.play_tts("Over")


@pytest.mark.parametrize("crashes", [0, 1, 3])
@pytest.mark.parametrize("way", CALLED_BACK)
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_a_callback_of_a_flow_that_goes_on_where_it_was_is_called_once(
    kind: type[World], way: str, crashes: int
) -> None:
    """X8: that of the incarnation that goes on; those before have brought theirs for nothing."""
    CalledBack.crashes, CalledBack.way, Notes.told = {"begun": crashes}, way, []
    with kind() as world:
        world.app.service(Notes, name="notes")
        line, _handle = world.inbound(CalledBack)
        world.run(20)
        assert CalledBack.crashes == {"begun": 0}
        assert Notes.told == ["over"]
        assert [str(sound) for sound in line.heard].count("Over") == 1
        assert world.count("actors.failed") == crashes


class SaysSo(Fragile):
    """Does something about a crash, by one of the hooks of the incarnation that has crashed."""

    hook = ""
    way = ""
    other: Any = None

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Hello")).wait()
        self.may_crash("said")
        self.app.lookup("notes").tell("of the flow")
        self.data["effect"] = await self.side_effect(str, "the flow's")
        await self.play_tts("Bye")
        await self.sleep(3600)

    def on_failure(self, *_error: object) -> None:
        if self.hook == "on_failure":
            CLEANS_UP[self.way](self)

    def pre_restart(self, _reason: object, _message: object) -> None:
        if self.hook == "pre_restart":
            CLEANS_UP[self.way](self)


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("way", CLEANS_UP)
@pytest.mark.parametrize("hook", ["on_failure", "pre_restart"])
def test_what_a_hook_does_about_a_crash_is_not_asked_of_the_flow(hook: str, way: str, ends: bool) -> None:
    """J3, X8: it is not run again with the flow, which goes on where it was, also in the next process."""
    SaysSo.crashes, SaysSo.hook, SaysSo.way, Notes.told = {"said": 1}, hook, way, []
    with MortalWorld() as world:
        world.app.service(Notes, name="notes")
        world.takes_calls(SaysSo)
        SaysSo.other = world.app.dial(Witness, [[device(OTHER)]])
        others_line = world.sim.phone(OTHER).rings(within=10)
        others_line.answers()
        line, _handle = world.inbound()
        line.hears("bye", within=30)
        if ends:
            world.dies()
            world.lives_again(after_s=0.25)
        world.run(3)
        again = world.app.call(line.call_id)
        assert again is not None
        assert (SaysSo.crashes, again.data) == ({"said": 0}, {"effect": "the flow's"})
        heard = [str(sound) for sound in (*line.heard, *others_line.heard)]
        assert [heard.count(words) for words in ("Hello", "Bye")] == [1, 1]
        assert Notes.told.count("of the flow") == 1
        told = [words for words in Notes.told if words != "of the flow"]
        done = heard.count("Over") + len(told) + len(world.sent("messaging.send")) + len(world.sent("calling.dial"))
        assert done == 1 + 1  # with the dial of the other call
        assert world.count("actors.failed") == 1


def test_a_flow_whose_restarts_are_used_up_cleans_up(world: World) -> None:
    """X7: nobody runs it again, who would do it later."""

    class GivenUp(CleansUpItself):
        max_restarts = 0

    GivenUp.crashes, GivenUp.way, Notes.told = {"told": 1}, "tell", []
    world.app.service(Notes, name="notes")
    line, handle = world.inbound(GivenUp)
    line.hears("hello", within=10)
    world.run(3)
    handle.ref.tell("go on")
    line.is_hung_up(within=10)
    assert Notes.told == ["over"]


def test_a_flow_that_begins_anew_beside_what_was_put_aside_cleans_up(world: World) -> None:
    """X8: nobody runs it again from where it was."""

    class PutsAside(CleansUpItself):
        stash_capacity = 8

        def on_receive(self, message: object) -> None:
            if message == "later" and not self._cell.incarnation:
                self.stash()
            super().on_receive(message)

    PutsAside.crashes, PutsAside.way, Notes.told = {"told": 1}, "tell", []
    world.app.service(Notes, name="notes")
    line, handle = world.inbound(PutsAside)
    line.hears("hello", within=10)
    world.run(3)
    handle.ref.tell("later")
    handle.ref.tell("go on")
    world.settle()
    assert Notes.told == ["over"]


class Hello(Fragile):
    async def run(self) -> None:
        await (await self.play_tts("Hello")).wait()
        self.may_crash("said")
        self.data["said"] = True


@pytest.mark.parametrize("crashes", [0, 1])
def test_who_has_dialled_a_flow_that_goes_on_is_told_in_the_next_process_what_became_of_it(crashes: int) -> None:
    """The call is over and forgotten by then: only who has dialled it remembers. J4, X8."""
    Hello.crashes = {"said": crashes}
    seen: list[Any] = []

    class Dials(CallActor):
        async def run(self) -> None:
            await self.answer()
            call = self.app.dial(Hello, device(OTHER), tag="hello")
            await self.sleep(30)
            seen.append((call.state, call.end_reason, dict(call.data)))
            await self.sleep(30)

    with MortalWorld() as world:
        world.sim.phone(OTHER).answers_after(1.0)
        world.takes_calls(Dials)
        world.sim.phone(CALLER).dials(context=CONTEXT)
        world.dies_after(20.0, then_s=20.0)
    assert seen == [("ended", "hangup", {"said": True})]


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_text_has_nobody_called_a_second_time_because_the_flow_of_the_call_went_on(crashes: int) -> None:
    """Its handler is run again in the next process, and finds whom it has dialled. J5, X8."""
    Hello.crashes = {"said": crashes}

    class CallsBack(MessageActor):
        async def on_receive(self, message: object) -> None:
            call = self.app.dial(Hello, [[device(OTHER)]])
            await call.wait_for_ended(timeout=40)
            await Future(None)  # something that takes longer than the process lives

    with MortalWorld() as world:
        world.app.messages(CONTEXT)(CallsBack)
        world.sim.phone(OTHER).answers_after(1.0)
        world.start()
        world.sim.phone(CALLER).texts("Hi", context=CONTEXT)
        world.dies_after(15.0, then_s=15.0)
        assert len(world.sim.phone(OTHER).lines) == 1
        world.app.stop()


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_call_whose_session_is_gone_ends_also_if_its_flow_went_on_meanwhile(crashes: int) -> None:
    """Nothing more is heard of it, and nobody must wait for that for ever. K8, X3."""

    class Waits(Fragile):
        async def run(self) -> None:
            await self.answer()
            await self.next(str)
            self.may_crash("told")
            await self.sleep(3600)

    Waits.crashes = {"told": crashes}
    with MortalWorld() as world:
        world.takes_calls(Waits)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(3)
        # The process has been told that the session is gone, and ends before its calls have ended.
        assert world.tree is not None
        world.tree.wire.journal.noted(Note(line.call_id, "orphaned", {}, 0))
        world.tree.wire.journal.commit()
        world.dies()
        world.connector.refuse("no network yet")
        world.lives_again(after_s=0.25)
        world.run(1)
        handle = world.app.call(line.call_id)
        handle.ref.tell("go on")
        world.run(1)
        assert handle.state == "answered"
        world.connector.admit()
        world.run(60)
        leg = handle.ref.kept.leg
        assert (leg.state, leg.end_reason) == ("ended", "lost")
    assert Waits.crashes == {"told": 0}


@pytest.mark.parametrize("crashes", [0, 1])
def test_a_flow_that_crashes_as_soon_as_a_new_process_has_it_is_not_begun_anew_by_the_next_one(crashes: int) -> None:
    """What was sent again after the first end of the process belongs where that was. J5, X8."""

    class Recovers(Fragile):
        async def run(self) -> None:
            await self.answer()
            await self.denoise()
            await (await self.play_tts("Hello")).wait()
            await self.sleep(20)
            await (await self.play_tts("Bye")).wait()

        def on_recovered(self, pending: Sequence[Any]) -> None:
            self.may_crash("recovered")

    Recovers.crashes = {"recovered": crashes}
    with MortalWorld() as world:
        world.sim.stop_answering("calling.denoise", but_do_it=False, times=1)
        world.takes_calls(Recovers)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.dies_after(2.0, 12.0, then_s=30.0)
        assert [str(sound) for sound in line.heard] == ["Hello", "Bye"]
    assert Recovers.crashes == {"recovered": 0}


# -- what is nested very deeply ----------------------------------------------------------------------------------------


def nested_text(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


class Holds(Fragile):
    async def run(self) -> None:
        self.data["runs"] = self.data.get("runs", 0) + 1
        await self.answer()
        self.data["answer"] = await self.denoise()
        self.may_crash("denoised")
        await self.next(str)
        self.may_crash("told")
        await self.sleep(3600)


@pytest.mark.parametrize("levels", [10, 600])
def test_an_event_that_is_nested_very_deeply_is_told_and_harms_nobody(world: World, levels: int) -> None:
    """Where it cannot be on record the next crash begins anew; the event itself is not lost."""
    Holds.crashes = {"told": 1}
    line, handle = world.inbound(Holds)
    world.run(1)
    heard: list[Any] = []
    handle.on("calling.call.user_event", heard.append)
    world.settle()
    told = f'{{"call_id":"{line.call_id}","event":{nested_text(levels)}}}'
    event = f'"event_type":"calling.call.user_event","timestamp":1.5,"params":{told}'
    world.sim.push(f'{{"jsonrpc":"2.0","id":"deep","method":"signalwire.event","params":{{{event}}}}}')
    world.run(1)
    assert len(heard) == 1
    assert handle.ref.incarnation == 0
    handle.ref.tell("go on")
    world.run(1)
    assert (handle.ref.incarnation, handle.data["runs"]) == (1, 1 if levels == 10 else 2)


@pytest.mark.parametrize("levels", [10, 600])
def test_an_answer_that_is_nested_very_deeply_is_given_to_who_has_asked(world: World, levels: int) -> None:
    """As an event is told."""
    Holds.crashes = {}
    world.sim.stop_answering("calling.denoise", times=1)
    _line, handle = world.inbound(Holds)
    world.run(1)
    assert world.tree is not None
    asked = list(world.tree.wire.pending)[-1]
    result = f'{{"code":"200","more":{nested_text(levels)}}}'
    world.sim.push(f'{{"jsonrpc":"2.0","id":"{asked}","result":{result}}}')
    world.run(1)
    assert handle.data["answer"]["code"] == "200"
    assert handle.ref.incarnation == 0


def test_a_flow_begins_anew_if_what_is_on_record_cannot_be_copied_any_more(world: World) -> None:
    """There may be less room for it than there was when it came, and that is no second crash."""
    Holds.crashes = {"told": 1}
    _line, handle = world.inbound(Holds)
    world.run(1)
    record = handle.leg.course.record
    assert record is not None
    deep: dict[str, Any] = {}
    for _ in range(sys.getrecursionlimit()):
        deep = {"a": deep}
    record.append(Answered(99, deep, None, 1.0))
    handle.ref.tell("go on")
    world.run(1)
    assert (handle.ref.incarnation, handle.data["runs"]) == (1, 2)
    assert handle.leg.course.record is None
    assert world.count("actors.failed") == 1
