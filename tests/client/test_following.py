"""Handles of operations that somebody else has started: actions are made by hand as of the official client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relay_actors import client as window
from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.client import Action, Call, CollectAction, FaxAction, PlayAction, RelayEvent
from relay_actors.errors import NotSentError
from tests.actors.verbs.on_the_wire import parameters_of_function
from tests.actors.verbs.uses import parameters_in
from tests.client.conftest import DEADLINE_S, Stage, person

TABLE = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))
KINDS = sorted(name for name in window.__all__ if name.endswith("Action") and name != "Action")
PLAY = [{"type": "audio", "params": {"url": "https://example.com/music.mp3"}}]


def execute(stage: Stage, call: Call, method: str, **params: Any) -> Any:
    return stage.client.execute(method, {"call_id": call.call_id, "node_id": call.node_id, **params})


def test_the_base_is_made_of_what_is_documented() -> None:
    """Source: methods.json, seed_action_constructor."""
    ours = parameters_of_function(Action.__init__)
    assert [one[0] for one in ours] == [
        one[0] for one in parameters_in(TABLE["seed_action_constructor"].replace("__init__", "init"))
    ]


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_is_made_of_a_call_and_an_id(name: str) -> None:
    """PROTOCOL 20; and each knows by which method it is begun."""
    kind = getattr(window, name)
    assert issubclass(kind, Action)
    expected = ["call", "control_id"] + ["method_prefix"] * (kind is FaxAction)
    assert [one[0] for one in parameters_of_function(kind.__init__)] == expected
    methods = [method for method, known in ACTION_HANDLES.items() if known is kind]
    assert methods == ([kind._begun_by] if kind is not FaxAction else ["calling.receive_fax", "calling.send_fax"])


def test_an_operation_that_was_begun_by_execute_can_be_followed_and_stopped(stage: Stage) -> None:
    """Its last event completes the handle, for as many handles as there are."""

    async def story() -> None:
        call, line = await stage.answered()
        await execute(stage, call, "calling.play", control_id="mine", play=PLAY, loop=0)
        music = PlayAction(call, "mine")
        assert (music.call, music.control_id, music.is_done) == (call, "mine", False)
        assert await music is music
        second = PlayAction(call, "mine")
        assert await music.pause()
        assert await music.stop()
        event = await music.wait(DEADLINE_S)
        assert event.params["state"] == "finished"
        assert await second.wait(DEADLINE_S) is event
        await call.hangup()
        await person(line.is_hung_up)

    stage.plays(story)
    assert [one["control_id"] for one in stage.sent("calling.play.stop")] == ["mine"]


def test_a_collect_that_was_begun_by_execute_gives_its_digits(stage: Stage) -> None:
    """By its own rule: the prompt's end does not complete it."""

    async def story() -> str:
        call, line = await stage.answered()
        collect = {"digits": {"max": 1}, "initial_timeout": 60.0}
        prompt = [{"type": "tts", "params": {"text": "Press 1."}}]
        await execute(stage, call, "calling.play_and_collect", control_id="menu", play=prompt, collect=collect)
        menu = CollectAction(call, "menu")
        await person(line.hears, "press 1")
        await person(line.presses, "1")
        return str((await menu.wait(DEADLINE_S)).digits)

    assert stage.plays(story) == "1"


def test_an_operation_of_a_kind_that_nobody_knows_is_over_as_was_said(stage: Stage) -> None:
    """With the base class: an event type, and the states that end it."""

    async def story() -> RelayEvent:
        call, _line = await stage.answered()
        echo = Action(call, "e-1", "calling.call.echo", ("finished",))
        for state in ("echoing", "finished"):
            params = {"call_id": call.call_id, "node_id": call.node_id, "control_id": "e-1", "state": state}
            [session] = stage.sim.sessions
            stage.sim.push(
                {
                    "jsonrpc": "2.0",
                    "id": f"event-{state}",
                    "method": "signalwire.event",
                    "params": {"event_type": "calling.call.echo", "params": params},
                },
                session=session,
            )
        event: RelayEvent = await echo.wait(DEADLINE_S)
        return event

    assert stage.plays(story).params["state"] == "finished"


def test_what_follows_an_operation_ends_with_its_call(stage: Stage) -> None:
    """Also when the operation is not there at all: nobody waits for ever. PROTOCOL 10.4, 10.5."""

    async def story() -> None:
        call, line = await stage.answered()
        early = PlayAction(call, "never begun")
        await person(line.hangs_up)
        assert (await early.wait(DEADLINE_S)).params["call_state"] == "ended"
        late = PlayAction(call, "never begun either")
        assert (await late.wait(DEADLINE_S)).event_type == ""
        assert await late.stop() == {}

    stage.plays(story)
    assert stage.sent("calling.play.stop") == []


def test_a_handle_of_a_call_that_was_let_go_says_so(stage: Stage) -> None:
    """The client was disconnected meanwhile."""
    calls: list[Call] = []

    async def story() -> None:
        call, _line = await stage.answered()
        calls.append(call)

    async def afterwards() -> None:
        with pytest.raises(NotSentError, match="disconnected"):
            await PlayAction(calls[0], "mine")

    stage.plays(story)
    stage.plays(afterwards, connected=False)
