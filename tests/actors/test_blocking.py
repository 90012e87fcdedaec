"""An error of blocking code is told exactly once: to who asks for it, or else to the log."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import CallActor, MessageActor, PipeFailed, race
from relay_actors.events import CallReceiveEvent
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, World, over_seeds


def fails(number: object = 1) -> None:
    raise LookupError(f"no customer {number}")


class Fails:
    """Something that can be called, and shows what it holds."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __repr__(self) -> str:
        return f"Fails({self._what})"

    def __call__(self) -> None:
        raise LookupError("no customer")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "nobody awaits" in record.getMessage()]


def test_a_flow_that_does_not_wait_is_told_by_the_log(world: World, caplog: pytest.LogCaptureFixture):
    class Call(CallActor):
        async def run(self) -> None:
            self.blocking(fails)
            await self.answer()
            await self.sleep(1)

    line, _handle = world.inbound(Call)
    line.is_hung_up()
    world.run(5)
    (text,) = warned(caplog)
    assert text.startswith(f"[{line.call_id}] ")


@over_seeds(10)
def test_a_handler_that_does_not_ask_is_told_by_the_log_while_its_call_is_up(
    world: World, caplog: pytest.LogCaptureFixture
):
    """A call may last for hours. One that asks by a callback is told by it, and not by the log."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                self.blocking(fails, 1)
                self.blocking(fails, 2).add_done_callback(lambda wait: self.data.update(told=str(wait.error)))
                self.answer()

    line, handle = world.inbound(Call)
    line.is_connected()
    world.settle()
    assert len(warned(caplog)) == 1
    assert "no customer 1" in caplog.text
    assert handle.data["told"] == "no customer 2"


def test_a_flow_that_asks_late_gets_the_error_and_the_log_does_not(world: World, caplog: pytest.LogCaptureFixture):
    """It is the flow's by then, to handle or to crash by."""

    class Call(CallActor):
        async def run(self) -> None:
            lookup = self.blocking(fails, 9)
            await self.answer()
            await self.sleep(1)
            try:
                await lookup
            except LookupError as error:
                self.data["told"] = str(error)

    line, handle = world.inbound(Call)
    line.is_hung_up()
    assert handle.data["told"] == "no customer 9"
    assert warned(caplog) == []


def test_an_error_that_comes_after_the_end_of_the_waiting_flow_is_logged(
    world: World, caplog: pytest.LogCaptureFixture
):
    """The caller has hung up meanwhile: the flow has ended, and nobody else would hear of the error."""

    class Call(CallActor):
        async def run(self) -> None:
            await self.blocking(self._hang_up_and_fail)

        def _hang_up_and_fail(self) -> None:
            world.sim.phone("+15550001111").line.hangs_up()
            world.settle()
            fails()

    line, _handle = world.inbound(Call)
    line.is_hung_up()
    world.run(1)
    assert len(warned(caplog)) == 1


@pytest.mark.parametrize("function", [functools.partial(fails, "4111111111111111"), Fails("4111111111111111")])
def test_what_a_function_is_given_is_not_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture, function: Callable[[], None]
):
    """It may be anybody's card number; only what it is called is told."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                self.blocking(function)

    world.inbound(Call)
    world.settle()
    (text,) = warned(caplog)
    assert "4111" not in text
    assert "ails" in text


@pytest.mark.parametrize("is_awaited", [True, False])
def test_with_a_journal_too_an_error_that_nobody_awaits_is_logged_and_only_that(
    is_awaited: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What was found out elsewhere is written down; that is not the same as that somebody has asked for it."""

    def fails() -> None:
        raise OSError("no such table")

    class Looks(CallActor):
        async def run(self) -> None:
            looked = self.side_effect(fails)
            if is_awaited:
                with contextlib.suppress(OSError):
                    await looked
            await self.sleep(1)

    with MortalWorld() as world:
        world.takes_calls(Looks)
        world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(60)
    told = [record.getMessage() for record in caplog.records if "nobody awaits it any more" in record.getMessage()]
    assert len(told) == (0 if is_awaited else 1)
    assert is_awaited or "fails" in told[0]


@over_seeds(10)
def test_a_handler_that_awaits_gets_the_error_and_the_log_does_not(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """SEMANTICS A14: it is the handler's, at once or later; what it leaves alone is for the log when it is through."""
    told: list[str] = []

    class Call(CallActor):
        async def on_receive(self, message: object) -> None:
            if not isinstance(message, CallReceiveEvent):
                return
            late = self.blocking(fails, "late")
            self.blocking(fails, "never")
            with contextlib.suppress(LookupError):
                await self.blocking(fails, "at once")
            await self.sleep(1)
            told.extend(warned(caplog))
            try:
                await late
            except LookupError as error:
                told.append(str(error))
            self.answer()

    line, _handle = world.inbound(Call)
    line.is_connected()
    world.settle()
    assert told == ["no customer late"]
    assert len(warned(caplog)) == 1
    assert "no customer never" in caplog.text


@over_seeds(10)
def test_what_is_piped_is_told_by_its_message_and_not_by_the_log(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """SEMANTICS A12."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    self.pipe_to_self(self.blocking(fails, 3))
                case PipeFailed(error=error):
                    self.data["told"] = str(error)
                    self.answer()

    line, handle = world.inbound(Call)
    line.is_connected()
    assert handle.data["told"] == "no customer 3"
    assert warned(caplog) == []


ASKS: dict[str, Callable[[Any], object]] = {
    "piped": lambda call: call.pipe_to_self(call.blocking(fails, 3)),
    "side effect": lambda call: call.pipe_to_self(call.side_effect(fails, 3)),
    "race": lambda call: call.pipe_to_self(race(call.blocking(fails, 3), call.sleep(5))),
    "map": lambda call: call.pipe_to_self(call.blocking(fails, 3).map(str)),
    "callback": lambda call: call.blocking(fails, 3).add_done_callback(lambda wait: call.note(wait.error)),
}


@pytest.mark.parametrize("way", [*ASKS, "nobody"])
@pytest.mark.parametrize("kind", [World, MortalWorld])
def test_whichever_way_a_handler_asks_it_is_told_and_the_log_is_not(
    kind: type[World], way: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A12, A16: with a journal it is written down first, and comes to who asks in a later turn."""

    class Call(CallActor):
        def on_receive(self, message: object) -> None:
            match message:
                case CallReceiveEvent():
                    ASKS.get(way, lambda call: call.blocking(fails, 3))(self)
                    self.answer()
                case PipeFailed(error=error):
                    self.note(error)

        def note(self, error: object) -> None:
            self.data.setdefault("told", []).append(str(error))

    with kind() as world:
        line, handle = world.inbound(Call)
        line.is_connected()
        world.run(1)
        is_asked = way != "nobody"
        assert handle.data.get("told", []) == ["no customer 3"] * is_asked
        assert len(warned(caplog)) == (not is_asked)


@over_seeds(10)
def test_a_text_may_await_blocking_code(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A16: it is through when its handler is, and not before."""

    class Text(MessageActor):
        async def on_receive(self, message: object) -> None:
            with contextlib.suppress(LookupError):
                await self.blocking(fails)
            self.reply(await self.blocking(str.upper, self.message.body))

    world.app.messages(CONTEXT)(Text)
    world.start()
    world.sim.phone(CALLER).texts("hello", context=CONTEXT)
    world.run(5)
    assert [text["body"] for text in world.sent("messaging.send")] == ["HELLO"]
    assert warned(caplog) == []


class Streams(CallActor):
    """Begins asyncio code, and goes on without it."""

    is_awaited = False
    is_away = True

    async def run(self) -> None:
        await self.answer()
        begun = self.aio(self.stream())
        await self.sleep(2)
        if self.is_awaited:
            with contextlib.suppress(OSError):
                await begun
        del begun
        await self.next(str, timeout=3600)

    async def stream(self) -> None:
        await asyncio.sleep(1)
        if self.is_away:
            raise OSError("the model is away")
        await asyncio.sleep(3600)


class Awaits(Streams):
    is_awaited = True


class StaysThere(Streams):
    is_away = False


@pytest.mark.parametrize(
    ("actor_class", "count"), [(Streams, 1), (Awaits, 0), (StaysThere, 0)], ids=["fails", "is awaited", "is let go"]
)
@pytest.mark.parametrize("world_class", [World, MortalWorld], ids=["", "with a journal"])
def test_what_asyncio_code_raises_that_nobody_awaits_is_logged_once(
    world_class: type[World], actor_class: type[CallActor], count: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Else a caller whose reply is never told sits in silence, and no log says why."""
    with world_class() as world:
        world.takes_calls(actor_class)
        line = world.sim.phone(CALLER).dials(context=CONTEXT)
        world.run(10)
        line.hangs_up()
        world.run(60)
    told = f"[{line.call_id}] asyncio code raised, and nobody awaits it any more: Streams.stream"
    assert warned(caplog) == count * [told]
    assert caplog.text.count("OSError: the model is away") == count
