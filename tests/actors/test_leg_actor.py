"""The engine of a call: replies, states, events that come late or twice, operations that fail, and the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CallEnded, ChildFailed, CommandFailed
from relay_actors.actors.actions import OnAction, PlayAction
from relay_actors.errors import ActorDead, CommandRejectedError, RelayError, RequestTimeoutError
from relay_actors.events import CallReceiveEvent, CallStateEvent, PlayEvent, RelayEvent
from relay_actors.protocol.commands import Answer, Hold
from tests.actors.world import CONTEXT, Witness, World, device, over_seeds


def state(world: World, handle: Any, call_state: str, **more: Any) -> None:
    world.tells("calling.call.state", {**handle.leg.ids, "call_state": call_state, **more})
    world.settle()


# -- replies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["404", "410", 404, 410])
def test_a_command_on_a_call_that_is_gone_gives_nothing_and_raises_nothing(world: World, code: str | int):
    """Result codes and JSON-RPC errors alike (PROTOCOL 8.7)."""
    _line, handle = world.inbound(Witness)
    world.sim.reject_next("calling.answer", code=code, message="Call does not exist")
    reply = handle.answer()
    assert world.seen(handle, CommandFailed) == []
    assert reply.get(timeout=5) == {}
    assert handle.leg.replies == {}


@over_seeds(5)
def test_a_refusal_that_nobody_reads_is_told_once(world: World):
    """Nothing fails in silence (DESIGN 4)."""
    _line, handle = world.inbound(Witness)
    world.sim.reject_next("calling.answer", code="500", message="no")
    handle.answer()
    world.settle()
    (failed,) = world.seen(handle, CommandFailed)
    assert failed.command == Answer()
    assert isinstance(failed.error, CommandRejectedError)
    assert (failed.error.method, failed.error.code, failed.error.message) == ("calling.answer", 500, "no")


@over_seeds(5)
def test_a_refusal_that_somebody_reads_is_raised_there_and_not_told(world: World):
    _line, handle = world.inbound(Witness)
    world.sim.reject_next("calling.answer", code="500")
    with pytest.raises(CommandRejectedError):
        handle.answer().get(timeout=5)
    assert world.seen(handle, CommandFailed) == []


def test_a_callback_counts_as_a_reader(world: World):
    _line, handle = world.inbound(Witness)
    world.sim.reject_next("calling.answer", code="500")
    errors: list[Any] = []
    handle.answer().add_done_callback(lambda reply: errors.append(reply.error))
    world.settle()
    assert [type(error) for error in errors] == [CommandRejectedError]
    assert world.seen(handle, CommandFailed) == []


def test_a_default_handler_takes_note_of_a_refusal(world: World, caplog: pytest.LogCaptureFixture):
    """A class that handles nothing of the kind leaves at least a line in the log."""

    class Starts(CallActor):
        def on_start(self) -> None:
            """Nothing is to be done."""

    _line, handle = world.inbound(Starts)
    world.sim.reject_next("calling.answer", code="500", message="no")
    handle.answer()
    world.settle()
    assert "command failed method=calling.answer" in caplog.text


def test_a_command_whose_answer_does_not_come_fails(world: World):
    """The outcome is unknown (SEMANTICS A3, K6)."""
    _line, handle = world.inbound(Witness)
    world.sim.stop_answering("calling.answer")
    with pytest.raises(RelayError, match=r"Request timeout for calling\.answer") as failed:
        handle.answer().get(timeout=30)
    assert isinstance(failed.value, RequestTimeoutError)


@over_seeds(5)
def test_a_command_after_the_end_fails_where_it_is_read_and_harms_nobody(world: World):
    """Proves SEMANTICS X4. The user has been told of the end: it is not told again."""
    line, handle = world.inbound(Witness)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    for _ in range(2):
        with pytest.raises(CallEnded, match="abandoned"):
            handle.answer().get(timeout=5)
        handle.answer()
        assert world.seen(handle, CommandFailed) == []
        world.run(100)  # the second time its actor is gone
    assert world.methods() == []


@over_seeds(5)
@pytest.mark.parametrize("code", ["200", "500"])
def test_an_answer_that_comes_after_the_end_changes_nothing(world: World, code: str):
    """What it was about has ended with the call, and was told."""
    _line, handle = world.answered(Witness)
    for method in ("calling.hold", "calling.play"):
        world.sim.answer_late(method, seconds=0.5)
        world.sim.reject_next(method, code=code)
    reply, action = handle.perform(Hold()), handle.play_silence(60)
    world.settle()
    state(world, handle, "ended")
    before = world.seen(handle)
    assert [type(message) for message in before[-2:]] == [ActionCompleted, CallStateEvent]
    world.run(0.9)
    assert world.call_actors()
    assert world.seen(handle) == before
    assert isinstance(reply.error, CallEnded)
    assert action.completed


# -- states ----------------------------------------------------------------------------------------------------------


def test_a_call_only_moves_forward(world: World):
    """Proves SEMANTICS X1: an earlier state that comes late is ignored, and counted."""
    _line, handle = world.answered(Witness)
    for late in ("created", "ringing", "answered"):
        state(world, handle, late)
        assert handle.state == "answered"
    assert handle.leg.stale_states == 3
    assert [event.call_state for event in world.seen(handle, CallStateEvent)] == ["answered"]


def test_states_may_be_skipped(world: World):
    _line, handle = world.inbound(Witness)
    state(world, handle, "ending")
    state(world, handle, "ended", end_reason="error")
    assert (handle.state, handle.end_reason) == ("ended", "error")
    assert [event.call_state for event in world.seen(handle, CallStateEvent)] == ["ending", "ended"]


def test_a_state_that_nobody_knows_is_told_and_moves_nothing(world: World):
    """A new feature of the server must neither end a call nor be hidden from who knows it."""
    _line, handle = world.answered(Witness)
    state(world, handle, "transferring")
    assert handle.state == "answered"
    assert [event.call_state for event in world.seen(handle, CallStateEvent)] == ["answered", "transferring"]
    assert handle.leg.stale_states == 0


@over_seeds(5)
def test_the_end_comes_once(world: World):
    """Proves SEMANTICS X1 and X2: the end is final, and told once."""
    _line, handle = world.answered(Witness)
    for late in ("ended", "ended", "answered", "ending"):
        state(world, handle, late, end_reason=late)
    assert (handle.state, handle.end_reason) == ("ended", "ended")
    assert [event.call_state for event in world.seen(handle, CallStateEvent)] == ["answered", "ended"]


def test_an_offer_that_is_delivered_again_starts_nothing(world: World):
    """Source: PROTOCOL 8.3."""
    _line, handle = world.inbound(Witness)
    world.settle()
    offer = world.seen(handle, CallReceiveEvent)[0]
    world.tells("calling.call.receive", offer.params, context=CONTEXT)
    world.settle()
    assert world.seen(handle) == [offer]
    assert len(world.call_actors()) == 1


@over_seeds(5)
@pytest.mark.parametrize("before_the_answer", [True, False])
def test_a_call_that_comes_back_after_it_was_passed_on_is_a_new_one(world: World, before_the_answer: bool):
    """Routing may bring it here again, with the same id, and even before it has accepted: nobody is left ringing."""
    _line, handle = world.inbound(Witness)
    world.settle()
    offer = world.seen(handle, CallReceiveEvent)[0]
    if before_the_answer:
        world.sim.stop_answering("calling.pass")
        handle.pass_()
    else:
        handle.pass_().get(timeout=5)
    world.settle()
    world.tells("calling.call.receive", offer.params, context=CONTEXT)
    world.settle()
    again = world.app.call(handle.call_id)
    assert again is not None
    assert again.ref != handle.ref
    assert len(world.seen(again, CallReceiveEvent)) == 1
    assert len(world.seen(handle, CallReceiveEvent)) == 1
    world.run(20)
    assert [cell.ref for cell in world.call_actors()] == [again.ref]
    state(world, again, "ended")
    assert world.seen(again, CallStateEvent)


@over_seeds(5)
@pytest.mark.parametrize("lost", ["before", "after"])
def test_a_call_that_comes_back_is_not_held_up_by_a_lost_answer_to_the_one_who_passed_it_on(world: World, lost: str):
    """It has shown what became of that, and the one who has the call now has asked for nothing that may be lost."""
    _line, handle = world.inbound(Witness)
    world.settle()
    offer = world.seen(handle, CallReceiveEvent)[0]
    world.sim.stop_answering("calling.pass")
    reply = handle.pass_()
    world.settle()
    if lost == "before":
        world.sim.drop_sockets()
        world.until(lambda: world.count("connection.restored"), within_s=20)
    world.tells("calling.call.receive", offer.params, context=CONTEXT)
    world.settle()
    assert reply.get(timeout=0) == {}
    if lost == "after":
        world.sim.drop_sockets()
        world.until(lambda: world.count("connection.restored"), within_s=20)
    again = world.app.call(handle.call_id)
    assert again is not None
    assert again.ref != handle.ref
    assert again.answer().get(timeout=5)["code"] == "200"
    again.wait_for_answered().get(timeout=5)
    assert len(world.sent("calling.pass")) == 1


@over_seeds(5)
@pytest.mark.parametrize("is_async", [False, True])
def test_each_handle_of_an_operation_has_its_own_function_called_once_at_its_end(world: World, is_async: bool):
    """Also one that was made when the operation had a handle already. PROTOCOL 10.4."""
    _line, handle = world.answered(Witness)
    told: list[tuple[int, RelayEvent]] = []
    first = handle.play_silence(2).get(timeout=5)

    def notes(number: int) -> Callable[[RelayEvent], Any]:
        async def notes_later(event: RelayEvent) -> None:
            told.append((number, event))

        return notes_later if is_async else lambda event: told.append((number, event))

    actions = [first, PlayAction(handle, first.control_id), PlayAction(handle, first.control_id)]
    for number, action in enumerate(actions):
        action.on_completed = notes(number)
    event = actions[-1].wait().get(timeout=10)
    world.settle()
    assert sorted(told, key=lambda one: one[0]) == [(number, event) for number in range(3)]


# -- operations that fail ----------------------------------------------------------------------------------------------


def test_a_bug_in_an_operation_ends_that_operation_and_nothing_else(world: World, monkeypatch: pytest.MonkeyPatch):
    """Proves SEMANTICS X6."""
    _line, handle = world.answered(Witness)
    victim, other = handle.play_silence(60).get(timeout=5), handle.play_silence(2).get(timeout=5)

    def bug(action: PlayAction, event: RelayEvent) -> OnAction | None:
        if action is victim:
            raise ZeroDivisionError("a bug of ours")
        return original(action, event)

    original = PlayAction.on_event
    monkeypatch.setattr(PlayAction, "on_event", bug)
    wait = victim.wait()
    world.tells("calling.call.play", {**handle.leg.ids, "control_id": victim.control_id, "state": "paused"})
    with pytest.raises(ActorDead, match="a bug of ours"):
        wait.get(timeout=5)
    assert other.wait().get(timeout=5).state == "finished"
    assert handle.ref.incarnation == 0
    (failed,) = world.seen(handle, ChildFailed)
    assert failed.ref is victim
    assert isinstance(failed.reason.cause, ZeroDivisionError)
    assert len(world.seen(handle, ActionCompleted)) == 1
    assert handle.leg.actions == {}
    assert [event.state for event in world.seen(handle, PlayEvent)].count("paused") == 1


def test_a_peer_is_known(world: World):
    """The bridge tells who it is (PROTOCOL 12)."""
    _line, handle = world.answered(Witness)
    world.sim.phone("+15550100101").answers()
    handle.connect([[device("+15550100101")]])
    world.run(2)
    assert handle.leg.peer["call_id"]
    assert handle.leg.peer["call_id"] != handle.call_id


@pytest.mark.parametrize("verb", ["leave_room", "ai_hold", "denoise_stop", "disconnect"])
def test_a_404_about_something_on_a_call_does_not_end_the_call(world: World, verb: str):
    """It is the room or the agent that is gone; the caller must not be cut off in a silent stretch for it."""
    line, handle = world.answered(Witness)
    method = getattr(handle, verb)().command.method
    world.settle()
    world.sim.reject_next(method, code="404", message="There is none")
    assert getattr(handle, verb)().get(timeout=5) == {}
    world.run(60)
    assert line.state == handle.state == "answered"
    assert "calling.end" not in world.methods()
