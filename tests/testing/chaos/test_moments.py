"""Frames are taken apart, and moments are read from words."""

from __future__ import annotations

import pytest

from relay_actors.errors import ConfigError
from relay_actors.protocol import json_codec
from relay_actors.simulator.crossings import states_of
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.chaos.moments import Moment, WireReader, call_of, parse_moment


def logged(direction: str, **frame: object) -> LoggedFrame:
    return LoggedFrame(1.0, 105.5, direction, "session", json_codec.dumps(frame))  # type: ignore[arg-type]


def test_answers_and_acknowledgements_are_named_after_what_they_are_for():
    """The frames themselves have only an id."""
    reader = WireReader()
    params = {"call_id": "c", "control_id": "p"}
    event = {"event_type": "calling.call.play", "timestamp": 105.0, "params": {**params, "state": "finished"}}
    read = [
        reader.read(logged("received", id="r", method="calling.play", params=params)),
        reader.read(logged("sent", id="r", result={"code": "404"})),
        reader.read(logged("sent", id="e", method="signalwire.event", params=event)),
        reader.read(logged("received", id="e", result={})),
        reader.read(logged("sent", id="s", method="signalwire.ping", params={})),
        reader.read(logged("received", id="nobody asked", result={})),
    ]
    assert [(one.kind, one.name, one.code) if one is not None else None for one in read] == [
        ("received", "calling.play", ""),
        ("answered", "calling.play", "404"),
        ("sent", "calling.call.play", ""),
        ("acknowledged", "calling.call.play", "200"),
        ("sent", "signalwire.ping", ""),
        None,
    ]
    assert read[2] is not None
    assert (read[2].states, read[2].age, read[2].call_id) == ({"finished"}, 0.5, "c")
    assert reader.read(LoggedFrame(1.0, 1.0, "sent", "", b"no frame")) is None


def test_a_refusal_by_an_error_has_its_code():
    """As one by a result has."""
    reader = WireReader()
    reader.read(logged("received", id="r", method="signalwire.connect", params={}))
    refused = reader.read(logged("sent", id="r", error={"code": -32401, "message": "no"}))
    assert refused is not None
    assert refused.code == "-32401"


@pytest.mark.parametrize(
    ("text", "is_now"),
    [
        ("sent calling.call.play", True),
        ("sent calling.call.play finished", True),
        ("sent calling.call.*", True),
        ("sent * finished", True),
        ("sent calling.call.play playing", False),
        ("sending calling.call.play", False),
        ("sent calling.play", False),
    ],
)
def test_a_moment_is_told_by_its_kind_its_name_and_its_state(text: str, is_now: bool):
    assert parse_moment(text).is_now("sent", "calling.call.play", frozenset({"finished"})) is is_now


@pytest.mark.parametrize("text", ["", "sent", "seen calling.play", "sent a b c", "noted hang_up"])
def test_what_is_no_moment_is_refused(text: str):
    with pytest.raises(ConfigError, match="is no moment of a run: write sending, sent, "):
        parse_moment(text)


def test_states_and_calls_are_found_in_params():
    """Of a dial's outcome, the winner."""
    assert states_of({"state": "a", "call_state": "b", "other": "c", "dial_state": 5}) == {"a", "b"}
    assert call_of({"tag": "t", "call": {"call_id": "w"}}) == "w"
    assert call_of({}) == ""
    assert parse_moment("kept calling.play") == Moment("kept", "calling.play")
