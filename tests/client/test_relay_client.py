"""The client: what it is made of, how it connects and lets go, and what is asked for beside calls."""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import inspect
import json
import logging
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from relay_actors import RelayError
from relay_actors.actors.ending import heeding_signals
from relay_actors.client import Call, Message, RelayClient
from relay_actors.client import relay_client as module
from relay_actors.errors import DialFailedError, NotSentError
from tests.actors.verbs.on_the_wire import parameters_of_function
from tests.actors.verbs.uses import parameters_in
from tests.client.conftest import CALLER, DEADLINE_S, DESK, OURS, Stage, person, until

TABLE = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))


def device(number: str) -> dict[str, Any]:
    return {"type": "phone", "params": {"from_number": OURS, "to_number": number}}


# -- what is documented ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", TABLE["client_methods"], ids=lambda row: row["name"])
def test_a_client_has_the_documented_methods(row: dict[str, Any]) -> None:
    """Names, kinds, defaults, and which are coroutines. Source: methods.json, client_methods."""
    method = getattr(RelayClient, row["name"])
    if row["name"] == "__aexit__":
        assert [one.kind.name for one in inspect.signature(method).parameters.values()][1:] == ["VAR_POSITIONAL"]
    else:
        assert parameters_of_function(method) == parameters_in(row["python_signature"])
    assert inspect.iscoroutinefunction(method) is row["is_async"]


def test_a_client_is_made_of_what_is_documented() -> None:
    """Source: methods.json, seed_client_constructor; PROTOCOL 20."""
    of_its_own = ["isolation", "on_give_up", "journal", "drain_s", "at_drain_deadline"]
    ours = parameters_of_function(RelayClient.__init__)
    assert ours[: -len(of_its_own)] == parameters_in(TABLE["seed_client_constructor"])
    assert [name for name, _kind, _default in ours[-len(of_its_own) :]] == of_its_own
    assert {kind for _name, kind, _default in ours[-len(of_its_own) :]} == {"KEYWORD_ONLY"}
    client = RelayClient("project-17", "token-17", "jwt-17", "example.com", ["office", "office"], 7)
    assert (client.project, client.token, client.jwt_token) == ("project-17", "token-17", "jwt-17")
    assert (client.host, client.contexts, client.relay_protocol) == ("example.com", ["office"], "")
    assert repr(client) == "<RelayClient example.com not connected contexts=['office']>"


@pytest.mark.parametrize(
    ("arguments", "variables", "named"),
    [
        ({}, {}, "^project is required.*SIGNALWIRE_PROJECT_ID"),
        ({"project": "p"}, {}, "^token is required.*SIGNALWIRE_API_TOKEN"),
        ({"project": ""}, {"SIGNALWIRE_API_TOKEN": "t"}, "^project is required"),
        ({"jwt_token": "j", "host": "https://example.com"}, {}, "^Invalid host"),
        ({"jwt_token": "j", "contexts": "office"}, {}, "contexts"),
        ({"jwt_token": "j", "max_active_calls": 0}, {}, "max_active_calls"),
    ],
)
def test_what_is_missing_is_named_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], variables: dict[str, str], named: str
) -> None:
    """As a ValueError, before anything is opened (PROTOCOL 15)."""
    for variable in ("SIGNALWIRE_PROJECT_ID", "SIGNALWIRE_API_TOKEN", "SIGNALWIRE_JWT_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(ValueError, match=named):
        RelayClient(**arguments)


def test_credentials_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """PROTOCOL 15, 16.3."""
    for variable in ("PROJECT_ID", "API_TOKEN", "JWT_TOKEN", "SPACE"):
        monkeypatch.setenv(f"SIGNALWIRE_{variable}", f"the.{variable.replace('_', '.')}")
    client = RelayClient(token="mine")
    assert (client.project, client.token, client.jwt_token) == ("the.PROJECT.ID", "mine", "the.JWT.TOKEN")
    assert client.host == "the.SPACE"


def test_decorators_give_the_function_back_and_the_last_one_wins(stage: Stage) -> None:
    """PROTOCOL 8.3."""
    told: list[str] = []

    async def story() -> None:
        done = asyncio.Event()

        async def first(_one: Any) -> None:
            raise AssertionError("it was replaced")

        async def on_call(call: Call) -> None:
            told.append(call.call_id)
            await call.hangup()
            await person(lambda: stage.phone(DESK).texts("Hello", context="office"))

        async def on_message(message: Message) -> None:
            told.append(message.body)
            done.set()

        for handler in (first, on_call):
            assert stage.client.on_call(handler) is handler
        for text_handler in (first, on_message):
            assert stage.client.on_message(text_handler) is text_handler
        stage.phone(CALLER).dials(context="office")
        await asyncio.wait_for(done.wait(), DEADLINE_S)

    stage.plays(story)
    assert told == [stage.phone(CALLER).line.call_id, "Hello"]
    with pytest.raises(TypeError, match="function"):
        stage.client.on_call("not a function")  # type: ignore[type-var]  # the mistake


# -- connecting ------------------------------------------------------------------------------------------------------


def test_a_client_is_connected_within_async_with(stage: Stage) -> None:
    """And gives its connection back afterwards, however often."""

    async def story() -> None:
        for _ in range(2):
            async with stage.client as client:
                assert client is stage.client
                await client.connect()
                assert client.relay_protocol in stage.sim.sessions
            assert client.relay_protocol == ""

    stage.plays(story, connected=False)
    assert len(stage.sent("signalwire.connect")) == 2


def test_a_refused_log_in_is_raised_at_once(stage: Stage) -> None:
    """By `connect`, at the first refusal; nothing is tried further (PROTOCOL 6.6)."""
    stage.sim.reject_next("signalwire.connect", code="-32002", message="Unauthorized", times=5)
    # So that the next attempt cannot be quicker than the end of it all, however busy the machine is.
    stage.client.app.timing = dataclasses.replace(
        stage.client.app.timing, reconnect_min_s=DEADLINE_S, reconnect_max_s=DEADLINE_S
    )

    async def story() -> None:
        with pytest.raises(RelayError, match="Unauthorized"):
            await stage.client.connect()

    stage.plays(story, connected=False)
    assert not stage.client.app.is_running
    assert len(stage.sent("signalwire.connect")) == 1


def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says where and what to look at; and nothing of it is left behind."""
    monkeypatch.setattr(module, "LOG_IN_S", 0.05)
    stage.sim.stop_answering("signalwire.connect")

    async def story() -> None:
        with pytest.raises(TimeoutError, match=f"no log in at {stage.host}"):
            await stage.client.connect()

    stage.plays(story, connected=False)
    assert not stage.client.app.is_running


def test_who_gives_up_connecting_leaves_nothing_behind(stage: Stage) -> None:
    """Cancelled in the middle of it."""
    stage.sim.stop_answering("signalwire.connect")

    async def story() -> None:
        connecting = asyncio.create_task(stage.client.connect())
        await until(lambda: stage.sent("signalwire.connect"))
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert not stage.client.app.is_running
        stage.sim.resume_answering()
        async with stage.client:
            assert stage.client.relay_protocol

    stage.plays(story, connected=False)


def test_a_process_has_as_many_connections_as_it_may_have(stage: Stage) -> None:
    """One, unless the environment says otherwise (PROTOCOL 6.8)."""

    async def story() -> None:
        with pytest.raises(RuntimeError, match="RELAY_MAX_CONNECTIONS"):
            await stage.another_client().connect()

    stage.plays(story)
    stage.plays(story)


def test_a_lost_connection_comes_back_and_what_was_asked_meanwhile_is_sent(stage: Stage) -> None:
    """Also outside of `run` (PROTOCOL 6.4, 6.7)."""

    async def story() -> None:
        call, line = await stage.answered()
        menu = await call.prompt_tts("Press 1.", {"digits": {"max": 1}})
        await person(line.hears, "press 1")
        with stage.sim.socket_down():
            await until(lambda: call.leg.is_cut_off)
            asked = asyncio.create_task(call.play_tts("Are you still there?"))
            await asyncio.sleep(0)
            line.presses("1")
        assert (await menu.wait(DEADLINE_S)).digits == "1"
        await asyncio.wait_for(asked, DEADLINE_S)
        await call.hangup()

    stage.plays(story)


# -- requests --------------------------------------------------------------------------------------------------------


def test_any_request_can_be_executed(stage: Stage) -> None:
    """Its whole result is given, and a refusal raised, 404 too (PROTOCOL 2.3)."""

    async def story() -> None:
        result = await stage.client.execute("signalwire.receive", {"contexts": ["more"]})
        assert result["code"] == "200"
        with pytest.raises(RelayError) as caught:
            await stage.client.execute("calling.hold", {"call_id": "x", "node_id": "y"})
        assert caught.value.code == 404

    stage.plays(story)


def test_contexts_come_and_go_and_are_remembered(stage: Stage) -> None:
    """For later connections; an empty list is no request (PROTOCOL 4)."""

    async def story() -> None:
        client = stage.client
        async with client:
            assert await client.receive(["sales", "office"]) is None  # type: ignore[func-returns-value]  # the promise
            await client.unreceive(["office"])
            await client.receive([])
            await client.unreceive([])
            stage.sim.reject_next("signalwire.receive", code="402", message="Payment required")
            with pytest.raises(RelayError, match="Payment required"):
                await client.receive(["premium"])
            assert client.contexts == ["sales"]
        async with client:
            assert stage.sent("signalwire.connect")[-1]["contexts"] == ["sales"]

    stage.plays(story, connected=False)
    assert len(stage.sent("signalwire.receive")) == 2
    assert len(stage.sent("signalwire.unreceive")) == 1


def test_who_is_not_connected_is_told_so(stage: Stage) -> None:
    """At once, by a RelayError, whatever was asked; nothing waits for a connection that nobody opens."""

    async def story() -> None:
        client = stage.client
        for ask in (
            lambda: client.execute("calling.x", {}),
            lambda: client.dial([[device(DESK)]]),
            lambda: client.send_message(to_number=DESK, from_number=OURS, body="Hello"),
            lambda: client.receive(["more"]),
            lambda: client.unreceive(["office"]),
        ):
            with pytest.raises(NotSentError, match=r"client\.connect"):
                await ask()

    stage.plays(story, connected=False)


# -- dialling --------------------------------------------------------------------------------------------------------


def test_the_phone_that_answers_is_the_call(stage: Stage) -> None:
    """The others are hung up (PROTOCOL 9)."""
    stage.phone(DESK).answers()

    async def story() -> None:
        call = await stage.client.dial([[device(CALLER), device(DESK)]], max_duration=5, dial_timeout=DEADLINE_S)
        assert call.call_id == stage.phone(DESK).line.call_id
        await call.play_tts("Your appointment is tomorrow.")
        await person(stage.phone(DESK).hears, "appointment")
        await person(stage.phone(DESK).hangs_up)
        await call.wait_for_ended(DEADLINE_S)
        assert call.end_reason == "hangup"
        await until(lambda: stage.phone(CALLER).line.is_over)

    stage.plays(story)
    [sent] = stage.sent("calling.dial")
    assert (sent["max_duration"], sent["devices"]) == (5, [[device(CALLER), device(DESK)]])
    assert stage.phone(CALLER).line.end_reason == "cancel"


def test_a_dial_that_nobody_answers_raises(stage: Stage) -> None:
    """Busy, refused by the server, too late, and with a tag that is in use (PROTOCOL 9.3)."""

    async def story() -> None:
        client = stage.client
        stage.phone(DESK).is_busy()
        with pytest.raises(DialFailedError, match=r"^RELAY error -1: Dial failed \(tag=busy\)") as caught:
            await client.dial([[device(DESK)]], tag="busy")
        assert caught.value.code == -1
        stage.sim.reject_next("calling.dial", code="402", message="Payment required")
        with pytest.raises(RelayError, match="Payment required"):
            await client.dial([[device(DESK)]])
        stage.phone(DESK).never_answers()
        dialling = asyncio.create_task(client.dial([[device(DESK)]], tag="late", dial_timeout=0.1))
        await until(lambda: len(stage.sent("calling.dial")) == 3)
        with pytest.raises(ValueError, match="late"):
            await client.dial([[device(CALLER)]], tag="late")
        with pytest.raises(DialFailedError, match=r"Dial timed out .*tag=late"):
            await dialling
        await person(stage.phone(DESK).is_hung_up)
        with pytest.raises(ValueError, match="dial_timeout"):
            await client.dial([[device(CALLER)]], dial_timeout=0)

    stage.plays(story)
    assert [params["reason"] for params in stage.sent("calling.end")] == ["cancel"]


def test_who_gives_a_dial_up_leaves_no_phone_ringing(stage: Stage) -> None:
    """Cancelled by the application's own time-out, for example (PROTOCOL 9.3)."""
    stage.phone(DESK).never_answers()

    async def story() -> None:
        dialling = asyncio.create_task(stage.client.dial([[device(DESK)]]))
        await person(stage.phone(DESK).rings)
        dialling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await dialling
        await person(stage.phone(DESK).is_hung_up)

    stage.plays(story)


# -- disconnecting ---------------------------------------------------------------------------------------------------


def test_a_disconnect_cancels_what_is_under_way_and_sends_nothing(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """Requests, dials, verbs, actions, waits and texts; calls go on at the server (PROTOCOL 6.2)."""
    for method in ("calling.hold", "calling.x"):
        stage.sim.stop_answering(method)
    stage.phone(DESK).never_answers()
    told: list[str] = []

    async def story() -> None:
        call, line = await stage.answered()
        client = stage.client
        menu = await call.prompt_tts("Press 1.", {"initial_timeout": 3600.0, "digits": {"max": 1}})
        stage.sim.next_message(ends="sent")
        message = await client.send_message(to_number=CALLER, from_number=OURS, body="Hello")
        pending = [
            asyncio.create_task(one)
            for one in (
                client.execute("calling.x", {}),
                client.dial([[device(DESK)]]),
                call.hold(),
                menu.wait(),
                call.wait_for("calling.call.fax"),
                call.wait_for_ended(),
                message.wait(),
            )
        ]

        async def waits() -> None:
            try:
                await menu.wait()
            except asyncio.CancelledError:
                told.append("cancelled")
                raise

        pending.append(asyncio.create_task(waits()))
        await person(stage.phone(DESK).rings)
        await until(lambda: stage.sent("calling.x") and stage.sent("calling.hold"))
        before = len(stage.sim.frames.received())
        await client.disconnect()
        assert await asyncio.gather(*pending, return_exceptions=True)
        assert [task.cancelled() for task in pending] == [True] * 8
        await client.disconnect()
        assert not line.is_over
        requests = [one.method for one in stage.sim.frames.received()[before:] if one.method]
        assert requests == []
        for late in (call.hold, lambda: call.play_tts("Hello?"), menu.stop):
            with pytest.raises(NotSentError, match="disconnected"):
                await late()
        await client.connect()
        with pytest.raises(NotSentError, match="disconnected"):
            await call.hangup()

    with caplog.at_level(logging.WARNING):
        stage.plays(story)
    assert caplog.text == ""
    assert told == ["cancelled"]


# -- run -------------------------------------------------------------------------------------------------------------


def runs(stage: Stage, meanwhile: Callable[[], None]) -> None:
    """Have the client run in this thread, while somebody does something in another."""
    failures: list[AssertionError] = []

    def act() -> None:
        try:
            stage.sim.wait_for_clients()
            meanwhile()
        except AssertionError as error:
            failures.append(error)
            signal.raise_signal(signal.SIGTERM)

    acting = threading.Thread(target=act)
    acting.start()
    try:
        stage.client.run()
    finally:
        acting.join(DEADLINE_S)
    assert failures == []
    assert not stage.client.app.is_running


async def serve(call: Call) -> None:
    await call.answer()
    menu = await call.prompt_tts("Press 1.", {"digits": {"max": 1}})
    await menu.wait()
    await call.play_tts("Goodbye.")
    await call.hangup()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_calls_that_are_up_end_in_peace(stage: Stage, number: signal.Signals) -> None:
    """No new ones are taken meanwhile. SEMANTICS H6."""
    stage.client.on_call(serve)
    before = signal.getsignal(number)

    def meanwhile() -> None:
        line = stage.phone(CALLER).dials(context="office")
        line.hears("press 1")
        signal.pthread_kill(threading.main_thread().ident or 0, number)
        stage.sim.wait_until(lambda: bool(stage.sent("signalwire.unreceive")))
        line.presses("1").hears("goodbye").is_hung_up()

    runs(stage, meanwhile)
    assert stage.phone(CALLER).line.end_reason == "hangup"
    assert signal.getsignal(number) is before


def test_the_third_signal_hangs_up(stage: Stage) -> None:
    """Who does not want to wait; the second only turns away what is new. SEMANTICS H7."""
    stage.client.on_call(serve)

    def meanwhile() -> None:
        line = stage.phone(CALLER).dials(context="office")
        line.hears("press 1")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        stage.sim.wait_until(lambda: bool(stage.sent("signalwire.unreceive")))
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        stage.sim.wait_until(lambda: stage.client.app._run is not None and stage.client.app._run.rejects)
        assert not line.is_over
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
        line.is_hung_up()

    runs(stage, meanwhile)


def test_the_fourth_signal_ends_the_process_at_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hangs. SEMANTICS H7."""

    def leave(status: int) -> None:  # what ends a process would end the tests as well
        raise SystemExit(status)

    monkeypatch.setattr(module, "heeding_signals", functools.partial(heeding_signals, leave=leave))
    stage.client.on_call(serve)
    stage.sim.stop_answering("calling.end")
    stage.client.app.timing = dataclasses.replace(stage.client.app.timing, stop_timeout_s=0.3)
    done = threading.Event()

    def signals() -> None:
        stage.sim.wait_for_clients()
        stage.phone(CALLER).dials(context="office").hears("press 1")
        kill = functools.partial(signal.pthread_kill, threading.main_thread().ident or 0)
        kill(signal.SIGTERM)
        stage.sim.wait_until(lambda: bool(stage.sent("signalwire.unreceive")))
        kill(signal.SIGINT)
        stage.sim.wait_until(lambda: stage.client.app._run is not None and stage.client.app._run.rejects)
        kill(signal.SIGTERM)
        stage.sim.wait_until(lambda: bool(stage.sent("calling.end")))
        kill(signal.SIGTERM)
        done.set()

    signalling = threading.Thread(target=signals)
    signalling.start()
    with pytest.raises(SystemExit) as caught:
        stage.client.run()
    assert caught.value.code == 1
    assert done.wait(DEADLINE_S)
    stage.client.app.stop()


def test_a_signal_for_which_the_program_has_a_handler_stays_its_own(stage: Stage) -> None:
    """As with the official client, which leaves SIGTERM alone."""
    is_heard = threading.Event()
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: is_heard.set())

    def meanwhile() -> None:
        kill = functools.partial(signal.pthread_kill, threading.main_thread().ident or 0)
        kill(signal.SIGTERM)
        assert is_heard.wait(DEADLINE_S)
        assert stage.client.app.is_running
        kill(signal.SIGINT)

    try:
        runs(stage, meanwhile)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_run_ends_when_the_client_is_disconnected(stage: Stage) -> None:
    """By a handler, for example (PROTOCOL 6.7)."""

    @stage.client.on_call
    async def last_one(call: Call) -> None:
        await call.hangup()
        await stage.client.disconnect()

    runs(stage, lambda: stage.phone(CALLER).dials(context="office").is_hung_up() and None)


def test_run_gives_up_after_three_refusals(stage: Stage) -> None:
    """PROTOCOL 6.6."""
    stage.sim.reject_next("signalwire.connect", code="-32002", message="Unauthorized", times=5)
    with pytest.raises(RelayError, match="Unauthorized"):
        stage.client.run()
    assert len(stage.sent("signalwire.connect")) == 3
    assert not stage.client.app.is_running


def test_run_goes_without_signals_in_another_thread(stage: Stage) -> None:
    """Which cannot hear them; `disconnect` ends it."""
    running = threading.Thread(target=stage.client.run)
    running.start()
    stage.sim.wait_for_clients()
    asyncio.run(stage.client.disconnect())
    running.join(DEADLINE_S)
    assert not running.is_alive()


# -- tags ------------------------------------------------------------------------------------------------------------


def test_a_tag_is_free_as_soon_as_its_dial_is_over(stage: Stage) -> None:
    """Failed or answered, while that call is still up; but two dials at once need two (PROTOCOL 9.1, 9.3.8)."""
    stage.phone(DESK).is_busy()

    async def story() -> None:
        for _ in range(2):
            with pytest.raises(DialFailedError):
                await stage.client.dial([[device(DESK)]], tag="order-42")
        dialling = asyncio.create_task(stage.client.dial([[device("+15550006666")]], tag="order-42", dial_timeout=0.1))
        with pytest.raises(DialFailedError, match="timed out"):
            await dialling
        stage.phone(DESK).answers()
        first = await stage.client.dial([[device(DESK)]], tag="order-42")
        second = await stage.client.dial([[device(CALLER)]], tag="order-42")
        assert first.call_id != second.call_id
        for call, number in ((first, DESK), (second, CALLER)):
            await call.play_tts(f"This is for {number}.")
            await person(stage.phone(number).hears, f"for {number}")
            await call.hangup()
            await call.wait_for_ended(DEADLINE_S)
        dialling = asyncio.create_task(stage.client.dial([[device("+15550005555")]], tag="one"))
        await person(stage.phone("+15550005555").rings)
        with pytest.raises(ValueError, match="in use by another dial"):
            await stage.client.dial([[device(DESK)]], tag="one")
        dialling.cancel()
        assert (await asyncio.gather(dialling, return_exceptions=True))[0].__class__ is asyncio.CancelledError
        stage.phone(DESK).answers()
        assert await stage.client.dial([[device(DESK)]], tag="")

    stage.phone(CALLER).answers()
    stage.plays(story)
