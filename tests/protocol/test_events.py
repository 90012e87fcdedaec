"""Typed events are those of the table, and every frame that a server may send becomes one."""

from __future__ import annotations

import ast
import dataclasses
import functools
import typing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol import events
from relay_actors.protocol.events import EVENT_CLASS_MAP, EVENT_TYPES, RelayEvent, parse_event
from tests.protocol.wire_tables import CONSTANTS, EVENT_FRAMES, EVENTS, EVENTS_TABLE, json_values

TYPED = [row for row in EVENTS if row["typed_in_seed"]]
typed_events = pytest.mark.parametrize("row", TYPED, ids=lambda row: str(row["class"]))
USABLE: dict[str, list[tuple[object, object]]] = {
    "str": [("x", "x")],
    "float": [(3.5, 3.5), (4, 4.0), ("2.5", 2.5)],
    "int": [(7, 7), ("7", 7), (7.0, 7)],
    "bool": [(True, True), ("true", True)],
    "bool|None": [(True, True), (False, False)],
    "dict": [({"a": 1}, {"a": 1})],
    "list[str]": [(["a"], ["a"])],
}
UNUSABLE: dict[str, list[object]] = {
    "str": [None, [], {}, True],
    "float": [None, "soon", [], {}, True],
    "int": [None, "soon", [], {}, True],
    "bool": [None, "maybe", [], {}],
    "bool|None": [None, "maybe", [], {}],
    "dict": [None, "x", [], 5],
    "list[str]": [None, "x", {}, 5],
}


def payload_with(event_type: str, path: str, value: object) -> dict[str, Any]:
    payload: dict[str, Any] = {"event_type": event_type, "params": {}}
    *way, last = path.split(".")
    place = payload
    for key in way:
        place = place.setdefault(key, {})
    place[last] = value
    return payload


# Further places that the table names in its notes only.
IN_NOTES = {
    ("calling.call.receive", "project_id"): ["project_id"],
    ("messaging.receive", "context"): ["context"],
}


def paths_of(row: dict[str, Any], field: dict[str, Any]) -> list[str]:
    paths = [field["path"], *field.get("fallback_paths", []), *IN_NOTES.get((row["event_type"], field["name"]), [])]
    return [path.removesuffix(" (outer)") for path in paths]


def test_the_class_map_has_the_23_typed_events_and_nothing_else() -> None:
    """Code written for the reference client looks classes up in it."""
    assert {event_type: cls.__name__ for event_type, cls in EVENT_CLASS_MAP.items()} == {
        row["event_type"]: row["class"] for row in TYPED
    }
    assert len(EVENT_CLASS_MAP) == 23


def test_every_event_type_of_the_table_is_known() -> None:
    """All 27, also those that stay plain."""
    assert {event_type: cls.__name__ for event_type, cls in EVENT_TYPES.items()} == {
        row["event_type"]: row["class"] for row in EVENTS
    }


def test_every_event_constant_names_a_known_event_type() -> None:
    """Otherwise somebody would wait for an event that cannot come."""
    names = {row["value"] for row in CONSTANTS["module_constants"] if row["group"] == "event"}
    assert names <= set(EVENT_TYPES)


@typed_events
def test_a_typed_event_has_the_fields_of_the_table_in_its_order(row: dict[str, Any]) -> None:
    """Events are also made by position."""
    cls = EVENT_CLASS_MAP[row["event_type"]]
    names = [field["name"] for field in (*EVENTS_TABLE["base"]["fields"], *row["fields"])]
    assert [field.name for field in dataclasses.fields(cls)] == names
    assert issubclass(cls, RelayEvent)


@typed_events
def test_a_typed_event_made_of_nothing_has_the_defaults_of_the_table(row: dict[str, Any]) -> None:
    """The same by hand and from the wire."""
    cls = EVENT_CLASS_MAP[row["event_type"]]
    for event in (cls(row["event_type"]), parse_event({"event_type": row["event_type"]})):
        assert type(event) is cls
        for field in row["fields"]:
            assert getattr(event, field["name"]) == ast.literal_eval(field["default"])


@typed_events
def test_a_field_is_read_from_each_of_its_paths(row: dict[str, Any]) -> None:
    """Every path of the table, and every way in which a value of that type may be written."""
    for field in row["fields"]:
        for path in paths_of(row, field):
            for value, expected in USABLE[field["type"]]:
                event = parse_event(payload_with(row["event_type"], path, value))
                assert getattr(event, field["name"]) == expected, f"{field['name']} from {path}"


@typed_events
def test_an_unusable_value_becomes_the_default(row: dict[str, Any]) -> None:
    """PROTOCOL 7.1, 16.4, 18.13: null and wrong types alike."""
    for field in row["fields"]:
        for value in UNUSABLE[field["type"]]:
            event = parse_event(payload_with(row["event_type"], field["path"], value))
            default = ast.literal_eval(field["default"])
            assert getattr(event, field["name"]) == default, f"{field['name']} from {value!r}"
            assert type(event) is EVENT_CLASS_MAP[row["event_type"]]


@pytest.mark.parametrize(("name", "payload"), EVENT_FRAMES, ids=[name for name, _ in EVENT_FRAMES])
def test_every_event_frame_is_parsed_into_its_class_with_its_values(name: str, payload: dict[str, Any]) -> None:
    """Golden frames: what real servers and the documents say."""
    event = parse_event(payload)
    row = next((row for row in EVENTS if row["event_type"] == payload["event_type"]), None)
    inner = payload.get("params", {})
    assert type(event).__name__ == (row["class"] if row else "RelayEvent")
    assert event.event_type == payload["event_type"]
    assert event.params == inner
    assert event.call_id == inner.get("call_id", "")
    assert event.timestamp == payload.get("timestamp", 0.0)
    for field in row["fields"] if row and row["typed_in_seed"] else []:
        said = next((value for path in paths_of(row, field) if (value := at(payload, path)) is not None), None)
        expected = ast.literal_eval(field["default"]) if said is None else said
        assert getattr(event, field["name"]) == expected, field["name"]


def at(payload: object, path: str) -> object:
    for key in path.split("."):
        payload = payload.get(key) if isinstance(payload, dict) else None
    return payload


# Where an attribute does not bear the wire's name: because the unit belongs to it, or two names mean one thing.
ATTRIBUTES = {
    "start_time": "start_time_ms",
    "answer_time": "answer_time_ms",
    "end_time": "end_time_ms",
    "enqueue_ts": "enqueue_time_us",
    "dequeue_ts": "dequeue_time_us",
    "leave_ts": "leave_time_us",
    "avg_time": "avg_time_s",
    "for": "step",
    "payment_card_security_code": "security_code",
    "payment_card_expiration_date": "expiration_date",
    "protocol": "context",
}
# And where there is none, and why.
WITHOUT = {
    ("calling.call.ai", "params.state"): "no documented server sends it, and the event stays plain in the seed",
}
SAID: dict[str, list[tuple[object, object]]] = {
    "string": [("x", "x")],
    "string|null": [("x", "x"), (None, "")],
    "number": [(7, 7), ("7", 7), (7.0, 7)],
    "boolean": [(True, True), (False, False), ("true", True)],
    "object": [({"a": 1}, {"a": 1})],
}


def test_every_further_wire_field_of_the_table_is_an_attribute() -> None:
    """What only some servers say, or only sometimes, can be read and matched like the rest; typed, and never None."""
    missing = []
    for row in EVENTS:
        for field in row["extra_wire_fields"]:
            event_type, path = row["event_type"], field["path"]
            wire_name = path.rsplit(".", 1)[-1]
            name = ATTRIBUTES.get(wire_name, wire_name)
            cls = EVENT_TYPES[event_type]
            if not hasattr(cls, name):
                missing.append((event_type, path))
                continue
            for value, expected in SAID[field["type"]]:
                found = getattr(parse_event(payload_with(event_type, path, value)), name)
                assert found == expected, f"{cls.__name__}.{name} from {path}={value!r}"
                assert type(found) in (type(expected), float), f"{cls.__name__}.{name} from {path}={value!r}"
            nothing = getattr(cls(event_type), name)
            assert nothing == type(expected)(), f"{cls.__name__}.{name} when it is not said"
    assert set(missing) == set(WITHOUT), f"wire fields without an attribute: {sorted(set(missing) - set(WITHOUT))}"


field_names = sorted(
    {field["path"].split(".")[-1] for row in EVENTS for field in (*row["fields"], *row["extra_wire_fields"])}
    | {"call_id", "url"}
)
inner_names = [
    "params",
    "type",
    "event",
    "beep",
    "number",
    "pages",
    "success",
    "direction",
    "result",
    "identity",
    "addr",
]
inner_names += ["port", "uri", "codec", "call_id", "device", "to_number", "to", "queue_name", "digits", "confidence"]
objects = st.dictionaries(
    st.sampled_from(inner_names),
    json_values | st.dictionaries(st.sampled_from(inner_names), json_values, max_size=4),
    max_size=4,
)


@given(
    event_type=st.sampled_from([*EVENT_TYPES, "brand.new"]) | json_values,
    params=st.dictionaries(st.sampled_from(field_names) | st.text(max_size=5), json_values | objects, max_size=8)
    | json_values,
    outer=st.dictionaries(st.text(max_size=10), json_values, max_size=3),
)
def test_any_json_object_is_parsed_without_raising(
    event_type: object, params: object, outer: dict[str, object]
) -> None:
    """PROTOCOL 16.4: one broken frame must not stop the next; every property must be readable, too."""
    event = parse_event({**outer, "event_type": event_type, "params": params})
    assert type(event) is (EVENT_TYPES.get(event_type, RelayEvent) if isinstance(event_type, str) else RelayEvent)
    assert_readable(event)


def assert_readable(event: RelayEvent) -> None:
    """See that every property of an event gives something, of the type that it promises."""
    for name, promised in properties(type(event)).items():
        assert isinstance(getattr(event, name), promised), name


@functools.cache
def properties(cls: type[RelayEvent]) -> dict[str, type]:
    promised = {}
    for name in dir(cls):
        found = getattr(cls, name)
        if isinstance(found, property) and found.fget is not None:
            kind = typing.get_type_hints(found.fget)["return"]
            promised[name] = typing.get_origin(kind) or kind
    return promised


@given(params=st.dictionaries(st.sampled_from(field_names), json_values | objects, max_size=12))
def test_no_property_of_any_event_raises_whatever_was_said(params: dict[str, object]) -> None:
    """Every class with the same words; also when an event was made by hand, past the readers of its fields."""
    for cls in set(EVENT_TYPES.values()):
        assert_readable(cls.from_payload({"event_type": "x", "params": params}))
        assert_readable(cls("x", params))


def test_the_module_lists_every_event_class() -> None:
    """A class that is not listed cannot be imported through the window."""
    assert {cls.__name__ for cls in EVENT_TYPES.values()} <= set(events.__all__)


@pytest.mark.parametrize("event_type", [None, 5, [], {}, ["calling.call.play"], "", "calling.call.unheard"])
def test_what_is_no_known_event_type_makes_an_untyped_event(event_type: object) -> None:
    """Whatever it is, and however often it comes (PROTOCOL 16.4)."""
    for _ in range(2):
        event = parse_event({"event_type": event_type, "params": {"call_id": "c"}})
        assert type(event) is RelayEvent
        assert (event.event_type, event.call_id) == (event_type if isinstance(event_type, str) else "", "c")
