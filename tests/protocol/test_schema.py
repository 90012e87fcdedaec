"""Requests are judged as the server judges them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol import schema
from relay_actors.protocol.schema import params_of, violations
from tests.protocol.wire_tables import METHODS, REQUESTS, json_values

IDS = {"node_id": "n", "call_id": "c"}
BAD_FRAMES = {"error.bad_params.request", "error.method_not_found.request", "error.invalid_params.request"}
SAMPLES: dict[str, object] = {
    "string": "x",
    "number": 1.5,
    "integer": 2,
    "boolean": True,
    "object": {},
    "array<string>": ["x"],
    "array<object>": [{}],
    "array<array<object>>": [[{}]],
}


@pytest.mark.parametrize(("name", "method", "params"), REQUESTS, ids=[name for name, _, _ in REQUESTS])
def test_exactly_the_frames_that_are_named_bad_violate_the_schema(
    name: str, method: str, params: dict[str, Any]
) -> None:
    """A simulator that refused a good request, or took a bad one, would teach applications wrongly."""
    found = violations(method, params)
    assert bool(found) == (name in BAD_FRAMES), found


def test_only_free_keys_of_the_captured_requests_are_unknown() -> None:
    """Callers may add fields that no table names; they are told apart, not refused."""
    unknown = {name: keys for name, method, params in REQUESTS if (keys := params.keys() - (params_of(method) or {}))}
    assert unknown == {
        "user_event.string.request": {"order_id"},
        "error.method_not_found.request": {"call_id", "node_id"},
    }


@pytest.mark.parametrize("row", METHODS, ids=lambda row: str(row["method"]))
def test_every_param_of_the_table_is_demanded_and_checked(row: dict[str, Any]) -> None:
    """Walks the table itself, not what was generated from it."""
    method = row["method"]
    whole = {param["name"]: SAMPLES[param["type"].split(" ")[0]] for param in row["params"]}
    assert all("." in text or "]" in text for text in violations(method, whole)), "only nested keys may be missing"
    assert whole.keys() == (params_of(method) or {}).keys()
    for param in row["params"]:
        name = param["name"]
        without = {key: value for key, value in whole.items() if key != name}
        assert (f"{name} is required" in violations(method, without)) == param["required"]
        assert f"{name} is null: leave it out" in violations(method, {**whole, name: None})
        wrong = violations(method, {**whole, name: [{}] if param["type"].startswith("object") else {}})
        assert any(text.startswith(f"{name} must be") for text in wrong), name
    known = params_of(method)
    assert known is not None
    assert {name for name, param in known.items() if param.in_wire_schema} == {
        param["name"] for param in row["params"] if param["in_wire_schema"]
    }


@pytest.mark.parametrize(
    ("method", "params", "expected"),
    [
        (
            "calling.play",
            {"control_id": "x", "play": [{"type": "tts", "params": {}}, {"type": 5}]},
            ["play[1].type must be string, not number", "play[1].params is required"],
        ),
        ("calling.play", {"control_id": "x", "play": {}}, ["play must be array, not object"]),
        ("calling.play", {"control_id": "x", "play": ["tts"]}, ["play[0] must be object, not string"]),
        ("calling.connect", {"devices": [{}]}, ["devices[0] must be array, not object"]),
        (
            "calling.connect",
            {"devices": [[{"type": "phone"}]]},
            ["devices[0][0].params is required"],
        ),
        ("calling.detect", {"control_id": "x", "detect": {"type": "fax"}}, ["detect.params is required"]),
        ("calling.collect", {"control_id": "x", "digits": {}}, ["digits.max is required"]),
        ("calling.record", {"control_id": "x", "record": {"audio": {"beep": "yes"}}}, [
            "record.audio.beep must be boolean, not string"
        ]),
        ("calling.answer", {"max_duration": 2.0}, []),
        ("calling.answer", {"max_duration": 2.5}, ["max_duration must be integer, not number"]),
        ("calling.answer", {"max_duration": True}, ["max_duration must be integer, not boolean"]),
        ("calling.answer", {"brand_new": 1}, []),
        ("calling.answer", {"brand_new": None}, ["brand_new is null: leave it out"]),
        ("calling.send_digits", {"control_id": "x", "digits": ""}, ["digits must match [0-9*#A-DwW]+"]),
        ("calling.ai", {"control_id": "x", "global_data": {"a": None}}, []),
    ],
)  # fmt: skip
def test_a_violation_says_where_and_what(method: str, params: dict[str, object], expected: list[str]) -> None:
    """Applications read these texts in the simulator's answer."""
    assert violations(method, {**IDS, **params}) == expected


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("calling.user_event", {"event": "order_placed"}),
        ("calling.user_event", {"event": {"type": "order_placed"}}),
        ("calling.live_transcribe", {"action": "stop"}),
        ("calling.live_translate", {"action": {"stop": {}}}),
    ],
)
def test_where_sources_disagree_both_forms_are_taken(method: str, params: dict[str, object]) -> None:
    """PROTOCOL D17, D18."""
    assert violations(method, {**IDS, **params}) == []


def test_an_unknown_method_is_the_only_thing_said_about_it() -> None:
    """The simulator answers it with another code."""
    assert violations("calling.no_such_verb", {"a": None}) == ["calling.no_such_verb is not a known method"]
    assert params_of("calling.no_such_verb") is None


@given(method=st.sampled_from([row["method"] for row in METHODS]), params=st.dictionaries(st.text(), json_values))
def test_no_request_makes_the_judge_raise(method: str, params: dict[str, object]) -> None:
    """A simulator must survive whatever a client under test sends."""
    required = {name for name, param in (params_of(method) or {}).items() if param.required}
    assert bool(violations(method, params)) or required <= set(params)


def test_a_spec_that_cannot_be_read_is_refused() -> None:
    """The table is generated; should its maker go wrong, no param may silently lose its check."""
    with pytest.raises(ValueError, match="is not a JSON type"):
        schema._param("array<string>")
