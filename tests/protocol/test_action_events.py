"""What events about running operations say beyond their fields."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.protocol.action_events import (
    CollectEvent,
    DetectEvent,
    FaxEvent,
    PayEvent,
    RecordEvent,
    TapEvent,
)
from relay_actors.protocol.events import parse_event
from tests.protocol.wire_tables import PAYLOAD


def parsed(name: str) -> Any:
    return parse_event(PAYLOAD[name])


def collect(**fields: Any) -> CollectEvent:
    return CollectEvent("calling.call.collect", **fields)


@pytest.mark.parametrize(
    ("name", "kind", "digits", "terminator", "speech", "confidence"),
    [
        ("collect.event.digit", "digit", "1234", "#", "", 0.0),
        ("collect.event.final_speech", "speech", "", "", "I would like support", 93.2),
        ("collect.event.partial_speech", "speech", "", "", "I would like", 71.5),
        ("collect.event.no_input", "no_input", "", "", "", 0.0),
        ("collect.event.no_match", "no_match", "", "", "", 0.0),
        ("collect.event.error", "error", "", "", "", 0.0),
        ("collect.event.start_of_input", "start_of_input", "", "", "", 0.0),
        ("collect.event.continuous_finished", "finished", "", "", "", 0.0),
    ],
)
def test_a_collect_event_tells_what_was_pressed_or_said(
    name: str, kind: str, digits: str, terminator: str, speech: str, confidence: float
) -> None:
    """An application should not dig in ``result["params"]``."""
    event = parsed(name)
    assert (event.kind, event.digits, event.terminator, event.speech, event.confidence) == (
        kind,
        digits,
        terminator,
        speech,
        confidence,
    )


def test_digits_can_be_matched() -> None:
    """The first example of the design: ``case CollectEvent(digits="1")``."""
    match parsed("play_and_collect.event.digit"):
        case CollectEvent(digits="1", terminator=""):
            matched = True
        case _:
            matched = False
    assert matched


def test_digits_of_an_older_shape_are_found() -> None:
    """PROTOCOL D2: ``result.digits`` beside ``result.params.digits``."""
    assert collect(result={"type": "digit", "digits": "7"}).digits == "7"


@pytest.mark.parametrize("state", ["no_input", "no_match", "error", "finished"])
def test_a_result_that_is_only_a_state_is_a_kind_too(state: str) -> None:
    """PROTOCOL D12: some servers say it in ``state``."""
    assert collect(state=state).kind == state


def test_a_state_that_is_no_result_is_no_kind() -> None:
    """``collecting`` says that more follows."""
    assert collect(state="collecting").kind == ""
    assert collect(result={"type": 7}, state="collecting").kind == ""


def test_final_tells_apart_ordinary_interim_and_last_results() -> None:
    """None, False and True mean three things (PROTOCOL 11.3)."""
    names = ("collect.event.digit", "collect.event.partial_speech", "collect.event.final_speech")
    assert [parsed(name).final for name in names] == [None, False, True]


@pytest.mark.parametrize(
    ("name", "kind", "verdict", "beep"),
    [
        ("detect.event.human", "machine", "HUMAN", False),
        ("detect.event.ready_beep", "machine", "READY", True),
        ("detect.event.machine_finished", "machine", "finished", False),
        ("detect.event.fax_ced", "fax", "CED", False),
        ("detect.event.digit", "digit", "1#", False),
    ],
)
def test_a_detector_tells_its_verdict(name: str, kind: str, verdict: str, beep: bool) -> None:
    """Four levels down on the wire (PROTOCOL 11.5)."""
    event = parsed(name)
    assert (event.kind, event.verdict, event.beep) == (kind, verdict, beep)


@pytest.mark.parametrize("detect", [{}, {"params": None}, {"type": 1, "params": {"event": 2, "beep": 3}}])
def test_a_detector_that_says_nothing_usable_says_nothing(detect: dict[str, object]) -> None:
    """Wrong types are empty, not errors."""
    event = DetectEvent("calling.call.detect", detect=detect)
    assert (event.kind, event.verdict, event.beep) == ("", "", False)


def test_a_fax_tells_its_pages_whether_they_are_text_or_numbers() -> None:
    """PROTOCOL 11.6."""
    page, finished = parsed("fax.event.page"), parsed("fax.event.finished")
    assert (page.kind, page.pages, page.success) == ("page", 1, False)
    assert (finished.kind, finished.pages, finished.success) == ("finished", 1, True)
    assert finished.document == "https://files.example.com/invoice.pdf"
    assert FaxEvent("calling.call.fax", fax={"type": "finished", "params": {"pages": 12}}).pages == 12


def test_a_fax_tells_who_spoke_to_whom_and_how_it_came_out() -> None:
    """PROTOCOL 11.6: ``success`` false is still ``finished``, so somebody has to say why."""
    match parsed("fax.event.finished"):
        case FaxEvent(kind="finished", success=True, result="0", remote_identity=who, format="pdf"):
            assert who == "+14045550123"
        case event:
            raise AssertionError(event)
    finished = parsed("fax.event.finished")
    assert (finished.direction, finished.identity, finished.result_text) == ("send", "+14045550199", "")
    assert parsed("fax.event.error").description == "negotiation failed"
    failed = {"type": "finished", "params": {"success": False, "result": 17, "result_text": "no answer tone"}}
    event = FaxEvent("calling.call.fax", fax=failed)
    assert (event.success, event.result, event.result_text, event.state) == (False, "17", "no answer tone", "")


def test_a_tap_tells_what_goes_where() -> None:
    """Two kinds of devices, and numbers as text (PROTOCOL 11.7)."""
    event = parsed("tap.event.tapping")
    assert (event.direction, event.destination, event.codec) == ("both", "203.0.113.10:5004", "PCMU")

    def sent_to(**params: object) -> str:
        return TapEvent("calling.call.tap", device={"type": "any", "params": params}).destination

    assert sent_to(uri="wss://media.example.com/a") == "wss://media.example.com/a"
    assert sent_to(addr="192.0.2.1") == "192.0.2.1"
    assert sent_to(port=5) == sent_to() == TapEvent("calling.call.tap").direction == ""


def test_a_recording_is_found_in_both_shapes() -> None:
    """PROTOCOL D7: nested first, then at the top."""
    flat, nested = parsed("record.event.finished"), parsed("record.event.finished.nested")
    assert (flat.url, flat.duration, flat.size) == ("https://files.example.com/rec/71b2.wav", 12.4, 198400)
    assert (nested.url, nested.duration, nested.size) == ("https://files.example.com/rec/9c.mp3", 3.0, 48000)
    assert flat.recording_id == "4e7d0a12-6bc3-4f58-91ad-c0e5f7b2d386"
    assert parsed("record.event.paused").pause_behavior == "silence"
    both = {"record": {"url": "inner", "size": None}, "url": "outer", "size": "9"}
    event = RecordEvent.from_payload({"params": both})
    assert (event.url, event.size) == ("inner", 9)


def test_a_payment_tells_its_step_and_its_result() -> None:
    """The stateless shape of real servers (PROTOCOL 11.10)."""
    status, done = parsed("pay.event.status"), parsed("pay.event.result_success")
    assert (status.step, status.attempt, status.result, status.error_type) == ("payment-card-number", 1, "", "")
    assert (done.step, done.result) == ("payment-completed", "success")
    assert PayEvent("calling.call.pay", {"attempt": "2", "error_type": "invalid-card"}).attempt == 2


def test_a_payment_tells_of_its_card_what_is_not_secret() -> None:
    """Masked by the server; its last event has other names for the same (events.json)."""
    status, done = parsed("pay.event.status"), parsed("pay.event.result_success")
    assert status.payment_card_number == done.payment_card_number == "************1111"
    assert (status.security_code, done.security_code) == ("", "***")
    assert (status.expiration_date, done.expiration_date) == ("", "1230")
    assert (done.payment_token, done.payment_confirmation_code) == ("reusable", "conf_example")
    assert PayEvent("calling.call.pay", {"payment_error_code": 30}).payment_error_code == "30"


def test_a_transcription_tells_when_it_was() -> None:
    """Milliseconds, as everywhere where a server says a time by itself."""
    event = parsed("transcribe.event.finished")
    assert event.end_time_ms - event.start_time_ms == 31200 == event.duration * 1000
