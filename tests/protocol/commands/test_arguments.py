"""What each type of argument takes, refuses and sends."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any, get_args

import pytest
from hypothesis import given

from relay_actors.protocol.commands import arguments
from relay_actors.protocol.commands.arguments import Argument
from tests.protocol.wire_tables import json_values


def argument(name: str) -> Argument:
    return next(mark for mark in get_args(getattr(arguments, name)) if isinstance(mark, Argument))


def sent_as(kind: Argument, value: object) -> object:
    return value if kind.convert is None else kind.convert(value)


TAKES: dict[str, list[object]] = {
    "Text": ["x"],
    "AnyText": ["x", ""],
    "EmptyTextIsNone": ["x", ""],
    "Flag": [True, False],
    "Number": [0, 1.5],
    "WholeNumber": [0, 7],
    "ZeroIsNone": [0, 7],
    "Seconds": [0, 0.5, 30],
    "Volume": [-40, -2.5, 0, 40],
    "Digits": ["1", "0123456789*#ABCDwW"],
    "Scalar": ["", "x", 5, 25.99, True],
    "Object": [{}, {"a": 1}, MappingProxyType({"a": 1})],
    "TypedObject": [{"type": "fax"}, {"type": "sip", "params": {}}],
    "Objects": [[], [{}], ({"a": 1},)],
    "Texts": [[], ["a"], ("a", "b")],
    "EmptyIsNone": [[], ["a"]],
    "Media": [[], [{"type": "tts", "text": "x"}], {"type": "tts", "text": "x"}],
    "LiveAction": ["stop", {"stop": {}}, MappingProxyType({"start": {}})],
    "AudioSettings": [{}, {"beep": True}],
    "CollectSettings": [{"digits": {"max": 1}}, {"speech": {}}, {"max": 1, "initial_timeout": 5}, {"hints": ["a"]}],
    "DigitSettings": [{"max": 1}, {"digits": {"max": 12, "terminators": "#"}}],
    "SpeechSettings": [{}, {"language": "de-DE"}, {"speech": {}}],
    "DeviceLists": [[[{"type": "phone"}], ({"type": "sip"},)], {"type": "phone", "to_number": "+15550100"}],
    "Anything": [None, 5, "stop", {}, [[]]],
}
REFUSES: dict[str, list[object]] = {
    "Text": ["", None, 5, ["x"], b"x"],
    "AnyText": [None, 5, b"x"],
    "EmptyTextIsNone": [5],
    "Flag": [0, 1, "true", None],
    "Number": [-1, math.nan, math.inf, True, "5"],
    "WholeNumber": [-1, 1.5, 2.0, True, "5"],
    "ZeroIsNone": [-1, 1.5],
    "Seconds": [-0.1, math.inf, True, "5", [1]],
    "Volume": [-40.1, 41, math.nan, True, "5"],
    "Digits": ["", "12x4", "a", "1 2", "1\n", 12, None],
    "Scalar": [None, [], {}, math.nan],
    "Object": ["x", [], [("a", 1)]],
    "TypedObject": [{}, {"type": ""}, {"type": 5}, "fax"],
    "Objects": [{}, "x", ["x"], [{}, None]],
    "Texts": ["ab", [""], [5], {"a": 1}],
    "EmptyIsNone": ["ab", [""]],
    "LiveAction": [None, 5, "", {}, []],
    "Media": [{}, {"type": "tts", "text": ""}, "Hello", ["Hello"], [{}], [{"type": "tts", "text": ""}]],
    "AudioSettings": ["wav", []],
    "CollectSettings": ["1", [], {}, {"digits": None}, {"digits": {}}, {"speech": "en"}, {"initial_timeout": 5}],
    "DigitSettings": [4, {}, {"max": 0}, {"max": True}, {"max": "4"}, {"digits": {}}],
    "SpeechSettings": ["en-US", []],
    "DeviceLists": [None, [], [[]], [[{"type": "phone"}], []], [{"type": "phone"}], [["+15550100"]], "x", [[[{}]]]],
}
CASES_TAKEN = [(name, value) for name, values in TAKES.items() for value in values]
CASES_REFUSED = [(name, value) for name, values in REFUSES.items() for value in values]


@pytest.mark.parametrize(("name", "value"), CASES_TAKEN)
def test_an_argument_takes(name: str, value: object) -> None:
    """Never stricter than the protocol."""
    assert argument(name).check(value) is None


@pytest.mark.parametrize(("name", "value"), CASES_REFUSED)
def test_an_argument_refuses_and_says_what_it_must_be(name: str, value: object) -> None:
    """The text completes "… must be"."""
    assert argument(name).check(value)


def test_every_type_of_argument_is_tried() -> None:
    """A new type needs a row above."""
    assert set(TAKES) == set(arguments.__all__) - {"Argument", "As", "Check", "Convert"}


@pytest.mark.parametrize(
    ("name", "value", "sent"),
    [
        ("Text", "x", "x"),
        ("AnyText", "", ""),
        ("EmptyTextIsNone", "", None),
        ("EmptyTextIsNone", "x", "x"),
        ("EmptyIsNone", [], None),
        ("EmptyIsNone", ("a",), ["a"]),
        ("ZeroIsNone", 0, None),
        ("ZeroIsNone", 30, 30),
        ("Volume", -3.0, -3.0),
        ("Scalar", 5, "5"),
        ("Scalar", 25.99, "25.99"),
        ("Scalar", True, "true"),
        ("Scalar", "5", "5"),
        ("TypedObject", {"type": "machine"}, {"type": "machine", "params": {}}),
        ("TypedObject", {"type": "machine", "params": {"a": 1}}, {"type": "machine", "params": {"a": 1}}),
        ("Media", [{"type": "tts", "text": "x"}], [{"type": "tts", "params": {"text": "x"}}]),
        ("Media", {"type": "tts", "text": "x"}, [{"type": "tts", "params": {"text": "x"}}]),
        ("AudioSettings", {"beep": True}, {"audio": {"beep": True}}),
        ("AudioSettings", None, {"audio": {}}),
        ("Object", MappingProxyType({"a": 1}), {"a": 1}),
        ("AudioSettings", {"audio": {"beep": True}}, {"audio": {"beep": True}}),
        ("CollectSettings", {"max": 4}, {"digits": {"max": 4}}),
        ("DigitSettings", {"digits": {"max": 4}}, {"max": 4}),
        ("SpeechSettings", MappingProxyType({"language": "de-DE"}), {"language": "de-DE"}),
        ("DeviceLists", (({"type": "phone", "to_number": "1"},),), [[{"type": "phone", "params": {"to_number": "1"}}]]),
        ("DeviceLists", {"type": "sip", "params": {"to": "a"}}, [[{"type": "sip", "params": {"to": "a"}}]]),
        ("Anything", "stop", "stop"),
    ],
)
def test_an_argument_is_sent_as(name: str, value: object, sent: object) -> None:
    """Lists and dictionaries of any kind become those that the encoder knows."""
    written: Any = sent_as(argument(name), value)
    assert written == sent
    assert type(written) is type(sent)


@given(value=json_values)
def test_a_check_never_raises_and_what_it_takes_can_be_written(value: object) -> None:
    """Checks meet whatever a script without types hands over."""
    for name in TAKES:
        if argument(name).check(value) is None:
            sent_as(argument(name), value)
