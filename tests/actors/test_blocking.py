"""An error of blocking code is told exactly once: to who asks for it, or else to the log."""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import CallActor
from relay_actors.actors.blocking import BlockingWait
from relay_actors.events import CallReceiveEvent
from relay_actors.runtime.future import WaitTimeout
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import CALLER, CONTEXT, World, over_seeds

LOG = logging.LoggerAdapter(logging.getLogger("relay_actors.tests"))


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


def test_an_error_that_nobody_will_ask_for_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture):
    """Once, however often its owner says so."""
    wait = BlockingWait[None]("fails", LOG)
    wait.does(fails, 7)()
    assert warned(caplog) == []
    wait.abandon()
    wait.abandon()
    assert warned(caplog) == ["blocking code raised, and nobody awaits it any more: fails"]
    assert "LookupError: no customer 7" in caplog.text
    assert "in fails" in caplog.text


def test_an_error_that_comes_when_nobody_will_ask_is_logged_when_it_comes(caplog: pytest.LogCaptureFixture):
    wait = BlockingWait[None]("fails", LOG)
    wait.abandon()
    assert warned(caplog) == []
    wait.does(fails)()
    assert len(warned(caplog)) == 1


def test_whatever_comes_first_an_error_is_told_exactly_once(caplog: pytest.LogCaptureFixture):
    """The end of its owner and the end of the function race on two threads."""
    for _ in range(200):
        wait = BlockingWait[None]("fails", LOG)
        start = threading.Barrier(2)
        run = wait.does(fails)

        def end(wait: BlockingWait[None] = wait, start: threading.Barrier = start) -> None:
            start.wait(5)
            wait.abandon()

        other = threading.Thread(target=end)
        other.start()
        start.wait(5)
        run()
        other.join(5)
    assert len(warned(caplog)) == 200


def get(wait: Any) -> None:
    with pytest.raises(LookupError):
        wait.get(timeout=0)


@pytest.mark.parametrize(
    "ask",
    [
        lambda wait: wait.error,
        lambda wait: wait.add_done_callback(lambda settled: settled.error),
        get,
    ],
    ids=["error", "callback", "get"],
)
def test_an_error_that_somebody_has_asked_for_is_not_logged(
    ask: Callable[[Any], object], caplog: pytest.LogCaptureFixture
):
    wait = BlockingWait[None]("fails", LOG)
    wait.does(fails)()
    ask(wait)
    wait.abandon()
    assert warned(caplog) == []
    assert not wait.is_owed


def test_who_has_asked_too_early_has_not_been_told(caplog: pytest.LogCaptureFixture):
    wait = BlockingWait[None]("fails", LOG)
    with pytest.raises(WaitTimeout):
        wait.get(timeout=0)
    wait.does(fails)()
    wait.abandon()
    assert len(warned(caplog)) == 1


def test_a_value_that_nobody_has_asked_for_is_nothing_to_log(caplog: pytest.LogCaptureFixture):
    wait = BlockingWait[int]("sum", LOG)
    assert wait.is_owed
    wait.does(sum, [1, 2])()
    assert not wait.is_owed
    wait.abandon()
    assert warned(caplog) == []


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
