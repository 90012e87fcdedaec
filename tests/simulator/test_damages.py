"""How an event is damaged."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.protocol import json_codec
from relay_actors.protocol.server import make_event
from relay_actors.simulator.damages import BECOMES, Damage

OUTER = {"timestamp": 1.5, "context": "support"}
INNER = {"call_id": "c", "call": {"call_id": "d"}, "final": True}


def applied(damage: Damage, **more: Any) -> dict[str, Any]:
    frame = json_codec.loads(damage.applied(make_event("f1", "calling.call.play", INNER, OUTER).text, **more))
    assert isinstance(frame, dict)
    return frame


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ("call_id", {**OUTER, "params": {"call": {"call_id": "d"}, "final": True}}),
        ("call.call_id", {**OUTER, "params": {"call_id": "c", "call": {}, "final": True}}),
        ("timestamp", {"context": "support", "params": INNER}),
        ("params", OUTER),
        ("params.final", {**OUTER, "params": {"call_id": "c", "call": {"call_id": "d"}}}),
    ],
)
def test_a_field_is_missing(field: str, left: dict[str, Any]):
    damage = Damage(field, "missing")

    assert applied(damage)["params"] == {"event_type": "calling.call.play", **left}
    assert applied(damage)["id"] == "f1"


@pytest.mark.parametrize(
    ("field", "value"), [("call_id", 17), ("timestamp", "seventeen"), ("final", "seventeen"), ("call", "seventeen")]
)
def test_a_field_is_of_another_type(field: str, value: object):
    params = applied(Damage(field, "other"))["params"]
    assert {**params, **params["params"]}[field] == value


@pytest.mark.parametrize("becomes", BECOMES)
def test_a_field_is_of_a_type_that_is_said(becomes: Any):
    assert applied(Damage("call_id", becomes))["params"]["params"]["call_id"] == BECOMES[becomes]


def test_a_copy_has_an_id_of_its_own():
    assert applied(Damage("call_id", "missing"), frame_id="f2")["id"] == "f2"


@pytest.mark.parametrize("field", ["nothing", "call.nothing", "call_id.nothing", "timestamp.x"])
def test_an_event_without_the_field_is_no_match(field: str):
    assert not Damage(field, "missing").fits(INNER, OUTER)
    assert Damage("call.call_id", "missing").fits(INNER, OUTER)
    assert Damage("context", "missing").fits(INNER, OUTER)
