"""Coroutines of actors on the asyncio loop: tasks, whose steps are made as if in turns."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from relay_actors.actors.in_turn import InTurn
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.context import here
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.loop_flow import LoopFlow, new_flow, new_flow_of
from tests.runtime.worlds import Recorder, World


class OnLoop(Recorder):
    dispatcher = "loop"


class Flows:
    """An actor on the loop, with one flow."""

    def __init__(self, world: World, actor_class: type[Actor] = OnLoop) -> None:
        self.world = world
        self.log: list[Any] = []
        self.ref = world.start(actor_class, self.log)
        self.log.clear()
        self.flow: Any = None

    def future(self) -> Future[Any]:
        return Future(self.world.dispatcher)

    def begin(self, coroutine: Any, *, tells: bool = False) -> None:
        failed = (lambda error: self.log.append(("failed", type(error)))) if tells else None

        def do(actor: Any) -> None:
            self.flow = actor._cell.flow = new_flow(
                actor._cell, coroutine, lambda result: self.log.append(("done", result)), failed
            )
            self.flow.begin()

        self.in_turn(do)

    def in_turn(self, do: Any) -> None:
        self.ref.tell(do)
        self.world.settle()


@pytest.fixture
def flows(world: World) -> Flows:
    return Flows(world)


async def forever(log: list[Any]) -> None:
    try:
        await asyncio.Event().wait()
    except BaseException as error:
        log.append(type(error).__name__)
        raise


def test_the_dispatcher_decides_how_a_coroutine_is_driven(world: World):
    """D3: the code is the same."""

    async def run() -> str:
        return "result"

    for actor_class, kind in ((OnLoop, LoopFlow), (Recorder, Flow)):
        flows = Flows(world, actor_class)
        flows.begin(run())
        assert type(flows.flow) is kind
        assert flows.log == [("done", "result")]


def test_steps_are_made_as_if_in_turns_of_the_actor(flows: Flows):
    """D3: after each await, whatever it was."""

    async def run() -> None:
        for _ in range(3):
            assert here.turn is flows.ref._cell
            await asyncio.sleep(1)
        assert here.turn is flows.ref._cell

    flows.begin(run())
    assert flows.flow.place.startswith(asyncio.tasks.__file__)
    flows.world.advance(5)
    assert flows.log == [("done", None)]
    assert flows.flow.place == ""


def test_what_it_raises_fails_its_actor(flows: Flows):
    async def run() -> None:
        await asyncio.sleep(1)
        raise OSError("late")

    flows.begin(run())
    flows.world.advance(1)
    assert flows.log == [("failure", "late"), "stop"]


def test_a_system_exit_does_not_end_the_loop(flows: Flows):
    """L8: as asyncio would have it."""

    async def run() -> None:
        raise SystemExit(3)

    flows.begin(run())
    assert flows.log == [("failure", "3"), "stop"]
    assert not flows.world.system.loop_host.loop().is_closed()


def test_cancelling_and_closing_end_it(world: World):
    """A15: and who asked is told."""
    for end in ("cancel", "close"):
        flows = Flows(world)
        flows.begin(forever(flows.log), tells=True)
        flows.in_turn(lambda actor, end=end: getattr(actor._cell.flow, end)())
        assert flows.log == [
            {"cancel": "CancelledError", "close": "GeneratorExit"}[end],
            ("failed", asyncio.CancelledError),
        ]
        assert flows.flow.is_over
        flows.flow.cancel()
        flows.flow.close()
        flows.flow.end_with(EOFError())


def test_a_cancelled_one_that_nobody_asks_about_ends_in_silence(flows: Flows):
    """A15: to be cancelled is no failure."""
    flows.begin(forever(flows.log))
    flows.in_turn(lambda _actor: flows.flow.cancel())
    assert flows.log == ["CancelledError"]
    assert flows.ref.is_alive()


def test_an_error_can_be_raised_where_it_waits(flows: Flows):
    """X2: as the end of a call is; caught, it goes on, and may use asyncio's time-outs as before."""

    async def run() -> str:
        try:
            await asyncio.sleep(3600)
        except EOFError:
            async with asyncio.timeout(5):
                await asyncio.sleep(1)
        return "went on"

    flows.begin(run())
    flows.in_turn(lambda _actor: flows.flow.end_with(EOFError()))
    flows.world.advance(2)
    assert flows.log == [("done", "went on")]


def test_what_was_settled_before_it_is_to_end_is_given_first(flows: Flows):
    """X2: the error comes at the next await of what is not there yet."""
    first, second = flows.future(), flows.future()

    async def run() -> Any:
        values = [await first, await second]
        try:
            await flows.future()
        except EOFError:
            async with asyncio.timeout(5):
                await asyncio.sleep(1)
        return values

    def settle_and_end(_actor: Any) -> None:
        first.set("given")
        second.set("too")
        flows.flow.end_with(EOFError())

    flows.begin(run())
    flows.in_turn(settle_and_end)
    flows.world.advance(2)
    assert flows.log == [("done", ["given", "too"])]


def test_one_that_is_through_when_it_is_to_end_has_just_ended(flows: Flows):
    """X2: nothing is raised where nothing is awaited any more."""
    first = flows.future()

    async def run() -> Any:
        return await first

    def settle_and_end(_actor: Any) -> None:
        first.set("given")
        flows.flow.end_with(EOFError())

    flows.begin(run())
    flows.in_turn(settle_and_end)
    assert flows.log == [("done", "given")]


def test_a_cancellation_does_not_wait_for_the_next_await(flows: Flows):
    """A15: an actor that stops needs no value any more."""
    first = flows.future()

    async def run() -> Any:
        return await first

    def settle_and_cancel(_actor: Any) -> None:
        first.set("given")
        flows.flow.end_with(EOFError())
        flows.flow.cancel()

    flows.begin(run(), tells=True)
    flows.in_turn(settle_and_cancel)
    assert flows.log == [("failed", asyncio.CancelledError)]


def test_one_that_closes_itself_is_closed_at_its_next_await(flows: Flows):
    """H4."""

    async def run() -> None:
        flows.flow.close()
        flows.log.append("still here")
        try:
            await asyncio.sleep(1)
        finally:
            flows.log.append("finally")

    flows.begin(run())
    assert flows.log == ["still here", "finally"]


def test_one_that_is_closed_before_it_has_begun_never_runs(flows: Flows):
    async def run() -> None:
        flows.log.append("never")

    def do(actor: Any) -> None:
        flow = new_flow(actor._cell, run(), flows.log.append, None)
        flow.begin()
        flow.close()

    flows.in_turn(do)
    assert flows.log == []


@pytest.mark.parametrize("actor_class", [OnLoop, Recorder])
def test_the_owner_of_a_flow_is_told_of_its_end_wherever_it_runs(world: World, actor_class: type[Actor]):
    """Without functions of the flow's own: there is one for each call."""
    flows = Flows(world, actor_class)

    class Owner:
        def flow_returned(self, result: object) -> None:
            flows.log.append(result)

        def flow_raised(self, error: BaseException) -> None:
            flows.log.append(type(error))

    async def run(what: str) -> str:
        if what == "fail":
            raise OSError(what)
        return what

    for what in ("return", "fail"):
        flows.in_turn(lambda actor, what=what: new_flow_of(Owner(), actor._cell, run(what)).begin())
    world.settle()
    assert flows.log == ["return", OSError]


class StashesOnLoop(OnLoop):
    """Puts aside what it is told, but for functions."""

    stash_capacity = 5

    def on_receive(self, message: Any) -> Any:
        if message == "aside" and not self.log_of:
            self.stash()
            return None
        return super().on_receive(message)


async def leave_something_to_do(flows: Flows, what: str) -> None:
    actor = flows.ref._cell.actor
    await asyncio.sleep(1)
    flows.log.append("step")
    match what:
        case "next":
            actor._cell.tell_next(InTurn(actor._cell, lambda _actor: flows.log.append("next")))
        case "aside":
            actor.unstash_all()
        case "kill":
            actor.actor_ref.kill()
    await forever(flows.log)


@pytest.mark.parametrize(("what", "follows"), [("next", "next"), ("aside", "aside"), ("kill", "GeneratorExit")])
def test_what_a_step_leaves_to_do_is_done_though_nothing_else_comes(world: World, what: str, follows: str):
    """D2, H4: a step is none of the actor's turns, and at its end nobody would look."""
    flows = Flows(world, StashesOnLoop)
    flows.ref.tell("aside")
    world.settle()
    flows.begin(leave_something_to_do(flows, what))
    world.advance(2)
    assert flows.log == ["step", follows]
