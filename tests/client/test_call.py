"""Calls: what a handler can do with one, and what becomes of the call when the handler is over."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from relay_actors import Action, CallHandle, RelayError
from relay_actors import client as window
from relay_actors.client import Call
from relay_actors.errors import NotSentError
from relay_actors.events import CallStateEvent, CollectEvent, RelayEvent
from tests.actors.verbs.on_the_wire import parameters_of_function
from tests.actors.verbs.uses import CALL_METHODS, documented, parameters_in
from tests.client.conftest import CALLER, DEADLINE_S, DESK, OURS, Stage, person, until

TABLE = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))
PRESS = {"digits": {"max": 1, "digit_timeout": 5.0}}


# -- what is documented ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", CALL_METHODS)
def test_a_call_has_the_documented_methods(name: str) -> None:
    """Names, kinds and defaults; `hangup` takes one thing more. Source: methods.json, call_methods."""
    ours = parameters_of_function(getattr(Call, name))
    assert [one for one in ours if (name, one[0]) != ("hangup", "after")] == documented(name)
    # No second implementation: `on` adds where the handler runs, `wait_for` what asyncio's people expect of errors.
    assert name in ("on", "wait_for") or inspect.unwrap(getattr(Call, name)) is getattr(CallHandle, name)
    [row] = [row for row in TABLE["call_methods"] if row["name"] == name]
    assert inspect.iscoroutinefunction(getattr(Call, name)) is row["is_async"]


@pytest.mark.parametrize("row", TABLE["action_methods"], ids=lambda row: row["name"])
def test_actions_have_the_documented_methods(row: dict[str, str]) -> None:
    """Source: methods.json, action_methods."""
    classes = {kind.__name__: kind for kind in vars(window).values() if isinstance(kind, type) and kind is not Action}
    classes = {name: kind for name, kind in classes.items() if issubclass(kind, Action)}
    assert len(classes) == 11
    named = classes if row["classes"].startswith("all") else row["classes"].split(", ")
    for name in named:
        method = inspect.getattr_static(classes[name], row["name"])
        if row["python_signature"] == "property":
            assert isinstance(method, property)
        else:
            plain, _, record = row["python_signature"].partition(" / RecordAction.")
            assert parameters_of_function(method) == parameters_in(
                record if record and name == "RecordAction" else plain
            )


def test_a_call_is_made_of_what_is_documented() -> None:
    """Source: methods.json, seed_call_constructor."""
    assert parameters_of_function(Call.__init__) == parameters_in(
        TABLE["seed_call_constructor"].replace("__init__", "init")
    )


# -- an inbound call -------------------------------------------------------------------------------------------------


def test_an_inbound_call_says_who_it_is(stage: Stage) -> None:
    """PROTOCOL 8.1."""

    async def story() -> None:
        call, line = await stage.inbound()
        [offered] = stage.sim.frames.sent("calling.call.receive")
        told = offered.params["params"]
        assert isinstance(told, dict)
        assert (call.call_id, call.node_id, call.segment_id) == (line.call_id, told["node_id"], told["segment_id"])
        assert (call.context, call.direction, call.tag, call.device) == ("office", "inbound", "", told["device"])
        assert call.project_id
        assert call.client is stage.client
        assert repr(call) == f"<Call id='{line.call_id}' state='created' direction='inbound'>"
        await call.answer()
        await call.wait_for_answered(DEADLINE_S)
        assert repr(call) == f"<Call id='{line.call_id}' state='answered' direction='inbound'>"
        assert await call.hangup("decline")
        await call.wait_for_ended(DEADLINE_S)
        assert call.state == "ended"

    stage.plays(story)


def test_a_caller_is_served_from_a_menu(stage: Stage) -> None:
    """The appendix of PROTOCOL, from `answer` to `ended`."""

    async def story() -> list[str]:
        call, line = await stage.inbound()
        assert (await call.answer())["code"] == "200"
        menu = await call.prompt_tts("Press 1 for sales, 2 for support.", PRESS)
        assert not menu.is_done
        await person(line.hears, "press 1")
        await person(line.presses, "2")
        event = await menu.wait(timeout=DEADLINE_S)
        assert isinstance(event, CollectEvent)
        assert (event.digits, menu.result, menu.is_done, menu.call) == ("2", event, True, call)
        music = await call.play_audio("https://example.com/music.mp3")
        assert await music.pause()
        assert await music.stop()
        await music.wait(DEADLINE_S)
        await (await call.play_tts("Goodbye.")).wait(DEADLINE_S)
        await call.hangup()
        ended = await call.wait_for_ended(DEADLINE_S)
        assert isinstance(ended, CallStateEvent)
        assert ended.end_reason == "hangup"
        await person(line.is_hung_up)
        return [str(sound) for sound in line.heard]

    heard = stage.plays(story)
    assert [heard[0], heard[-1]] == ["Press 1 for sales, 2 for support.", "Goodbye."]
    assert stage.sim.violations == ()


def test_a_refusal_is_raised_where_the_verb_is_awaited(stage: Stage) -> None:
    """By an operation as by a simple command; but a call that is gone gives ``{}`` (PROTOCOL 8.7, 10.2)."""

    async def story() -> None:
        call, _line = await stage.answered()
        stage.sim.reject_next("calling.play", code="500", message="Out of tape")
        with pytest.raises(RelayError, match="Out of tape") as caught:
            await call.play_tts("Hello")
        assert caught.value.code == 500
        stage.sim.reject_next("calling.hold", code="500", message="No music")
        with pytest.raises(RelayError, match="No music"):
            await call.hold()
        stage.sim.reject_next("calling.unhold", code="404", message="Gone")
        assert await call.unhold() == {}
        wrong = call.play("Hello")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(ValueError, match=r"calling\.play"):
            await wrong

    stage.plays(story)


def test_a_call_that_has_ended_can_still_be_talked_to(stage: Stage) -> None:
    """As if the server had said 404: a simple command gives ``{}``, an action is completed (PROTOCOL 8.5, 10.4)."""
    completed: list[RelayEvent] = []

    async def story() -> None:
        call, line = await stage.answered()
        runs = await call.play_audio("https://example.com/music.mp3")
        unanswered = asyncio.create_task(person(line.hangs_up))
        assert (await runs.wait(DEADLINE_S)).event_type
        await call.wait_for_ended(DEADLINE_S)
        await unanswered
        assert await call.hold() == {}
        assert await call.hangup() == {}
        assert await runs.stop() == {}
        told = asyncio.Event()
        late = await call.play_tts("Too late", on_completed=lambda event: (completed.append(event), told.set()))
        assert late.completed
        assert late.result is not None
        assert (late.result.event_type, late.result.params) == ("", {})
        await asyncio.wait_for(told.wait(), DEADLINE_S)
        assert (await call.wait_for_answered()).params["call_state"] == "ended"

    stage.plays(story)
    assert len(completed) == 1
    assert len(stage.sent("calling.play")) == 1


def test_a_command_whose_call_ends_meanwhile_gives_nothing_and_raises_nothing(stage: Stage) -> None:
    """Its answer will never come (PROTOCOL 8.5)."""
    stage.sim.stop_answering("calling.hold")

    async def story() -> dict[str, Any]:
        call, line = await stage.answered()
        asked = asyncio.create_task(call.hold())
        await until(lambda: stage.sent("calling.hold"))
        await person(line.hangs_up)
        return await asyncio.wait_for(asked, DEADLINE_S)

    assert stage.plays(story) == {}


def test_waits_race_as_tasks_and_a_time_out_harms_nothing(stage: Stage) -> None:
    """What verbs give is taken wherever asyncio takes a coroutine (PROTOCOL 8.4, 10.1)."""

    async def story() -> None:
        call, line = await stage.answered()
        menu = await asyncio.create_task(call.prompt_tts("Press 1.", PRESS))
        with pytest.raises(TimeoutError):
            await menu.wait(timeout=0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.wait_for_ended(), 0.01)
        with pytest.raises(TimeoutError):
            await call.wait_for("calling.call.fax", timeout=0.01)
        pressed, ended = asyncio.create_task(menu.wait()), asyncio.create_task(call.wait_for_ended())
        told = call.wait_for("calling.call.state", lambda event: event.params["call_state"] == "ended", DEADLINE_S)
        connected = asyncio.create_task(told)
        await person(line.presses, "1")
        done, _ = await asyncio.wait({pressed, ended}, timeout=DEADLINE_S, return_when=asyncio.FIRST_COMPLETED)
        assert done == {pressed}
        await call.hangup()
        assert await asyncio.wait_for(ended, DEADLINE_S) is await connected

    stage.plays(story)


# -- listeners -------------------------------------------------------------------------------------------------------


def test_listeners_and_on_completed_run_on_the_loop_in_order(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Plain and async ones; what one raises is logged and harms nobody (PROTOCOL 10.1)."""
    told: list[tuple[str, str]] = []
    threads: set[int] = set()

    async def story() -> None:
        call, _line = await stage.answered()

        def plain(event: RelayEvent) -> None:
            threads.add(threading.get_ident())
            told.append(("plain", event.params["state"]))

        async def slow(event: RelayEvent) -> None:
            threads.add(threading.get_ident())
            await asyncio.sleep(0)
            told.append(("slow", event.params["state"]))

        def breaks(_event: RelayEvent) -> None:
            raise ValueError("a broken listener")

        all_told = asyncio.Event()

        async def completed(event: RelayEvent) -> None:
            told.append(("completed", event.params["state"]))
            all_told.set()

        for handler in (breaks, plain, slow):
            call.on("calling.call.play", handler)
        await call.play_tts("Hello", on_completed=completed)
        await asyncio.wait_for(all_told.wait(), DEADLINE_S)
        await until(lambda: ("slow", "finished") in told)
        with pytest.raises(TypeError, match="function"):
            call.on("calling.call.play", "not a function")  # type: ignore[arg-type]  # the mistake
        with pytest.raises(TypeError, match="function"):
            await call.play_tts("Hello", on_completed="not a function")  # type: ignore[arg-type]  # the mistake

    stage.plays(story)
    assert [state for kind, state in told if kind == "plain"] == ["playing", "finished"]
    assert [state for kind, state in told if kind == "slow"] == ["playing", "finished"]
    assert [state for kind, state in told if kind == "completed"] == ["finished"]
    assert threads == {threading.get_ident()}
    assert caplog.text.count("a broken listener") >= 2


# -- handlers --------------------------------------------------------------------------------------------------------


def test_two_calls_are_handled_at_once(stage: Stage) -> None:
    """One handler waits for what the other one does (PROTOCOL 8.3)."""
    answered: dict[str, asyncio.Event] = {}

    async def story() -> None:
        second_is_there = asyncio.Event()

        @stage.client.on_call
        async def handle(call: Call) -> None:
            answered[call.call_id] = asyncio.Event()
            if len(answered) == 1:
                await second_is_there.wait()
            else:
                second_is_there.set()
            await call.answer()
            answered[call.call_id].set()

        for number in (CALLER, DESK):
            stage.phone(number).dials(context="office")
        await until(lambda: len(answered) == 2)
        for event in answered.values():
            await asyncio.wait_for(event.wait(), DEADLINE_S)

    stage.plays(story)


def test_a_call_stays_up_when_its_handler_has_returned(stage: Stage) -> None:
    """As long as nobody hangs it up (PROTOCOL 8.3)."""
    kept: list[Call] = []

    async def story() -> None:
        done = asyncio.Event()

        @stage.client.on_call
        async def handle(call: Call) -> None:
            await call.answer()
            kept.append(call)
            done.set()

        line = stage.phone(CALLER).dials(context="office")
        await asyncio.wait_for(done.wait(), DEADLINE_S)
        [call] = kept
        await call.play_tts("Still here.")
        await person(line.hears, "still here")
        assert stage.sent("calling.end") == []
        await call.hangup()
        await call.wait_for_ended(DEADLINE_S)

    stage.plays(story)


class BugError(Exception):
    """What a user's handler raises."""


def raises_at_once(_call: Call) -> None:
    raise BugError


async def raises_later(call: Call) -> None:
    await call.answer()
    await call.wait_for_answered()
    raise BugError


async def awaits_what_it_has_cancelled(call: Call) -> None:
    await call.answer()
    await call.wait_for_answered()
    task = asyncio.create_task(asyncio.sleep(9))
    task.cancel()
    await task


@pytest.mark.parametrize(
    ("handler", "told", "reason"),
    [
        (raises_at_once, "BugError", "decline"),
        (raises_later, "BugError", "error"),
        (awaits_what_it_has_cancelled, "CancelledError", "error"),
    ],
)
def test_a_handler_that_crashes_leaves_nobody_in_silence(
    stage: Stage, caplog: pytest.LogCaptureFixture, handler: Any, told: str, reason: str
) -> None:
    """It is logged with its traceback, and the call hung up, once, whatever it was. SEMANTICS X7."""
    stage.client.on_call(handler)

    async def story() -> str:
        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_hung_up)
        return line.end_reason

    assert stage.plays(story) == reason
    assert len(stage.sent("calling.end")) == 1
    assert f"giving up call_id={stage.phone(CALLER).line.call_id}: {told}" in caplog.text
    assert caplog.text.count("Traceback") == 1
    assert f"in {handler.__name__}\n" in caplog.text


def test_a_call_that_was_handed_on_is_not_hung_up_by_a_crash(stage: Stage) -> None:
    """It is somebody else's. SEMANTICS X7."""

    async def story() -> None:
        over = asyncio.Event()

        @stage.client.on_call
        async def handle(call: Call) -> None:
            await call.answer()
            assert await call.transfer("https://example.com/sales.swml")
            over.set()
            raise ValueError("too late to matter")

        line = stage.phone(CALLER).dials(context="office")
        await asyncio.wait_for(over.wait(), DEADLINE_S)
        await person(line.is_transferred, "https://example.com/sales.swml")

    stage.plays(story)
    assert stage.sent("calling.end") == []


def test_a_handler_whose_caller_hangs_up_has_not_crashed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """That is how most calls end."""

    async def story() -> None:
        ends: asyncio.Queue[str] = asyncio.Queue()

        @stage.client.on_call
        async def handle(call: Call) -> None:
            await call.answer()
            try:
                await call.wait_for("calling.call.fax")
            finally:
                ends.put_nowait(call.state)

        line = stage.phone(CALLER).dials(context="office")
        await person(line.is_connected)
        await person(line.hangs_up)
        assert await asyncio.wait_for(ends.get(), DEADLINE_S) == "ended"

    with caplog.at_level(logging.WARNING):
        stage.plays(story)
    assert caplog.text == ""


def test_a_call_without_a_handler_is_told_and_stays(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """PROTOCOL 8.3."""
    stage.client.call_handler = None

    async def story() -> None:
        line = stage.phone(CALLER).dials(context="office")
        await until(lambda: "no on_call handler" in caplog.text)
        assert not line.is_over
        await person(line.hangs_up)

    stage.plays(story)
    assert stage.sent("calling.end") == []


def test_a_call_that_comes_when_the_loop_is_gone_is_hung_up(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody is there to handle it, and nobody will be."""
    asyncio.run(stage.client.connect())
    line = stage.phone(CALLER).dials(context="office")
    line.is_hung_up()
    asyncio.run(stage.client.disconnect())
    assert "handler not run" in caplog.text


# -- a call that is known by its ids ---------------------------------------------------------------------------------


def test_a_call_can_be_followed_by_its_ids(stage: Stage) -> None:
    """One that `execute` has begun; what was told of it before is kept. Source: PROTOCOL 9.4, seed_call_constructor."""
    stage.phone(DESK).answers()

    async def story() -> None:
        device = {"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}
        begun = await stage.client.execute("calling.begin", {"device": device, "tag": "t"})
        ids = str(begun["call_id"]), str(begun["node_id"])
        await person(stage.phone(DESK).line.is_connected)
        call = Call(stage.client, *ids, "", "mine", tag="t", direction="outbound", device=device, segment_id="s")
        await call.wait_for_answered(DEADLINE_S)
        assert (call.call_id, call.node_id) == ids
        assert (call.context, call.project_id, call.tag, call.direction) == ("mine", "project-17", "t", "outbound")
        again = Call(stage.client, *ids, "p", "other")
        assert (again.ref, again.context) == (call.ref, "mine")
        await call.play_tts("Good morning.")
        await person(stage.phone(DESK).hears, "good morning")
        await call.hangup()
        await call.wait_for_ended(DEADLINE_S)
        await stage.client.disconnect()
        with pytest.raises(NotSentError, match="not connected"):
            Call(stage.client, *ids, "p", "other")

    stage.plays(story)


def test_a_dialled_call_says_who_it_is(stage: Stage) -> None:
    """PROTOCOL 8.1, 9.3."""
    stage.phone(DESK).answers()

    async def story() -> None:
        device = {"type": "phone", "params": {"from_number": OURS, "to_number": DESK}}
        call = await stage.client.dial([[device]], tag="mine")
        assert (call.tag, call.direction, call.state) == ("mine", "outbound", "answered")
        assert call.context == stage.client.relay_protocol != ""
        assert call.project_id == "project-17"
        await call.hangup()

    stage.plays(story)
