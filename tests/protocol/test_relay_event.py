"""How fields of typed events are found in a payload."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.action_events import RecordEvent
from relay_actors.protocol.base import Event, JsonObject
from relay_actors.protocol.events import EVENT_CLASS_MAP, CallStateEvent, parse_event
from relay_actors.protocol.relay_event import RelayEvent, extractor, payload_of, wire


@dataclass(frozen=True, slots=True)
class PostcardEvent(RelayEvent):
    """A server feature of tomorrow, as an application might add it."""

    control_id: str = ""
    picture: str = wire("", "params.card.picture", "params.picture", "picture")
    weight: float = 0.0
    stamps: int = 1
    is_express: bool = False
    read_receipt: bool | None = None
    card: JsonObject = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def card(**params: object) -> PostcardEvent:
    return PostcardEvent.from_payload({"event_type": "post.card", "params": params})


def test_an_application_can_declare_events_of_its_own() -> None:
    """The declaration is all there is to write; nothing is registered."""
    event = card(control_id="c-1", weight="2.5", stamps="3", is_express="true", read_receipt=False, lines=["a", 1])
    assert (event.event_type, event.control_id, event.weight, event.stamps) == ("post.card", "c-1", 2.5, 3)
    assert event.is_express is True
    assert event.read_receipt is False
    assert event.lines == ["a"]


def test_it_does_not_matter_whether_annotations_are_types_or_texts() -> None:
    """They are types in a module that does not import them from the future, as most do not."""
    fields = [
        ("control_id", str, ""),
        ("weight", float, 0.0),
        ("stamps", int, 1),
        ("is_express", bool, False),
        ("read_receipt", bool | None, None),
        ("card", JsonObject, field(default_factory=dict)),
        ("lines", list[str], field(default_factory=list)),
    ]
    plain: type[Any] = dataclasses.make_dataclass("Plain", fields, bases=(RelayEvent,), frozen=True, slots=True)
    params: dict[str, Any] = {"control_id": "c-1", "weight": "2.5", "stamps": "3", "is_express": "true"}
    params |= {"read_receipt": "false", "card": {"picture": "a"}, "lines": ["a", 1]}
    event, expected = plain.from_payload({"event_type": "post.card", "params": params}), card(**params)
    for name, *_ in fields:
        assert getattr(event, name) == getattr(expected, name)


def test_what_is_null_missing_or_of_a_wrong_type_is_the_default() -> None:
    """PROTOCOL 18.13: a null in a typed field must not become None in a text attribute."""
    nothing = PostcardEvent("post.card")
    wrong = dict.fromkeys(
        ("control_id", "weight", "stamps", "is_express", "read_receipt", "card", "lines", "call_id"), object()
    )
    for params in ({}, dict.fromkeys(wrong), wrong):
        event = card(**params)
        assert dataclasses.replace(event, params={}) == nothing


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ({"params": {"card": {"picture": "a"}, "picture": "b"}, "picture": "c"}, "a"),
        ({"params": {"card": {}, "picture": "b"}, "picture": "c"}, "b"),
        ({"params": {"card": {"picture": ""}, "picture": "b"}}, "b"),
        ({"params": {"card": {"picture": 7}, "picture": None}, "picture": "c"}, "c"),
        ({"params": {"card": "no object"}, "picture": "c"}, "c"),
        ({"picture": "c"}, "c"),
        ({}, ""),
    ],
)
def test_the_first_path_that_says_something_wins(payload: dict[str, object], expected: str) -> None:
    """Servers of several ages put the same thing in several places (PROTOCOL D7)."""
    assert PostcardEvent.from_payload(payload).picture == expected


def test_what_is_written_into_a_default_does_not_reach_another_event() -> None:
    """Per-call data must never leak into another call (SEMANTICS X19)."""
    with pytest.raises(TypeError, match="replace it"):
        card().card["picture"] = "of a cat"
    assert card().lines is not card().lines
    assert RelayEvent.from_payload({}).params is not RelayEvent.from_payload({}).params


@pytest.mark.parametrize(
    ("inner", "outer", "expected"),
    [
        (1.5, 9.0, 1.5),
        (None, 9.0, 9.0),
        ("1.5", 9.0, 1.5),
        ("soon", 9.0, 9.0),
        (None, "9.25", 9.25),
        (None, 9, 9.0),
        (None, None, 0.0),
        (None, [], 0.0),
        (True, True, 0.0),
    ],
)
def test_the_timestamp_is_the_inner_one_else_the_outer_one_else_zero(
    inner: object, outer: object, expected: float
) -> None:
    """PROTOCOL D14: the wire has it outside, where the reference client never looks."""
    event = RelayEvent.from_payload({"event_type": "x", "timestamp": outer, "params": {"timestamp": inner}})
    assert event.timestamp == expected
    assert type(event.timestamp) is float


def test_positional_arguments_are_those_of_the_reference() -> None:
    """Code written for it makes events by position: type, params, call id, timestamp, then the event's own fields."""
    assert RelayEvent("a", {"b": 1}, "call-1", 2.0) == RelayEvent(
        event_type="a", params={"b": 1}, call_id="call-1", timestamp=2.0
    )
    assert PostcardEvent("a", {}, "call-1", 2.0, "c-1").control_id == "c-1"
    assert RelayEvent("a").params == {}


def test_every_event_tells_where_it_belongs_even_when_its_class_does_not_know() -> None:
    """Routing asks all events alike; an agent's events, for one, have no class of their own."""
    params: JsonObject = {"control_id": "c-1", "node_id": "n-1", "tag": "t-1", "segment_id": "s-1"}
    event = RelayEvent.from_payload({"event_type": "calling.call.ai", "params": params})
    assert (event.control_id, event.node_id, event.tag, event.segment_id) == ("c-1", "n-1", "t-1", "s-1")
    empty = RelayEvent("calling.call.ai", dict.fromkeys(params, 5))
    assert (empty.control_id, empty.node_id, empty.tag, empty.segment_id) == ("", "", "", "")


def test_events_are_frozen_and_take_no_further_attributes() -> None:
    """Several actors may hold the same event."""
    event = RelayEvent("a")
    assert isinstance(event, Event)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.call_id = "other"  # type: ignore[misc]
    assert not hasattr(event, "__dict__")


@given(payload=st.dictionaries(st.sampled_from(["event_type", "params", "timestamp"]), st.none() | st.integers()))
def test_a_payload_of_wrong_types_becomes_an_empty_event(payload: dict[str, object]) -> None:
    """PROTOCOL 16.4."""
    event = RelayEvent.from_payload(payload)
    assert (event.event_type, event.params, event.call_id) == ("", {}, "")


def test_an_extractor_is_built_once() -> None:
    """Parsing is on the path of every frame; looking at fields is not."""
    assert extractor(PostcardEvent) is extractor(PostcardEvent)


class Weather(StrEnum):
    RAIN = "rain"


def test_text_may_be_of_any_kind_of_text() -> None:
    """Events made by hand have members of enums in them, and objects that are more than dictionaries."""
    event = PostcardEvent.from_payload(
        OrderedDict(event_type=Weather.RAIN, params=OrderedDict(call_id=Weather.RAIN, control_id=Weather.RAIN))
    )
    assert (event.event_type, event.call_id, event.control_id) == ("rain", "rain", "rain")
    assert card(picture=Weather.RAIN, card=OrderedDict(a=1)).picture == "rain"


def test_an_event_may_complete_itself() -> None:
    """An application's own class may have a ``__post_init__``, and is frozen by then."""

    @dataclass(frozen=True, slots=True)
    class SumEvent(RelayEvent):
        first: int = 0
        second: int = 0
        total: int = field(default=0, init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.first + self.second)

    assert SumEvent.from_payload({"params": {"first": 1, "second": "2"}}).total == 3


def test_a_field_may_be_read_from_one_nested_place_or_from_outside() -> None:
    """With its own default where nothing is said."""

    @dataclass(frozen=True, slots=True)
    class ParcelEvent(RelayEvent):
        street: str = wire("nowhere", "params.address.street")
        sender: str = wire("somebody", "sender")
        size: str = wire("M", "params.box-size")
        is_big: bool = wire(True, "params.big")

    empty = ParcelEvent.from_payload({})
    assert (empty.street, empty.sender, empty.size, empty.is_big) == ("nowhere", "somebody", "M", True)
    said = ParcelEvent.from_payload(
        {"sender": "Ann", "params": {"address": {"street": "Elm"}, "box-size": "L", "big": "false"}}
    )
    assert (said.street, said.sender, said.size, said.is_big) == ("Elm", "Ann", "L", False)


def test_a_field_that_no_reader_knows_is_refused_at_once() -> None:
    """A wrong declaration must not wait for the first event to be found."""

    @dataclass(frozen=True, slots=True)
    class BadEvent(RelayEvent):
        when: complex = 0j

    with pytest.raises(KeyError, match="complex"):
        extractor(BadEvent)


OF_TYPE: dict[str, st.SearchStrategy[object]] = {
    "str": st.text(max_size=5),
    "float": st.floats(min_value=0, max_value=1e6),
    "int": st.integers(0, 1000),
    "bool": st.booleans(),
    "bool | None": st.none() | st.booleans(),
    "JsonObject": st.dictionaries(st.sampled_from(["k1", "k2"]), st.integers(), max_size=2),
    "list[str]": st.lists(st.text(min_size=1, max_size=3), max_size=2),
}


@given(data=st.data(), event_class=st.sampled_from([PostcardEvent, *sorted(set(EVENT_CLASS_MAP.values()), key=repr)]))
def test_an_event_made_by_hand_is_the_same_when_it_has_been_sent(data: st.DataObject, event_class: type[RelayEvent]):
    """Whatever its fields say is said where it is read, also inside what another field is the whole of."""
    fields = {field.name: data.draw(OF_TYPE[str(field.type)]) for field in dataclasses.fields(event_class)[4:]}
    event = event_class("made.up", {"more": 1}, "c-1", 2.5, **fields)

    again = event_class.from_payload(payload_of(event))

    assert (again.event_type, again.call_id, again.timestamp, again.params["more"]) == ("made.up", "c-1", 2.5, 1)
    for name, value in fields.items():
        said = getattr(again, name)
        assert (said.items() >= value.items()) if isinstance(value, dict) else said == value, name
    assert event.params == {"more": 1}


def test_an_event_that_came_is_the_same_when_it_is_sent_on() -> None:
    """Its params are all that there is to say."""
    event = RecordEvent.from_payload(
        {"event_type": "calling.call.record", "params": {"state": "finished", "record": {"url": "u", "size": 3}}}
    )

    assert payload_of(event)["params"] == event.params


def test_an_event_knows_whether_it_was_read_or_made_by_hand() -> None:
    """Only of one that was read it is certain that its params say all that its fields do, and that they have a text."""
    payload = {"event_type": "calling.call.state", "params": {"call_state": "answered"}}
    read = parse_event(payload, was_read=True)
    made = CallStateEvent("calling.call.state", {"call_state": "answered"}, call_state="answered")
    assert read.was_read
    assert not parse_event(payload).was_read
    assert not CallStateEvent.from_payload(payload).was_read
    assert not hasattr(made, "was_read")
    assert not hasattr(dataclasses.replace(read, call_id="c"), "was_read")
    assert read == made == parse_event(payload)
