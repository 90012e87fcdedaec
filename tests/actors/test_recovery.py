"""A new process takes up the calls of the one that was killed (SEMANTICS J3 to J5, J8, T7, X8)."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import pytest

from relay_actors import (
    ActionCompleted,
    Actor,
    CallActor,
    HandTo,
    Limits,
    RelayApp,
    RelayError,
    StateMachine,
    StateTimeout,
    in_state,
    on_enter,
    race,
)
from relay_actors.actors.recovery import AT_ONCE
from relay_actors.actors.tree import Tree
from relay_actors.errors import ConfigError, ConnectFailedError, NotSentError
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, ConnectEvent, PlayEvent
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import CallStarted, EventReceived, Noted
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.future import Future
from relay_actors.transport.base import Transport
from relay_actors.transport.memory import MemoryConnector
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CONTEXT, device
from tests.support.plain_server import DEADLINE_S
from tests.support.thorough import some_of

NUMBER, DESK = "+15550001111", "+15550100101"
LONG_ENOUGH_S = 200.0


class Menu(CallActor):
    """A flow: prompt, keys, data, a pause."""

    async def run(self) -> None:
        await self.answer()
        menu = await self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0})
        event = await menu.wait()
        self.data["order"] = event.digits
        await (await self.play_tts(f"You pressed {event.digits}")).wait()
        await self.sleep(5)
        await (await self.play_tts("Goodbye")).wait()


class ThreadMenu(CallActor):
    """The same in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        event = self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0}).get().wait().get()
        self.data["order"] = event.digits
        self.play_tts(f"You pressed {event.digits}").get().wait().get()
        self.sleep(5).get()
        self.play_tts("Goodbye").get().wait().get()


class Handler(CallActor):
    """The same message by message, with a durable timer for the pause."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.data["step"] = "menu"
                self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0})
            case ActionCompleted(event=CollectEvent(digits=digits)):
                self.data["step"] = "said"
                self.play_tts(f"You pressed {digits}")
            case ActionCompleted(event=PlayEvent()) if self.data["step"] == "said":
                self.data["step"] = "pause"
                self.start_timer("pause", "the pause is over", 5.0, durable=True)
            case "the pause is over":
                self.data["step"] = "bye"
                self.hangup(after=self.play_tts("Goodbye"))


class Steps(CallActor):
    """The same in methods, each of which is called when the operation before is over."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                keys = {"digits": {"max": 3}, "initial_timeout": 60.0}
                self.prompt_tts("Press your number", keys, on_completed=self.say_again)

    def say_again(self, event: CollectEvent) -> None:
        self.play_tts(f"You pressed {event.digits}", on_completed=self.say_goodbye)

    async def say_goodbye(self, _event: PlayEvent) -> None:
        self.hangup(after=self.play_tts("Goodbye"))


class Step(Enum):
    """Where a caller is."""

    OFFERED = auto()
    MENU = auto()
    TOLD = auto()
    PAUSE = auto()
    LEAVING = auto()


class States(StateMachine, CallActor):
    """The same written as states, with the pause as a time-out, and keys that come too early."""

    initial_state = Step.OFFERED

    @in_state(Step.OFFERED, CallReceiveEvent)
    def pick_up(self, _event: CallReceiveEvent) -> None:
        self.answer()

    @in_state(Step.OFFERED, CallStateEvent, where=lambda event: event.call_state == "answered")
    def answered(self, _event: CallStateEvent) -> None:
        self.go(Step.MENU)

    @on_enter(Step.MENU)
    def ask(self) -> None:
        self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0})
        self.set_state_timeout(120.0)

    @in_state(Step.MENU, CollectEvent)
    def keys(self, event: CollectEvent) -> None:
        self.data["digits"] = event.digits
        self.go(Step.TOLD)

    @on_enter(Step.TOLD)
    def tell(self) -> None:
        self.play_tts(f"You pressed {self.data['digits']}", on_completed=self.told)

    def told(self, _event: PlayEvent) -> None:
        self.go(Step.PAUSE)

    @on_enter(Step.PAUSE)
    def wait(self) -> None:
        self.set_state_timeout(5.0)

    @in_state(Step.PAUSE, StateTimeout)
    def is_over(self, event: StateTimeout) -> None:
        assert event.state is Step.PAUSE
        self.go(Step.LEAVING)

    @on_enter(Step.LEAVING)
    def leave_them(self) -> None:
        self.hangup(after=self.play_tts("Goodbye"))


class SecondAttempts(Handler):
    """The same, where each message is handled at the second attempt only; the first one has asked for something."""

    retries = 1
    tried: object = None

    def on_receive(self, message: object) -> None:
        if message is not self.tried:
            self.tried = message
            self.data["attempts"] = self.data.get("attempts", 0) + 1
            if isinstance(message, CallReceiveEvent | ActionCompleted | str):
                self.denoise()
            raise LookupError("the first attempt")
        super().on_receive(message)


class SecondAttemptsBesideAFlow(CallActor):
    """A flow that sleeps, and an async handler that comes to its end at the second attempt."""

    retries = 1
    attempts = 0

    async def run(self) -> None:
        await self.answer()
        self.actor_ref.tell("speak")
        await self.sleep(12)
        await (await self.play_tts(f"Goodbye after {self.attempts}")).wait()

    async def on_receive(self, message: object) -> None:
        if message == "speak":
            self.attempts += 1
            self.data["attempts"] = self.attempts
            await (await self.play_tts(f"Attempt {self.attempts}")).wait()
            await self.sleep(1)
            if self.attempts == 1:
                raise LookupError("the first attempt")
            await (await self.play_tts("Done")).wait()


class AwaitsInHandler(CallActor):
    """An async handler, to which something comes while it awaits: it is handled next, and takes long as well."""

    async def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                await self.answer()
            case CallStateEvent(call_state="answered"):
                await (await self.play_tts("One")).wait()
            case ActionCompleted() if "two" not in self.data:
                self.data["two"] = True
                await self.sleep(1)
                await (await self.play_tts("Two")).wait()
                self.hangup(after=await self.play_tts("Goodbye"))


class LongSteps(CallActor):
    """Methods that are called when an operation is over, and a listener, each of which takes its time."""

    def on_start(self) -> None:
        self.on("calling.call.collect", self.look_up)

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                keys = {"digits": {"max": 3}, "initial_timeout": 60.0}
                self.prompt_tts("Press your number", keys, on_completed=self.say_again)

    async def look_up(self, event: CollectEvent) -> None:
        await self.sleep(4)
        self.data["found"] = f"customer {event.digits}"

    async def say_again(self, event: CollectEvent) -> None:
        await self.sleep(1)
        await (await self.play_tts(f"You pressed {event.digits}")).wait()
        await self.sleep(5)
        await (await self.play_tts(f"Goodbye {self.data['found']}")).wait()
        await self.hangup()


class CrashesInBetween(CallActor):
    """A handler that raises on an event which brings two messages: the second one is for the next incarnation."""

    max_restarts = 10

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.play_tts("One")
            case PlayEvent(state="finished"):
                raise ValueError("this is a test")
            case ActionCompleted():
                self.data["said"] = self.data.get("said", 1) + 1
                if self.data["said"] < 6:
                    self.play_tts(f"Number {self.data['said']}")
                else:
                    self.hangup()


class CrashesInAwait(CallActor):
    """An async handler that raises after a while, when other things have come."""

    max_restarts = 10

    async def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                await self.answer()
            case CallStateEvent(call_state="answered"):
                await (await self.play_tts("One")).wait()
                await self.sleep(1)
                raise ValueError("this is a test")
            case ActionCompleted() if "said" not in self.data:
                self.data["said"] = True
                await (await self.play_tts("Two")).wait()
                await self.sleep(1)
                raise ValueError("this is a test")
            case ActionCompleted():
                await self.hangup()


class PutsEndsAside(CallActor):
    """A handler that puts aside what it is told of the end of an operation, until it is time."""

    stash_capacity = 5

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.start_timer("open", "open", 6.0)
                self.play_tts("One")
            case "open":
                self.data["is_open"] = True
                self.unstash_all()
            case ActionCompleted(action=action, event=PlayEvent(state=state)):
                if "is_open" not in self.data:
                    self.stash()
                elif "said" not in self.data:
                    self.data["said"] = True
                    self.play_tts(f"It was {state} {action.is_done} {action.result is message.event}")
                else:
                    self.hangup()


class PutsAside(CallActor):
    """A flow, and a handler that puts aside what comes too early: what the flow tells it, and the end of a prompt."""

    stash_capacity = 5
    is_open = False

    async def run(self) -> None:
        await self.answer()
        self.actor_ref.tell("early")
        await (await self.play_tts("One")).wait()
        await self.sleep(2)
        self.actor_ref.tell("open")
        await self.sleep(8)
        await (await self.play_tts("Goodbye")).wait()

    def on_receive(self, message: object) -> None:
        if message == "open":
            self.is_open = True
            self.unstash_all()
        elif message == "early" or (isinstance(message, ActionCompleted) and "ended" not in self.data):
            if not self.is_open:
                self.stash()
            else:
                self.data["ended"] = True
                self.play_tts(f"What was {'early' if message == 'early' else 'over'}")


class Reception(CallActor):
    """A flow with everything that is not the same each time."""

    async def run(self) -> None:
        await self.answer()
        began = self.now()
        lucky = self.random.randrange(10**9)
        found = await self.side_effect(look_up, self.from_number)
        again = await self.blocking(look_up, "again")
        first = await race(self.sleep(3), self.next(CollectEvent))
        try:
            await self.next(ConnectEvent, timeout=2)
        except TimeoutError:
            self.data["waited"] = first.index
        await (await self.play_tts(f"Hello {found['name']} {again['name']} {lucky} {began:.6f}")).wait()
        await self.sleep(1)
        await (await self.play_tts(f"Still {lucky} {began:.6f} {self.random.random()}")).wait()


class Desk(CallActor):
    """A flow that connects its caller to somebody else."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("One moment")).wait()
        await self.connect([[device(DESK, timeout=30)]])
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "connected")
        await self.next(ConnectEvent, where=lambda event: event.connect_state == "disconnected")
        await (await self.play_tts("Thank you")).wait()


class Voicemail(CallActor):
    """A flow that records."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("Leave a message")).wait()
        recording = await self.record({"end_silence_timeout": 2.0, "initial_timeout": 30.0})
        event = await recording.wait()
        await (await self.play_tts(f"Recorded {event.state}")).wait()


class Reminder(CallActor):
    """A flow that is dialled."""

    async def run(self) -> None:
        menu = await self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0})
        event = await menu.wait()
        await (await self.play_tts(f"You pressed {event.digits} {self.data['appointment']}")).wait()


looked_up: list[str] = []


def look_up(number: str) -> dict[str, str]:
    looked_up.append(number)
    return {"name": f"caller {number} {len(looked_up)}"}


def same(heard: list[str], undisturbed: list[str]) -> bool:
    return heard == undisturbed


def consistent(heard: list[str], _undisturbed: list[str]) -> bool:
    """Return whether the flow was given the same time, number and finding before and after."""
    [hello, still] = heard
    *_words, lucky, began = hello.split()
    return still.split()[1:3] == [lucky, began]


@dataclass
class Story:
    """One call, and what its person has to hear, each once and in this order."""

    actor_class: type[CallActor]
    is_right: Callable[[list[str], list[str]], bool] = same
    is_dialled: bool = False

    def begin(self, world: MortalWorld) -> Any:
        """Let it begin; return what gives the line."""
        phone, desk = world.sim.phone(NUMBER), world.sim.phone(DESK)
        phone.reacts("Press your number", presses="123", after=2.0)
        phone.reacts("Leave a message", says="It is me", after=10.0)
        desk.answers_after(1.0)
        desk.reacts("voice hello", hangs_up=True, after=0.5)
        phone.reacts("One moment", says="hello", after=8.0)
        if self.is_dialled:
            phone.answers_after(3.0)
            world.start()
            world.app.dial(self.actor_class, [[device(NUMBER)]], tag="r-17", appointment=17)
        else:
            world.takes_calls(self.actor_class)
            phone.dials(context=CONTEXT)
        return phone


STORIES = {
    "flow": Story(Menu),
    "flow in a thread": Story(ThreadMenu),
    "handler": Story(Handler),
    "handler in steps": Story(Steps),
    "states": Story(States),
    "second attempts": Story(SecondAttempts),
    "second attempts beside a flow": Story(SecondAttemptsBesideAFlow),
    "recording": Story(Voicemail),
    "bridge": Story(Desk),
    "dial": Story(Reminder, is_dialled=True),
    "awaits in a handler": Story(AwaitsInHandler),
    "awaits in callbacks": Story(LongSteps),
    "crashes in between": Story(CrashesInBetween),
    "crashes in an await": Story(CrashesInAwait),
    "puts ends aside": Story(PutsEndsAside),
    "put aside": Story(PutsAside),
    "side effects": Story(Reception, consistent),
}


def tell(story: Story, world: MortalWorld, dies_at: int | None = None) -> list[str]:
    """Let the whole story happen, with a death at a place of it; return what its person has heard."""
    looked_up.clear()
    phone = story.begin(world)
    begun_at = world.places
    if dies_at is not None:
        world.dies_at = begun_at + dies_at
    world.live(LONG_ENOUGH_S)
    world.places -= begun_at
    if story.is_dialled and dies_at == 1:
        assert not phone.lines  # nobody had written down that anybody is to be called
        return []
    assert len(phone.lines) == 1, f"{phone.number} had {len(phone.lines)} calls"
    assert phone.line.is_over, f"left up: {phone.line.story()}"
    return [str(sound) for sound in phone.line.heard]


def executed(world: MortalWorld, method: str) -> list[str]:
    """Return the control ids, or call ids, of what the server was asked for."""
    return [str(params.get("control_id", params.get("call_id"))) for params in world.sent(method)]


@pytest.mark.parametrize("name", STORIES)
def test_a_process_may_die_before_and_after_every_commit_and_every_write(name: str) -> None:
    """Wherever that is, the person hears everything once, in its order, and is not left up. J1, J2, J4, J5, X8."""
    story = STORIES[name]
    with MortalWorld() as world:
        undisturbed = tell(story, world)
        count = world.places
    assert undisturbed
    assert count > 30
    for place in some_of(range(1, count + 1), 12):
        with MortalWorld() as world:
            heard = tell(story, world, place)
            assert world.deaths == 1
            assert (story.is_dialled and place == 1) or story.is_right(heard, undisturbed), (
                f"{place} of {count}: {heard}"
            )


@pytest.mark.parametrize(
    ("name", "later"),
    [("flow", 3), ("flow", 9), ("handler", 7), ("handler in steps", 5), ("states", 6), ("recording", 7), ("bridge", 7)],
)
def test_a_process_may_die_again_soon_after(name: str, later: int) -> None:
    """What the second process has given for the first one is what the third one finds. J4, J5."""
    story = STORIES[name]
    with MortalWorld() as world:
        undisturbed = tell(story, world)
        count = world.places
    for place in some_of(range(1, count + 1), 12):
        with MortalWorld() as world:
            world.dies_again_after = [later]
            heard = tell(story, world, place)
            assert story.is_right(heard, undisturbed), f"{place} of {count}, and {later} later: {heard}"


class Diary(CallActor):
    """A handler with a durable timer, that others speak to."""

    def on_receive(self, message: object) -> None:
        match message:
            case "remind":
                self.start_timer("reminder", "it is time", 20.0, durable=True)
            case "note":
                self.data["notes"] = self.data.get("notes", 0) + 1
            case "crash":
                raise ValueError("this is a test")
            case "it is time":
                self.data["reminded"] = self.data.get("reminded", 0) + 1


@pytest.mark.parametrize("sums_up", [False, True])
@pytest.mark.parametrize("told", ["note", "crash"])
def test_a_timer_is_still_due_when_others_have_told_the_call_something_since(told: str, sums_up: bool) -> None:
    """What they have told it is noted with the timers whose ticks it was: none. Those that are to come stay. J4, T7."""
    limits = Limits(journal_entries_per_call=1) if sums_up else None
    with MortalWorld(limits=limits) as world:
        line, handle = world.answered(Diary)
        for message in ("remind", told, "note"):
            handle.ref.tell(message)
            world.run(1)
        before = handle.ref.incarnation
        world.dies()
        world.lives_again(after_s=1.0)
        world.run(5)
        again = world.app.call(line.call_id)
        assert again is not None
        assert again.ref.incarnation == 0, "it has not crashed when it was taken up"
        assert (before, again.data["notes"]) == ((0, 2) if told == "note" else (1, 1))
        world.run(20)
        assert again.data["reminded"] == 1


class Hasty(CallActor):
    """Fails at the first word, and then another class has its call."""

    max_restarts = 0
    on_give_up = HandTo(Diary)

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise ValueError("this is a test")


def test_the_journal_knows_how_far_a_class_has_come_that_has_taken_a_call_over() -> None:
    """As of any other: what that has handled is not handled again, and its past can be summed up. J4, X7."""
    with MortalWorld() as world:
        line, handle = world.answered(Hasty)
        for message in ("crash", "note", "remind"):
            handle.ref.tell(message)
            world.run(1)
        notes = [decode(one.body) for one in world.medium.entries[line.call_id]]
        assert [note.what for note in notes if isinstance(note, Noted)][-2:] == ["told", "saved"]
        world.dies()
        world.lives_again(after_s=1.0)
        world.run(20)
        again = world.app.call(line.call_id)
        assert again is not None
        assert again.data == {"notes": 1, "reminded": 1}


class Waits(CallActor):
    """Is there."""

    async def run(self) -> None:
        await self.answer()
        await self.wait_for_ended()


def test_that_a_call_was_taken_up_is_on_record_before_what_comes_next_and_not_sooner() -> None:
    """So that nobody waits for ten thousand such notes, and what follows is found behind it. J4."""

    def notes(call_id: str) -> list[str]:
        entries = [decode(one.body) for one in world.medium.entries[call_id]]
        return [entry.what for entry in entries if isinstance(entry, Noted)]

    with MortalWorld() as world:
        line, _handle = world.inbound(Waits)
        world.run(1)
        assert notes(line.call_id) == ["began"]

        world.dies()
        world.connector.refuse("there is no server")
        world.lives_again()
        world.run(1)
        assert world.app.call(line.call_id) is not None
        assert notes(line.call_id) == ["began"]

        world.connector.admit()
        world.run(30)
        assert notes(line.call_id) == ["began", "recovered", "restored"]


class Idle(CallActor):
    """Does nothing."""

    def on_receive(self, message: object) -> None:
        """Wait."""


class Nowhere:
    """No connection can be opened: what is looked at is over before one is needed."""

    def connect(self) -> Transport:
        raise ConnectFailedError("tcp", "nowhere", "this is a test")

    def cancel(self) -> None:
        """There is nothing under way."""


@pytest.mark.parametrize("is_enabled", [True, False])
def test_more_calls_than_are_rebuilt_at_once_are_all_there(is_enabled: bool) -> None:
    """They come fifty at a time (SEMANTICS J8); garbage is looked for again afterwards, if it was before."""
    medium, count = MemoryMedium(), AT_ONCE * 2 + 3
    store = MemoryStore(medium)
    for call_id in (f"call-{number}" for number in range(count)):
        params = {"call_id": call_id, "node_id": "node", "call_state": "created", "direction": "inbound"}
        payload = {"event_type": "calling.call.receive", "params": {**params, "context": CONTEXT}}
        offered = EventReceived(subject=call_id, at=1.0, frame_id=call_id, payload=payload)
        actor = f"{__name__}:Idle"
        store.append([offered, CallStarted(subject=call_id, at=1.0, actor=actor, direction="inbound")])
    store.commit()
    app = RelayApp("project", "token", host="relay.example.com", journal=MemoryStore(medium))
    app.calls(CONTEXT)(Idle)
    was_enabled = gc.isenabled()
    gc.enable() if is_enabled else gc.disable()
    try:
        app.start(wait_s=None, connector=Nowhere())
        assert gc.isenabled() is is_enabled
    finally:
        gc.enable() if was_enabled else gc.disable()
    assert app.calls_up == count
    app.hand_over()


class Callee(CallActor):
    """Says something, and waits until it is hung up."""

    async def run(self) -> None:
        await self.play_tts("Hello").wait()
        await self.wait_for_ended()


class Directs(CallActor):
    """Has somebody called, and says so when they have gone."""

    async def run(self) -> None:
        await self.answer()
        await self.sleep(5)
        handle = self.app.dial(Callee, [[device(DESK)]])
        await handle.wait_for_answered()
        await handle.wait_for_ended()
        await self.play_tts("They have gone").wait()


@pytest.mark.parametrize("others", [1, AT_ONCE + 10])
def test_a_flow_finds_whom_it_has_dialled_however_many_have_called_in_between(others: int) -> None:
    """J4, J8: they are not taken up all at once, and whoever is not there yet is not over."""
    with MortalWorld() as world:
        world.app.calls("waits")(Waits)
        world.takes_calls(Directs)
        desk = world.sim.phone(DESK).answers_after(1.0)
        line = world.sim.phone(NUMBER).dials(context=CONTEXT)
        world.run(1.0)
        for place in range(others):
            world.sim.phone(f"+1555020{place:04d}").dials(context="waits")
        world.run(7.0)
        world.dies_after(1.0, 3.0, then_s=5.0)
        assert [desk.line.state, *line.heard] == ["answered"]
        desk.hangs_up()
        world.run(10.0)
        assert [str(sound) for sound in line.heard] == ["They have gone"]
        assert len(desk.lines) == 1


class Redials(Actor):
    """Has somebody called as soon as it starts, always under the same tag: in each process, that is."""

    def __init__(self, world: MortalWorld, told: list[str]) -> None:
        super().__init__()
        self.world = world
        self.told = told

    def on_start(self) -> None:
        try:
            self.world.app.dial(Callee, [[device(DESK)]], tag="reminder-1")
        except ConfigError as error:
            self.told.append(str(error))


@pytest.mark.parametrize("is_answered", [False, True])
def test_a_service_that_starts_cannot_take_the_tag_of_a_call_that_is_taken_up(is_answered: bool) -> None:
    """J3: services are there first; the call found its tag taken, and was hung up."""
    told: list[str] = []
    with MortalWorld() as world:
        world.app.service(Redials, world, told, name="dialler")
        world.start()
        desk = world.sim.phone(DESK)
        world.run(1.0)
        if is_answered:
            desk.answers().hears("hello")
        world.dies_after(0.0, then_s=5.0)
        if not is_answered:
            desk.answers().hears("hello")
        assert [line.state for line in desk.lines] == ["answered"]
        assert told == ["tag='reminder-1' is in use by another dial: choose a new one, or none"]
        desk.hangs_up()
        world.run(5.0)
        assert world.app.calls_up == 0
        world.app.dial(Callee, [[device(DESK)]], tag="reminder-1")  # it is free again


@pytest.mark.parametrize("before", ["recover", "start_service"])
def test_a_start_that_is_stopped_before_it_has_taken_anything_up_is_over(
    monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Another thread may stop the application just then: whoever starts it waited for ever for the journal."""
    goes_on = getattr(Tree, before)
    outcome: Future[object] = Future()

    def stops_before(tree: Tree, *arguments: Any) -> object:
        stop = threading.Thread(target=app.stop)
        stop.start()
        stop.join(DEADLINE_S)
        return goes_on(tree, *arguments)

    def start() -> None:
        try:
            outcome.set(app.start(wait_s=None, connector=MemoryConnector(lambda _peer: None), journal=MemoryStore()))
        except RelayError as error:
            outcome.set(error)

    app = RelayApp("project", "token", host="relay.example.com")
    app.service(Actor, name="service")
    monkeypatch.setattr(Tree, before, stops_before)
    threading.Thread(target=start, daemon=True).start()
    assert isinstance(outcome.get(timeout=DEADLINE_S), NotSentError)
    assert not app.is_running
