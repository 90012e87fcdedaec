"""What a flow says to other actors, and hears of them, is said once and heard again as it was (SEMANTICS J3, J4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors import Actor, CallActor, Pool, gather, race
from relay_actors.events import CollectEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT

DESK = "+15550100101"


class Counter(Actor):
    """A service with a memory that ends with the process, and a witness that does not."""

    asked = 0
    told: list[object] = []  # noqa: RUF012  # of all tests, emptied by the fixture

    def on_receive(self, message: object) -> Any:
        match message:
            case "next":
                Counter.asked += 1
                return Counter.asked
            case "fail":
                Counter.asked += 1
                raise LookupError(f"failure {Counter.asked}")
            case "unkept":
                Counter.asked += 1
                return {Counter.asked}
            case _:
                Counter.told.append(message)
                return None


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    Counter.asked, Counter.told = 0, []
    with MortalWorld() as world:
        world.app.service(Counter, name="counter")
        yield world


def counter(call: CallActor) -> Any:
    return call.app.lookup("counter")


def heard(world: MortalWorld, actor_class: type[CallActor], *deaths_s: float, **more: Any) -> list[str]:
    """Return what a caller hears, while the application dies at these times."""
    phone = world.sim.phone(CALLER)
    world.takes_calls(actor_class)
    line = phone.dials(context=CONTEXT)
    world.dies_after(*deaths_s, **more)
    assert line.is_over, line.story()
    return [str(sound) for sound in line.heard]


class Asker(CallActor):
    """Asks a service, and tells it things."""

    async def run(self) -> None:
        await self.answer()
        counter(self).tell("began")
        number = await counter(self).ask("next", block=False)
        await (await self.play_tts(f"number {number}")).wait()
        await self.sleep(5)
        counter(self).tell("half")
        both = await gather(counter(self).ask("next", block=False), counter(self).ask("next", block=False))
        await (await self.play_tts(f"{number} {both}")).wait()
        try:
            await counter(self).ask("fail", block=False)
        except LookupError as error:
            await (await self.play_tts(f"{error}")).wait()
        counter(self).tell("over")


class ThreadAsker(CallActor):
    """The same in blocking Python."""

    def run(self) -> None:
        self.answer().get()
        counter(self).tell("began")
        number = counter(self).ask("next")
        self.play_tts(f"number {number}").get().wait().get()
        self.sleep(5).get()
        counter(self).tell("half")
        both = gather(counter(self).ask("next", block=False), counter(self).ask("next", block=False)).get()
        self.play_tts(f"{number} {both}").get().wait().get()
        try:
            counter(self).ask("fail")
        except LookupError as error:
            self.play_tts(f"{error}").get().wait().get()
        counter(self).tell("over")


@pytest.mark.parametrize("actor_class", [Asker, ThreadAsker])
@pytest.mark.parametrize("deaths_s", [(), (0.5,), (2.0,), (4.5,), (9.0,), (2.0, 4.0, 6.0, 9.0)], ids=str)
def test_others_are_asked_and_told_once_and_the_flow_goes_on_with_the_answers_of_then(
    world: MortalWorld, actor_class: type[CallActor], deaths_s: tuple[float, ...]
) -> None:
    """J3, J4."""
    assert heard(world, actor_class, *deaths_s) == ["number 1", "1 [2, 3]", "failure 4"]
    assert Counter.asked == 4
    assert Counter.told == ["began", "half", "over"]


class Computing(CallActor):
    """Awaits what is computed from the answers of others, and catches what they raise."""

    async def run(self) -> None:
        await self.answer()
        tenfold = await counter(self).ask("next", block=False).map(lambda number: 10 * number)
        await (await self.play_tts(f"{tenfold}")).wait()
        both = (
            await counter(self).ask("next", block=False).join(self.sleep(0.01), counter(self).ask("next", block=False))
        )
        await (await self.play_tts(f"{both}")).wait()
        try:
            await counter(self).ask("fail", block=False).map(str)
        except LookupError as error:
            await (await self.play_tts(f"{error}")).wait()
        await self.sleep(3)


@pytest.mark.parametrize("deaths_s", [(), (0.4,), (2.0,), (5.0,), (2.0, 4.0, 6.0)], ids=str)
def test_what_is_computed_from_answers_of_others_comes_out_as_it_did(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """By `map`, `join` and the like; what is raised by it is raised where it is awaited. J3, J4, A11."""
    assert heard(world, Computing, *deaths_s) == ["10", "[2, None, 3]", "failure 4"]
    assert Counter.asked == 4
    assert world.count("calls.abandoned") == 0


class Waiting(CallActor):
    """Waits for the answer of somebody who takes his time, or for a key."""

    async def run(self) -> None:
        await self.answer()
        first = await race(self.app.lookup("slow").ask("question", block=False, timeout=60), self.next(CollectEvent))
        await (await self.play_tts(f"first {first.index} {first.value}")).wait()


class Slow(Actor):
    """Answers after a while."""

    questions = 0

    async def on_receive(self, message: object) -> str:
        Slow.questions += 1
        await self.sleep(4.0)
        return f"answer to {message}"


def test_who_has_not_been_answered_when_the_process_died_is_answered_by_the_next_one(world: MortalWorld) -> None:
    """The one who was asked has died, too: the next one is asked, and the answer is kept."""
    Slow.questions = 0
    world.app.service(Slow, name="slow")
    assert heard(world, Waiting, 2.0, 5.0, 9.5) == ["first 0 answer to question"]
    assert Slow.questions == 3


class Raced(CallActor):
    """Takes what comes first; the loser of the race waits for nothing any more."""

    async def run(self) -> None:
        await self.answer()
        slow = self.app.lookup("slow").ask("question", block=False, timeout=60)
        first = await race(slow, self.sleep(1))
        await (await self.play_tts(f"first {first.index}")).wait()
        second = await race(self.sleep(20), slow)
        await (await self.play_tts(f"second {second.value}")).wait()
        await self.sleep(2)


@pytest.mark.parametrize("deaths_s", [(), (0.8,), (3.0,), (8.0,), (0.8, 3.0, 8.0)], ids=str)
def test_a_race_with_somebody_else_comes_out_as_it_did(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J4."""
    world.app.service(Slow, name="slow")
    assert heard(world, Raced, *deaths_s) == ["first 1", "second answer to question"]


class Unkept(CallActor):
    """Is told something that the journal cannot hold."""

    async def run(self) -> None:
        await self.answer()
        answer = await counter(self).ask("unkept", block=False)
        why = str(self.flow_changed or "nothing")
        await (await self.play_tts(f"{answer} {why}")).wait()
        await self.sleep(5)


@pytest.mark.parametrize("how", ["ask", "blocking"])
def test_an_answer_that_cannot_be_kept_is_warned_of_while_the_process_lives(
    world: MortalWorld, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    """After its end it is too late."""
    call = Unkept if how == "ask" else UnkeptResult
    heard(world, call)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert [text.partition(":")[0] for text in told] == [f"{call.__name__} is given a set, which cannot be kept"]


class UnkeptResult(CallActor):
    """Is given by a blocking function something that the journal cannot hold."""

    async def run(self) -> None:
        await self.answer()
        await self.blocking(set)
        await self.sleep(5)


def test_an_answer_that_the_journal_cannot_hold_begins_the_flow_anew_and_says_why(world: MortalWorld) -> None:
    first, second = heard(world, Unkept, 4.0)
    assert first == "{1} nothing"
    assert second.startswith("{2}")
    assert "waited for a set, which the journal cannot hold" in second


class Echo(CallActor):
    """Tells itself things."""

    async def run(self) -> None:
        await self.answer()
        self.actor_ref.tell("one")
        text = await self.next(str)
        await (await self.play_tts(text)).wait()
        self.actor_ref.tell("two")
        await self.sleep(5)
        text = await self.next(str)
        await (await self.play_tts(text)).wait()
        try:
            await self.next(str, timeout=5)
        except TimeoutError:
            await (await self.play_tts("nothing more")).wait()


@pytest.mark.parametrize("deaths_s", [(), (2.0,), (4.5,), (2.0, 4.5, 8.0, 12.0)], ids=str)
def test_what_a_flow_tells_itself_is_told_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3."""
    assert heard(world, Echo, *deaths_s) == ["one", "two", "nothing more"]


class Agent(CallActor):
    """Waits for whoever has something to say to him."""

    async def run(self) -> None:
        await self.answer()
        await self.sleep(25)


class Teller(CallActor):
    """Has something played to somebody else's call, and waits for its end."""

    other = ""

    async def run(self) -> None:
        await self.answer()
        await self.sleep(1)
        other = self.app.call(Teller.other)
        assert other is not None
        action = await other.play_tts("for you")
        await action.wait()
        await (await self.play_tts("told him")).wait()
        await self.sleep(3)


@pytest.mark.parametrize("deaths_s", [(), (0.6,), (2.0,), (6.0,), (0.6, 6.0)], ids=str)
def test_what_a_flow_has_played_to_another_call_is_played_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3, J5."""
    world.app.calls("agents")(Agent)
    world.takes_calls(Teller)
    there = world.sim.phone(DESK).dials(context="agents")
    world.run(1.0)
    Teller.other = there.call_id
    here = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.dies_after(*deaths_s)
    assert [str(sound) for sound in here.heard] == ["told him"]
    assert [str(sound) for sound in there.heard] == ["for you"]


class Late(Counter):
    """Takes its name only a while after it has started."""

    name = ("service", "late")

    def on_start(self) -> None:
        self.unregister(self.name)
        self.start_timer("name", "take the name", 1.0)

    def on_receive(self, message: object) -> Any:
        return self.register(self.name) if message == "take the name" else super().on_receive(message)


class ByName(CallActor):
    """Speaks to whoever has a name, or will have it."""

    async def run(self) -> None:
        late = self.system.via(Late.name, unrouted="buffer")
        await self.answer()
        await self.sleep(2)
        late.tell("began")
        await self.sleep(3)
        number = await late.ask("next", block=False)
        await (await self.play_tts(f"number {number}")).wait()
        late.tell("half")
        await self.sleep(5)
        counter(self).tell("over")


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (4.0,), (8.0,), (4.0, 6.0, 8.0, 11.0)], ids=str)
def test_who_is_known_by_name_is_told_and_asked_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3, R4: whether somebody has the name may be another thing when the past is run again."""
    world.app.service(Late, name="late")
    assert heard(world, ByName, *deaths_s) == ["number 1"]
    assert Counter.told == ["began", "half", "over"]


class SlowPool(Pool):
    """Has all wait in line for a while."""

    is_ready = False

    def on_start(self) -> None:
        super().on_start()
        self.start_timer("ready", "ready", 1.0)

    def on_receive(self, message: object) -> Any:
        if message != "ready":
            return super().on_receive(message)
        self.is_ready = True
        return None

    def after_batch(self) -> None:
        if self.is_ready:
            super().after_batch()


class ByPool(CallActor):
    """Speaks to workers, and lets them go in the end."""

    async def run(self) -> None:
        pool = self.app.lookup("pool")
        await self.answer()
        await self.sleep(2)
        pool.tell("began")
        await self.sleep(3)
        number = await pool.ask("next", block=False)
        await (await self.play_tts(f"number {number}")).wait()
        pool.tell("half")
        await self.sleep(5)
        counter(self).tell("over")


@pytest.mark.parametrize("deaths_s", [(), (1.0,), (4.0,), (8.0,), (4.0, 6.0, 8.0, 11.0)], ids=str)
def test_who_waits_in_line_for_a_worker_is_told_and_asked_once(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """J3: whether the pool has its workers may be another thing when the past is run again."""
    world.assert_no_residue = lambda: None  # type: ignore[method-assign]  # the workers are none of the calls'
    world.app.service(SlowPool, Counter, size=2, name="pool")
    assert heard(world, ByPool, *deaths_s) == ["number 1"]
    assert Counter.told == ["began", "half", "over"]
