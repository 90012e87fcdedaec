"""How types are written in JSON. That values are taken so is tried on the words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import pytest

from relay_actors.cli.control_shapes import from_text, in_words, shape_of
from relay_actors.simulator.calls import CallSnapshot
from relay_actors.simulator.lines import Line
from relay_actors.simulator.phones import Phone


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (str, {"type": "string"}),
        (int | None, {"type": ["integer", "null"], "minimum": -1_000_000, "maximum": 1_000_000}),
        (str | float, {"type": ["string", "number"], "minimum": 0, "maximum": 1_000_000_000}),
        (int | float, {"anyOf": [shape_of(int).schema, shape_of(float).schema]}),  # type: ignore[union-attr]
        (Literal["a", "b"], {"enum": ["a", "b"]}),
        (Literal["a"] | None, {"anyOf": [{"enum": ["a"]}, {"type": "null"}]}),
        (tuple[str, ...], {"type": "array", "items": {"type": "string"}}),
        (Sequence[bool], {"type": "array", "items": {"type": "boolean"}}),
        (Mapping[str, object] | bytes | str, {"type": ["object", "string"]}),
        (Phone | Line | str, {"type": "string"}),
        (Line | CallSnapshot | str, {"type": "string"}),
        (object, {}),
        (Any, {}),
        (None, {"type": "null"}),
        (bytes, None),
        (Callable[[], None], None),
        (Line | None, None),
        (list[bytes], None),
        (CallSnapshot, None),
    ],
)
def test_a_type_has_one_form_in_json_or_none(annotation: object, schema: dict[str, object] | None):
    """A line, a snapshot and bytes have none: nobody can write them."""
    shape = shape_of(annotation)
    assert (shape and shape.schema) == schema


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (bool, "1", True),
        (bool, "", True),
        (bool, "false", False),
        (bool, "2", "2"),
        (int, "7", 7),
        (float, "0.5", 0.5),
        (float, "soon", "soon"),
        (str, "7", "7"),
    ],
)
def test_a_query_is_text_and_stands_for_values(annotation: object, text: str, value: object):
    """What stands for nothing stays text, which is then told to be wrong."""
    shape = shape_of(annotation)
    assert shape is not None
    assert from_text(shape, text) == value


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str | None, "text or null"),
        (Literal["a", "b"], "one of 'a', 'b'"),
        (Literal["a"] | None, "one of 'a' or null"),
        (list[bool], "a list, each true or false"),
        (float, "a number, 0 or more"),
        (object, "anything"),
    ],
)
def test_what_a_value_must_be_is_said_in_words(annotation: object, words: str):
    shape = shape_of(annotation)
    assert shape is not None
    assert in_words(shape.schema) == words
