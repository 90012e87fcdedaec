"""Media items (what is played), detectors and recordings, in the form of the wire. Layer: protocol, pure.

The wire wants ``{"type": "tts", "params": {"text": "Hello"}}``; people also write ``{"type": "tts", "text": "Hello"}``.
Source: PROTOCOL 13.1, 13.3, 13.5, D1, D3.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from relay_actors.errors import ArgumentError
from relay_actors.protocol.base import JsonObject

__all__ = [
    "audio",
    "detector",
    "need_seconds",
    "need_text",
    "nested",
    "nested_of",
    "normalise",
    "problem",
    "recording",
    "ringtone",
    "silence",
    "tts",
]

_NEVER_EMPTY: Final = {"tts": "text", "audio": "url", "ringtone": "name"}


def tts(text: str, *, language: str | None = None, gender: str | None = None, voice: str | None = None) -> JsonObject:
    """Return an item that speaks ``text``; what is None is left to the server.

    Args:
        text: what to say.
        language: en-US by default.
        gender: of the voice; ``female`` by default.
        voice: one of the server's, by its name.

    Raises:
        ArgumentError: there is nothing to say.
    """
    need_text("text", text)
    return nested_of("tts", text=text, language=language, gender=gender, voice=voice)


def audio(url: str) -> JsonObject:
    """Return an item that plays the file at ``url``.

    Args:
        url: of an audio file that the server can fetch.

    Raises:
        ArgumentError: the URL is empty.
    """
    need_text("url", url)
    return nested_of("audio", url=url)


def silence(duration: float) -> JsonObject:
    """Return an item that is silent for ``duration`` seconds.

    Args:
        duration: seconds.

    Raises:
        ArgumentError: the duration is negative or not a number.
    """
    need_seconds("duration", duration)
    return nested_of("silence", duration=duration)


def ringtone(name: str, *, duration: float | None = None) -> JsonObject:
    """Return an item that rings as in the country ``name``, for example ``us``; for ``duration`` seconds.

    Args:
        name: of the country, in two letters.
        duration: seconds.

    Raises:
        ArgumentError: the name is empty, or the duration is negative or not a number.
    """
    need_text("name", name)
    if duration is not None:
        need_seconds("duration", duration)
    return nested_of("ringtone", name=name, duration=duration)


def detector(kind: str, **params: object) -> JsonObject:
    """Return a detector of ``kind`` ``machine``, ``fax`` or ``digit``; params that are None are left to the server."""
    return nested_of(kind, **params)


def recording(
    *,
    beep: bool | None = None,
    format: str | None = None,  # the wire's own name
    stereo: bool | None = None,
    direction: str | None = None,
    initial_timeout: float | None = None,
    end_silence_timeout: float | None = None,
    terminators: str | None = None,
    input_sensitivity: float | None = None,
    max_length: float | None = None,
) -> JsonObject:
    """Return the settings of a recording: ``record(recording(beep=True, terminators="#"))``.

    Args:
        beep: whether it begins with one.
        format: ``mp3`` by default, ``wav`` or ``mp4``.
        stereo: whether each side has a channel of its own.
        direction: whom to record: ``speak`` by default, ``listen`` or ``both``.
        initial_timeout: seconds of silence at the beginning that end it with ``no_input``; 0 is never.
        end_silence_timeout: seconds of silence after speech that end it; 0 is never.
        terminators: keys that end it; ``#*`` by default.
        input_sensitivity: how loud speech has to be; 44 by default.
        max_length: seconds; 0, the default, is without end.

    Raises:
        ArgumentError: a time is negative.

    Source: PROTOCOL 13.3.
    """
    times = {
        "initial_timeout": initial_timeout,
        "end_silence_timeout": end_silence_timeout,
        "max_length": max_length,
    }
    for name, value in times.items():
        if value is not None:
            need_seconds(name, value)
    others = {
        "beep": beep,
        "format": format,
        "stereo": stereo,
        "direction": direction,
        "terminators": terminators,
        "input_sensitivity": input_sensitivity,
    }
    return {name: value for name, value in {**others, **times}.items() if value is not None}


def nested(item: Mapping[str, object]) -> JsonObject:
    """Return ``item`` as ``{"type", "params"}``; one that has a ``params`` object is only copied."""
    if isinstance(item.get("params"), Mapping):
        return dict(item)
    params = {key: value for key, value in item.items() if key not in ("type", "params") and value is not None}
    return {"type": item.get("type"), "params": params}


def normalise(items: Iterable[Mapping[str, object]]) -> list[JsonObject]:
    """Return the items as the wire wants them, each `nested`."""
    return [nested(item) for item in items]


def problem(items: Iterable[Mapping[str, object]]) -> str | None:
    """Return what the items must be, or None when all of them have a type and something to play."""
    for place, item in enumerate(normalise(items)):
        kind = item.get("type")
        if not isinstance(kind, str) or not kind:
            return f'a list of media items with a "type" each, and item {place} has none'
        params = item["params"]
        key = _NEVER_EMPTY.get(kind)
        if key and isinstance(params, Mapping) and params.get(key) == "":
            return f"a list of media items with something to play, and the {key} of item {place} ({kind}) is empty"
    return None


def nested_of(kind: str, **params: object) -> JsonObject:
    """Return ``{"type", "params"}`` with the params that are not None."""
    return {"type": kind, "params": {key: value for key, value in params.items() if value is not None}}


def need_text(name: str, value: object) -> None:
    """Raise `ArgumentError` unless ``value`` is text that is not empty."""
    if not isinstance(value, str) or not value:
        raise ArgumentError(f"{name} must be text that is not empty, not {value!r}")


def need_seconds(name: str, value: object) -> None:
    """Raise `ArgumentError` unless ``value`` is a number of seconds, 0 or more."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ArgumentError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
