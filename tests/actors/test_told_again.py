"""What others tell a call, and answer it, is told to it again where it was, and harms nothing (SEMANTICS J3, J4)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from relay_actors import Actor, CallActor, Limits
from relay_actors.events import CallReceiveEvent, CallStateEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT


@pytest.fixture
def world() -> Iterator[MortalWorld]:
    with MortalWorld() as world:
        yield world


class Waiting(CallActor):
    """Waits by a durable timer; what it is told meanwhile changes nothing of that."""

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                self.answer()
            case CallStateEvent(call_state="answered"):
                self.start_timer("later", "go on", 10.0, durable=True)
            case "hello":
                self.data["greeted"] = True
            case "go on":
                self.play_tts("in time")


@pytest.mark.parametrize("entries", [1, 500])
@pytest.mark.parametrize("deaths_s", [(), (4.0,), (2.0, 4.0)], ids=str)
def test_a_durable_timer_outlives_what_its_call_was_told_after_it_was_started(
    deaths_s: tuple[float, ...], entries: int
) -> None:
    """Also when that was the last thing before the process ended, and when the past was summed up. T7, J4."""
    with MortalWorld(limits=Limits(journal_entries_per_call=entries)) as world:
        world.takes_calls(Waiting)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(1.0)
        handle = world.app.call(line.call_id)
        assert handle is not None
        handle.ref.tell("hello")
        world.dies_after(*deaths_s, then_s=20.0)
        assert [str(sound) for sound in line.heard] == ["in time"]


class Ticking(CallActor):
    """A flow with timers: one that is awaited for long, and one that goes on and on."""

    async def run(self) -> None:
        await self.answer()
        began = self.now()
        self.start_timer("long", "long", 7.0)
        self.start_timer("beat", "beat", 2.0, interval_s=2.0)
        for _ in range(4):
            told = await self.next(str)
            await (await self.play_tts(f"{told} at {round(self.now() - began)}")).wait()


@pytest.mark.parametrize("deaths_s", [(), (0.5,), (3.0,), (6.5,), (1.0, 3.0, 5.0)], ids=str)
def test_timers_of_a_flow_tick_when_they_were_to_tick(world: MortalWorld, deaths_s: tuple[float, ...]) -> None:
    """They count from when they were started, and not from when that was run again. T7, J4."""
    world.takes_calls(Ticking)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.dies_after(*deaths_s)
    assert [str(sound) for sound in line.heard] == ["beat at 2", "beat at 4", "beat at 6", "long at 7"]


def test_a_timer_of_a_flow_that_is_overdue_ticks_once_and_says_how_late_it_is(world: MortalWorld) -> None:
    """T7."""
    late: list[float] = []

    class Late(CallActor):
        async def run(self) -> None:
            await self.answer()
            self.start_timer("soon", "soon", 3.0)
            await self.sleep(3600)

        def on_receive(self, message: object) -> None:
            if message == "soon":
                late.append(self.late_by_s)

    world.takes_calls(Late)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.run(1.0)
    world.dies()
    world.lives_again(after_s=10.0)
    world.run(5.0)
    assert [round(late_s) for late_s in late] == [8]
    line.hangs_up()
    world.run(5.0)


# -- coroutines beside a flow, and in its place ------------------------------------------------------------------------


class Counter(Actor):
    """A service that counts how often it is asked, in all processes; of all tests, emptied by the fixture."""

    asked = 0

    def on_receive(self, message: object) -> int:
        Counter.asked += 1
        return Counter.asked


class Handles(CallActor):
    """A handler that awaits: first an answer, then the rest."""

    async def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            await self.answer()
            await self.goes_on()
            await self.hangup()

    async def goes_on(self) -> None:
        number = await self.app.lookup("counter").ask("next", block=False)
        await (await self.play_tts(f"number {number}")).wait()
        await self.sleep(3)
        await (await self.play_tts("and more")).wait()


class IsTold(Handles):
    """The same, when it is told to."""

    async def on_receive(self, message: object) -> None:
        if isinstance(message, CallReceiveEvent):
            await self.answer()
            self.actor_ref.tell("go on")
        elif message == "go on":
            await self.goes_on()
            await self.hangup()


class IsToldBesideAFlow(Handles):
    """The same, while a flow sleeps."""

    async def run(self) -> None:
        await self.answer()
        self.actor_ref.tell("go on")
        await self.sleep(10)

    async def on_receive(self, message: object) -> None:
        if message == "go on":
            await self.goes_on()


class CallsBack(Handles):
    """The same, when a prompt is over, beside a flow that sleeps."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_silence(0.2, on_completed=lambda _event: self.goes_on())).wait()
        await self.sleep(10)

    def on_receive(self, message: object) -> None:
        pass


class Listens(Handles):
    """The same, when an event is heard, beside a flow that sleeps."""

    async def run(self) -> None:
        self.on("calling.call.denoise", lambda _event: self.goes_on())
        await self.answer()
        await self.denoise()
        await self.sleep(10)

    def on_receive(self, message: object) -> None:
        pass


@pytest.mark.parametrize("deaths_s", [(), (0.5,), (2.5,), (4.5,), (6.5,), (1.5, 3.0, 4.5)], ids=str)
@pytest.mark.parametrize("actor_class", [Handles, IsTold, IsToldBesideAFlow, CallsBack, Listens])
def test_a_coroutine_of_a_call_has_the_answer_of_then_wherever_it_runs(
    world: MortalWorld, actor_class: type[CallActor], deaths_s: tuple[float, ...]
) -> None:
    """Others are asked once, and the caller hears everything once. J3, J4."""
    Counter.asked = 0
    world.app.service(Counter, name="counter")
    world.takes_calls(actor_class)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.dies_after(*deaths_s)
    assert line.is_over, line.story()
    assert [str(sound) for sound in line.heard if "silence" not in str(sound)] == ["number 1", "and more"]
    assert Counter.asked == 1
    assert world.count("calls.abandoned") == 0


class Refuses(CallActor):
    """Does not know what it is asked, which is the asker's business, and says something later."""

    async def run(self) -> None:
        await self.answer()
        await (await self.play_tts("one")).wait()
        await self.sleep(3)
        await (await self.play_tts("two")).wait()

    def on_receive(self, message: object) -> None:
        if message == "unknown":
            self.reply_later()
            raise LookupError("nobody knows")


@pytest.mark.parametrize("deaths_s", [(), (2.0,), (2.0, 3.5)], ids=str)
def test_a_question_that_has_failed_does_not_fail_the_call_when_its_past_is_run_again(
    world: MortalWorld, deaths_s: tuple[float, ...]
) -> None:
    """A7: whoever has asked was told; the call went on, and goes on. J4."""
    world.takes_calls(Refuses)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.run(1.0)
    handle = world.app.call(line.call_id)
    assert handle is not None
    with pytest.raises(LookupError):
        handle.ref.ask("unknown")
    world.dies_after(*deaths_s)
    assert [str(sound) for sound in line.heard] == ["one", "two"]


class OfTwo(CallActor):
    """A flow that waits for a tuple, and has one of a side effect."""

    async def run(self) -> None:
        await self.answer()
        number, word = await self.next(tuple)
        found = await self.side_effect(divmod, number, 4)
        await (await self.play_tts(f"{word} {found}")).wait()
        await self.sleep(5)
        await (await self.play_tts(f"still {word} {found}")).wait()


def test_a_tuple_that_others_have_told_is_told_again_as_one(world: MortalWorld) -> None:
    """A flow that waits for one would not take a list for it, and would begin anew. J4."""
    world.takes_calls(OfTwo)
    line = world.sim.phone(CALLER).dials(context=CONTEXT)
    world.run(1.0)
    handle = world.app.call(line.call_id)
    assert handle is not None
    handle.ref.tell((9, "nine"))
    world.dies_after(2.0, 4.0)
    assert [str(sound) for sound in line.heard] == ["nine (2, 1)", "still nine (2, 1)"]
