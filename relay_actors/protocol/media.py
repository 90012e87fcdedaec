"""Media items (what is played), detectors and recordings, in the form of the wire. Layer: protocol, pure.

The wire wants ``{"type": "tts", "params": {"text": "Hello"}}``; people also write ``{"type": "tts", "text": "Hello"}``.
Source: PROTOCOL 13.1, 13.3, 13.5, D1, D3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from relay_actors.protocol import checks
from relay_actors.protocol.base import JsonObject

__all__ = [
    "MediaItems",
    "audio",
    "nested",
    "normalise",
    "problem",
    "recording",
    "ringtone",
    "silence",
    "tts",
    "typed",
]

MediaItems: TypeAlias = Sequence[Mapping[str, object]] | Mapping[str, object]
"""What to play, in order; or one item alone."""

_NEVER_EMPTY: Final = {"tts": "text", "audio": "url", "ringtone": "name"}


def tts(text: str, *, language: str | None = None, gender: str | None = None, voice: str | None = None) -> JsonObject:
    """Return an item that speaks ``text``; what is None is left to the server.

    Args:
        text: what to say.
        language: en-US by default.
        gender: of the voice; ``female`` by default.
        voice: one of the server's, by its name.

    Raises:
        ArgumentError: there is nothing to say, or the rest is no text.
    """
    params = checks.required(checks.text, text=text)
    if language is not None or gender is not None or voice is not None:
        params |= checks.given(checks.any_text, language=language, gender=gender, voice=voice)
    return {"type": "tts", "params": params}


def audio(url: str) -> JsonObject:
    """Return an item that plays the file at ``url``.

    Args:
        url: of an audio file that the server can fetch.

    Raises:
        ArgumentError: the URL is empty.
    """
    return typed("audio", **checks.required(checks.text, url=url))


def silence(duration: float) -> JsonObject:
    """Return an item that is silent for ``duration`` seconds.

    Args:
        duration: seconds.

    Raises:
        ArgumentError: the duration is negative or not a number.
    """
    return typed("silence", **checks.required(checks.seconds, duration=duration))


def ringtone(name: str, *, duration: float | None = None) -> JsonObject:
    """Return an item that rings as in the country ``name``, for example ``us``; for ``duration`` seconds.

    Args:
        name: of the country, in two letters.
        duration: seconds.

    Raises:
        ArgumentError: the name is empty, or the duration is negative or not a number.
    """
    return typed(
        "ringtone", **checks.required(checks.text, name=name), **checks.given(checks.seconds, duration=duration)
    )


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
        format: ``mp3`` by default, ``wav`` or ``mp4``; a simulator always makes WAV.
        stereo: whether each side has a channel of its own.
        direction: whom to record: ``speak`` by default, ``listen`` or ``both``.
        initial_timeout: seconds of silence at the beginning that end it with ``no_input``; 5 by default, 0 is never.
        end_silence_timeout: seconds of silence after speech that end it; 1 by default, 0 is never.
        terminators: keys that end it; ``#*`` by default.
        input_sensitivity: how loud speech has to be; 44 by default.
        max_length: seconds; 0, the default, is without end.

    Raises:
        ArgumentError: one of them is not what it must be.

    Source: PROTOCOL 13.3.
    """
    return {
        **checks.given(checks.flag, beep=beep, stereo=stereo),
        **checks.given(checks.any_text, format=format, direction=direction, terminators=terminators),
        **checks.given(checks.number, input_sensitivity=input_sensitivity),
        **checks.given(
            checks.seconds,
            initial_timeout=initial_timeout,
            end_silence_timeout=end_silence_timeout,
            max_length=max_length,
        ),
    }


def typed(kind: str, **params: object) -> JsonObject:
    """Return a media item, a detector or a device of ``kind``; params that are None are left to the server."""
    return {"type": kind, "params": {name: value for name, value in params.items() if value is not None}}


def nested(item: Mapping[str, object]) -> JsonObject:
    """Return ``item`` as ``{"type", "params"}``; one that has a ``params`` object is only copied."""
    params = item.get("params")
    if type(params) is dict or isinstance(params, Mapping):
        return dict(item)
    params = {key: value for key, value in item.items() if key not in ("type", "params") and value is not None}
    return {"type": item.get("type"), "params": params}


def normalise(items: MediaItems) -> list[JsonObject]:
    """Return the items as the wire wants them, each `nested`; one alone may come without a list."""
    return [nested(item) for item in (items if type(items) is list else _listed(items))]


def problem(items: MediaItems) -> str | None:
    """Return what the items must be, or None when all of them have a type and something to play."""
    for place, item in enumerate(items if type(items) is list else _listed(items)):
        kind = item.get("type")
        if not isinstance(kind, str) or not kind:
            return f'a list of media items with a "type" each, and item {place} has none'
        if kind not in _NEVER_EMPTY:
            continue
        key, params = _NEVER_EMPTY[kind], item.get("params")
        if (params if type(params) is dict or isinstance(params, Mapping) else item).get(key) == "":
            return f"a list of media items with something to play, and the {key} of item {place} ({kind}) is empty"
    return None


def _listed(items: MediaItems) -> Sequence[Mapping[str, object]]:
    return [items] if isinstance(items, Mapping) else items
