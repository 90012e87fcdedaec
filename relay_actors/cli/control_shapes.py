"""How values of Python's types are written in JSON, and taken from it. Layer: door."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator

__all__ = ["Json", "Shape", "UnfitError", "from_text", "in_words", "list_of", "shape_of"]

Json: TypeAlias = "dict[str, Any]"

LARGEST: Final = 1_000_000_000
"""No number is larger: a wait of thirty years is long enough, and much more could not be waited for."""
LARGEST_WHOLE: Final = 1_000_000
"""No whole number is further from 0: a fault that is to happen so often needs memory for each time."""


class UnfitError(Exception):
    """A value does not fit a shape."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a Python type is written in JSON.

    Attributes:
        schema: as JSON Schema.
        take: makes Python's value of one from JSON.
    """

    schema: Json
    take: Callable[[object, Simulator], object]


def shape_of(annotation: object) -> Shape | None:
    """Return how values of a type are written in JSON; None if they cannot be.

    A phone is written as its number. Of a union, the members that have a JSON form count.
    """
    kind, parts = get_origin(annotation), get_args(annotation)
    if kind in (Union, types.UnionType):
        shapes = {part: shape for part in parts if (shape := shape_of(part)) is not None}
        return None if shapes.keys() <= {type(None)} else _any_of([*shapes.values()])
    if kind is Literal:
        return Shape({"enum": list(parts)}, lambda value, _simulator: _checked(value, value in parts))
    if kind in (tuple, list, Sequence):
        item = shape_of(parts[0])
        return None if item is None else list_of(item)
    if kind in (dict, Mapping):
        return Shape({"type": "object"}, lambda value, _simulator: _checked(value, isinstance(value, dict)))
    if annotation in (object, Any):
        return Shape({}, lambda value, _simulator: value)
    if annotation is Phone:
        return Shape({"type": "string"}, _take_phone)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return _object_of(annotation)
    return _PLAIN.get(annotation) if isinstance(annotation, type) or annotation is None else None


def from_text(shape: Shape, text: str) -> object:
    """Return the JSON value that a text of a URL's query stands for; the text itself where it stands for nothing."""
    match shape.schema.get("type"):
        case "boolean":
            return {"1": True, "true": True, "": True, "0": False, "false": False}.get(text.lower(), text)
        case "number" | "integer" as kind:
            try:
                return int(text) if kind == "integer" else float(text)
            except ValueError:
                return text
    return text


def list_of(item: Shape) -> Shape:
    """Return the shape of a list, which becomes a tuple."""

    def take(value: object, simulator: Simulator) -> object:
        if not isinstance(value, list):
            raise UnfitError
        return tuple(item.take(one, simulator) for one in value)

    return Shape({"type": "array", "items": item.schema}, take)


def in_words(schema: Json) -> str:
    """Return what a value must be, as the end of the sentence "… must be …"."""
    if "enum" in schema:
        return f"one of {', '.join(map(repr, schema['enum']))}"
    if "anyOf" in schema:
        return " or ".join(in_words(part) for part in schema["anyOf"])
    kinds = schema.get("type", [])
    said = [_KINDS[kind] for kind in (kinds if isinstance(kinds, list) else [kinds])] or ["anything"]
    if "items" in schema:
        said = [f"a list, each {in_words(schema['items'])}"]
    if "properties" in schema:
        said = [f"an object of {', '.join(schema['properties'])}"]
    return " or ".join(said)


def _any_of(shapes: list[Shape]) -> Shape:
    schemas = [shape.schema for shape in shapes]
    schemas = [schema for place, schema in enumerate(schemas) if schema not in schemas[:place]]

    def take(value: object, simulator: Simulator) -> object:
        for shape in shapes:
            try:
                return shape.take(value, simulator)
            except UnfitError:
                continue
        raise UnfitError

    if len(schemas) == 1:
        return Shape(schemas[0], take)
    is_short = all({"type"} <= set(schema) <= {"type", "minimum", "maximum"} for schema in schemas)
    if is_short and sum("minimum" in schema for schema in schemas) < 2:  # {"type": ["number", "null"], "minimum": 0}
        merged = {key: value for schema in schemas for key, value in schema.items()}
        return Shape({**merged, "type": [schema["type"] for schema in schemas]}, take)
    return Shape({"anyOf": schemas}, take)


def _object_of(cls: type) -> Shape | None:
    """Return the shape of an object that people write: all its fields may be left out. Snapshots are none."""
    hints = get_type_hints(cls)
    fields = {field.name: shape_of(hints[field.name]) for field in dataclasses.fields(cls)}
    shapes = {name: shape for name, shape in fields.items() if shape is not None}
    missing = dataclasses.MISSING
    has_defaults = all(
        field.default is not missing or field.default_factory is not missing for field in dataclasses.fields(cls)
    )
    if not has_defaults or len(shapes) < len(fields):
        return None

    def take(value: object, simulator: Simulator) -> object:
        if not isinstance(value, dict) or not value.keys() <= shapes.keys():
            raise UnfitError
        return cls(**{name: shapes[name].take(one, simulator) for name, one in value.items()})

    properties = {name: shape.schema for name, shape in shapes.items()}
    return Shape({"type": "object", "properties": properties, "additionalProperties": False}, take)


def _take_phone(value: object, simulator: Simulator) -> Phone:
    if not isinstance(value, str) or not value:
        raise UnfitError
    return simulator.phone(value)


def _checked(value: object, fits: bool) -> object:
    if not fits:
        raise UnfitError
    return value


def _take_number(value: object, _simulator: Simulator) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _checked(value, is_number and 0 <= value <= LARGEST)  # type: ignore[operator]  # a number


def _take_whole(value: object, _simulator: Simulator) -> object:
    return _checked(value, isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_WHOLE)


_PLAIN: Final[Mapping[object, Shape]] = {
    None: Shape({"type": "null"}, lambda value, _simulator: _checked(value, value is None)),
    type(None): Shape({"type": "null"}, lambda value, _simulator: _checked(value, value is None)),
    str: Shape({"type": "string"}, lambda value, _simulator: _checked(value, isinstance(value, str))),
    bool: Shape({"type": "boolean"}, lambda value, _simulator: _checked(value, isinstance(value, bool))),
    int: Shape({"type": "integer", "minimum": -LARGEST_WHOLE, "maximum": LARGEST_WHOLE}, _take_whole),
    float: Shape({"type": "number", "minimum": 0, "maximum": LARGEST}, _take_number),
}

_KINDS: Final = {
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number, 0 or more",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
