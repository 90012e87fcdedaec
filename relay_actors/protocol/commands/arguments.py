"""The types of command arguments: how each is checked before it is sent, and how it is written. Layer: protocol, pure.

A type here is a plain one for the type checker, annotated with an `Argument` for run time: most callers are scripts
without types, and what they get wrong must be said at their line and not by the server seconds later. Checks are never
stricter than the protocol: they look at the outermost types and at what can never work.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias, cast

from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.devices import Devices, device_lists
from relay_actors.protocol.inputs import collect_settings, digits_problem, input_problem, part_of
from relay_actors.protocol.media import nested, normalise, problem

__all__ = [
    "AnyText",
    "Anything",
    "Argument",
    "As",
    "AudioSettings",
    "Check",
    "CollectSettings",
    "Convert",
    "DeviceLists",
    "DigitSettings",
    "Digits",
    "EmptyIsNone",
    "EmptyTextIsNone",
    "Flag",
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

Check: TypeAlias = Callable[[object], str | None]
"""Returns what the argument must be, or None when it is that."""

Convert: TypeAlias = Callable[[object], object]
"""Returns what is sent; None leaves the key out."""

_DIGITS: Final = re.compile(r"[0-9*#A-DwW]+")


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True, slots=True)
class Argument:
    """How an argument is checked and written."""

    check: Check
    convert: Convert = _as_it_is


@dataclass(frozen=True, slots=True)
class As:
    """The argument has another name on the wire.

    Attributes:
        name: the key in the params.
        even_none: the key is written even when the argument was not given.
    """

    name: str
    even_none: bool = False


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> str | None:
    return None if isinstance(value, str) and value else "text that is not empty"


def _any_text(value: object) -> str | None:
    return None if isinstance(value, str) else "text"


def _flag(value: object) -> str | None:
    return None if isinstance(value, bool) else "True or False"


def _number(value: object) -> str | None:
    return None if _is_number(value) and cast(float, value) >= 0 else "a number, 0 or more"


def _whole_number(value: object) -> str | None:
    return None if _is_number(value) and isinstance(value, int) and value >= 0 else "a whole number, 0 or more"


def _seconds(value: object) -> str | None:
    return None if _number(value) is None else "a number of seconds, 0 or more"


def _volume(value: object) -> str | None:
    return None if _is_number(value) and -40 <= cast(float, value) <= 40 else "a number of dB from -40 to 40"


def _digits(value: object) -> str | None:
    ok = isinstance(value, str) and _DIGITS.fullmatch(value)
    return None if ok else "keys out of 0-9 * # A-D, and w and W for pauses"


def _scalar(value: object) -> str | None:
    ok = isinstance(value, str | bool) or _is_number(value)
    return None if ok else "text, a number or a boolean"


def _object(value: object) -> str | None:
    return None if isinstance(value, Mapping) else "a dictionary"


def _typed_object(value: object) -> str | None:
    ok = isinstance(value, Mapping) and isinstance(value.get("type"), str) and value["type"]
    return None if ok else 'a dictionary with a "type"'


def _objects(value: object) -> str | None:
    ok = _is_list(value) and all(isinstance(item, Mapping) for item in cast(Sequence[object], value))
    return None if ok else "a list of dictionaries"


def _media(value: object) -> str | None:
    return _objects(value) or problem(cast(Sequence[Mapping[str, object]], value))


def _texts(value: object) -> str | None:
    ok = _is_list(value) and all(isinstance(item, str) and item for item in cast(Sequence[object], value))
    return None if ok else "a list of texts that are not empty"


def _device_lists(value: object) -> str | None:
    if device_lists(value) is not None:
        return None
    return (
        "a list of lists of devices: [[A], [B]] rings A and then B, [[A, B]] both at once; "
        "one device alone may stand without lists"
    )


def _collect_settings(value: object) -> str | None:
    return _object(value) or input_problem(cast(Mapping[str, object], value))


def _digit_settings(value: object) -> str | None:
    return _object(value) or digits_problem(_to_digit_settings(value))


def _anything(value: object) -> str | None:
    return None


def _to_object(value: object) -> JsonObject:
    return dict(cast(Mapping[str, object], value))


def _to_objects(value: object) -> list[JsonObject]:
    return [dict(item) for item in cast(Sequence[Mapping[str, object]], value)]


def _to_texts(value: object) -> list[str]:
    return list(cast(Sequence[str], value))


def _to_texts_or_nothing(value: object) -> list[str] | None:
    return _to_texts(value) or None


def _or_nothing(value: object) -> object:
    return value or None


def _to_collect_settings(value: object) -> JsonObject:
    return collect_settings(cast(Mapping[str, object], value))


def _to_digit_settings(value: object) -> JsonObject:
    return part_of(cast(Mapping[str, object], value), "digits")


def _to_speech_settings(value: object) -> JsonObject:
    return part_of(cast(Mapping[str, object], value), "speech")


def _to_media(value: object) -> list[JsonObject]:
    return normalise(cast(Sequence[Mapping[str, object]], value))


def _to_nested(value: object) -> JsonObject:
    return nested(cast(Mapping[str, object], value))


def _to_audio(value: object) -> JsonObject:
    return {"audio": {} if value is None else part_of(cast(Mapping[str, object], value), "audio")}


def _to_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


Text: TypeAlias = Annotated[str, Argument(_text)]
AnyText: TypeAlias = Annotated[str, Argument(_any_text)]
"""Text that may be empty; it is sent as given."""
Flag: TypeAlias = Annotated[bool, Argument(_flag)]
Number: TypeAlias = Annotated[float, Argument(_number)]
WholeNumber: TypeAlias = Annotated[int, Argument(_whole_number)]
Seconds: TypeAlias = Annotated[float, Argument(_seconds)]
Volume: TypeAlias = Annotated[float, Argument(_volume)]
"""Decibels."""
Digits: TypeAlias = Annotated[str, Argument(_digits)]
"""Keys to press. ``w`` and ``W`` are pauses of half a second and one second."""
Scalar: TypeAlias = Annotated[str | float | bool, Argument(_scalar, _to_text)]
"""Sent as text, whatever it is: ``5`` as ``"5"``, ``True`` as ``"true"``."""
Object: TypeAlias = Annotated[Mapping[str, object], Argument(_object, _to_object)]
Objects: TypeAlias = Annotated[Sequence[Mapping[str, object]], Argument(_objects, _to_objects)]
TypedObject: TypeAlias = Annotated[Mapping[str, object], Argument(_typed_object, _to_nested)]
"""``{"type", "params"}``; missing ``params`` are added."""
Texts: TypeAlias = Annotated[Sequence[str], Argument(_texts, _to_texts)]
Media: TypeAlias = Annotated[Sequence[Mapping[str, object]], Argument(_media, _to_media)]
"""What to play, in order; see `relay_actors.protocol.media`."""
AudioSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_object, _to_audio)]
"""The settings of a recording (PROTOCOL 13.3)."""
DeviceLists: TypeAlias = Annotated[Devices, Argument(_device_lists, device_lists)]
CollectSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_collect_settings, _to_collect_settings)]
"""What to collect: ``digits``, ``speech`` or both, and how long to wait (PROTOCOL 13.4)."""
DigitSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_digit_settings, _to_digit_settings)]
SpeechSettings: TypeAlias = Annotated[Mapping[str, object], Argument(_object, _to_speech_settings)]
EmptyTextIsNone: TypeAlias = Annotated[str, Argument(_any_text, _or_nothing)]
"""Text that counts as not given when it is empty."""
EmptyIsNone: TypeAlias = Annotated[Sequence[str], Argument(_texts, _to_texts_or_nothing)]
"""Texts that count as not given when there are none."""
ZeroIsNone: TypeAlias = Annotated[int, Argument(_whole_number, _or_nothing)]
"""A whole number that counts as not given when it is 0."""
Anything: TypeAlias = Annotated[object, Argument(_anything)]
"""Sent as given: sources disagree on what it is."""
