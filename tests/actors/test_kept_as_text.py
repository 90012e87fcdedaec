"""What a flow has not asked for yet is kept in few bytes, and is then what it was."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from relay_actors.actors.kept_as_text import kept_of, may_be, message_of
from relay_actors.protocol.events import (
    EVENT_TYPES,
    CallReceiveEvent,
    CallStateEvent,
    PlayEvent,
    RelayEvent,
    parse_event,
)
from relay_actors.protocol.json_codec import raw_loads as loads
from tests.protocol.wire_tables import EVENT_FRAMES, json_values

PLAY = {"event_type": "calling.call.play", "timestamp": 1.5, "params": {"call_id": "c", "state": "playing"}}


def as_read(payload: dict[str, Any]) -> RelayEvent:
    return parse_event(loads(json.dumps(payload)), was_read=True)


@pytest.mark.parametrize(("name", "payload"), EVENT_FRAMES, ids=[name for name, _payload in EVENT_FRAMES])
def test_what_is_kept_of_each_event_of_the_wire_gives_that_event_again(name: str, payload: dict[str, Any]):
    event = as_read(payload)
    kept = kept_of(event)
    assert message_of(kept) == event
    assert type(message_of(kept)) is type(event)
    says_more = payload["event_type"] in ("calling.call.receive", "messaging.receive", "messaging.state")
    assert (kept is event) == says_more, "all others are kept as text"


@given(
    st.sampled_from([*EVENT_TYPES, "calling.new"]),
    st.dictionaries(
        st.sampled_from(["call_id", "control_id", "state", "call_state", "result", "record", "timestamp", "more"]),
        json_values,
    ),
    st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**40) | st.just("12.5"),
)
def test_whatever_an_event_says_is_there_again(event_type: str, params: dict[str, Any], timestamp: object):
    text = json.dumps({"event_type": event_type, "params": params, "timestamp": timestamp})
    try:
        payload = loads(text)
    except ValueError:  # not a number, or half a surrogate pair: no such text gets that far
        reject()
    event = parse_event(payload, was_read=True)
    kept = kept_of(event)
    assert message_of(kept) == event
    assert may_be(kept, (int, type(event)))


@pytest.mark.parametrize(
    "message",
    [
        "a word",
        b"bytes",
        PlayEvent("calling.call.play", {"call_id": "c"}, "c", control_id="x", state="playing"),
        dataclasses.replace(as_read(PLAY), call_id="another"),
        RelayEvent.from_payload(PLAY),
        PlayEvent.from_payload({**PLAY, "event_type": "calling.call.record"}),
        as_read({**PLAY, "event_type": "calling.call.receive", "context": "office"}),
        parse_event({**PLAY, "params": {"at": datetime(2026, 1, 1)}}),  # any that JSON has not
        parse_event({**PLAY, "params": {"share": float("nan")}}),
    ],
    ids=["text", "bytes", "made", "replaced", "another class", "another type", "offer", "no JSON", "no number"],
)
def test_what_would_not_be_the_same_again_is_kept_itself(message: object):
    assert kept_of(message) is message
    assert message_of(message) is message
    assert may_be(message, (type(message),))


def test_an_event_that_is_nested_too_deeply_to_be_written_is_kept_itself():
    deep: Any = {}
    for _ in range(2000):
        deep = {"in": deep}
    event = parse_event({**PLAY, "params": {"call_id": "c", "result": deep}}, was_read=True)
    assert kept_of(event) is event


def test_the_classes_that_say_more_than_their_params_are_kept_themselves():
    """Of these a flow is told who is called, and where: which stands beside the params."""
    offer = as_read({"event_type": "calling.call.receive", "context": "office", "params": {"call_id": "c"}})
    assert isinstance(offer, CallReceiveEvent)
    assert offer.context == "office"
    assert message_of(kept_of(offer)) == offer
    state = as_read({"event_type": "calling.call.state", "context": "office", "params": {"call_state": "answered"}})
    assert isinstance(state, CallStateEvent)
    assert message_of(kept_of(state)) == state


def test_what_cannot_be_asked_for_is_told_apart_without_being_read():
    kept = kept_of(as_read(PLAY))
    assert may_be(kept, (CallStateEvent, PlayEvent))
    assert may_be(kept, (RelayEvent,))
    assert not may_be(kept, (CallStateEvent, int))
    assert not may_be(kept_of(as_read({**PLAY, "event_type": "calling.new"})), (PlayEvent,))


@runtime_checkable
class Named(Protocol):
    control_id: str


def test_a_type_that_decides_itself_what_is_of_it_is_asked_with_the_event():
    """Of a protocol with attributes no class can be asked, only an object."""
    assert may_be(kept_of(as_read(PLAY)), (Named,))
    assert isinstance(message_of(kept_of(as_read(PLAY))), Named)


@pytest.mark.parametrize("event_type", sorted(EVENT_TYPES))
def test_whatever_is_said_beside_the_params_is_not_lost(event_type: str):
    """Whoever gives an event a field of the envelope is reminded that it cannot be kept by its params."""
    event_class = EVENT_TYPES[event_type]
    paths = [path for field in dataclasses.fields(event_class) for path in field.metadata.get("paths", ())]
    is_kept_itself = isinstance(kept_of(as_read({"event_type": event_type, "params": {}})), event_class)
    assert is_kept_itself or all(path.startswith("params.") for path in paths)
