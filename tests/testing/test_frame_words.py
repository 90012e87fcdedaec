"""Frames, told for people."""

from __future__ import annotations

import json
from typing import Any, Literal

import pytest

from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.frame_words import FrameWords, short

CALL = "c30d8b76-28db-425e-a3b2-29f1c4069545"
PLAY = "16e72bcf-7d83-4369-9074-afaa915c2322"


def frame(
    body: dict[str, Any] | bytes, direction: Literal["received", "sent"] = "received", session: str = "one"
) -> LoggedFrame:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return LoggedFrame(0.0, 0.0, direction, session, text)


def request(method: str, number: int = 1, **params: Any) -> LoggedFrame:
    return frame({"jsonrpc": "2.0", "id": f"r{number}", "method": method, "params": params})


def event(event_type: str, **params: Any) -> LoggedFrame:
    inner = {"event_type": event_type, "params": params}
    return frame({"jsonrpc": "2.0", "id": "e1", "method": "signalwire.event", "params": inner}, "sent")


def answer(number: int = 1, **body: Any) -> LoggedFrame:
    return frame({"jsonrpc": "2.0", "id": f"r{number}", **body}, "sent")


TTS = [{"type": "tts", "params": {"text": "Press 1 for sales."}}]
DESK = [[{"type": "phone", "params": {"to_number": "+15550100101"}}]]


@pytest.mark.parametrize(
    ("logged", "words"),
    [
        (request("calling.answer", call_id=CALL), "calling.answer call 1"),
        (
            request("calling.play", call_id=CALL, control_id=PLAY, play=TTS),
            "calling.play call 1 control 1 'Press 1 for sales.'",
        ),
        (request("calling.dial", tag="t", devices=DESK), "calling.dial dial 1 to +15550100101"),
        (request("signalwire.receive", contexts=["a", "b"]), "signalwire.receive contexts a, b"),
        (event("calling.call.state", call_id=CALL, call_state="ended", end_reason="busy"), None),
        (
            event(
                "calling.call.receive", call_id=CALL, context="a", device=DESK[0][0] | {"params": {"from_number": "+1"}}
            ),
            "calling.call.receive call 1 from +1 context a",
        ),
        (
            event("calling.call.collect", control_id=PLAY, result={"type": "digit", "params": {"digits": "12"}}),
            "calling.call.collect control 1 digit 12",
        ),
        (frame(b"\x00{"), "something that is no frame (2 bytes)"),
        (frame({"id": "x", "method": 7, "params": []}), "?"),
    ],
)
def test_a_frame_is_told_in_a_few_words(logged: LoggedFrame, words: str | None):
    """What is asked for or has happened, and of which call."""
    assert FrameWords().of(logged) == (words or "calling.call.state call 1 ended busy")


def test_an_answer_tells_what_was_asked():
    """Its own text has an id and a code only."""
    words = FrameWords()
    words.of(request("calling.play", 1, call_id=CALL))
    words.of(event("calling.call.play", call_id=CALL, state="playing"))

    assert words.of(answer(1, result={"code": "200", "message": "Playing"})) == "answers calling.play call 1: 200"
    assert (
        words.of(answer(1, result={"code": "404", "message": "Call not found"}))
        == "answers calling.play call 1: 404 Call not found"
    )
    assert words.of(answer(1, error={"code": -32001, "message": "No"})) == "answers calling.play call 1: -32001 No"
    assert words.of(frame({"id": "e1", "result": {}})) == "acknowledges calling.call.play call 1"
    assert words.of(answer(9, result={})) == "answers something that was asked before: 200"


def test_no_credential_and_no_state_of_an_authorization_is_told():
    """A report is sent round."""
    words = FrameWords()
    told = [
        words.of(request("signalwire.connect", authentication={"project": "p", "token": "SECRET"}, protocol="SECRET")),
        words.of(answer(1, result={"authorization": {"token": "SECRET"}, "protocol": "SECRET"})),
        words.of(event("signalwire.authorization.state", authorization_state="SECRET")),
        words.of(
            request("calling.play", play=[{"type": "audio", "params": {"url": "https://x.example/a.mp3?key=SECRET"}}])
        ),
    ]
    assert "SECRET" not in "".join(told)
    assert told[0] == "signalwire.connect to resume"


def test_ids_are_numbered_as_they_appear():
    """So that two runs can be compared whose ids differ."""
    words = FrameWords()
    assert words.of(request("calling.answer", call_id="a")) == "calling.answer call 1"
    assert words.of(request("calling.answer", call_id="b")) == "calling.answer call 2"
    assert words.of(request("calling.end", call_id="a")) == "calling.end call 1"
    assert words.of(frame({"id": "1", "method": "calling.end", "params": {}}, session="two")).endswith("(session 2)")


def test_long_words_are_cut():
    """A prompt may be a page."""
    assert short("a " * 100) == "a " * 29 + "a…"
    assert short(" two\nlines ") == "two lines"
    assert short(None) == ""
