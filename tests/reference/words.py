"""Types and defaults in words for people."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
from typing import Annotated, Any, Union, get_args, get_origin

from relay_actors.protocol.schema import Param

WORDS = (
    (r"\b(?:typing|collections\.abc)\.", ""),
    (r"\bSequence\[Sequence\[Mapping\[str, object\]\]\]", "lists of lists of dictionaries"),
    (r"\b(?:Sequence|list)\[Mapping\[str, object\]\]", "list of dictionaries"),
    (r"\b(?:Sequence|list)\[str\]", "list of texts"),
    (r"\bMapping\[str, object\]|\bJsonObject\b", "dictionary"),
    (r"\bCallable\[.*\]|\bOnCompleted\b|\bListener\b", "function"),
    (r"\b_?Scalar\b|\bstr \| float \| bool\b", "text, number or flag"),
    (r"\bDevices\b", "device, or lists of lists of devices"),
    (r"\bAction \| Future\[Any\]", "handle or future"),
    (r"\bstr\b", "text"),
    (r"\bfloat\b", "number"),
    (r"\bint\b", "whole number"),
    (r"\bbool\b", "flag"),
    (r"\bobject\b|\bAny\b", "anything"),
    (r" \| None\b|^None \| ", ""),
    (r" \| ", " or "),
)
"""From Python's types to words, one after the other."""


def type_in_words(annotation: object) -> str:
    """What a value has to be; that it may be None is said by its default."""
    text = annotation if isinstance(annotation, str) else _plain(annotation)
    for pattern, word in WORDS:
        text = re.sub(pattern, word, text)
    return text


def _plain(hint: object) -> str:
    """A type without what it is annotated with, as Python writes it."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        parts = dict.fromkeys(_plain(part) for part in get_args(hint) if part is not type(None))
        return " | ".join(parts)
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)


def default_of(parameter: inspect.Parameter) -> str:
    """The default of an argument: empty when it is None, which only says that it was not given."""
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return ""
    if parameter.default is inspect.Parameter.empty:
        return "required"
    return "" if parameter.default is None else f"`{parameter.default!r}`"


def field_default(field: dataclasses.Field[Any]) -> str:
    """The same of a field of a dataclass."""
    if field.default_factory is not dataclasses.MISSING:
        return f"`{field.default_factory()!r}`"
    if field.default is dataclasses.MISSING:
        return "required"
    return "" if field.default is None else f"`{field.default!r}`"


def json_type(param: Param) -> str:
    """The type on the wire, and whether the server's own schema demands or does not know the param."""
    text = "array of " * param.depth + param.json_type
    return text + (", required" if param.required else "") + ("" if param.in_wire_schema else ", not in the schema")


def signature(name: str, parameters: list[inspect.Parameter], gives: str, *, width: int = 100) -> str:
    """``play(media, *, volume=None, **kwargs) -> PlayAction``, broken where it is long."""
    parts: list[str] = []
    for one in parameters:
        if one.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        mark = "**" if one.kind is inspect.Parameter.VAR_KEYWORD else ""
        default = "" if one.default is inspect.Parameter.empty else f"={one.default!r}"
        parts.append(f"{mark}{one.name}{default}")
    lines = [f"{name}("]
    for place, part in enumerate(parts):
        piece = part + (", " if place + 1 < len(parts) else f") -> {gives}")
        if len(lines[-1]) + len(piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("    ")
        lines[-1] += piece
    if not parts:
        lines[-1] += f") -> {gives}"
    return "\n".join(lines)
