"""The simulator's objects as JSON has them."""

import json
from enum import Enum
from random import Random

import pytest

from relay_actors.cli.control_views import frame_view, line_view, person_view, phone_view, plain, what_is_said
from relay_actors.protocol import json_codec
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.faxes import Fax
from relay_actors.simulator.messaging import TextMessage
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.webhooks import Webhook
from relay_actors.simulator.wire_log import LoggedFrame


class Colour(Enum):
    RED = "red"


@pytest.fixture
def simulator() -> Simulator:
    return Simulator(clock=SystemClock(), random=Random(1))


def frame(text: bytes | dict[str, object]) -> LoggedFrame:
    body = text if isinstance(text, bytes) else json_codec.dumps(text)
    return LoggedFrame(at=1.5, wall=2.5, direction="received", session="s", text=body)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((1, None, True, "x"), [1, None, True, "x"]),
        ({"a": {1}}, {"a": [1]}),
        (Colour.RED, "red"),
        (ValueError("no"), "no"),
        (
            Fax("u", 2, True, "", ""),
            {"document": "u", "pages": 2, "is_complete": True, "identity": "", "header_info": ""},
        ),
        (
            (Webhook("u", {"a": 1}), TextMessage("1", "2", "hi")),
            [
                {"url": "u", "body": {"a": 1}, "method": "POST"},
                {"from_number": "1", "to_number": "2", "body": "hi", "media": []},
            ],
        ),
    ],
)
def test_everything_becomes_what_json_has(value: object, expected: object):
    """What is foreign becomes text: an answer never fails because of something new in it."""
    assert plain(value) == expected
    json.dumps(plain(value))


def test_a_phone_in_short_has_its_latest_line_and_in_full_all_of_them(simulator: Simulator):
    phone = simulator.phone("+15550001111")
    assert person_view(phone) == plain(phone) == {"number": "+15550001111", "line": None}
    first = phone.dials(context="office")
    second = phone.dials(context="office")
    assert person_view(phone)["line"]["call_id"] == second.call_id
    assert [line["call_id"] for line in phone_view(phone)["lines"]] == [first.call_id, second.call_id]
    told = line_view(first)
    assert told == plain(first)
    assert told["state"] == "created"
    assert told["timeline"][0]["what"] == "dialled +15550000000 (context office)"


def test_of_what_is_no_frame_only_the_length_is_told():
    """A log-in that was cut in two may hold a token, and nothing could find it there."""
    broken = frame(b'{"token": "secret-secret')
    assert frame_view(broken)["frame"] is None
    assert "secret" not in str(frame_view(broken))
    assert frame_view(broken)["bytes"] == len(broken.text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ({"method": "calling.play", "params": {}}, "calling.play"),
        (
            {
                "method": "signalwire.event",
                "params": {"event_type": "calling.call.play", "params": {"state": "playing"}},
            },
            "calling.call.play playing",
        ),
        ({"method": "signalwire.event", "params": {"event_type": "new.one"}}, "new.one"),
        ({"id": "1", "result": {"code": 200}}, "answer 200"),
        ({"id": "1", "result": {}}, "answer"),
        ({"id": "1", "error": {"code": -32601}}, "error -32601"),
        (b"{", "1 bytes that are no frame"),
    ],
)
def test_a_frame_is_told_in_a_few_words(text: bytes | dict[str, object], words: str):
    assert what_is_said(frame(text)) == words
