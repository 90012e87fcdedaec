"""Whatever becomes of a call's actor, the call is not left up, and nobody is left waiting."""

from __future__ import annotations

import pytest

from relay_actors import CallActor, CallEnded
from relay_actors.events import CallReceiveEvent
from relay_actors.protocol.commands import Hold
from tests.actors.world import Witness, World, over_seeds


@over_seeds(10)
def test_a_call_whose_actor_was_killed_is_hung_up_once(world: World):
    """Proves SEMANTICS L7 and X7: clean-up does not depend on the actor's own hooks."""
    line, handle = world.answered(Witness)
    action = handle.play_silence(60).get(timeout=5)
    world.sim.stop_answering("calling.hold")
    waits = [action.wait(), handle.wait_for_ended(), handle.wait_for("x"), handle.perform(Hold())]
    world.settle()
    handle.ref._cell.kill("test")
    line.is_hung_up()
    for wait in waits:
        with pytest.raises(CallEnded, match="its actor has ended"):
            wait.get(timeout=5)
    assert [params["reason"] for params in world.sent("calling.end")] == ["error"]
    assert world.count("calls.abandoned") == 1
    assert world.call_actors() == []


@pytest.mark.parametrize("from_inside", [True, False])
def test_a_call_whose_actor_was_stopped_is_hung_up(world: World, from_inside: bool):
    """Stopping an actor is not hanging up, but nobody is left who could."""

    class Stops(Witness):
        def on_receive(self, message: object) -> None:
            if message == "stop":
                self.stop()

    line, handle = world.answered(Stops)
    wait = handle.wait_for_ended()
    if from_inside:
        handle.ref.tell("stop")
    else:
        handle.ref.stop(block=False)
    line.is_hung_up()
    with pytest.raises(CallEnded):
        wait.get(timeout=5)


@over_seeds(5)
def test_a_call_that_is_being_hung_up_when_its_actor_is_killed_is_not_hung_up_again(world: World):
    line, handle = world.answered(Witness)
    world.sim.answer_late("calling.end", seconds=1)
    handle.hangup("busy")
    world.settle()
    handle.ref._cell.kill("test")
    line.is_hung_up()
    world.run(5)
    assert [params["reason"] for params in world.sent("calling.end")] == ["busy"]


def test_a_call_that_has_ended_or_was_handed_on_is_let_go(world: World):
    line, handle = world.answered(Witness)
    other_line, other = world.inbound(number="+15550002222")
    other.transfer("context:sales").get(timeout=5)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    for one in (handle, other):
        one.ref._cell.kill("test")
    world.run(5)
    assert world.sent("calling.end") == []
    assert not other_line.is_over


@over_seeds(5)
def test_one_call_that_is_killed_is_of_no_concern_to_the_others(world: World):
    _line, handle = world.answered(Witness)
    others = [world.inbound(number=f"+1555000{number:04}") for number in range(5)]
    for _line, other in others:
        other.answer().get(timeout=5)
    handle.ref._cell.kill("test")
    world.settle()
    assert [other.ref.incarnation for _line, other in others] == [0] * 5
    assert all(other.perform(Hold()).get(timeout=5)["code"] == "200" for _line, other in others)
    assert len(world.call_actors()) == 5


@over_seeds(5)
def test_calls_that_crash_do_not_take_their_supervisor_down(world: World):
    """Each has a window of its own: a hundred that are given up are a hundred single misfortunes (SEMANTICS S8)."""

    class Broken(CallActor):
        max_restarts = 0

        def on_receive(self, message: object) -> None:
            if isinstance(message, CallReceiveEvent):
                raise RuntimeError("broken")

    supervisor = None
    world.takes_calls(Broken)
    lines = [world.sim.phone(f"+1555000{number:04}").dials(context="support") for number in range(30)]
    supervisor = world.tree.office.calls
    for line in lines:
        line.is_hung_up()
    assert supervisor.incarnation == 0
    assert len(world.sent("calling.end")) == 30
    assert world.count("calls.abandoned") == 30
