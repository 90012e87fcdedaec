"""The types of command arguments: how each is checked before it is sent, and how it is written. Layer: protocol, pure.

A type here is a plain one for the type checker, annotated with an `Argument` for run time: most callers are scripts
without types, and what they get wrong must be said at their line and not by the server seconds later. Checks are never
stricter than the protocol: they look at the outermost types and at what can never work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol import checks
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.checks import Check
from relay_actors.protocol.devices import Devices, device_lists
from relay_actors.protocol.inputs import collect_settings, digits_problem, input_problem, part_of
from relay_actors.protocol.media import MediaItems, nested, normalise, problem

__all__ = [
    "AnyText",
    "Anything",
    "Argument",
    "As",
    "AudioSettings",
    "CollectSettings",
    "Convert",
    "DeviceLists",
    "DigitSettings",
    "Digits",
    "EmptyIsNone",
    "EmptyTextIsNone",
    "Flag",
    "LiveAction",
    "Media",
    "Number",
    "Object",
    "Objects",
    "Scalar",
    "Seconds",
    "SpeechSettings",
    "Text",
    "Texts",
    "TypedObject",
    "Volume",
    "WholeNumber",
    "ZeroIsNone",
]

Convert: TypeAlias = Callable[[object], object]
"""Returns what is sent; None leaves the key out."""


@dataclass(frozen=True, slots=True)
class Argument:
    """How an argument is checked and written; without ``convert`` it is sent as it is."""

    check: Check
    convert: Convert | None = None


@dataclass(frozen=True, slots=True)
class As:
    """The argument has another name on the wire.

    Attributes:
        name: the key in the params.
        even_none: the key is written even when the argument was not given.
    """

    name: str
    even_none: bool = False


def _media(value: Any) -> str | None:
    items = [value] if type(value) is not list and isinstance(value, Mapping) else value
    return checks.mappings(items) or problem(items)


def _device_lists(value: object) -> str | None:
    if device_lists(value) is not None:
        return None
    return (
        "a list of lists of devices, none of them empty: [[A], [B]] rings A and then B, [[A, B]] both at once; "
        "one device alone may stand without lists"
    )


def _collect_settings(value: Any) -> str | None:
    return checks.mapping(value) or input_problem(value)


def _digit_settings(value: object) -> str | None:
    return checks.mapping(value) or digits_problem(_to_digit_settings(value))


def _anything(value: object) -> str | None:
    return None


def _to_object(value: Any) -> JsonObject:
    return dict(value)


def _to_objects(value: Any) -> list[JsonObject]:
    return [dict(item) for item in value]


def _to_texts(value: Any) -> list[str]:
    return list(value)


def _to_texts_or_nothing(value: object) -> list[str] | None:
    return _to_texts(value) or None


def _or_nothing(value: object) -> object:
    return value or None


def _to_collect_settings(value: Any) -> JsonObject:
    return collect_settings(value)


def _to_digit_settings(value: Any) -> JsonObject:
    return part_of(value, "digits")


def _to_speech_settings(value: Any) -> JsonObject:
    return part_of(value, "speech")


def _to_media(value: Any) -> list[JsonObject]:
    return normalise(value)


def _live_action(value: object) -> str | None:
    ok = isinstance(value, str | Mapping) and value
    return None if ok else 'a dictionary such as {"start": {…}} or {"stop": {}}, or a word'


def _to_nested(value: Any) -> JsonObject:
    return nested(value)


def _to_audio(value: Any) -> JsonObject:
    return {"audio": {} if value is None else part_of(value, "audio")}


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


Text: TypeAlias = Annotated[str, Argument(checks.text)]
AnyText: TypeAlias = Annotated[str, Argument(checks.any_text)]
"""Text that may be empty; it is sent as given."""
Flag: TypeAlias = Annotated[bool, Argument(checks.flag)]
Number: TypeAlias = Annotated[float, Argument(checks.number)]
WholeNumber: TypeAlias = Annotated[int, Argument(checks.whole_number)]
Seconds: TypeAlias = Annotated[float, Argument(checks.seconds)]
Volume: TypeAlias = Annotated[float, Argument(checks.volume)]
"""Decibels."""
Digits: TypeAlias = Annotated[str, Argument(checks.keys)]
"""Keys to press. ``w`` and ``W`` are pauses of half a second and one second."""
Scalar: TypeAlias = Annotated[str | float | bool, Argument(checks.scalar, _to_text)]
"""Sent as text, whatever it is: ``5`` as ``"5"``, ``True`` as ``"true"``."""
Object: TypeAlias = Annotated[Mapping[str, object], Argument(checks.mapping, _to_object)]
Objects: TypeAlias = Annotated[Sequence[Mapping[str, object]], Argument(checks.mappings, _to_objects)]
TypedObject: TypeAlias = Annotated[Mapping[str, object], Argument(checks.typed_mapping, _to_nested)]
"""``{"type", "params"}``; missing ``params`` are added."""
Texts: TypeAlias = Annotated[Sequence[str], Argument(checks.texts, _to_texts)]
Media: TypeAlias = Annotated[MediaItems, Argument(_media, _to_media)]
"""What to play, in order, or one item alone; see `relay_actors.protocol.media`."""
LiveAction: TypeAlias = Annotated[object, Argument(_live_action)]
"""What a live transcription or translation is to do; its shape differs between sources, and it is sent as given."""
AudioSettings: TypeAlias = Annotated[Mapping[str, object], Argument(checks.mapping, _to_audio)]
"""The settings of a recording (PROTOCOL 13.3)."""
DeviceLists: TypeAlias = Annotated[Devices, Argument(_device_lists, device_lists)]
CollectSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_collect_settings, _to_collect_settings)]
"""What to collect: ``digits``, ``speech`` or both, and how long to wait (PROTOCOL 13.4)."""
DigitSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_digit_settings, _to_digit_settings)]
SpeechSettings: TypeAlias = Annotated[Mapping[str, object], Argument(checks.mapping, _to_speech_settings)]
EmptyTextIsNone: TypeAlias = Annotated[str, Argument(checks.any_text, _or_nothing)]
"""Text that counts as not given when it is empty."""
EmptyIsNone: TypeAlias = Annotated[Sequence[str], Argument(checks.texts, _to_texts_or_nothing)]
"""Texts that count as not given when there are none."""
ZeroIsNone: TypeAlias = Annotated[int, Argument(checks.whole_number, _or_nothing)]
"""A whole number that counts as not given when it is 0."""
Anything: TypeAlias = Annotated[object, Argument(_anything)]
"""Sent as given: sources disagree on what it is."""
