"""Dials are counted: those that were placed, those that somebody has answered, and why nobody has the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import CallActor
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.dialling import counted_as
from relay_actors.actors.measures import METRICS
from relay_actors.protocol import constants
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import Witness, World, device, over_seeds

A, B = "+15550000001", "+15550000002"


class Fragile(Witness):
    max_restarts = 0

    def on_receive(self, message: object) -> None:
        if message == "crash":
            raise RuntimeError("crash")
        super().on_receive(message)


def dial(world: World, number: str = A, **more: Any) -> CallHandle:
    return world.app.dial(Fragile, [[device(number)]], **more)


def counted(world: World) -> dict[str, Any]:
    """What is told of dials; and nothing is missing: each that was placed is answered, has failed, or is pending."""
    numbers = world.app.metrics()
    assert numbers.keys() <= METRICS.keys()
    told = {name.removeprefix("dials."): value for name, value in numbers.items() if name.startswith("dials.")}
    assert told["placed"] == told["answered"] + sum(told["failed"].values()) + told["pending"]
    return told


def test_before_anybody_is_dialled_the_numbers_are_there(world: World) -> None:
    """O1: who reads one need not know whether it has counted anything yet."""
    world.start()
    assert counted(world) == {"placed": 0, "answered": 0, "failed": {}, "pending": 0}


@over_seeds(5)
def test_a_dial_is_pending_until_somebody_answers(world: World) -> None:
    """And is answered once, however many legs it had."""
    world.start()
    world.app.dial(Fragile, [[device(A), device(B)]])
    world.sim.phone(A).rings()
    assert counted(world) == {"placed": 1, "answered": 0, "failed": {}, "pending": 1}
    world.sim.phone(B).rings().answers()
    world.settle()
    assert counted(world) == {"placed": 1, "answered": 1, "failed": {}, "pending": 0}
    world.sim.phone(B).line.hangs_up()
    world.run(5)
    assert counted(world) == {"placed": 1, "answered": 1, "failed": {}, "pending": 0}


def is_busy(world: World) -> None:
    world.sim.phone(A).is_busy()
    dial(world)


def declines(world: World) -> None:
    world.sim.phone(A).rejects()
    dial(world)


def never_answers(world: World) -> None:
    world.sim.phone(A).never_answers()
    dial(world)


def takes_too_long(world: World) -> None:
    dial(world, dial_timeout=5)


def is_cancelled(world: World) -> None:
    dial(world).hangup()


def is_refused(world: World) -> None:
    world.sim.reject_next("calling.dial", code="402", message="Payment required")
    dial(world)


def is_never_accepted(world: World) -> None:
    world.sim.stop_answering("calling.dial")
    dial(world)


def loses_its_session(world: World) -> None:
    dial(world)
    world.sim.phone(A).rings()
    world.settle()
    world.sim.announce_disconnect(restart=True)


def is_killed(world: World) -> None:
    handle = dial(world)
    world.sim.phone(A).rings()
    world.settle()
    handle.ref._cell.kill("test")


def is_given_up(world: World) -> None:
    handle = dial(world)
    world.sim.phone(A).rings()
    world.settle()
    handle.ref.tell("crash")


def is_stopped(world: World) -> None:
    dial(world).ref.stop(block=False)


@over_seeds(3)
@pytest.mark.parametrize(
    ("how", "why"),
    [
        (is_busy, "busy"),
        (declines, "decline"),
        (never_answers, "noAnswer"),
        (takes_too_long, "timeout"),
        (is_cancelled, "cancel"),
        (is_refused, "rejected"),
        (is_never_accepted, "lost"),
        (loses_its_session, "lost"),
        (is_killed, "abandoned"),
        (is_given_up, "cancel"),
        (is_stopped, "abandoned"),
    ],
)
def test_a_dial_that_nobody_has_answered_is_counted_by_why(
    world: World, how: Callable[[World], None], why: str
) -> None:
    """Whoever it was that has ended it: the other side, the server, or this one. Once."""
    world.start()
    how(world)
    world.run(100)
    assert counted(world) == {"placed": 1, "answered": 0, "failed": {why: 1}, "pending": 0}
    text = world.app.prometheus()
    assert f'relay_actors_dials_failed_total{{reason="{why}"}} 1\n' in text
    assert "relay_actors_dials_placed_total 1\n" in text


def test_a_word_of_the_servers_that_nobody_knows_makes_no_number_of_its_own(world: World) -> None:
    """There would be as many as it has words; and one with a point in it would be another number."""
    world.start()
    for tag, reason in (("t-1", "carrier.unreachable"), ("t-2", "404 for +15550000001"), ("t-3", None), ("t-4", 7)):
        world.sim.reject_next("calling.dial", code="200", message="Dialing")
        dial(world, tag=tag)
        world.tells("calling.call.dial", {"tag": tag, "node_id": "n", "dial_state": "failed", "reason": reason})
    world.settle()
    assert counted(world)["failed"] == {"other": 2, "failed": 2}


def test_the_servers_reasons_are_counted_as_they_are_called() -> None:
    """So they can be compared with `call.end_reason`."""
    reasons = {value for name, value in vars(constants).items() if name.startswith("END_REASON_")}
    assert {"busy", "noAnswer"} < reasons
    assert {counted_as(reason) for reason in reasons} == {f"dials.failed.{reason}" for reason in reasons}


def test_a_dial_that_is_refused_at_once_was_not_placed(world: World) -> None:
    """Nobody was to be called."""
    world.start()
    dial(world, tag="t")
    with pytest.raises(Exception, match="is in use"):
        dial(world, tag="t")
    world.settle()
    assert counted(world)["placed"] == 1


class Calls(CallActor):
    async def run(self) -> None:
        await self.play_tts("Hello").wait()
        await self.sleep(5)


@pytest.mark.parametrize("is_answered", [True, False])
@pytest.mark.parametrize("deaths_s", [(), (0.2,), (1.5,), (3.0,), (0.2, 1.5, 3.0)], ids=str)
def test_a_dial_is_counted_once_by_all_processes_that_follow_one_another(
    deaths_s: tuple[float, ...], is_answered: bool
) -> None:
    """J3: a past that is run again counts nothing again."""
    with MortalWorld() as world:
        world.start()
        if is_answered:
            world.sim.phone(A).answers_after(1.0)
        else:
            world.sim.phone(A).never_answers()
        world.app.dial(Calls, [[device(A, timeout=2)]], tag="t")
        world.settle()
        world.dies_after(*deaths_s, then_s=60.0)
        assert world.count("dials.placed") == 1
        assert world.count("dials.answered") == int(is_answered)
        assert world.count("dials.failed.noAnswer") == int(not is_answered)
