"""What events about a call say beyond their fields."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.protocol.call_events import (
    CallingErrorEvent,
    CallReceiveEvent,
    CallStateEvent,
    ConferenceEvent,
    ConnectEvent,
    DialEvent,
    QueueEvent,
    ReferEvent,
    device_number,
)
from relay_actors.protocol.events import parse_event
from tests.protocol.wire_tables import PAYLOAD


def parsed(name: str) -> Any:
    return parse_event(PAYLOAD[name])


def test_an_inbound_call_tells_who_calls_whom() -> None:
    """An application greets callers by number and should not dig in devices."""
    event = parsed("call.receive.event")
    assert isinstance(event, CallReceiveEvent)
    assert (event.from_number, event.to_number) == ("+14045550101", "+14045550199")


def test_a_sip_call_tells_its_addresses() -> None:
    """SIP devices say ``from`` and ``to`` (PROTOCOL 13.2)."""
    event = parsed("call.receive.event.ringing")
    assert (event.from_number, event.to_number) == ("sip:alice@example.org", "sip:desk@example.net")


@pytest.mark.parametrize("device", [{}, {"params": None}, {"params": []}, {"params": {"from_number": 5}}])
def test_a_device_that_says_nothing_has_no_numbers(device: dict[str, object]) -> None:
    """Unusable devices are empty, not errors."""
    assert device_number(device, "from") == ""


def test_a_leg_tells_what_made_it_and_what_it_is_bridged_to() -> None:
    """A leg made by connect is not an inbound call of ours."""
    event = parsed("call_connect.peer_state.created")
    assert isinstance(event, CallStateEvent)
    assert event.created_by == "connect"
    assert event.peer["call_id"] == "9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"
    assert event.parent == PAYLOAD["call_connect.peer_state.created"]["params"].get("parent", {})


def test_times_are_milliseconds_and_zero_until_reached() -> None:
    """SEMANTICS X12: durations come from the platform's own times."""
    ended = parsed("call.state.ended")
    assert (ended.start_time_ms, ended.answer_time_ms, ended.end_time_ms) == (
        1767225600100,
        1767225603900,
        1767225660000,
    )
    assert parsed("call.state.answered").end_time_ms == 0


def test_a_missing_end_reason_is_empty() -> None:
    """PROTOCOL D6: it may be null."""
    assert parsed("call.state.ended.null_reason").end_reason == ""


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        ({"context": "a", "protocol": "b"}, "c", "a"),
        ({"protocol": "b"}, "c", "b"),
        ({"context": "", "protocol": None}, "c", "c"),
        ({}, None, ""),
    ],
)
def test_the_context_is_the_inner_one_then_the_protocol_then_the_outer_one(
    inner: dict[str, object], outer: object, expected: str
) -> None:
    """PROTOCOL 8.1, D5."""
    payload = {"event_type": "calling.call.receive", "context": outer, "params": inner}
    assert CallReceiveEvent.from_payload(payload).context == expected


def test_the_project_of_an_inbound_call_may_be_outside() -> None:
    """Events of real servers carry it in the envelope."""
    assert CallReceiveEvent.from_payload({"project_id": "p", "params": {}}).project_id == "p"


def test_a_bridge_names_its_other_end_or_why_there_is_none() -> None:
    """The other leg can live on another node (PROTOCOL 8.1)."""
    connected = parsed("call_connect.event.connected")
    assert isinstance(connected, ConnectEvent)
    assert connected.peer_call_id == "d80b2f64-6e1a-4c39-9f75-02c4ab7e3d16"
    assert connected.peer_node_id == "71c0e9d3-2b4f-4685-8a1e-d6f3b7c05294@us-west"
    assert connected.tag == "bridge-1"
    assert (connected.peer_number, connected.peer_queue_name) == ("+14045550123", "")
    fetched = parsed("call_connect.event.connected.queue_peer")
    assert (fetched.peer_device["type"], fetched.peer_queue_name, fetched.peer_number) == ("queue", "support", "")
    assert fetched.peer_queue_id == "2b7c90e1-5d34-4a6f-8e02-f1c3b5a7d960"
    failed = parsed("call_connect.event.failed")
    assert (failed.peer_call_id, failed.failed_reason) == ("", "noAnswer")


def test_a_dial_names_its_winner_whose_id_is_not_the_events_call_id() -> None:
    """PROTOCOL 9.2: the call id of a dial is nested."""
    event = parsed("dial.event.answered")
    assert isinstance(event, DialEvent)
    assert event.call_id == ""
    assert event.winner_call_id == "a07c5e12-3f9d-4b86-8e41-5d6b0f2c7913"
    assert event.winner_node_id.endswith("@us-east")


@pytest.mark.parametrize(
    ("dial_state", "said", "expected"),
    [
        ("answered", True, True),
        ("answered", "true", True),
        ("answered", None, True),
        ("answered", False, False),
        ("answered", "false", False),
        ("dialing", None, False),
    ],
)
def test_a_winner_is_told_by_a_boolean_by_a_word_or_by_silence(dial_state: str, said: object, expected: bool) -> None:
    """PROTOCOL D8, 9.2."""
    assert DialEvent("calling.call.dial", dial_state=dial_state, call={"dial_winner": said}).dial_winner is expected


def test_a_failed_dial_tells_why_when_the_server_does() -> None:
    """PROTOCOL 9.3: the reason is added to the error."""
    event = parsed("dial.event.failed.with_reason")
    assert (event.reason, event.source, event.winner_call_id) == ("error", "none", "")
    assert parsed("dial.event.failed").reason == ""


def test_codes_are_text_even_when_they_came_as_numbers() -> None:
    """Codes are strings on the wire, but accept numbers (PROTOCOL 2.3, 12)."""
    assert CallingErrorEvent.from_payload({"params": {"code": 400}}).code == "400"
    refer = ReferEvent.from_payload({"params": {"sip_refer_response_code": 202, "sip_notify_response_code": "200"}})
    assert (refer.sip_refer_response_code, refer.sip_notify_response_code) == ("202", "200")


def test_a_queue_event_without_control_id_has_an_empty_one() -> None:
    """It may be null on ``leave`` (PROTOCOL 12)."""
    event = parsed("queue.event.leave")
    assert isinstance(event, QueueEvent)
    assert event.control_id == ""
    assert event.queue_name == "support"


def test_a_queue_tells_how_long_it_takes() -> None:
    """Microseconds here, unlike anywhere else (PROTOCOL 12)."""
    event = parsed("queue.event.dequeue")
    assert (event.dequeue_time_us - event.enqueue_time_us) / 1_000_000 == 12 == event.avg_time_s
    assert event.leave_time_us == 0
    assert parsed("queue.event.leave").leave_time_us > 0


def test_a_conference_tells_who_is_in_it_and_why_it_ended() -> None:
    """An event may concern one participant, or all (PROTOCOL 13.7)."""
    match parsed("conference.event.participant_join"):
        case ConferenceEvent(
            status="participant-join", size=1, muted=False, hold=False, start_on_join=True, call_id=who
        ):
            assert who == "9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"
        case event:
            raise AssertionError(event)
    end = parsed("conference.event.end")
    assert (end.call_id, end.reason_ended, end.size) == ("", "last-participant-left", 0)
    assert end.call_id_ending_conf == "9a3e5c70-1d2b-4f86-a7c4-58b0e6d1f293"


def test_a_conference_says_whom_it_is_about() -> None:
    """Another member, if it is said, or else the call that hears of it."""
    own = {"call_id": "mine", "status": "participant-join"}
    told = [
        ConferenceEvent.from_payload({"event_type": "calling.conference", "params": {**own, **more}})
        for more in ({}, {"participant_call_id": "theirs"}, {"participant_call_id": 5})
    ]
    assert [event.participant_call_id for event in told] == ["mine", "theirs", "mine"]
