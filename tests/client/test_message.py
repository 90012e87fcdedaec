"""Texts: what came in, what was sent, and what becomes of it."""

from __future__ import annotations

import asyncio
import inspect
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from relay_actors import RelayActorsError, RelayError
from relay_actors.client import Message
from tests.actors.verbs.on_the_wire import parameters_of_function
from tests.actors.verbs.uses import parameters_in
from tests.client.conftest import CALLER, DEADLINE_S, DESK, OURS, Stage, person

TABLE = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))


@pytest.mark.parametrize("row", TABLE["message_methods"], ids=lambda row: row["name"])
def test_a_message_has_the_documented_methods(row: dict[str, str]) -> None:
    """Source: methods.json, message_methods."""
    if row["python_signature"] == "property":
        assert isinstance(inspect.getattr_static(Message, row["name"]), property)
    else:
        assert parameters_of_function(getattr(Message, row["name"])) == parameters_in(row["python_signature"])


def test_a_message_is_made_of_what_is_documented() -> None:
    """Source: methods.json, seed_message_constructor; PROTOCOL 20."""
    wanted = parameters_in(TABLE["seed_message_constructor"])
    assert parameters_of_function(Message.__init__) == wanted
    values: dict[str, Any] = {
        name: 3 if name == "segments" else [name] if name in ("media", "tags") else name for name, _, _ in wanted
    }
    message = Message(**values)
    assert {name: getattr(message, name) for name in values} == values
    assert repr(message) == "<Message id='message_id' state='state' direction='direction'>"
    assert (message.is_done, message.result) == (False, None)


def test_a_text_that_comes_in_is_handed_to_the_handler(stage: Stage) -> None:
    """PROTOCOL 14.3."""

    async def story() -> Message:
        await person(lambda: stage.phone(DESK).texts("STOP", to=OURS, context="office", media=["https://x.test/a.png"]))
        return await stage.texts.get()

    message = stage.plays(story)
    assert (message.body, message.from_number, message.to_number) == ("STOP", DESK, OURS)
    assert (message.direction, message.state, message.context) == ("inbound", "received", "office")
    assert message.media == ["https://x.test/a.png"]
    assert message.message_id


def test_nothing_can_be_waited_for_of_a_text_that_came_in(stage: Stage) -> None:
    """It would be for ever (PROTOCOL 14.3); saying so is better."""
    with pytest.raises(RelayActorsError, match="not sent from here"):
        asyncio.run(Message(message_id="m").wait())


def test_a_text_without_a_handler_is_told(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """PROTOCOL 14.3."""
    stage.client.message_handler = None

    async def story() -> None:
        await person(lambda: stage.phone(DESK).texts("anybody?", context="office"))
        while "no on_message handler" not in caplog.text:
            await asyncio.sleep(0.002)

    stage.plays(story)
    assert "anybody?" not in caplog.text


@pytest.mark.parametrize("relay_pace", [1.0])  # so slow that somebody listens before it is delivered
def test_a_text_is_followed_until_it_is_delivered(stage: Stage) -> None:
    """Its states are told on the loop, in order, to plain and to async handlers (PROTOCOL 14.2)."""
    told: list[tuple[str, str, int]] = []

    async def story() -> Message:
        done = asyncio.Event()

        async def completed(event: Any) -> None:
            told.append(("completed", event.message_state, threading.get_ident()))
            done.set()

        message = await stage.client.send_message(
            to_number=DESK, from_number=OURS, body="Hello", tags=["a"], region="eu", on_completed=completed
        )
        assert message.message_id
        message.on(lambda event: told.append(("plain", event.message_state, threading.get_ident())))
        event = await message.wait(timeout=DEADLINE_S)
        await asyncio.wait_for(done.wait(), DEADLINE_S)
        assert (await message.wait()) is event is message.result
        return message

    message = stage.plays(story)
    assert (message.state, message.direction, message.is_done) == ("delivered", "outbound", True)
    assert (message.body, message.tags, message.to_number) == ("Hello", ["a"], DESK)
    [sent] = stage.sent("messaging.send")
    assert message.context == sent["context"] != "default"
    assert sent["region"] == "eu"
    assert told[-2:] == [(kind, "delivered", threading.get_ident()) for kind in ("plain", "completed")]


def test_a_text_that_is_not_delivered_says_why(stage: Stage) -> None:
    """PROTOCOL 14.2."""
    stage.phone(CALLER).refuses_texts("Blocked")

    async def story() -> Message:
        message = await stage.client.send_message(to_number=CALLER, from_number=OURS, context="office", body="Hello")
        await message.wait(DEADLINE_S)
        return message

    message = stage.plays(story)
    assert (message.state, message.reason, message.context) == ("undelivered", "Blocked", "office")


def test_a_text_that_is_refused_raises_where_it_was_sent(stage: Stage) -> None:
    """404 is nothing special here (PROTOCOL 14.1); and what cannot be sent is not sent."""
    stage.sim.reject_next("messaging.send", code="404", message="No such number")

    async def story() -> None:
        with pytest.raises(ValueError, match="body"):
            await stage.client.send_message(to_number=DESK, from_number=OURS)
        with pytest.raises(RelayError) as caught:
            await stage.client.send_message(to_number=DESK, from_number=OURS, body="Hello")
        assert caught.value.code == 404

    stage.plays(story)
    assert len(stage.sent("messaging.send")) == 1
