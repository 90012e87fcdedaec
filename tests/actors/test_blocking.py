"""An error of blocking code is told exactly once: to who asks for it, or else to the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import CallActor
from relay_actors.actors.blocking import BlockingWait
from relay_actors.runtime.future import WaitTimeout
from tests.actors.world import World

LOG = logging.LoggerAdapter(logging.getLogger("relay_actors.tests"))


def fails(number: int = 1) -> None:
    raise LookupError(f"no customer {number}")


def warned(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if "nobody has awaited" in record.getMessage()]


def test_an_error_that_nobody_can_ask_for_any_more_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture):
    """At once, and not when the garbage collector comes by: whoever has run it may keep what it was given."""
    kept = BlockingWait[None]("fails", LOG).does(fails, 7)
    kept()
    assert warned(caplog) == ["blocking code raised, and nobody has awaited it: fails"]
    assert "LookupError: no customer 7" in caplog.text
    assert "in fails" in caplog.text


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
    del wait
    assert warned(caplog) == []


def test_who_has_asked_too_early_has_not_been_told(caplog: pytest.LogCaptureFixture):
    wait = BlockingWait[None]("fails", LOG)
    with pytest.raises(WaitTimeout):
        wait.get(timeout=0)
    wait.does(fails)()
    del wait
    assert len(warned(caplog)) == 1


def test_a_value_that_nobody_has_asked_for_is_nothing_to_log(caplog: pytest.LogCaptureFixture):
    BlockingWait[int]("sum", LOG).does(sum, [1, 2])()
    assert warned(caplog) == []


def test_a_flow_that_does_not_wait_is_told_by_the_log(world: World, caplog: pytest.LogCaptureFixture):
    class Call(CallActor):
        async def run(self) -> None:
            self.blocking(fails)
            await self.answer()
            await self.sleep(1)

    line, _handle = world.inbound(Call)
    line.is_hung_up()
    (text,) = warned(caplog)
    assert text.startswith(f"[{line.call_id}] ")


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
