"""What an application gains by changing one import: each is a line of `how-to/coming-from-the-official-client.md`."""

from __future__ import annotations

import asyncio
import logging
import threading

import pytest

from relay_actors import CallEnded, RelayError
from relay_actors.client import Call, RelayEvent
from tests.client.conftest import CALLER, DEADLINE_S, DESK, OURS, Stage, person, until

PRESS = {"digits": {"max": 1}, "initial_timeout": 60.0}
ONE_PHONE = [[{"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}]]


# -- waits settle after an outage ------------------------------------------------------------------------------------


def test_a_wait_ends_when_the_server_has_lost_its_call(stage: Stage) -> None:
    """Whatever is waited for; the official client's waits never end. SEMANTICS K8, X2."""

    async def story() -> None:
        call, _line = await stage.answered()
        menu = await call.prompt_tts("Press 1.", PRESS)
        music = await call.play_audio("https://example.com/music.mp3")
        waits = [
            asyncio.create_task(wait)
            for wait in (menu.wait(), music.wait(), call.wait_for_ended(), call.wait_for("calling.call.fax"))
        ]
        stage.sim.inject("restart", keeps_sessions=False, announced=False, seconds=0.05)
        ended = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), DEADLINE_S)
        assert [type(one).__name__ for one in ended] == ["CallStateEvent"] * 3 + ["CallEnded"]
        assert (call.state, call.end_reason) == ("ended", "lost")

    stage.plays(story)


def test_a_command_whose_answer_is_lost_is_answered_by_what_happened(stage: Stage) -> None:
    """The prompt plays, and its event says so: the handler does not have to guess. SEMANTICS J5."""

    async def story() -> None:
        call, line = await stage.answered()
        stage.sim.inject("cut", method="calling.play", answer=True)
        prompt = await call.play_tts("Are you still there?")
        await prompt.wait(DEADLINE_S)
        assert [str(sound) for sound in line.heard] == ["Are you still there?"]

    stage.plays(story)


def test_a_command_during_an_outage_is_sent_when_the_connection_is_back(stage: Stage) -> None:
    """At most once, however long the socket is gone. SEMANTICS K7."""

    async def story() -> None:
        call, line = await stage.answered()
        with stage.sim.socket_down(seconds=0.3):
            pass
        prompt = await call.play_tts("We are back.")
        await prompt.wait(DEADLINE_S)
        assert [str(sound) for sound in line.heard] == ["We are back."]

    stage.plays(story)
    assert len(stage.sent("calling.play")) == 1


# -- early and late events are kept ----------------------------------------------------------------------------------


def test_an_event_that_comes_before_its_answer_is_kept(stage: Stage) -> None:
    """Of an operation, and of a dial. SEMANTICS K5."""
    stage.sim.manners.event_before_response = True
    stage.phone(DESK).answers()

    async def story() -> None:
        call, _line = await stage.answered()
        prompt = await call.play_tts("Hello.")
        assert (await prompt.wait(DEADLINE_S)).params["state"] == "finished"
        other = await stage.client.dial(ONE_PHONE)
        assert other.state == "answered"

    stage.plays(story)


def test_an_event_that_comes_before_its_call_is_kept(stage: Stage) -> None:
    """The caller has gone before the call is told: its handler hears of the end. SEMANTICS K4."""
    stage.sim.inject("delay", event_type="calling.call.receive", seconds=0.2)
    ended: list[str] = []

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.hangs_up)
        call = await asyncio.wait_for(stage.calls.get(), DEADLINE_S)
        ended.append((await call.wait_for_ended(DEADLINE_S)).params["call_state"])

    stage.plays(story)
    assert ended == ["ended"]


def test_an_operation_ends_with_its_call_when_no_event_says_so(stage: Stage) -> None:
    """PROTOCOL 10.5."""
    stage.sim.next_agent("Hello, what is your name?")

    async def story() -> str:
        call, line = await stage.answered()
        agent = await call.ai(prompt={"text": "Ask for a name."})
        await person(line.hears, "your name")
        await person(line.hangs_up)
        return str((await agent.wait(DEADLINE_S)).event_type)

    assert stage.plays(story) in ("calling.call.state", "calling.call.ai")


def test_an_interim_result_does_not_complete_a_collect(stage: Stage) -> None:
    """It goes to listeners; the official client takes it for the result (PROTOCOL 11.3, 18.1)."""
    interim: list[str] = []

    async def story() -> str:
        call, line = await stage.answered()
        call.on("calling.call.collect", lambda event: interim.append(str(event.final)))
        speech = await call.collect(speech={}, initial_timeout=60.0, partial_results=True)
        await person(line.says, "I should like to speak to somebody in sales, please")
        event = await speech.wait(DEADLINE_S)
        assert event.final is True
        return str(event.result["params"]["text"])

    assert "sales" in stage.plays(story)
    assert "False" in interim


def test_a_call_that_is_told_twice_is_handled_once(stage: Stage) -> None:
    """SEMANTICS K3; PROTOCOL 18.10."""
    stage.sim.inject("duplicate", event_type="calling.call.receive")

    async def story() -> int:
        call, line = await stage.inbound()
        await call.answer()
        await call.hangup()
        await person(line.is_hung_up)
        return stage.calls.qsize()

    assert stage.plays(story) == 0


# -- state waits are levels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["ringing", "answered", "ending", "ended"])
def test_a_wait_for_a_state_that_is_past_is_over_at_once(stage: Stage, state: str) -> None:
    """PROTOCOL 8.4."""

    async def story() -> None:
        call, line = await stage.answered()
        if state in ("ending", "ended"):
            await person(line.hangs_up)
            await call.wait_for_ended(DEADLINE_S)
        event = await asyncio.wait_for(getattr(call, f"wait_for_{state}")(), DEADLINE_S)
        assert event.params["call_state"] in ("answered", "ended")

    stage.plays(story)


def test_a_wait_for_a_state_that_is_skipped_is_over_too(stage: Stage) -> None:
    """Nobody answers: who waits for that is not left waiting (PROTOCOL 8.4, 18.5)."""

    async def story() -> str:
        call, line = await stage.inbound()
        answered = asyncio.create_task(call.wait_for_answered())
        await asyncio.sleep(0)
        await person(line.hangs_up)
        return str((await asyncio.wait_for(answered, DEADLINE_S)).params["call_state"])

    assert stage.plays(story) in ("ending", "ended")


@pytest.mark.parametrize("is_first", [True, False], ids=["dial first", "state first"])
def test_a_dialled_call_is_answered_also_for_who_waits_for_the_event(stage: Stage, *, is_first: bool) -> None:
    """After `dial`, whichever event came first: the official client waits in vain if it was the state's."""
    stage.sim.manners.dial_event_first = is_first
    stage.phone(DESK).answers()

    async def story() -> None:
        call = await stage.client.dial(ONE_PHONE)
        event = await call.wait_for(
            "calling.call.state", lambda event: event.params["call_state"] == "answered", timeout=DEADLINE_S
        )
        assert event.params["call_state"] == "answered"
        with pytest.raises(TimeoutError):
            await call.wait_for("calling.call.state", timeout=0.01)

    stage.plays(story)


def test_a_predicate_finds_in_the_present_state_what_the_server_has_told(stage: Stage) -> None:
    """Not the state only."""

    async def story() -> None:
        call, _line = await stage.answered()
        event = await call.wait_for(
            "calling.call.state",
            lambda event: event.params["direction"] == "inbound" and event.params["call_state"] == "answered",
            timeout=DEADLINE_S,
        )
        assert event.params["device"] == call.device
        assert event.params["call_id"] == call.call_id

    stage.plays(story)


def test_a_wait_for_the_end_that_timed_out_can_be_repeated(stage: Stage) -> None:
    """The official client's first time-out destroys all of them (PROTOCOL 18.5)."""

    async def story() -> None:
        call, line = await stage.answered()
        for _ in range(2):
            with pytest.raises(TimeoutError):
                await call.wait_for_ended(timeout=0.01)
        await person(line.hangs_up)
        assert (await call.wait_for_ended(DEADLINE_S)).params["call_state"] == "ended"

    stage.plays(story)


def test_an_event_that_cannot_come_any_more_ends_its_wait(stage: Stage) -> None:
    """With the call. SEMANTICS X2."""

    async def story() -> None:
        call, line = await stage.answered()
        fax = asyncio.create_task(call.wait_for("calling.call.fax"))
        await asyncio.sleep(0)
        await person(line.hangs_up)
        with pytest.raises(CallEnded):
            await asyncio.wait_for(fax, DEADLINE_S)

    stage.plays(story)


def test_a_wait_with_a_time_out_ends_with_the_call_by_a_time_out(stage: Stage) -> None:
    """Code for "it has not come in time" runs as soon as that is certain, and a loop of such waits does not spin."""

    async def story() -> float:
        call, line = await stage.answered()
        fax = asyncio.create_task(call.wait_for("calling.call.fax", timeout=DEADLINE_S))
        await asyncio.sleep(0)
        await person(line.hangs_up)
        with pytest.raises(TimeoutError) as caught:
            await fax
        assert isinstance(caught.value, CallEnded)
        assert caught.value.call_id == call.call_id
        with pytest.raises(CallEnded):
            await call.wait_for("calling.call.fax", timeout=float("inf"))
        began = asyncio.get_running_loop().time()
        with pytest.raises(TimeoutError) as caught:
            await call.wait_for("calling.call.fax", timeout=0.05)
        assert isinstance(caught.value, CallEnded)
        return asyncio.get_running_loop().time() - began

    assert stage.plays(story) >= 0.05


def test_a_predicate_that_raises_means_no(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """An event without the key is not the one; the next one may be."""

    async def story() -> str:
        call, _line = await stage.answered()
        told = call.wait_for("calling.call.play", lambda event: bool(event.params[event.params["state"]] or True))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(told, 0.01)
        told = call.wait_for("calling.call.play", lambda event: {"finished": True}[event.params["state"]])
        finished = asyncio.create_task(told)
        await asyncio.sleep(0)
        await call.play_tts("Hello.")
        return str((await asyncio.wait_for(finished, DEADLINE_S)).params["state"])

    assert stage.plays(story) == "finished"
    assert "predicate of wait_for raised event=calling.call.play" in caplog.text
    assert "KeyError: 'playing'" in caplog.text


# -- the order of things ---------------------------------------------------------------------------------------------


def test_who_goes_on_after_a_wait_finds_that_callbacks_and_listeners_were_called(stage: Stage) -> None:
    """In the order of the official client: callback, listeners, then whoever waits; also on a loop that was busy."""

    async def story() -> None:
        call, line = await stage.answered()
        told: list[str] = []
        over = threading.Event()
        call.on("calling.call.play", lambda event: told.append(f"listener {event.params['state']}"))
        stage.sim.observe_events(lambda event_type, params: over.set() if params.get("state") == "finished" else None)
        action = await call.play_silence(0.1, on_completed=lambda _event: told.append("callback"))
        assert over.wait(DEADLINE_S)  # blocks the loop until it is over, and then some
        stage.sim.wait_until(lambda: action.is_done)
        await action.wait(DEADLINE_S)
        assert told == ["listener playing", "callback", "listener finished"]
        call.on("calling.call.state", lambda event: told.append(event.call_state))
        await person(line.hangs_up)
        await call.wait_for_ended(DEADLINE_S)
        assert told[-1] == "ended"
        late = await call.play_silence(0.1, on_completed=lambda _event: told.append("too late"))
        await late.wait()
        assert told[-1] == "too late"

    stage.plays(story)


def test_a_state_is_what_a_listener_is_told(stage: Stage) -> None:
    """Although the call may be further by then: what a handler looks at fits together."""
    seen: list[tuple[str, str]] = []

    async def story() -> None:
        for _ in range(5):
            call, _line = await stage.inbound()
            call.on("calling.call.state", lambda event, call=call: seen.append((event.call_state, call.state)))
            await call.answer()
            await call.hangup()
            await call.wait_for_ended(DEADLINE_S)

    stage.plays(story)
    assert len(seen) >= 10
    assert [told for told, _now in seen] == [now for _told, now in seen]


def test_a_handler_that_crashes_after_its_call_is_only_logged(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """There is nothing to give up any more."""

    async def crashes(call: Call) -> None:
        await call.answer()
        await call.hangup()
        await call.wait_for_ended()
        raise KeyError("a bug")

    stage.client.on_call(crashes)

    async def story() -> None:
        stage.phone(CALLER).dials(context="office")
        await until(lambda: "a bug" in caplog.text)

    stage.plays(story)
    assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1
    assert "its call is over" in caplog.text


# -- calls that nobody attends to ------------------------------------------------------------------------------------


def test_a_call_over_the_limit_is_passed_on(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody else may take it; the official client lets it ring in vain. SEMANTICS K10."""
    stage.client = stage.another_client(max_active_calls=1)
    stage.client.on_call(stage.calls.put)

    async def story() -> None:
        await stage.answered()
        second = stage.phone(DESK).dials(context="office")
        await until(lambda: stage.sent("calling.pass"))
        assert [one["call_id"] for one in stage.sent("calling.pass")] == [second.call_id]

    stage.plays(story)
    assert "1 calls are up, which is the limit: call passed on" in caplog.text


def test_a_phone_that_is_answered_after_its_dial_was_given_up_is_hung_up(stage: Stage) -> None:
    """Nobody would talk to it, and it would be paid for. SEMANTICS X9."""
    stage.phone(DESK).never_answers()

    async def story() -> None:
        with pytest.raises(RelayError):
            await stage.client.dial(ONE_PHONE, dial_timeout=0.2)
        await person(stage.phone(DESK).line.is_hung_up)

    stage.plays(story)
    assert {one["reason"] for one in stage.sent("calling.end")} == {"cancel"}


def test_a_socket_that_breaks_while_a_phone_rings_does_not_lose_the_call(stage: Stage) -> None:
    """The dial goes on at the server, and comes back with the session."""

    async def story() -> None:
        dialling = asyncio.create_task(stage.client.dial(ONE_PHONE, dial_timeout=DEADLINE_S))
        await person(stage.phone(DESK).rings)
        with stage.sim.socket_down(seconds=0.2):
            pass
        await person(stage.phone(DESK).answers)
        call = await dialling
        assert call.state == "answered"
        await call.hangup()

    stage.plays(story)


# -- texts -----------------------------------------------------------------------------------------------------------


def test_a_delivery_receipt_that_comes_before_the_answer_is_kept(stage: Stage) -> None:
    """PROTOCOL 14.2, 18.11."""
    stage.sim.inject("answer_late", method="messaging.send", seconds=0.3)

    async def story() -> str:
        message = await stage.client.send_message(to_number=DESK, from_number=OURS, body="Hello")
        await message.wait(DEADLINE_S)
        return message.state

    assert stage.plays(story) == "delivered"


# -- the log ---------------------------------------------------------------------------------------------------------


def test_the_log_says_what_happened(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """A handler that has crashed, with its call and its line; a connection that was lost, and came back."""

    async def crashes(call: Call) -> None:
        await call.answer()
        await call.wait_for_answered()
        raise KeyError("a bug")

    stage.client.on_call(crashes)

    async def story() -> str:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)
        with stage.sim.socket_down(seconds=0.1):
            pass
        await stage.client.execute("signalwire.ping", {})
        return str(line.call_id)

    with caplog.at_level(logging.INFO):
        call_id = stage.plays(story)
    lines = [record.getMessage() for record in caplog.records]
    [crash] = [line for line in lines if line.startswith("on_call handler raised")]
    assert call_id in crash
    assert "KeyError('a bug')" in crash
    assert any(line.startswith("connection down: ") for line in lines)
    assert sum("logged in" in line for line in lines) == 2


@pytest.mark.parametrize("level", ["debug", "INFO"])
def test_the_variable_for_the_log_level_is_heeded(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], level: str
) -> None:
    """As the documents of the official client say: with ``debug`` each frame is seen, without secrets (PROTOCOL 16)."""
    log, root = logging.getLogger("relay_actors"), logging.getLogger()
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "level", logging.NOTSET)
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setenv("SIGNALWIRE_LOG_LEVEL", level)
    stage.client = stage.another_client(token="secret-token-17")

    async def story() -> None:
        await stage.client.execute("signalwire.ping", {})

    try:
        stage.plays(story)
    finally:
        log.setLevel(logging.NOTSET)
    shown = capsys.readouterr().err
    assert "relay_actors" in shown
    assert "logged in" in shown
    assert ("requested method=signalwire.ping" in shown) is (level == "debug")
    assert "secret-token-17" not in shown


# -- threads ---------------------------------------------------------------------------------------------------------


def test_everything_that_is_the_users_runs_on_the_loop(stage: Stage) -> None:
    """Handlers, listeners, callbacks: nothing of it needs a lock."""
    threads: set[threading.Thread] = set()

    def note(_event: RelayEvent | None) -> None:
        threads.add(threading.current_thread())

    async def serve(call: Call) -> None:
        note(None)
        call.on("calling.call.state", note)
        await call.answer()
        await (await call.play_tts("Welcome.", on_completed=note)).wait()
        await call.hangup()

    stage.client.on_call(serve)

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)

    stage.plays(story)
    assert threads == {threading.main_thread()}
