"""Flows: coroutines that an actor drives in its own turns."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

import pytest

from relay_actors.errors import FlowError
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.context import here
from relay_actors.runtime.flow import MOST_FAILED, Flow, OwnedFlow
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import NORMAL
from tests.runtime.worlds import Recorder, World


class Flows:
    """An actor with one flow, and the future that the flow awaits next."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.log: list[Any] = []
        self.ref: ActorRef[Any] = world.start(Recorder, self.log)
        self.log.clear()
        self.flow: Any = None

    def future(self) -> Future[Any]:
        return Future(self.world.dispatcher)

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        def do(actor: Any) -> None:
            self.flow = actor._cell.flow = Flow(
                actor._cell, coroutine, lambda result: self.log.append(("done", result))
            )
            self.flow.begin()

        self.ref.tell(do)
        self.world.settle()

    def in_turn(self, call: Any) -> None:
        self.ref.tell(lambda _actor: call())
        self.world.settle()


@pytest.fixture
def flows(world: World) -> Flows:
    return Flows(world)


def test_an_await_suspends_the_flow_and_not_the_actor(flows: Flows):
    """DESIGN 4: other messages are handled meanwhile, and the flow goes on in a turn of the same actor."""
    future = flows.future()

    async def run() -> str:
        flows.log.append("begins")
        value = await future
        flows.log.append((value, here.turn is flows.ref._cell))
        return "result"

    flows.begin(run())
    flows.ref.tell("meanwhile")
    flows.world.settle()
    future.set("value")
    assert flows.log == ["begins", "meanwhile"]  # not in the thread, and not at the moment, of the settling
    flows.world.settle()

    assert flows.log == ["begins", "meanwhile", ("value", True), ("done", "result")]
    assert flows.flow.is_over


def test_a_settled_future_does_not_suspend(flows: Flows):
    """What has happened already costs no turn."""
    futures = [flows.future() for _ in range(3)]
    for number, future in enumerate(futures):
        future.set(number)

    async def run() -> list[Any]:
        return [await future for future in futures]

    flows.begin(run())
    assert flows.log == [("done", [0, 1, 2])]


def test_an_error_is_raised_at_the_await(flows: Flows):
    """And a flow that does not catch it fails its actor."""
    first, second = flows.future(), flows.future()

    async def run() -> None:
        try:
            await first
        except OSError as error:
            flows.log.append(str(error))
        await second

    flows.begin(run())
    first.try_fail(OSError("caught"))
    flows.world.settle()
    second.try_fail(OSError("not caught"))
    flows.world.settle()

    assert flows.log == ["caught", ("failure", "not caught"), "stop"]
    assert not flows.ref.is_alive()


def test_derived_futures_can_be_awaited_in_a_flow(flows: Flows):
    """A11: without blocking the actor."""
    future = flows.future()

    async def run() -> Any:
        return await future.map(lambda value: value * 2).join(future)

    flows.begin(run())
    flows.ref.tell("meanwhile")
    flows.world.settle()
    future.set(4)
    flows.world.settle()

    assert flows.log == ["meanwhile", ("done", [8, 4])]


def test_a_flow_cannot_await_asyncio(flows: Flows):
    """It says so where it is awaited, and what to use instead; the flow may go on."""

    async def run() -> str:
        try:
            await asyncio.sleep(0)
        except FlowError as error:
            return str(error)
        return "no error"

    flows.begin(run())
    [(done, text)] = flows.log
    assert done == "done"
    assert "self.aio(...)" in text


def test_an_interrupted_await_is_not_woken_by_its_future(flows: Flows):
    """The flow is somewhere else by then."""
    first, second = flows.future(), flows.future()

    async def run() -> Any:
        try:
            return await first
        except TimeoutError:
            return await second

    flows.begin(run())
    flows.in_turn(lambda: flows.flow.interrupt(TimeoutError()))
    first.set("too late")
    flows.world.settle()
    assert flows.log == []
    second.set("second")
    flows.world.settle()
    assert flows.log == [("done", "second")]


def test_a_wake_up_that_waits_already_is_overtaken_by_an_interruption(flows: Flows):
    """The same, when the future was settled first and its wake-up is in the mailbox."""
    first, second = flows.future(), flows.future()

    async def run() -> Any:
        try:
            return await first
        except TimeoutError:
            return await second

    def settle_and_interrupt() -> None:
        first.set("settled")
        flows.flow.interrupt(TimeoutError())

    flows.begin(run())
    flows.in_turn(settle_and_interrupt)
    second.set("second")
    flows.world.settle()

    assert flows.log == [("done", "second")]


def test_what_interrupts_itself_is_interrupted_at_its_next_await(flows: Flows):
    """Nothing that ends a wait may be lost, whoever calls."""
    future = flows.future()

    async def run() -> str:
        flows.flow.interrupt(TimeoutError("by its own hand"))
        try:
            await future
        except TimeoutError as error:
            return str(error)
        return "not interrupted"

    def begin(actor: Any) -> None:
        flows.flow = actor._cell.flow = Flow(actor._cell, run(), lambda result: flows.log.append(result))
        flows.flow.begin()

    flows.in_turn(lambda: begin(flows.ref._cell.actor))
    assert flows.log == ["by its own hand"]


def test_ending_a_flow_takes_nothing_back(flows: Flows):
    """What has been settled before is given first; the error comes at the next await that would suspend."""
    first, second = flows.future(), flows.future()

    async def run() -> Any:
        value = await first
        try:
            await second
        except EOFError:
            return value
        return None

    def settle_and_end() -> None:
        first.set("given")
        flows.flow.end_with(EOFError())

    flows.begin(run())
    flows.in_turn(settle_and_end)
    assert flows.log == [("done", "given")]


def test_ending_a_flow_that_waits_raises_there(flows: Flows):
    """In a turn of its own, not in the middle of the turn that ends it."""
    future = flows.future()

    async def run() -> None:
        try:
            await future
        finally:
            flows.log.append("finally")

    def end() -> None:
        flows.flow.end_with(EOFError("over"))
        flows.log.append("told")

    flows.begin(run())
    flows.in_turn(end)
    assert flows.log == ["told", "finally", ("failure", "over"), "stop"]
    flows.flow.end_with(EOFError("again"))
    flows.flow.interrupt(EOFError("again"))


@pytest.mark.parametrize("end", ["interrupt", "end_with", "cancel", "close"])
def test_what_was_awaited_keeps_nothing_of_a_flow_that_has_left_it(flows: Flows, end: str):
    """It may go on as long as the application does, and be awaited by every call."""
    goes_on = flows.future()

    async def run() -> Any:
        with contextlib.suppress(TimeoutError):
            await goes_on

    flows.begin(run())
    assert goes_on._callbacks == [flows.flow]
    error = [TimeoutError()] if end in ("interrupt", "end_with") else []
    flows.in_turn(lambda: getattr(flows.flow, end)(*error))
    assert flows.flow.is_over
    assert goes_on._callbacks == []


def test_closing_runs_the_finally_blocks(flows: Flows):
    """H4, A15 when the grace is over: they may not await any more."""
    future = flows.future()

    async def run() -> None:
        try:
            await future
        finally:
            flows.log.append("finally")

    flows.begin(run())
    flows.in_turn(lambda: flows.flow.close())
    future.set("nobody waits")
    flows.world.settle()

    assert flows.log == ["finally"]
    assert flows.flow.is_over
    flows.flow.close()
    flows.flow.cancel()


def test_a_flow_that_stops_its_own_actor_is_cancelled_at_its_next_await(flows: Flows, caplog: pytest.LogCaptureFixture):
    """A15: it is running, so it cannot be cancelled on the spot; nor may it go on. The actor ends after it."""
    future = flows.future()
    future.set("settled")

    async def run() -> None:
        try:
            flows.ref._cell.begin_stop(NORMAL)
            flows.log.append("still here")
            await future
            if not future.is_settled:
                flows.log.append("never")
            await flows.future()
            flows.log.append("never")
        finally:
            flows.log.append("finally")

    flows.begin(run())
    assert flows.log == ["still here", "finally", "stop"]
    assert "hook raised" not in caplog.text
    assert not flows.ref.is_alive()


def test_a_flow_that_returns_after_it_was_cancelled_is_not_done(flows: Flows):
    """Its result is nobody's business any more."""

    async def run() -> str:
        flows.ref._cell.begin_stop(NORMAL)
        return "too late"

    flows.begin(run())
    assert flows.log == ["stop"]


def test_cancelling_raises_where_the_flow_waits_and_lets_it_clean_up(flows: Flows):
    """A15: what it awaits then is awaited; that it was cancelled is no failure."""
    first, second = flows.future(), flows.future()

    async def run() -> None:
        try:
            await first
        except asyncio.CancelledError:
            flows.log.append(await second)
            raise

    flows.begin(run())
    flows.in_turn(lambda: flows.flow.cancel())
    assert flows.log == []
    assert "test_flow.py" in flows.flow.place
    assert flows.flow.place.endswith("run")
    second.set("cleaned up")
    flows.world.settle()
    assert flows.log == ["cleaned up"]
    assert flows.flow.is_over
    assert flows.flow.place == ""
    assert flows.ref.is_alive()


def test_what_a_cancelled_flow_raises_instead_fails_its_actor(flows: Flows):
    """A15: an error in a ``finally`` block is an error."""
    future = flows.future()

    async def run() -> None:
        try:
            await future
        finally:
            raise OSError("while cleaning up")

    flows.begin(run())
    flows.in_turn(lambda: flows.flow.cancel())
    assert flows.log == [("failure", "while cleaning up"), "stop"]


class Owner:
    """Is told of the end of a flow."""

    def __init__(self, told: list[Any]) -> None:
        self.told = told

    def flow_returned(self, result: object) -> None:
        self.told.append(result)

    def flow_raised(self, error: BaseException) -> None:
        self.told.append(type(error))


@pytest.mark.parametrize("is_owned", [False, True])
def test_who_asks_for_it_is_told_of_every_end(flows: Flows, is_owned: bool):
    """A14: an asker is waiting for it."""
    told: list[Any] = []
    owner = Owner(told)

    async def run(what: str) -> str:
        if what == "fail":
            raise OSError(what)
        if what != "return":
            await flows.future()
        return what

    def begin(actor: Any, what: str) -> Flow:
        flow = (
            OwnedFlow(owner, actor._cell, run(what))
            if is_owned
            else Flow(actor._cell, run(what), owner.flow_returned, owner.flow_raised)
        )
        flow.begin()
        return flow

    flows.ref.tell(lambda actor: begin(actor, "return"))
    flows.ref.tell(lambda actor: begin(actor, "fail"))
    flows.ref.tell(lambda actor: begin(actor, "cancel").cancel())
    flows.ref.tell(lambda actor: begin(actor, "close").close())
    flows.world.settle()
    assert told == ["return", OSError, asyncio.CancelledError, asyncio.CancelledError]


def test_an_actor_that_ends_cancels_its_flow(flows: Flows):
    """S10: nothing of an incarnation is left; the wake-up that comes later is nobody's loss."""
    future = flows.future()

    async def run() -> None:
        try:
            await future
        finally:
            flows.log.append("finally")

    flows.begin(run())
    flows.ref.stop(timeout=0)
    future.set("too late")
    flows.world.settle()

    assert flows.log == ["finally", "stop"]
    assert flows.world.dead() == []


def test_a_flow_that_awaits_for_ever_what_has_failed_is_ended(flows: Flows):
    """It would keep its thread: nothing else of the actor came to its turn, and in virtual time nothing at all."""
    gone = flows.future()
    gone.set_exception(LookupError("gone"))
    ends: list[str] = []

    async def run() -> None:
        try:
            while True:
                try:
                    await gone
                except Exception:  # noqa: BLE001  # as people write
                    flows.log.append("again")
        finally:
            ends.append("cleaned up")

    flows.begin(run())
    assert flows.log.count("again") == MOST_FAILED - 1
    assert ends == ["cleaned up"]
    assert flows.flow.is_over


def test_a_flow_may_await_what_has_failed_as_long_as_it_waits_in_between(flows: Flows):
    gone = flows.future()
    gone.set_exception(LookupError("gone"))
    ticks = [flows.future() for _ in range(3)]

    async def run() -> str:
        for tick in ticks:
            for _ in range(MOST_FAILED - 1):
                with contextlib.suppress(LookupError):
                    await gone
            await tick
        return "through"

    flows.begin(run())
    for tick in ticks:
        flows.in_turn(lambda tick=tick: tick.set("tick"))
    assert flows.log == [("done", "through")]
