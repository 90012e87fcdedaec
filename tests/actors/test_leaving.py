"""What the connection does while it leaves its calls to the next process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from random import Random
from typing import Any, ClassVar

import pytest

from relay_actors import Actor, CallActor, LeaveForNext, MessageActor, RelayApp
from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.leaving import SETTLES_S, Leaving
from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import ConfigError, ConnectionLostError, NotSentError, RelayActorsError
from relay_actors.events import CallReceiveEvent, CollectEvent, PlayEvent
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, EventReceived, Outcome
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, Witness, World, device, over_seeds
from tests.support.thorough import seeds

LEFT = "left its calls to the next process"


@pytest.fixture
def medium() -> MemoryMedium:
    """What survives a process."""
    return MemoryMedium()


@pytest.fixture
def world(request: pytest.FixtureRequest, medium: MemoryMedium) -> Iterator[World]:
    """A world with a journal, drawn from a seed; in the end nothing may be left of it."""
    with world_with(medium, getattr(request, "param", 1)) as world:
        yield world


def world_with(medium: MemoryMedium, seed: int = 1) -> World:
    """Return a world whose application has a journal, and leaves its calls to the next one."""
    world = World(seed)
    world.app = RelayApp(
        "project", "token", host="relay.example.com", journal=MemoryStore(medium), at_drain_deadline=LeaveForNext()
    )
    return world


def kept(medium: MemoryMedium, subject: str) -> list[Entry]:
    """Return what the next process will find of a call."""
    return list(MemoryStore(medium).load(subject=subject))


def methods(entries: list[Entry]) -> list[str]:
    return [entry.method for entry in entries if isinstance(entry, CommandIntended)]


class Teller(CallActor):
    """Plays on and on, and says goodbye however it ends; notes in ``steps`` what it has come to."""

    steps: list[str]

    async def run(self) -> None:
        await self.answer()
        try:
            while True:
                await self.play_tts("Please hold.").wait()
                self.steps.append("played")
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise
        except Exception as error:
            self.steps.append(f"told {type(error).__name__}")
            raise
        finally:
            try:
                await self.hangup()
            except NotSentError as error:
                self.steps.append(str(error))


@pytest.fixture
def teller() -> type[Teller]:
    return type("ThisTeller", (Teller,), {"steps": []})


@over_seeds(25)
def test_calls_are_left_as_they_are(world: World, medium: MemoryMedium, teller: type[Teller]):
    """C4: nothing is said, nobody is hung up, the journal keeps the session and each call; nobody is left waiting."""
    world.app.calls("other")(Witness)
    line, handle = world.inbound(teller)
    line.hears("please hold")
    rings = world.sim.phone("+15550002222").dials(context="other")
    world.until(lambda: world.app.call(rings.call_id))
    other = world.app.call(rings.call_id)
    assert other is not None
    waits = [handle.wait_for_ended(), other.wait_for_ended(), handle.play_tts("One moment. " * 20).wait()]
    world.run(world.system.random.random())
    assert world.app.hand_over() is True
    assert not world.app.is_running
    for wait in waits:
        with pytest.raises(ConnectionLostError, match=LEFT):
            wait.get(timeout=1)
    before = len(world.methods())
    world.run(3)
    assert not line.is_over
    assert not rings.is_over
    assert world.sent("calling.end") == []
    assert len(world.methods()) == before
    # A flow that says goodbye says it to nobody, and may not leave an intent that the next process would have to mind.
    not_sent = f"RELAY error -1: calling.end was not sent: the application has stopped, and {LEFT}"
    assert teller.steps[-2:] == ["cancelled", not_sent]
    assert MemoryStore(medium).get_session().protocol
    for entries in (kept(medium, line.call_id), kept(medium, rings.call_id)):
        assert isinstance(entries[0], EventReceived)
        assert "calling.end" not in methods(entries)
    assert sorted(methods(kept(medium, line.call_id))) == sorted(
        frame.method for frame in world.sim.frames.received() if frame.params.get("call_id") == line.call_id
    )


@over_seeds(25)
def test_every_command_that_has_left_has_its_outcome_beside_it(world: World, medium: MemoryMedium):
    """C4: answers on their way are waited for, so that the next process need not find out (J5)."""
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=0.4)
    world.sim.reject_next("calling.record")
    handle.play_tts("Welcome.")
    handle.record()
    world.settle()
    assert world.app.hand_over() is True
    entries = kept(medium, line.call_id)
    outcomes = {entry.request_id: entry.outcome for entry in entries if isinstance(entry, CommandSettled)}
    intents = [entry for entry in entries if isinstance(entry, CommandIntended)]
    assert [outcomes[entry.request_id] for entry in intents] == [Outcome.OK, Outcome.OK, Outcome.REJECTED]


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(
    world: World, medium: MemoryMedium, caplog: pytest.LogCaptureFixture
):
    """C4: what became of it stays unknown, and the journal does not claim that it was anything else."""
    caplog.set_level(logging.INFO, "relay_actors.connection")
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=60.0)
    handle.play_tts("Welcome.")
    world.settle()
    begun = world.clock.now()
    assert world.app.hand_over() is True
    assert world.clock.now() - begun < SETTLES_S + 0.5
    assert "left to the next process calls=1 unanswered=1" in caplog.text
    entries = kept(medium, line.call_id)
    [play] = [entry for entry in entries if isinstance(entry, CommandIntended) and entry.method == "calling.play"]
    assert play.request_id not in {entry.request_id for entry in entries if isinstance(entry, CommandSettled)}


def test_what_comes_while_it_leaves_is_kept_for_the_next_process(
    world: World, medium: MemoryMedium, caplog: pytest.LogCaptureFixture
):
    """C4, J1: it is acknowledged, so it must be in the journal; and its actor here does not act on it any more."""
    caplog.set_level(logging.INFO, "relay_actors.connection")
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=0.5)
    handle.play_tts("Welcome.")
    world.settle()
    over = world.tree.leave_for_next()
    seen = world.seen(handle)
    line.presses("7")
    rings = world.sim.phone("+15550002222").dials(context=CONTEXT)
    line.hangs_up()
    assert over.get(timeout=5) is True
    assert world.seen(handle) == seen
    assert world.app.call(rings.call_id) is None
    assert "left to the next process calls=1 unanswered=0 not_delivered=" in caplog.text
    states = [
        entry.payload["params"]["call_state"]  # type: ignore[index,call-overload]
        for entry in kept(medium, line.call_id)
        if isinstance(entry, EventReceived) and entry.payload["event_type"] == "calling.call.state"
    ]
    assert states[-1] == "ended"
    assert kept(medium, rings.call_id) != []
    assert world.app.hand_over() is True


@over_seeds(10)
def test_calls_that_outlast_the_drain_are_left_to_the_next_process(world: World, medium: MemoryMedium):
    """H7, C4: tasks of the phases see the connection up to the last moment, and a dial is left as it is, too."""
    seen: list[tuple[bool, int]] = []
    line, _handle = world.answered(Witness)
    phone = world.sim.phone("+15550100101").never_answers()
    dial = world.app.dial(Witness, [[device("+15550100101")]])
    phone.rings()
    for phase in ("stop_actions", "stop_system"):
        world.app.on_shutdown(phase, lambda: seen.append((world.tree.is_connected, world.tree.calls_up)))
    shutdown = world.app._run
    assert shutdown is not None
    over = shutdown.begin(5.0)
    world.run(4)
    assert not over.is_settled
    world.run(10)
    assert over.is_settled
    assert seen[0] == (True, 2)
    assert seen[1][0] is False
    assert world.app.stop() is True
    assert world.sent("calling.end") == []
    assert not line.is_over
    assert not phone.line.is_over
    assert kept(medium, line.call_id) != []
    assert "calling.dial" in methods(kept(medium, dial.leg.tag))


@pytest.mark.parametrize("takes_s", [0.5, 5.0])
def test_a_text_that_is_being_handled_is_finished_first(world: World, takes_s: float):
    """C4, M6: the next process would answer it once more; but it does not wait for ever."""
    done: list[str] = []

    class Reads(MessageActor):
        async def on_receive(self, message: object) -> None:
            await self.sleep(takes_s)
            done.append(self.message.body)

    world.app.messages(CONTEXT)(Reads)
    world.start()
    world.sim.phone(CALLER).texts("Hello", context=CONTEXT)
    world.until(lambda: world.tree.texts())
    begun = world.clock.now()
    assert world.app.hand_over() is True
    assert done == (["Hello"] if takes_s < SETTLES_S else [])
    assert world.clock.now() - begun < 3 * SETTLES_S


def test_a_third_signal_hangs_up_whatever_was_to_become_of_calls(world: World):
    """H7: as with every other policy."""
    line, _handle = world.answered(Witness)
    shutdown = world.app._run
    assert shutdown is not None
    over = shutdown.begin(600.0)
    world.run(1)
    shutdown.hang_up()
    line.is_hung_up(within=1.0)
    assert over.get(timeout=10) is False
    assert world.app.stop() is True


def test_a_drain_that_is_under_way_can_still_be_handed_over(world: World, medium: MemoryMedium):
    """C4: the deploy that came too late for the first SIGTERM."""
    line, _handle = world.answered(Witness)
    shutdown = world.app._run
    assert shutdown is not None
    over = shutdown.begin(600.0)
    world.run(1)
    assert world.app.hand_over() is True
    assert over.is_settled
    assert not line.is_over
    assert kept(medium, line.call_id) != []


@over_seeds(10)
def test_calls_are_left_also_while_there_is_no_connection(world: World, medium: MemoryMedium):
    """C4: what waits for it to come back is not sent by anybody here."""
    line, handle = world.answered(Witness)
    with world.sim.socket_down(seconds=20):
        world.run(1)
        handle.play_tts("Welcome.")
        world.settle()
        assert world.app.hand_over() is True
    world.run(5)
    assert world.sent("calling.play") == []
    assert not line.is_over
    assert MemoryStore(medium).get_session().protocol
    assert methods(kept(medium, line.call_id)) == ["calling.answer", "calling.play"]


def test_a_connection_that_crashes_while_it_leaves_has_left_nothing_out(world: World, medium: MemoryMedium):
    """C4, K1: its next incarnation goes on leaving."""
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=0.5)
    handle.play_tts("Welcome.")
    world.settle()
    over = world.tree.leave_for_next()
    world.run(0.1)

    class Crash:
        """A signal that an actor fails by."""

        def handle(self, cell: Any) -> None:
            assert isinstance(cell.actor, ConnectionActor)
            raise RuntimeError("a bug")

        def refuse(self, cell: Any) -> None:
            """It was given up before."""

    world.tree.office.connection._cell.signal(Crash())
    assert over.get(timeout=5) is True
    assert world.app.hand_over() is True
    assert not line.is_over
    assert kept(medium, line.call_id) != []


def test_a_journal_that_fails_while_it_leaves_is_told_of(medium: MemoryMedium):
    """J6: the next process finds what was committed, and whoever asked knows that there may be more."""
    world = world_with(medium)
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=0.5)
    handle.play_tts("Welcome.")
    world.settle()
    medium.full = True
    assert world.app.hand_over() is False
    assert not line.is_over
    medium.full = False
    assert kept(medium, line.call_id) != []


def test_without_a_journal_nothing_can_be_left_to_the_next_process():
    """By the constructor, and before anything is stopped."""
    with pytest.raises(ConfigError, match=r"at_drain_deadline=LeaveForNext\(\): the next process finds the calls in"):
        RelayApp("project", "token", at_drain_deadline=LeaveForNext())
    with pytest.raises(ConfigError, match=r"hand_over\(\): the next process finds the calls in the journal"):
        RelayApp("project", "token").hand_over()
    assert RelayApp("project", "token", journal="calls.db").hand_over() is True  # it does not run


def test_who_asks_is_held_until_the_release_and_refused_after_it():
    """Whoever is told an error may do something about it: so nobody is, before all flows were cancelled."""
    told: list[tuple[str, RelayActorsError | None]] = []
    leaving = Leaving(due=1.0)
    leaving.hold(Outgoing("calling.play", {}, lambda _result, error: told.append(("first", error))))
    assert told == []
    error = ConnectionLostError("it has left")
    leaving.release(error)
    leaving.release(ConnectionLostError("once more"))
    leaving.hold(Outgoing("calling.end", {}, lambda _result, error: told.append(("second", error))))
    assert told[0] == ("first", error)
    assert isinstance(told[1][1], NotSentError)
    assert "calling.end was not sent" in str(told[1][1])


def test_who_waits_for_the_leaving_is_told_how_it_went():
    """Also who comes later."""
    leaving = Leaving(due=1.0)
    early: Future[bool] = Future()
    late: Future[bool] = Future()
    leaving.wait(early)
    assert not early.is_settled
    leaving.settle(is_clean=False)
    leaving.wait(late)
    assert [early.get(timeout=0), late.get(timeout=0)] == [False, True]


class Order(CallActor):
    """Takes an order, thinks about it, and says goodbye."""

    async def run(self) -> None:
        await self.answer()
        menu = await self.prompt_tts("Press your number", {"digits": {"max": 3}, "initial_timeout": 60.0})
        event = await menu.wait()
        await self.play_tts(f"You pressed {event.digits}").wait()
        await self.sleep(5)
        await self.play_tts("Goodbye").wait()


class DeployedWorld(MortalWorld):
    """One process after the other, each of which takes the calls over from the one before."""

    def _new_app(self) -> RelayApp:
        app = super()._new_app()
        app._at_deadline = LeaveForNext()  # what the constructor sets: the world makes the application
        return app

    def is_deployed(self, drain_s: float | None = None) -> None:
        """Have the application hand over, or drain and leave who is still up, and start the next one."""
        former = self.app
        assert former.hand_over() if drain_s is None else former.stop(drain_s)
        self.settle()
        assert self.dispatcher.pending_timers <= 1  # the server's next tick
        self.deaths += 1
        seed = self.seed * 1000 + self.deaths
        self.dispatcher = DeterministicDispatcher(Random(seed), self.clock)
        self.system = System(dispatcher=self.dispatcher, random=Random(seed + 1), hooks=self.counters)
        self._tick_timer = None
        self._arm()
        self.app = self._new_app()
        self.app._calls, self.app._messages = former._calls, former._messages
        self.app._services = former._services
        self.start()


class Bot(MessageActor):
    """Answers each text twice, with something in between."""

    async def on_receive(self, message: object) -> None:
        first = self.reply("one")
        await self.sleep(0.3)
        if self.message.body == "wait":
            await first.wait(timeout=30)
        self.reply("two")


class Cashier(Actor):
    """Counts what it is told and asked; of all tests, emptied by who uses it."""

    told: ClassVar[list[object]] = []

    def on_receive(self, message: object) -> int:
        Cashier.told.append(message)
        return len(Cashier.told)


class Pays(CallActor):
    """Sleeps, tells somebody, and pays."""

    paid = 0

    async def run(self) -> None:
        cashier = self.app.lookup("cashier")
        await self.answer()
        await self.sleep(2)
        cashier.tell("tell")
        await self.side_effect(self.pays)
        number = await cashier.ask("ask", block=False)
        await self.play_tts(f"paid {number}").wait()

    @staticmethod
    def pays() -> None:
        Pays.paid += 1


@pytest.mark.parametrize("is_under_way", [False, True])
def test_what_a_call_does_to_others_while_it_is_left_is_done_once(is_under_way: bool):
    """C4, J3: what is under way is finished and written down, what comes due meanwhile is the next process's to do."""
    Cashier.told.clear()
    Pays.paid = 0
    with DeployedWorld() as world:
        world.app.service(Cashier, name="cashier")
        line, handle = world.inbound(Pays)
        if is_under_way:
            world.until(lambda: handle.ref.kept.leg.course.results)
        else:
            world.run(1.5)
            world.sim.answer_late("calling.denoise", seconds=5.0)  # so that it takes its time to leave
            handle.denoise()
            world.settle()
        assert Pays.paid == 0
        world.is_deployed()
        world.run(20)
        assert [str(sound) for sound in line.heard] == ["paid 2"]
        assert Pays.paid == 1
        assert Cashier.told == ["tell", "ask"]


class TellsLater(CallActor):
    """A handler that tells a service and itself something when it is time."""

    max_restarts = 0

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
                self.start_timer("later", "it is time", 2.0)
            case "it is time":
                cashier = self.app.lookup("cashier")
                assert cashier is not None
                cashier.tell("tell")
                self.actor_ref.tell("speak")
            case "speak":
                self.hangup(after=self.play_tts("told"))


@pytest.mark.parametrize("ran_s", [1.2, 1.9, 2.5])
def test_calls_go_on_while_blocking_code_of_others_is_waited_for(ran_s: float, monkeypatch: pytest.MonkeyPatch):
    """C4: the application runs until then, and what they do to others is done, and noted."""
    Cashier.told.clear()
    with DeployedWorld() as world:
        world.app.service(Cashier, name="cashier")
        line, _handle = world.inbound(TellsLater)
        world.run(ran_s)
        takes_long: Future[None] = Future(world.system.dispatcher)
        tree = world.app._running()
        monkeypatch.setattr(tree, "effects", lambda: [takes_long])
        world.is_deployed()
        world.run(20)
        assert [str(sound) for sound in line.heard] == ["told"]
        assert Cashier.told == ["tell"]
        assert world.count("calls.abandoned") == 0


@pytest.mark.parametrize("seed", seeds(15, 40))
def test_whoever_texts_gets_each_answer_once_over_deploys(seed: int):
    """C4, K6, X17: an answer that was held back is sent by the next process, and what was sent is not sent again."""
    chance = Random(seed)
    with DeployedWorld(seed) as world:
        world.app.messages(CONTEXT)(Bot)
        world.start()
        people = [world.sim.phone(f"+1555000{number:04}") for number in range(6)]
        for person in people:
            person.texts(chance.choice(["wait", "go on"]), context=CONTEXT)
            world.run(chance.random() * chance.choice([0.01, 0.3]))
            if chance.random() < 0.7:
                world.is_deployed()
        world.run(30)
        assert [[text.body for text in person.inbox] for person in people] == [["one", "two"]] * len(people)
        assert (world.medium.entries, world.count("messages.unknown")) == ({}, 0)


@pytest.mark.parametrize("seed", seeds(20, 60))
def test_callers_notice_nothing_of_deploys_in_the_middle_of_their_calls(seed: int):
    """C4, J1 to J5: wherever each call is, its script goes on there; nothing is done twice, and nothing left out."""
    chance = Random(seed)
    with DeployedWorld(seed) as world:

        def may_be_deployed() -> None:
            if chance.random() < 0.7:
                world.run(chance.random() * chance.choice([0.01, 0.1, 1.0]))
                world.is_deployed(chance.choice([None, None, 0.0, 0.3]))

        world.takes_calls(Order)
        lines = [world.sim.phone(f"+1555000111{number}").dials(context=CONTEXT) for number in range(3)]
        may_be_deployed()
        for line in lines:
            line.hears("press your number")
            may_be_deployed()
        for number, line in enumerate(lines):
            line.presses(f"12{number}")
            may_be_deployed()
        for number, line in enumerate(lines):
            line.hears(f"you pressed 12{number}", within=20)
            may_be_deployed()
        for line in lines:
            line.hears("goodbye", within=30).is_hung_up(within=20)
            may_be_deployed()
        for line in lines:
            done = [
                frame.method for frame in world.sim.frames.received() if frame.params.get("call_id") == line.call_id
            ]
            assert done == ["calling.answer", "calling.play_and_collect", "calling.play", "calling.play", "calling.end"]


class Counts(CallActor):
    """Counts keys, message by message."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
                self.collect(digits={"max": 1}, continuous=True)
            case CollectEvent(digits=digits) if digits:
                self.data["keys"] = self.data.get("keys", "") + digits
                if digits == "9":
                    self.play_tts(f"You pressed {self.data['keys']}")
            case PlayEvent(state="finished"):
                self.hangup()
            case _:
                super().on_receive(message)


class Reminds(CallActor):
    """Calls somebody, and says what this was about."""

    async def run(self) -> None:
        await self.play_tts(f"Remember {self.data['what']}").wait()


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_call_is_about_it_goes_on_with_that(seed: int):
    """C4: a call that is offered while it leaves, a dial that rings, and a call that is written in messages."""
    with DeployedWorld(seed) as world:
        world.app.calls("keys")(Counts)
        world.takes_calls(Order)
        keys = world.sim.phone("+15550001111").dials(context="keys")
        world.until(lambda: world.sim.frames.received("calling.collect"))
        world.settle()
        keys.presses("1")
        somebody = world.sim.phone("+15550100101").answers_after(3.0)
        world.app.dial(Reminds, [[device("+15550100101")]], what="the milk")
        somebody.rings()
        world.sim.answer_late("calling.play", seconds=0.5)
        world.sim.answer_late("calling.collect", seconds=0.5)
        keys.presses("2")
        over = world.tree.leave_for_next()
        keys.presses("3")
        offered = world.sim.phone("+15550002222").dials(context=CONTEXT)
        assert over.get(timeout=5) is True
        world.is_deployed()
        keys.presses("4").presses("9").hears("you pressed 12349").is_hung_up()
        somebody.line.hears("remember the milk").is_hung_up()
        offered.hears("press your number").presses("1").hears("goodbye", within=30).is_hung_up()


@pytest.mark.parametrize("place", range(1, 11))
def test_a_process_that_dies_while_it_leaves_its_calls_has_left_them_all_the_same(place: int):
    """C4, J1 to J5: before and after each commit and each write; afterwards it is like any other death."""
    with DeployedWorld(place) as world:
        world.takes_calls(Order)
        line = world.sim.phone("+15550001111").dials(context=CONTEXT)
        line.hears("press your number")
        world.sim.answer_late("calling.play", seconds=0.3)
        line.presses("123")
        world.run(0.02)
        world.dies_at = world.places + place
        world.tree.leave_for_next()
        other = world.sim.phone("+15550002222").dials(context=CONTEXT)
        world.run(2.0)
        world.dies()
        world.dies_at = None
        world.lives_again()
        line.hears("you pressed 123", within=20).hears("goodbye", within=30).is_hung_up(within=20)
        other.hears("press your number").presses("124").hears("goodbye", within=30).is_hung_up(within=20)
        for call in (line, other):
            done = [
                frame.method for frame in world.sim.frames.received() if frame.params.get("call_id") == call.call_id
            ]
            assert done == ["calling.answer", "calling.play_and_collect", "calling.play", "calling.play", "calling.end"]
