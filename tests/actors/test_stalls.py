"""A command that the server does not answer for long."""

from __future__ import annotations

import pytest

from relay_actors import CallActor, CallStalled, HangUp, Timing, TransferTo
from relay_actors.protocol.commands import Hold
from tests.actors.mortal_world import MortalWorld
from tests.actors.world import Witness, World, over_seeds


@over_seeds(5)
def test_a_call_is_told_once_that_a_command_takes_long(world: World):
    """Proves SEMANTICS X15: it is one call's problem, and the answer may still come."""
    line, handle = world.answered(Witness)
    _other_line, other = world.inbound()
    world.sim.answer_late("calling.hold", seconds=8.0)
    reply = handle.perform(Hold())
    world.run(4.9)
    assert world.seen(handle, CallStalled) == []
    world.run(2.0)
    assert world.seen(handle, CallStalled) == [CallStalled(Hold(), 5.0)]
    assert world.seen(other, CallStalled) == []
    assert reply.get(timeout=5.0)["code"] == "200"
    world.run(30.0)
    assert len(world.seen(handle, CallStalled)) == 1
    assert (world.count("calls.stalled"), world.count("connection.lost")) == (1, 0)
    assert not line.is_over


def test_each_command_is_timed_from_its_own_sending(world: World):
    _line, handle = world.answered(Witness)
    world.sim.stop_answering("calling.hold")
    handle.perform(Hold())
    world.run(3.0)
    handle.perform(Hold())
    world.run(3.0)
    assert len(world.seen(handle, CallStalled)) == 1
    world.run(3.0)
    assert [stalled.for_s for stalled in world.seen(handle, CallStalled)] == pytest.approx([5.0, 5.0])


def test_what_waits_for_a_connection_has_not_stalled(world: World):
    """Nobody owes an answer to what was not asked: only the time after the return counts."""
    _line, handle = world.answered(Witness)
    with world.sim.socket_down(9):
        world.settle()
        world.sim.stop_answering("calling.hold")
        handle.perform(Hold())
        world.run(8.0)
    assert world.seen(handle, CallStalled) == []


def test_a_class_may_have_a_stalled_call_hung_up():
    """Proves SEMANTICS X15. Whoever awaits the command is told that the call has ended."""

    class Impatient(Witness):
        on_stall = HangUp("busy")

    with World(timing=Timing(stall_after_s=2.0)) as world:
        line, handle = world.answered(Impatient)
        world.sim.stop_answering("calling.hold")
        reply = handle.perform(Hold())
        line.is_hung_up(within=5.0)
        handle.wait_for_ended().get(timeout=5.0)
        assert (line.end_reason, reply.is_settled) == ("busy", True)
        assert len(world.seen(handle, CallStalled)) == 1


def test_a_class_may_have_a_stalled_call_transferred(world: World):
    class Elsewhere(Witness):
        on_stall = TransferTo("context:operators")

    line, handle = world.answered(Elsewhere)
    world.sim.stop_answering("calling.hold")
    handle.perform(Hold())
    line.is_transferred("operators", within=10.0)
    line.hangs_up()


def test_a_call_is_transferred_once_however_many_of_its_commands_stall(world: World):
    class Elsewhere(Witness):
        on_stall = TransferTo("context:operators")

    line, handle = world.answered(Elsewhere)
    world.sim.stop_answering("calling.hold")
    world.sim.answer_late("calling.transfer", seconds=3.0)
    handle.perform(Hold())
    handle.perform(Hold())
    world.run(1.0)
    handle.perform(Hold())
    world.run(9.0)
    assert len(world.seen(handle, CallStalled)) == 3
    assert len(world.sent("calling.transfer")) == 1
    line.hangs_up()


def test_a_stalled_call_whose_transfer_is_refused_is_hung_up(world: World):
    """As when it is given up: it must not be left in silence."""

    class Elsewhere(Witness):
        on_stall = TransferTo("context:operators")

    line, handle = world.answered(Elsewhere)
    world.sim.stop_answering("calling.hold")
    world.sim.reject_next("calling.transfer", code="500")
    handle.perform(Hold())
    line.is_hung_up(within=10.0)


def test_a_hang_up_that_stalls_is_not_hung_up_again(world: World):
    class Impatient(Witness):
        on_stall = HangUp("busy")

    line, handle = world.answered(Impatient)
    world.sim.answer_late("calling.end", seconds=8.0)
    handle.hangup()
    line.is_hung_up(within=5.0)
    world.run(20.0)
    assert [params["reason"] for params in world.sent("calling.end")] == ["hangup"]


def test_a_policy_that_nobody_knows_is_refused_where_it_is_written():
    with pytest.raises(TypeError, match=r"Odd\.on_stall must be HangUp\(\), TransferTo\(…\) or None; it is 'hang up'"):
        type("Odd", (CallActor,), {"on_stall": "hang up"})


def test_a_class_that_handles_nothing_of_the_kind_leaves_a_line_in_the_log(
    world: World, caplog: pytest.LogCaptureFixture
):
    class Starts(CallActor):
        def on_start(self) -> None:
            self.answer()

    _line, handle = world.inbound(Starts)
    world.settle()
    world.sim.stop_answering("calling.hold")
    handle.perform(Hold())
    world.run(6.0)
    assert "stalled call_id=" in caplog.text


def test_a_call_that_is_taken_up_is_watched_only_if_a_command_is_outstanding() -> None:
    """Thousands that are taken up at once would all have a look at nothing at about the same time."""

    class Answers(CallActor):
        async def run(self) -> None:
            await self.answer()
            if self.from_number.endswith("1"):
                await self.perform(Hold())
            await self.wait_for_ended()

    with MortalWorld() as world:
        world.sim.stop_answering("calling.hold")
        world.takes_calls(Answers)
        for number in ("+15550000001", "+15550000002"):
            world.sim.phone(number).dials(context="support")
        world.settle()
        world.dies()
        world.lives_again()
        world.settle()
        legs = {ref.kept.leg.number("from"): ref.kept.leg for ref in world.app._running().refs()}
        assert {number: leg.stall_watch is not None for number, leg in legs.items()} == {
            "+15550000001": True, "+15550000002": False,
        }  # fmt: skip
        assert legs["+15550000002"].course.timers == {}
