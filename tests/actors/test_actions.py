"""The handles of running operations: acceptance, completion, control, callbacks, refusals, and the end of the call."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from relay_actors import ActionCompleted, CallEnded, CommandFailed
from relay_actors.actors.actions import (
    Action,
    CollectAction,
    DetectAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
)
from relay_actors.actors.call_handle import CallHandle
from relay_actors.errors import ArgumentError, CommandRejectedError, NotSentError, WouldDeadlock
from relay_actors.events import CallStateEvent, CollectEvent, DetectEvent, PlayEvent, RecordEvent, RelayEvent
from relay_actors.protocol.states import ActionState
from relay_actors.runtime.future import Future
from tests.actors.world import Witness, World, over_seeds

LONG = "This is a prompt that takes its time, so that there is time to do something about it."
ONE_DIGIT = {"digits": {"max": 1}}


def collect_event(world: World, handle: CallHandle, action: Action, **params: Any) -> None:
    world.tells("calling.call.collect", {**handle.leg.ids, "control_id": action.control_id, **params})
    world.settle()


# -- acceptance and completion -------------------------------------------------------------------------------------


@over_seeds(10)
def test_the_handle_is_there_when_the_server_accepts_and_the_wait_when_it_is_over(world: World):
    """Awaiting a handle waits for the acceptance and gives the handle; awaiting `wait` gives the last event."""
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG)
    assert (action.state, action.is_done, action.completed, action.result) == (ActionState.NEW, False, False, None)
    assert action.get(timeout=5) is action
    assert (action.is_done, action.completed, action.result) == (False, False, None)
    event = action.wait().get(timeout=30)
    assert isinstance(event, PlayEvent)
    assert (event.state, event.control_id) == ("finished", action.control_id)
    assert (action.state, action.is_done, action.completed) == (ActionState.FINISHED, True, True)
    assert action.result is event
    assert [told.event for told in world.seen(handle, ActionCompleted)] == [event]


def test_who_is_told_that_it_is_accepted_finds_it_completed_when_it_is(world: World):
    """X5: one that comes after the end of its call is accepted and completed at once, and never the one alone."""
    line, handle = world.answered(Witness)
    seen: list[bool] = []
    line.hangs_up()
    action = handle.play_tts(LONG)
    action.add_done_callback(lambda told: seen.append(told.completed))
    world.settle()
    assert action.state is ActionState.CALL_ENDED
    assert seen == [True]


def test_several_may_wait_and_all_get_the_same_event(world: World):
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG)
    waits = [action.wait() for _ in range(3)]
    events = {id(wait.get(timeout=30)) for wait in waits}
    assert events == {id(action.wait().get(timeout=0))}


def test_a_time_out_does_not_harm_the_operation(world: World):
    """A later wait works (PROTOCOL 10.1)."""
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG)
    with pytest.raises(TimeoutError, match=r"completion of calling\.play did not happen within 1 s"):
        action.wait(timeout=1).get()
    with pytest.raises(TimeoutError):
        action.wait().get(timeout=1)
    assert not action.is_done
    assert action.wait(timeout=30).get().state == "finished"


def test_waits_that_were_given_up_are_not_kept(world: World):
    _line, handle = world.answered(Witness)
    action = handle.play_audio("https://example.com/a.mp3")
    for _ in range(20):
        with pytest.raises(TimeoutError):
            action.wait(timeout=0.01).get()
    assert not action._over(0)._callbacks


@over_seeds(10)
@pytest.mark.parametrize("first", [True, False])
def test_events_may_come_before_the_response(world: World, first: bool):
    """Proves SEMANTICS K5: the id is registered before the request is written (PROTOCOL 2.7)."""
    world.sim.manners.event_before_response = first
    _line, handle = world.answered(Witness)
    action = handle.play_silence(0)
    assert action.wait().get(timeout=5).state == "finished"
    assert action.get(timeout=5) is action
    assert [event.state for event in world.seen(handle, PlayEvent)] == ["playing", "finished"]


@over_seeds(10)
def test_an_operation_may_be_over_before_its_response_comes(world: World):
    """The first end wins (SEMANTICS X5), and the late response changes nothing."""
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=5)
    action = handle.play_silence(0)
    assert action.wait().get(timeout=3).state == "finished"
    assert action.is_settled
    world.run(10)
    assert action.state is ActionState.FINISHED
    assert len(world.seen(handle, ActionCompleted)) == 1


def test_events_after_the_end_complete_nothing_more(world: World):
    """Exactly one terminal state; the first wins (SEMANTICS X5)."""
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG)
    first = action.wait().get(timeout=30)
    for state in ("playing", "error", "finished"):
        world.tells("calling.call.play", {**handle.leg.ids, "control_id": action.control_id, "state": state})
    world.settle()
    assert (action.state, action.result) == (ActionState.FINISHED, first)
    assert len(world.seen(handle, ActionCompleted)) == 1
    assert len(world.seen(handle, PlayEvent)) == 5


def test_operations_on_one_call_are_told_apart(world: World):
    """Source: PROTOCOL 10.3."""
    _line, handle = world.answered(Witness)
    short, long = handle.play_silence(1), handle.play_silence(3)
    recording = handle.record()
    assert short.wait().get(timeout=2).control_id == short.control_id
    assert (long.is_done, recording.is_done) == (False, False)
    assert long.wait().get(timeout=5).control_id == long.control_id
    recording.stop()
    assert isinstance(recording.wait().get(timeout=5), RecordEvent)


def test_an_id_that_is_in_use_is_refused(world: World):
    """The events of one would be taken for those of the other."""
    _line, handle = world.answered(Witness)
    first = handle.play([{"type": "silence", "duration": 5}], control_id="mine")
    second = handle.record(control_id="mine")
    with pytest.raises(NotSentError, match="in use"):
        second.get(timeout=5)
    assert "calling.record" not in world.methods()
    assert first.wait().get(timeout=10).state == "finished"


# -- what completes what -------------------------------------------------------------------------------------------


def test_interim_results_do_not_complete_a_collection(world: World):
    """The reference completes on them (PROTOCOL 18.1)."""
    _line, handle = world.answered(Witness)
    action = handle.collect(speech={}, partial_results=True, send_start_of_input=True)
    world.settle()
    collect_event(world, handle, action, result={"type": "start_of_input", "params": {"type": "speech"}})
    collect_event(world, handle, action, result={"type": "speech", "params": {"text": "I want"}}, final=False)
    assert not action.is_done
    collect_event(world, handle, action, result={"type": "speech", "params": {"text": "I want to"}}, final=True)
    assert action.wait().get(timeout=0).speech == "I want to"
    assert len(world.seen(handle, CollectEvent)) == 3


def test_a_continuous_collection_goes_on_after_a_result(world: World):
    """Source: PROTOCOL 11.3."""
    _line, handle = world.answered(Witness)
    action = handle.collect(digits={"max": 1}, continuous=True)
    world.settle()
    collect_event(world, handle, action, result={"type": "digit", "params": {"digits": "1"}}, state="collecting")
    assert not action.is_done
    collect_event(world, handle, action, result={"type": "finished"}, state="finished")
    assert action.is_done


@pytest.mark.parametrize("kind", [StandaloneCollectAction, CollectAction])
def test_a_continuous_collection_that_somebody_else_has_begun_goes_on_as_well(
    world: World, kind: type[StandaloneCollectAction]
):
    """Its handle does not know what was asked; but the server says that it goes on (PROTOCOL 11.3)."""
    _line, handle = world.answered(Witness)
    action = kind(handle, "theirs")
    collect_event(world, handle, action, result={"type": "digit", "params": {"digits": "1"}}, state="collecting")
    assert not action.is_done
    collect_event(world, handle, action, result={"type": "digit", "params": {"digits": "2"}})
    assert action.is_done


def test_what_is_played_does_not_complete_a_prompt(world: World):
    """Not even an error of it (PROTOCOL 11.4)."""
    line, handle = world.answered(Witness)
    action = handle.prompt_tts("Press a key.", ONE_DIGIT)
    line.hears("press a key")
    world.run(2)
    for state in ("finished", "error"):
        world.tells("calling.call.play", {**handle.leg.ids, "control_id": action.control_id, "state": state})
    world.settle()
    assert not action.is_done
    line.presses("7")
    assert action.wait().get(timeout=5).digits == "7"


def test_a_prompt_that_nobody_answers_completes_with_no_input(world: World):
    line, handle = world.answered(Witness)
    action = handle.prompt_tts("Press a key.", {**ONE_DIGIT, "initial_timeout": 2.0})
    line.hears("press a key")
    assert action.wait().get(timeout=30).kind == "no_input"
    assert action.state is ActionState.NO_INPUT


def test_the_first_finding_completes_a_detector(world: World):
    """What it finds later is an event like others (PROTOCOL 11.5)."""
    _line, handle = world.answered(Witness)
    action = handle.detect_answering_machine()
    world.settle()
    for verdict in ("MACHINE", "READY", "finished"):
        detect = {"type": "machine", "params": {"event": verdict}}
        world.tells("calling.call.detect", {**handle.leg.ids, "control_id": action.control_id, "detect": detect})
    world.settle()
    assert action.wait().get(timeout=0).verdict == "MACHINE"
    # The simulated detector has found a person, too.
    assert {event.verdict for event in world.seen(handle, DetectEvent)} >= {"MACHINE", "READY", "finished"}


def test_a_recording_tells_where_it_is(world: World):
    _line, handle = world.answered(Witness)
    action = handle.record({"beep": True})
    world.run(3)
    action.stop()
    event = action.wait().get(timeout=5)
    assert event.url.startswith("https://")
    assert event.duration > 0


# -- control ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("starts", "control", "args", "method", "params"),
    [
        ("play_tts", "stop", (), "calling.play.stop", {}),
        ("play_tts", "pause", (), "calling.play.pause", {}),
        ("play_tts", "resume", (), "calling.play.resume", {}),
        ("play_tts", "volume", (-3.5,), "calling.play.volume", {"volume": -3.5}),
        ("record", "stop", (), "calling.record.stop", {}),
        ("record", "pause", (), "calling.record.pause", {}),
        ("record", "pause", ("silence",), "calling.record.pause", {"behavior": "silence"}),
        ("record", "resume", (), "calling.record.resume", {}),
        ("prompt_tts", "stop", (), "calling.play_and_collect.stop", {}),
        ("prompt_tts", "volume", (2,), "calling.play_and_collect.volume", {"volume": 2}),
        ("prompt_tts", "start_input_timers", (), "calling.collect.start_input_timers", {}),
        ("prompt_tts", "pause", (), "calling.play_and_collect.pause", {}),
        ("prompt_tts", "resume", (), "calling.play_and_collect.resume", {}),
        ("collect", "stop", (), "calling.collect.stop", {}),
        ("collect", "start_input_timers", (), "calling.collect.start_input_timers", {}),
        ("detect_digit", "stop", (), "calling.detect.stop", {}),
    ],
)
def test_a_running_operation_is_controlled_by_its_id(
    world: World, starts: str, control: str, args: tuple[Any, ...], method: str, params: dict[str, Any]
):
    """Source: PROTOCOL 10.6, methods.json."""
    _line, handle = world.answered(Witness)
    given = {
        "play_tts": lambda: handle.play_tts(LONG),
        "record": handle.record,
        "prompt_tts": lambda: handle.prompt_tts(LONG, ONE_DIGIT),
        "collect": lambda: handle.collect(digits={"max": 1}),
        "detect_digit": handle.detect_digit,
    }
    action = given[starts]().get(timeout=5)
    world.sim.reject_next(method, code="200", message="taken, and nothing done")
    assert getattr(action, control)(*args).get(timeout=5)["code"] == "200"
    assert world.sent(method) == [{**handle.leg.ids, "control_id": action.control_id, **params}]


@pytest.mark.parametrize(
    ("kind", "verbs"),
    [
        (PlayAction, {"stop", "pause", "resume", "volume"}),
        (RecordAction, {"stop", "pause", "resume"}),
        (CollectAction, {"stop", "pause", "resume", "volume", "start_input_timers"}),
        (StandaloneCollectAction, {"stop", "start_input_timers"}),
        (DetectAction, {"stop"}),
    ],
)
def test_a_handle_offers_what_its_operation_can_do(kind: type, verbs: set[str]):
    """Source: PROTOCOL 10.6, D30."""
    every = {"stop", "pause", "resume", "volume", "start_input_timers"}
    assert {verb for verb in every if hasattr(kind, verb)} == verbs


def test_a_pause_is_a_state_and_no_end(world: World):
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG).get(timeout=5)
    action.pause().get(timeout=5)
    world.run(60)
    assert (action.state, action.is_done) == (ActionState.PAUSED, False)
    action.resume().get(timeout=5)
    world.settle()
    assert action.state is ActionState.EXECUTING
    assert action.wait().get(timeout=30).state == "finished"


def test_a_wrong_volume_is_refused_before_anything_is_sent(world: World):
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG).get(timeout=5)
    with pytest.raises(ArgumentError, match="volume"):
        action.volume(99)
    assert world.methods() == ["calling.answer", "calling.play"]


@over_seeds(10)
def test_a_stop_waits_until_there_is_something_to_stop(world: World):
    """Before the acceptance the server would not know what is meant (SEMANTICS X5)."""
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=2)
    world.sim.delay_next("calling.call.play", 3)
    action = handle.play_tts(LONG)
    reply = action.stop()
    world.run(1)
    assert world.methods() == ["calling.answer", "calling.play"]
    assert reply.get(timeout=5)["code"] == "200"
    assert action.wait().get(timeout=5).state == "finished"
    assert world.methods() == ["calling.answer", "calling.play", "calling.play.stop"]


def test_a_stop_by_another_handle_waits_as_well(world: World):
    """X5: it is the same operation, and a stop that overtakes its beginning stops nothing."""
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=2)
    world.sim.delay_next("calling.call.play", 3)
    action = handle.play_tts(LONG)
    other = PlayAction(handle, action.control_id)
    reply = other.stop()
    world.run(1)
    assert world.methods() == ["calling.answer", "calling.play"]
    assert not reply.is_settled
    assert reply.get(timeout=5)["code"] == "200"
    assert other.wait().get(timeout=5) is action.wait().get(timeout=5)
    assert world.methods() == ["calling.answer", "calling.play", "calling.play.stop"]


def test_another_handle_is_in_the_state_of_the_operation(world: World):
    """Each is told what has happened by whoever has made it."""
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG).get(timeout=5)
    other = PlayAction(handle, action.control_id)
    seen = []
    for step in (lambda: None, action.pause, other.resume, other.stop):
        step()
        world.run(1)
        assert other.state is action.state
        seen.append(other.state)
    assert seen == [ActionState.EXECUTING, ActionState.PAUSED, ActionState.EXECUTING, ActionState.FINISHED]


def test_what_another_handle_asks_for_at_the_end_is_nothing(world: World):
    """X5: who is told of the end, and stops it by a handle that is told a moment later, has nothing sent."""
    replies: list[Any] = []

    class Stops(Witness):
        def on_receive(self, message: object) -> None:
            if message == "play":
                other = PlayAction(self, self.play_silence(1).control_id)
                self.on("calling.call.play", lambda event: event.state == "finished" and replies.append(other.stop()))

    _line, handle = world.answered(Stops)
    handle.ref.tell("play")
    world.run(3)
    assert [reply.get(timeout=5) for reply in replies] == [{}]
    assert "calling.play.stop" not in world.methods()


def test_an_event_before_the_acceptance_lets_the_stop_go(world: World):
    """What reports that it runs can be stopped."""
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=5)
    action = handle.play_tts(LONG)
    action.stop()
    assert action.wait().get(timeout=3).state == "finished"
    assert world.methods()[-1] == "calling.play.stop"


def test_of_several_stops_before_the_acceptance_one_is_sent(world: World):
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=2)
    world.sim.delay_next("calling.call.play", 3)
    action = handle.play_tts(LONG)
    replies = [action.stop() for _ in range(3)]
    for reply in replies:
        reply.get(timeout=10)
    assert world.methods().count("calling.play.stop") == 1


@pytest.mark.parametrize("code", ["500", "404"])
def test_a_stop_of_what_did_not_begin_is_nothing(world: World, code: str):
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play", code=code)
    action = handle.play_tts(LONG)
    assert action.stop().get(timeout=5) == {}
    assert "calling.play.stop" not in world.methods()


@over_seeds(5)
@pytest.mark.parametrize("control", ["stop", "pause", "resume"])
def test_after_the_end_there_is_nothing_to_control(world: World, control: str):
    """No frame is sent (SEMANTICS X5, PROTOCOL 10.6)."""
    line, handle = world.answered(Witness)
    action = handle.play_silence(1)
    action.wait().get(timeout=5)
    assert getattr(action, control)().get(timeout=5) == {}
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    assert getattr(action, control)().get(timeout=5) == {}
    world.run(100)  # its actor is gone
    assert getattr(action, control)().get(timeout=5) == {}
    assert world.methods() == ["calling.answer", "calling.play"]


def test_a_stop_that_comes_too_late_for_the_server_is_no_sign_that_the_call_is_gone(world: World):
    """The server answers 404: nothing runs under that id. The call goes on."""
    line, handle = world.answered(Witness)
    action = handle.play_silence(3600).get(timeout=5)
    world.sim.reject_next("calling.play.stop", code="404", message="Nothing runs")
    assert action.stop().get(timeout=5) == {}
    world.run(60)
    assert handle.state == "answered"
    assert not line.is_over


# -- callbacks -------------------------------------------------------------------------------------------------------


@over_seeds(5)
def test_a_callback_is_called_once_with_the_last_event(world: World):
    """Source: PROTOCOL 10.1."""
    given: list[RelayEvent] = []
    _line, handle = world.answered(Witness)
    action = handle.play_silence(1, on_completed=given.append)
    event = action.wait().get(timeout=5)
    world.tells("calling.call.play", {**handle.leg.ids, "control_id": action.control_id, "state": "finished"})
    world.run(2)
    assert given == [event]


def test_a_callback_may_be_a_coroutine_function(world: World):
    """It is driven in the call's turns, and can await replies."""
    given: list[Any] = []

    class Calls(Witness):
        def on_start(self) -> None:
            self.play_silence(1, on_completed=self.on_silence)

        async def on_silence(self, event: RelayEvent) -> None:
            given.append(event)
            await self.sleep(2)
            given.append(await self.answer())

    world.inbound(Calls)
    world.until(lambda: len(given) == 2)
    assert given[0].state == "finished"
    assert given[1]["code"] == "200"


@pytest.mark.parametrize("is_async", [False, True])
def test_what_a_callback_raises_is_logged_and_harms_nothing(
    world: World, caplog: pytest.LogCaptureFixture, is_async: bool
):
    def broken(_event: RelayEvent) -> None:
        raise ValueError("broken")

    async def broken_later(_event: RelayEvent) -> None:
        raise ValueError("broken")

    _line, handle = world.answered(Witness)
    action = handle.play_silence(1, on_completed=broken_later if is_async else broken)
    assert action.wait().get(timeout=5).state == "finished"
    world.settle()
    assert "on_completed raised" in caplog.text
    assert handle.ref.incarnation == 0
    assert len(world.seen(handle, ActionCompleted)) == 1


# -- refusals --------------------------------------------------------------------------------------------------------


@over_seeds(5)
@pytest.mark.parametrize("code", ["404", "410", 404])
def test_a_call_that_is_gone_completes_an_operation_with_an_empty_event(world: World, code: str | int):
    """No exception, and the callback is called (PROTOCOL 10.2, 10.4). The number is a JSON-RPC error code."""
    given: list[RelayEvent] = []
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play", code=code, message="Call does not exist")
    action = handle.play_tts(LONG, on_completed=given.append)
    assert action.get(timeout=5) is action
    event = action.wait().get(timeout=5)
    assert (event.event_type, event.params) == ("", {})
    assert (action.completed, action.state) == (True, ActionState.CALL_ENDED)
    assert given == [event]
    assert [told.event for told in world.seen(handle, ActionCompleted)] == [event]
    assert world.seen(handle, CommandFailed) == []


@over_seeds(5)
def test_a_refusal_is_raised_where_somebody_waits(world: World):
    given: list[RelayEvent] = []
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play", code="500", message="no media", times=2)
    action = handle.play_tts(LONG, on_completed=given.append)
    with pytest.raises(CommandRejectedError, match="no media"):
        action.get(timeout=5)
    other = handle.play_tts(LONG)
    with pytest.raises(CommandRejectedError, match="no media"):
        other.wait().get(timeout=5)
    assert (action.is_done, action.completed, action.result) == (True, False, None)
    assert action.state is ActionState.REJECTED
    assert given == []
    assert world.seen(handle, CommandFailed, ActionCompleted) == []


@over_seeds(5)
def test_a_refusal_that_nobody_waits_for_is_told(world: World):
    """Nothing fails in silence (DESIGN 4)."""
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.play", code="500", message="no media")
    action = handle.play_tts(LONG)
    world.settle()
    (failed,) = world.seen(handle, CommandFailed)
    assert failed.command is action.command
    assert isinstance(failed.error, CommandRejectedError)
    assert failed.error.code == 500


def test_an_id_whose_operation_was_refused_is_free_again(world: World):
    _line, handle = world.answered(Witness)
    world.sim.reject_next("calling.record", code="500")
    with pytest.raises(CommandRejectedError):
        handle.record(control_id="mine").get(timeout=5)
    assert handle.record(control_id="mine").get(timeout=5)


# -- the end of the call ---------------------------------------------------------------------------------------------


@over_seeds(10)
def test_a_call_that_ends_ends_its_operations_however_silent_the_server_is(world: World):
    """The reference lets them wait for ever (PROTOCOL 10.5, 18.4)."""
    given: list[RelayEvent] = []
    _line, handle = world.answered(Witness)
    action = handle.play_tts(LONG, on_completed=given.append).get(timeout=5)
    wait = action.wait()
    world.tells("calling.call.state", {**handle.leg.ids, "call_state": "ended", "end_reason": "hangup"})
    event = wait.get(timeout=5)
    assert isinstance(event, CallStateEvent)
    assert event.call_state == "ended"
    assert (action.completed, action.state) == (True, ActionState.CALL_ENDED)
    assert given == [event]
    told = world.seen(handle, ActionCompleted, CallStateEvent)
    assert [type(one) for one in told[-2:]] == [ActionCompleted, CallStateEvent]


@over_seeds(10)
def test_an_operation_whose_acceptance_is_outstanding_ends_with_the_call(world: World):
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.play", seconds=5)
    world.sim.delay_next("calling.call.play", 5)
    action = handle.play_tts(LONG)
    stop = action.stop()
    world.run(1)
    world.tells("calling.call.state", {**handle.leg.ids, "call_state": "ended"})
    assert action.get(timeout=1) is action
    assert action.wait().get(timeout=1).call_state == "ended"
    assert stop.get(timeout=1) == {}


@over_seeds(5)
def test_an_operation_on_a_call_that_has_ended_is_completed_at_once(world: World):
    """Nothing is sent (PROTOCOL 10.4); the callback is called, unlike in the reference."""
    given: list[RelayEvent] = []
    line, handle = world.answered(Witness)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    for _ in range(2):
        action = handle.play_tts(LONG, on_completed=given.append)
        assert action.get(timeout=5) is action
        assert action.completed
        assert action.wait().get(timeout=5) == RelayEvent("", {})
        world.run(100)  # the second time its actor is gone
    assert given == [RelayEvent("", {})] * 2
    assert "calling.play" not in world.methods()


def test_a_coroutine_function_is_told_as_well_that_the_call_is_long_gone(
    world: World, caplog: pytest.LogCaptureFixture
):
    """The call's actor is gone, too: another drives it (PROTOCOL 10.1, 10.4)."""
    given: list[Any] = []
    gate: Future[str] = Future(world.dispatcher)

    async def later(event: RelayEvent) -> None:
        given.extend([event, await gate])
        raise ValueError("broken")

    line, handle = world.answered(Witness)
    line.hangs_up()
    world.run(100)
    assert handle.play_tts(LONG, on_completed=later).get(timeout=5).completed
    world.settle()
    assert given == []
    gate.set("open")
    world.settle()
    assert given == [RelayEvent("", {}), "open"]
    assert [record.getMessage().split(" action=")[0] for record in caplog.records] == ["on_completed raised"]


def test_an_operation_of_a_call_that_was_handed_on_ends_with_the_actor(world: World):
    """Its events come no more."""
    _line, handle = world.answered(Witness)
    action = handle.record().get(timeout=5)
    handle.transfer("context:elsewhere").get(timeout=5)
    with pytest.raises(CallEnded, match="handed on"):
        action.wait().get(timeout=5)
    assert action.state is ActionState.CALL_ENDED


# -- waiting for oneself ---------------------------------------------------------------------------------------------


def test_waiting_for_ones_own_operation_inside_the_handler_is_refused_at_once(
    world: World, caplog: pytest.LogCaptureFixture
):
    """It would be for ever, and the caller would hear nothing meanwhile (SEMANTICS A8)."""
    raised: list[BaseException] = []

    class Waits(Witness):
        def on_start(self) -> None:
            for future in (self.answer(), self.play_tts(LONG), self.play_tts(LONG).wait(), self.wait_for_ended()):
                try:
                    future.get(timeout=1)
                except WouldDeadlock as error:
                    raised.append(error)

    caplog.set_level(logging.ERROR)
    world.inbound(Waits)
    world.settle()
    assert len(raised) == 4
    assert "would wait for itself" in str(raised[0])


def test_a_handle_says_where_the_event_is(world: World):
    """``menu.digits`` in place of ``(await menu.wait()).digits`` is the mistake that everybody makes once."""
    _line, handle = world.answered(Witness)
    menu = handle.prompt_tts("Press 1.", {"digits": {"max": 1}})
    with pytest.raises(
        AttributeError, match=r"'CollectAction' object has no attribute 'digits'.*await action\.wait\(\)"
    ):
        _ = menu.digits
