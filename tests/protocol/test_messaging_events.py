"""What events about text messages say."""

from __future__ import annotations

import pytest

from relay_actors.protocol.events import parse_event
from relay_actors.protocol.messaging_events import MessageReceiveEvent, MessageStateEvent
from tests.protocol.wire_tables import PAYLOAD


def test_a_received_message_has_all_it_came_with() -> None:
    """PROTOCOL 14.3."""
    event = parse_event(PAYLOAD["message.receive"])
    assert isinstance(event, MessageReceiveEvent)
    assert (event.body, event.from_number, event.context) == ("STOP", "+14045550123", "support")
    assert event.tags == ["message", "inbound", "SMS"]
    assert event.tag == ""


def test_pictures_are_a_list_of_urls() -> None:
    """Whatever else is in the list is left out."""
    event = parse_event(PAYLOAD["message.receive.mms"])
    assert isinstance(event, MessageReceiveEvent)
    assert event.media == ["https://media.example.com/in/1.jpg"]
    assert MessageReceiveEvent.from_payload({"params": {"media": ["a", None, 5]}}).media == ["a"]


def test_a_failed_message_tells_why() -> None:
    """``reason`` is only there when it failed (PROTOCOL 14.2)."""
    event = parse_event(PAYLOAD["message.state.undelivered"])
    assert isinstance(event, MessageStateEvent)
    assert (event.message_state, event.reason) == ("undelivered", "Unreachable destination")
    assert parse_event(PAYLOAD["message.state.sent"]) != event


@pytest.mark.parametrize("cls", [MessageReceiveEvent, MessageStateEvent])
def test_the_context_may_be_outside_only(cls: type[MessageReceiveEvent | MessageStateEvent]) -> None:
    """Messages are routed by it; it must be found wherever the server put it."""
    assert cls.from_payload({"context": "outer", "params": {}}).context == "outer"
    assert cls.from_payload({"context": "outer", "params": {"context": "inner"}}).context == "inner"
