"""Commands whose outcome nobody knows: found out, sent once more, or failed."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import ActionCompleted, CallActor, CallEnded, CommandFailed, ConnectionRestored
from relay_actors.actors.actions import PlayAction
from relay_actors.actors.call_handle import CallHandle
from relay_actors.actors.orders import Begin, Perform
from relay_actors.actors.reconcile import is_repeatable, shows
from relay_actors.actors.waits import Reply
from relay_actors.errors import CommandRejectedError, ConnectionLostError, NotSentError, RequestTimeoutError
from relay_actors.events import ConnectEvent, PlayEvent
from relay_actors.protocol import commands as c
from relay_actors.protocol.events import parse_event
from tests.actors.world import CONTEXT, Witness, World, device, over_seeds

PROMPT: Any = [{"type": "tts", "params": {"text": "Good morning."}}]


def lose(world: World, method: str, *, was_done: bool) -> None:
    """Lose the answers to a method, from now until the socket is dropped, and with it what it brings about."""
    world.sim.stop_answering(method, but_do_it=was_done)


def drop(world: World, method: str) -> None:
    """Break the connection; what is sent from now on is answered."""
    world.settle()
    world.sim.drop_sockets()
    world.sim.resume_answering(method)


# -- lost with the socket ----------------------------------------------------------------------------------------------


@over_seeds(5)
@pytest.mark.parametrize("was_done", [False, True])
def test_a_prompt_whose_answer_is_lost_is_played_once(world: World, was_done: bool):
    """Proves SEMANTICS K6: an event with its control_id shows that it plays; if none comes it is sent again."""
    line, handle = world.answered(Witness)
    lose(world, "calling.play", was_done=was_done)
    action = handle.play(PROMPT)
    drop(world, "calling.play")
    assert action.wait().get(timeout=30).state == "finished"
    assert [str(sound) for sound in line.heard] == ["Good morning."]
    sent = world.sent("calling.play")
    assert [params["control_id"] for params in sent] == [action.control_id] * (1 if was_done else 2)
    assert world.count("commands.in_doubt") == 1
    assert world.count("commands.repeated") == (0 if was_done else 1)
    assert world.seen(handle, CommandFailed) == []


@over_seeds(5)
@pytest.mark.parametrize("was_done", [False, True])
def test_an_answer_whose_own_answer_is_lost_is_given_once(world: World, was_done: bool):
    _line, handle = world.inbound(Witness)
    lose(world, "calling.answer", was_done=was_done)
    reply = handle.answer()
    drop(world, "calling.answer")
    reply.get(timeout=10)
    handle.wait_for_answered().get(timeout=5)
    assert len(world.sent("calling.answer")) == (1 if was_done else 2)


def test_a_repeated_command_that_is_in_use_was_accepted_the_first_time(world: World):
    """Collecting tells nothing before its end: only the refusal of the second one shows that the first one runs."""
    line, handle = world.answered(Witness)
    lose(world, "calling.collect", was_done=True)
    action = handle.collect(digits={"max": 2}, initial_timeout=60.0)
    drop(world, "calling.collect")
    world.run(5)
    assert len(world.sent("calling.collect")) == 2
    assert (action.is_settled, action.is_done) == (True, False)
    line.presses("12")
    assert action.wait().get(timeout=5).digits == "12"


@pytest.mark.parametrize("was_done", [False, True])
def test_what_cannot_be_repeated_fails_as_unknown(world: World, was_done: bool):
    """Nobody knows whether it was done, and twice may be worse than once (K6, A3)."""
    _line, handle = world.answered(Witness)
    lose(world, "calling.user_event", was_done=was_done)
    reply = handle.user_event(event="order_placed")
    drop(world, "calling.user_event")
    with pytest.raises(ConnectionLostError):
        reply.get(timeout=10)
    assert len(world.sent("calling.user_event")) == 1


@pytest.mark.parametrize("was_done", [False, True])
def test_a_transcription_whose_start_lost_its_answer_runs_once(world: World, was_done: bool):
    """K6: to be told that it is unknown helps nobody, and who tries again is refused."""
    _line, handle = world.answered(Witness)
    lose(world, "calling.live_transcribe", was_done=was_done)
    reply = handle.live_transcribe({"start": {"language": "en-US"}})
    drop(world, "calling.live_transcribe")
    reply.get(timeout=10)
    with pytest.raises(CommandRejectedError, match="active"):
        handle.live_transcribe({"start": {}}).get(timeout=5)


def test_an_unknown_outcome_that_nobody_asks_for_is_told(world: World):
    _line, handle = world.answered(Witness)
    lose(world, "calling.user_event", was_done=False)
    handle.user_event(event="order_placed")
    drop(world, "calling.user_event")
    world.run(10)
    [failed] = world.seen(handle, CommandFailed)
    assert isinstance(failed.error, ConnectionLostError)


def test_nothing_is_concluded_from_silence_while_there_is_no_connection(world: World):
    """The two seconds count from the resume: what happened meanwhile is told then."""
    _line, handle = world.answered(Witness)
    lose(world, "calling.hold", was_done=False)
    reply = handle.perform(c.Hold())
    world.settle()
    with world.sim.socket_down(20):
        world.sim.resume_answering("calling.hold")
        world.run(19)
        assert not reply.is_settled
    world.until(lambda: world.seen(handle, ConnectionRestored), 40)
    world.run(1.9)
    assert not reply.is_settled
    world.run(0.2)
    assert reply.get(timeout=0)["code"] == "200"


def test_a_command_that_is_lost_again_and_again_fails_at_last(world: World):
    """The number of repeats is bounded, whatever the sockets do."""
    _line, handle = world.answered(Witness)
    lose(world, "calling.play", was_done=False)
    action = handle.play(PROMPT)
    for _ in range(4):
        world.until(lambda: world.sim._faults.take_silence("calling.play"))
        world.settle()
        world.sim.drop_sockets()
        world.run(6)
    with pytest.raises(ConnectionLostError):
        action.get(timeout=1)
    assert len(world.sent("calling.play")) == 4


@over_seeds(5)
def test_the_end_of_the_call_ends_the_doubt(world: World):
    """Proves SEMANTICS X2: it is told when the session is resumed, and nothing is sent after it."""
    line, handle = world.answered(Witness)
    for method in ("calling.play", "calling.hold"):
        lose(world, method, was_done=False)
    action, reply = handle.play(PROMPT), handle.perform(c.Hold())
    world.settle()
    with world.sim.socket_down(3):
        world.sim.resume_answering()
        line.hangs_up()
    handle.wait_for_ended().get(timeout=10)
    world.run(20)
    assert action.completed
    with pytest.raises(CallEnded):
        reply.get(timeout=0)
    assert world.methods() == ["calling.answer", "calling.play", "calling.hold"]


def test_what_is_asked_for_meanwhile_waits_and_comes_behind(world: World):
    """In the order in which it was asked for: the queue of the connection would let it overtake what is sent again."""
    line, handle = world.inbound(Witness)
    lose(world, "calling.answer", was_done=False)
    handle.answer()
    world.settle()
    with world.sim.socket_down(3):
        world.sim.resume_answering()
        world.run(1)
        handle.play(PROMPT)
        handle.perform(c.Denoise())
    world.run(1)
    assert world.methods() == ["calling.answer"]
    line.hears("Good morning.", within=10)
    assert world.methods() == ["calling.answer", "calling.answer", "calling.play", "calling.denoise"]


def test_what_has_waited_too_long_was_certainly_not_sent(world: World):
    """Proves SEMANTICS K7."""
    _line, handle = world.answered(Witness)
    lose(world, "calling.hold", was_done=False)
    handle.perform(c.Hold())
    world.settle()
    with world.sim.socket_down(30):
        world.sim.resume_answering()
        world.run(1)
        reply = handle.perform(c.Denoise())
        with pytest.raises(NotSentError, match=r"Request timeout for calling\.denoise: it was not sent"):
            reply.get(timeout=11)
    world.run(60)
    assert "calling.denoise" not in world.methods()


def test_nothing_waits_for_another_call(world: World):
    _line, handle = world.answered(Witness)
    _other_line, other = world.answered()
    lose(world, "calling.hold", was_done=False)
    handle.perform(c.Hold())
    world.settle()
    world.sim.drop_sockets()
    world.run(0.1)
    other.perform(c.Denoise())
    world.run(2)
    assert "calling.denoise" in world.methods()
    world.sim.resume_answering()


def test_a_doubt_survives_a_crash_of_the_handler(world: World):
    """It belongs to the call, and not to one incarnation of its code."""

    class Fragile(Witness):
        def on_receive(self, message: object) -> None:
            if message == "crash":
                raise RuntimeError(message)
            super().on_receive(message)

    line, handle = world.answered(Fragile)
    lose(world, "calling.play", was_done=False)
    handle.play(PROMPT)
    drop(world, "calling.play")
    handle.ref.tell("crash")
    line.hears("Good morning.", within=10)
    assert handle.ref.incarnation == 1


# -- not answered in time ----------------------------------------------------------------------------------------------


def test_a_command_that_is_not_answered_in_time_is_tried_once_more_and_then_fails(world: World):
    """The connection is quite well: no other call notices."""
    _line, handle = world.answered(Witness)
    world.sim.stop_answering("calling.hold")
    reply = handle.perform(c.Hold())
    with pytest.raises(RequestTimeoutError):
        reply.get(timeout=60)
    assert 23.9 < world.clock.now() < 25, "twice ten seconds, and twice two"
    assert len(world.sent("calling.hold")) == 2
    assert (world.count("connection.lost"), world.count("commands.repeated")) == (0, 1)


@pytest.mark.parametrize("code", ["200", "500"])
def test_an_answer_that_comes_late_is_as_good_as_one_in_time(world: World, code: str):
    """The time-out had put the command in doubt; its own answer is the best evidence."""
    _line, handle = world.answered(Witness)
    world.sim.answer_late("calling.hold", seconds=11.0)
    world.sim.reject_next("calling.hold", code=code)
    reply = handle.perform(c.Hold())
    world.run(10.5)
    assert not reply.is_settled
    world.run(1.0)
    assert reply.is_settled
    assert (reply.error is None) is (code == "200")
    assert len(world.sent("calling.hold")) == 1


def test_what_events_have_shown_needs_no_answer(world: World):
    """A time-out of a play that plays is none."""
    _line, handle = world.answered(Witness)
    world.sim.stop_answering("calling.play", but_do_it=True)
    action = handle.play_silence(60)
    action.get(timeout=10.5)
    world.run(5)
    assert len(world.sent("calling.play")) == 1


def test_an_event_says_nothing_of_what_is_asked_for_because_of_it(world: World):
    """That the first one was not reached does not show that the server has heard of the second one."""

    class TriesTheNext(Witness):
        def on_start(self) -> None:
            self.on("calling.call.connect", self.on_connect)

        def on_connect(self, event: ConnectEvent) -> None:
            if event.connect_state == "failed" and not self.data.get("tried"):
                self.data["tried"] = self.connect(device("+15550003333"))

    _line, handle = world.answered(TriesTheNext)
    lose(world, "calling.connect", was_done=False)
    world.tells("calling.call.connect", {**handle.leg.ids, "connect_state": "failed", "failed_reason": "busy"})
    drop(world, "calling.connect")
    assert handle.data["tried"].get(timeout=30)["code"] == "200"
    assert len(world.sent("calling.connect")) == 2


def test_on_a_call_that_is_being_hung_up_nothing_is_sent_again(world: World):
    _line, handle = world.answered(Witness)
    world.sim.stop_answering("calling.hold")
    world.sim.reject_next("calling.end", code="200", message="accepted, and forgotten")
    reply = handle.perform(c.Hold())
    world.run(11)
    handle.hangup().get(timeout=5)
    with pytest.raises(RequestTimeoutError):
        reply.get(timeout=5)
    assert len(world.sent("calling.hold")) == 1


# -- found without an outcome ------------------------------------------------------------------------------------------


class Recovering(Witness):
    """Puts a command in doubt by itself, as after the death of a process whose journal knew no outcome."""

    def on_receive(self, message: object) -> None:
        if message == "recover":
            self.put_in_doubt(Perform(c.Hold(), self._reply(c.Hold())))
        super().on_receive(message)


@pytest.mark.parametrize("is_cut_off", [False, True])
def test_a_command_that_was_found_without_an_outcome_is_looked_into(world: World, is_cut_off: bool):
    """SEMANTICS J5: its time begins when there is a connection."""
    _line, handle = world.answered(Recovering)
    if is_cut_off:
        world.sim.drop_sockets()
        world.run(0.1)
    handle.ref.tell("recover")
    world.run(1.9)
    assert world.sent("calling.hold") == []
    world.run(2.0)
    assert len(world.sent("calling.hold")) == 1


def test_a_command_that_is_found_after_the_end_is_not_looked_into(world: World):
    line, handle = world.answered(Recovering)
    line.hangs_up()
    handle.wait_for_ended().get(timeout=5)
    handle.ref.tell("recover")
    world.run(0.5)
    assert world.sent("calling.hold") == []


# -- what shows what ---------------------------------------------------------------------------------------------------


def event(event_type: str, **params: object) -> Any:
    return parse_event({"event_type": event_type, "params": {"call_id": "c", **params}})


DEVICES: Any = [[device("+15550000001")]]


@pytest.mark.parametrize(
    ("command", "shown", "not_shown"),
    [
        (
            c.Answer(),
            event("calling.call.state", call_state="ending"),
            event("calling.call.state", call_state="ringing"),
        ),
        (
            c.Hangup(),
            event("calling.call.state", call_state="ending"),
            event("calling.call.state", call_state="answered"),
        ),
        (
            c.Connect(devices=DEVICES),
            event("calling.call.connect", connect_state="failed"),
            event("calling.call.connect", connect_state="disconnected"),
        ),
        (
            c.Disconnect(),
            event("calling.call.connect", connect_state="disconnected"),
            event("calling.call.connect", connect_state="connected"),
        ),
        (c.Hold(), event("calling.call.hold", state="hold"), event("calling.call.hold", state="unhold")),
        (c.Unhold(), event("calling.call.hold", state="unhold"), event("calling.call.hold", state="hold")),
        (c.Denoise(), event("calling.call.denoise", denoised=True), event("calling.call.denoise", denoised=False)),
        (c.DenoiseStop(), event("calling.call.denoise", denoised=False), event("calling.call.denoise", denoised=True)),
        (
            c.QueueEnter(queue_name="q", control_id="x"),
            event("calling.call.queue", status="enqueue", name="q"),
            event("calling.call.queue", status="leave", name="q"),
        ),
        (
            c.QueueLeave(queue_name="q", control_id="x"),
            event("calling.call.queue", status="leave", name="q"),
            event("calling.call.queue", status="waiting", name="q"),
        ),
        (
            c.JoinConference(name="k"),
            event("calling.conference", name="k", status="participant-join"),
            event("calling.conference", name="other", status="participant-join"),
        ),
        (c.Echo(), event("calling.call.echo", state="echoing"), event("calling.call.hold", state="hold")),
        (
            c.Refer(device={"type": "sip", "params": {"to": "sip:a@b"}}),
            event("calling.call.refer", state="inProgress"),
            event("calling.call.echo", state="echoing"),
        ),
        (
            c.SendDigits(digits="1", control_id="x"),
            event("calling.call.send_digits", control_id="x", state="finished"),
            event("calling.call.send_digits", control_id="y", state="finished"),
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, c.RelayCommand) else "",
)
def test_the_event_that_a_command_causes_shows_that_it_was_carried_out(
    command: c.RelayCommand, shown: Any, not_shown: Any
):
    order = Perform(command, Reply(command))
    assert shows(order, shown)
    assert not shows(order, not_shown)
    assert not shows(order, event("calling.error", code="1"))


def test_any_event_of_an_operation_shows_that_it_was_begun(world: World):
    _line, handle = world.answered(Witness)
    action = PlayAction.begun(world.actor(handle), c.Play(media=PROMPT, control_id="x"), None)
    assert shows(Begin(action), event("calling.call.play", control_id="x", state="finished"))
    assert not shows(Begin(action), event("calling.call.play", control_id="y", state="finished"))
    assert not shows(Begin(action), event("calling.call.play", state="finished"))


@pytest.mark.parametrize(
    ("command", "is_so"),
    [
        (c.Answer(), True),
        (c.Hangup(), True),
        (c.Connect(devices=DEVICES), True),
        (c.LeaveRoom(), True),
        (c.Transfer(dest="context:x"), False),
        (c.Pass(), False),
        (c.SendDigits(digits="1", control_id="x"), False),
        (c.UserEvent(event="x"), False),
        (c.AIMessage(message_text="x"), False),
        (c.LiveTranscribe(action={"start": {}}), True),
        (c.LiveTranslate(action="stop"), True),
        (c.LiveTranscribe(action={"summarize": {}}), False),
        (c.LiveTranslate(action={"inject": {"message": "x"}}), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, c.RelayCommand) else "",
)
def test_only_what_does_no_harm_twice_is_sent_twice(command: c.RelayCommand, is_so: bool):
    assert is_repeatable(Perform(command, Reply(command))) is is_so


class Flow(CallActor):
    """Awaits the acceptance of what it asks for."""

    async def run(self) -> None:
        await self.answer()
        action = await self.play(PROMPT)
        self.data["accepted"] = action.control_id
        await action.wait()
        self.data["over"] = True
        await self.hangup()


def test_a_flow_that_awaits_a_lost_answer_goes_on_as_if_nothing_had_happened(world: World):
    """It is not told of a failure that is none."""
    world.takes_calls(Flow)
    lose(world, "calling.play", was_done=True)
    line = world.sim.phone("+15550001111").dials(context=CONTEXT)
    handle: CallHandle | None = None
    world.until(lambda: world.sent("calling.play"), 10)
    handle = world.app.call(line.call_id)
    assert handle is not None
    drop(world, "calling.play")
    line.is_hung_up(within=20)
    world.settle()
    assert handle.data["over"] is True
    assert [str(sound) for sound in line.heard] == ["Good morning."]


def test_the_completion_of_what_was_in_doubt_is_told_once(world: World):
    _line, handle = world.answered(Witness)
    lose(world, "calling.play", was_done=True)
    handle.play(PROMPT)
    drop(world, "calling.play")
    world.run(10)
    assert len(world.seen(handle, ActionCompleted)) == 1
    assert [message.state for message in world.seen(handle, PlayEvent)] == ["playing", "finished"]
