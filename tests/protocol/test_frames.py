"""The four shapes are told apart in the order of PROTOCOL 2.2, whatever comes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import CommandRejectedError
from relay_actors.protocol import frames
from relay_actors.protocol.frames import (
    ErrorResponse,
    Request,
    ResultResponse,
    Unreadable,
    classify,
    outcome_of,
)
from relay_actors.protocol.json_codec import dumps, loads

_LINES = (Path(__file__).parents[1] / "data" / "frames.jsonl").read_text().splitlines()
CAPTURED = [json.loads(line) for line in _LINES]


def _rewritten(frame: frames.Frame) -> bytes:
    match frame:
        case Request(id=None):
            return dumps({"jsonrpc": "2.0", "method": frame.method, "params": frame.params})
        case Request():
            assert isinstance(frame.id, str)
            return frames.request(frame.id, frame.method, frame.params)
        case ResultResponse():
            return frames.result(frame.id, frame.result)
        case ErrorResponse():
            return frames.error(frame.id, frame.code, frame.message, frame.data)
        case Unreadable():
            raise AssertionError(frame)


@pytest.mark.parametrize("captured", CAPTURED, ids=lambda captured: captured["name"])
def test_every_known_frame_is_classified_and_written_with_the_same_meaning(captured):
    """Real captures guard against a codec that agrees with itself only."""
    frame, wire = captured["frame"], json.dumps(captured["frame"])
    read = classify(wire)
    expected = Request if "method" in frame else ErrorResponse if "error" in frame else ResultResponse
    assert type(read) is expected
    if captured["name"] != "odd.error.non_dict":  # its meaning is filled in
        assert json.loads(_rewritten(read)) == frame


def test_the_known_frames_are_all_there():
    assert len(CAPTURED) == 312
    assert {captured["direction"] for captured in CAPTURED} == {"client->server", "server->client"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "not an object but an array"),
        (b'"text"', "not an object but a string"),
        (b"null", "not an object but null"),
        (b"true", "not an object but a boolean"),
        (b"12", "not an object but a number"),
        (b"{}", "no method"),
        (b'{"id":"1"}', "no method"),
        (b'{"id":"1","method":""}', "no method"),
        (b'{"id":"1","method":7}', "no method"),
        (b'{"result":{}}', "no method"),
        (b'{"method":"m","params":[1]}', "its params are not an object but an array"),
        (b'{"method":"m","params":false}', "not an object but a boolean"),
        (b'{"id":' + b"[" * 400 + b"]" * 400 + b',"result":{}}', "nested too deep"),
    ],
)
def test_what_is_no_frame_is_unreadable_with_the_reason(text, why):
    frame = classify(text)
    assert isinstance(frame, Unreadable)
    assert why in frame.why


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.none() | st.integers(-5, 5)))
def test_a_request_that_is_put_together_of_parts_is_written_as_a_whole(id: str, method: str, params: dict[str, object]):
    """Whatever its parts hold: ids and methods may be the application's own."""
    whole = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
    assert frames.request(id, method, params) == dumps(whole)


@pytest.mark.parametrize(
    ("id", "method", "params"), [("\ud800", "m", {}), ("1", "\ud800", {}), ("1", "m", {"a": "\ud800"})]
)
def test_a_request_with_half_a_character_is_refused(id: str, method: str, params: dict[str, object]):
    """An error of the caller's, whom it is told, like any other that cannot be written."""
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        frames.request(id, method, params)


def test_an_unreadable_request_keeps_what_an_answer_needs():
    assert classify(b'{"id":7,"method":"signalwire.event","params":3}') == Unreadable(
        "its params are not an object but a number", 7, "signalwire.event"
    )


def test_missing_and_null_params_are_an_empty_object():
    assert classify(b'{"id":"1","method":"m"}') == Request("1", "m", {})
    assert classify(b'{"id":null,"method":"m","params":null}') == Request(None, "m", {})


def test_an_error_is_looked_for_before_a_result_and_both_before_a_method():
    """The order of PROTOCOL 2.2."""
    both = b'{"id":"1","method":"m","result":{},"error":{"code":5,"message":"x"}}'
    assert classify(both) == ErrorResponse("1", 5, "x")
    assert classify(b'{"id":"1","method":"m","result":5}') == ResultResponse("1", 5)


def test_a_null_error_beside_a_result_is_no_error():
    """JSON-RPC 1.0 writes both members; a good answer must not fail because of it."""
    assert classify(b'{"id":"1","result":{"code":"200"},"error":null}') == ResultResponse("1", {"code": "200"})
    assert classify(b'{"id":"1","error":null}') == ErrorResponse("1", -1, "Unknown error")


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        ("boom", -1, "boom"),
        (["a", 1], -1, '["a",1]'),
        ({}, -1, "Unknown error"),
        ({"code": 500}, 500, "Unknown error"),
        ({"message": "m"}, -1, "m"),
        ({"code": "404", "message": "gone"}, 404, "gone"),
        ({"code": "-32002", "message": {"why": "x"}}, -32002, '{"why":"x"}'),
        ({"code": "many", "message": ""}, -1, ""),
        ({"code": None}, -1, "Unknown error"),
        ({"code": True}, -1, "Unknown error"),
        ({"code": 404.0}, 404, "Unknown error"),
        ({"code": 4.5}, -1, "Unknown error"),
        ({"code": [1]}, -1, "Unknown error"),
    ],
)
def test_a_sloppy_error_is_filled_in(error, code, message):
    """A code as text must be recognised too: 404 means that the call is gone (PROTOCOL 18.12)."""
    assert classify(dumps({"id": "1", "error": error})) == ErrorResponse("1", code, message)


def test_the_data_of_an_error_is_kept():
    data = {"signalwire_error_code": "AUTH_REQUIRED"}
    assert classify(frames.error("1", -32401, "no", data)) == ErrorResponse("1", -32401, "no", data)


@pytest.mark.parametrize("code", ["200", "201", "202", "299", 200, 299, 200.0, None])
def test_any_code_from_200_to_299_is_success(code):
    """One official client took only "200"; any 2xx is the rule (PROTOCOL 2.3, D26)."""
    body = {"code": code, "message": "fine", "call_id": "c"}
    assert outcome_of("calling.play", ResultResponse("1", body)) == body


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("404", 404),
        ("410", 410),
        (404, 404),
        ("-32001", -32001),
        ("199", 199),
        ("300", 300),
        ("0", 0),
        ("", -1),
        ("ERR", -1),
        ("2xx", -1),
        ("0200", -1),
        ("200\n", -1),
        (" 200", -1),
        ("٢٠٠", -1),  # Arabic digits: int() would take them
        ("2" * 5000, -1),
        (True, -1),
        ([200], -1),
        ({"code": 200}, -1),
    ],
)
def test_any_other_code_is_a_refusal(code, number):
    outcome = outcome_of("calling.play", ResultResponse("1", {"code": code, "message": "no"}))
    assert isinstance(outcome, CommandRejectedError)
    assert (outcome.method, outcome.code, outcome.message) == ("calling.play", number, "no")


def test_a_refusal_without_a_message_says_so():
    outcome = outcome_of("calling.play", ResultResponse("1", {"code": "500"}))
    assert isinstance(outcome, CommandRejectedError)
    assert outcome.message == "Unknown error"


def test_a_result_without_code_is_success():
    assert outcome_of("m", ResultResponse("1", {"message": "fine"})) == {"message": "fine"}


@pytest.mark.parametrize("result", ["pong", None, 7, [1], True])
def test_a_result_that_is_no_object_is_wrapped(result):
    assert outcome_of("signalwire.ping", ResultResponse("1", result)) == {"raw": result}


def test_the_log_in_has_no_code_to_look_at():
    """Any result of signalwire.connect is success (PROTOCOL 2.3)."""
    assert outcome_of(frames.CONNECT, ResultResponse("1", {"code": "500"})) == {"code": "500"}


def test_an_error_response_is_a_refusal():
    outcome = outcome_of("calling.play", ErrorResponse("1", 404, "gone"))
    assert isinstance(outcome, CommandRejectedError)
    assert outcome.call_is_gone


_SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(st.characters(exclude_categories=("Cs",)))
)
_VALUES = st.recursive(_SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)


@given(_VALUES)
def test_an_acknowledgement_echoes_any_id_unchanged(frame_id):
    """Server ids are opaque, whatever their JSON type (PROTOCOL 2.1)."""
    [text, other] = frames.acknowledgements([frame_id, "e-1"])
    assert text == frames.result(frame_id, {})
    assert classify(text) == ResultResponse(frame_id, {})
    assert other == frames.result("e-1", {})


_MEMBERS = st.dictionaries(
    st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"]),
    _VALUES | st.dictionaries(st.sampled_from(["code", "message", "data"]), _VALUES) | st.floats(),
)


@given(st.binary() | st.text() | _MEMBERS.map(lambda members: json.dumps(members)))
def test_classify_never_raises_and_its_ids_can_be_written_back(text):
    frame = classify(text)
    assert loads(dumps(frame.id)) == frame.id
    if isinstance(frame, ResultResponse | ErrorResponse):
        assert isinstance(outcome_of("m", frame), dict | CommandRejectedError)
