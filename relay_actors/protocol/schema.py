"""What the wire demands of a request's params: required keys, JSON types, no nulls. Layer: protocol, pure.

For the simulator, which must refuse what the real server refuses. The table itself is generated (`schema_table`); here
are the rules, and the few places where sources disagree or types alone say too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Final

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.schema_table import SCHEMA_TABLE, Spec

__all__ = ["Param", "params_of", "violations"]

_ALSO_TEXT: Final = frozenset(
    {
        ("calling.user_event", "event"),  # the schema says object, the known clients send text (PROTOCOL D17)
        ("calling.live_transcribe", "action"),  # one source stops with the bare word "stop" (PROTOCOL 12)
        ("calling.live_translate", "action"),
    }
)
_PATTERNS: Final[Mapping[tuple[str, str], re.Pattern[str]]] = {
    ("calling.send_digits", "digits"): re.compile(r"[0-9*#A-DwW]+"),
}
_SPEC: Final = re.compile(r"(?P<type>[a-z]+)(?P<depth>(\[\])*)(?P<required>!?)(?P<unlisted>~?)")


@dataclass(frozen=True, slots=True)
class Param:
    """One param of a method, or one key inside it.

    Attributes:
        json_type: ``string``, ``number``, ``integer``, ``boolean`` or ``object``: of the innermost value.
        depth: how many arrays are around it.
        required: whether it must be there.
        in_wire_schema: False for what clients are known to send although the server's schema does not list it.
        fields: the known keys of an ``object``; others are allowed.
    """

    json_type: str
    depth: int
    required: bool
    in_wire_schema: bool
    fields: Mapping[str, Param]


@cache
def params_of(method: str) -> Mapping[str, Param] | None:
    """Return the params of a wire method by name, or None when the method is unknown."""
    specs = SCHEMA_TABLE.get(method)
    return None if specs is None else {name: _param(spec) for name, spec in specs.items()}


def violations(method: str, params: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a request, one text each; empty when the server would take it.

    Unknown keys are no violation, for callers may add fields that no table names.

    Source: PROTOCOL 2.1, 19.1.
    """
    known = params_of(method)
    if known is None:
        return [f"{method} is not a known method"]
    found = [f"{name} is null: leave it out" for name, value in params.items() if value is None]
    for name, param in known.items():
        value = params.get(name)
        if value is None:
            if param.required and name not in params:
                found.append(f"{name} is required")
        elif not (isinstance(value, str) and (method, name) in _ALSO_TEXT):
            found.extend(_wrong(name, value, param, param.depth))
            pattern = _PATTERNS.get((method, name))
            if pattern is not None and isinstance(value, str) and not pattern.fullmatch(value):
                found.append(f"{name} must match {pattern.pattern}")
    return found


def _param(spec: Spec) -> Param:
    text, fields = (spec, {}) if isinstance(spec, str) else spec
    parts = _SPEC.fullmatch(text)
    if parts is None:
        raise ValueError(f"schema_table: {text!r} is not a JSON type followed by [] ! ~")
    return Param(
        json_type=parts["type"],
        depth=len(parts["depth"]) // 2,
        required=bool(parts["required"]),
        in_wire_schema=not parts["unlisted"],
        fields={name: _param(inner) for name, inner in fields.items()},
    )


def _wrong(path: str, value: object, param: Param, depth: int) -> Iterator[str]:
    if depth:
        if isinstance(value, list):
            for place, item in enumerate(value):
                yield from _wrong(f"{path}[{place}]", item, param, depth - 1)
        else:
            yield f"{path} must be array, not {_json_type(value)}"
    elif not _fits(value, param.json_type):
        yield f"{path} must be {param.json_type}, not {_json_type(value)}"
    elif isinstance(value, Mapping):
        for name, field in param.fields.items():
            if name in value:
                yield from _wrong(f"{path}.{name}", value[name], field, field.depth)
            elif field.required:
                yield f"{path}.{name} is required"


def _fits(value: object, json_type: str) -> bool:
    if json_type == "integer":  # 20.0 is one, as in JSON Schema
        return value.is_integer() if isinstance(value, float) else _json_type(value) == "number"
    return _json_type(value) == json_type


def _json_type(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case Mapping():
            return "object"
        case _:
            return "array"
