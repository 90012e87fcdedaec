"""What to collect from a caller, built and brought into the form of the wire. Layer: protocol, pure.

The wire wants ``{"digits": {"max": 4}, "speech": {…}, "initial_timeout": 5.0}``; people also write the settings of
digits and speech flat, beside the others: their names do not overlap. Source: PROTOCOL 11.3, 11.4, 13.4.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from relay_actors.errors import ArgumentError
from relay_actors.protocol import checks
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.near_miss import near_miss

__all__ = [
    "PARTS",
    "collect_settings",
    "digits",
    "digits_problem",
    "input_problem",
    "misspelt_parts",
    "part_of",
    "speech",
]

PARTS: Final[Mapping[str, frozenset[str]]] = {
    "digits": frozenset({"max", "min", "digit_timeout", "terminators"}),
    "speech": frozenset({"end_silence_timeout", "speech_timeout", "language", "hints", "model"}),
}
"""The settings of each part."""

_FLAT: Final = frozenset().union(*PARTS.values())


def digits(
    max: int,  # the wire's own name
    *,
    min: int | None = None,  # the wire's own name
    digit_timeout: float | None = None,
    terminators: str | None = None,
) -> JsonObject:
    """Return what collects keys, alone or with others: ``digits(max=1) | speech() | {"initial_timeout": 5.0}``.

    Args:
        max: how many keys at the most; that many end the input.
        min: how many at the least.
        digit_timeout: seconds after the last key; 5 by default.
        terminators: keys that end the input, for example ``#*``; none by default.

    Raises:
        ArgumentError: ``max`` is no whole number above 0, or another one is not what it must be.
    """
    settings = {
        "max": max,
        **checks.given(checks.whole_number, min=min),
        **checks.given(checks.seconds, digit_timeout=digit_timeout),
        **checks.given(checks.any_text, terminators=terminators),
    }
    if digits_problem(settings) is not None:
        raise ArgumentError(f"max must be the number of keys, 1 or more, not {max!r}")
    if min is not None and min > max:
        raise ArgumentError(f"min={min} must not be above max={max}: nobody could press so many keys")
    return {"digits": settings}


def speech(
    *,
    end_silence_timeout: float | None = None,
    speech_timeout: float | None = None,
    language: str | None = None,
    hints: Sequence[str] | None = None,
    model: str | None = None,
) -> JsonObject:
    """Return what collects speech, alone or with others: ``speech(hints=["sales"]) | digits(max=1)``.

    Args:
        end_silence_timeout: seconds of silence that end the input; 1 by default.
        speech_timeout: seconds that the input may last; 60 by default.
        language: ``en-US`` by default.
        hints: words that may come up.
        model: of the recognition.

    Raises:
        ArgumentError: one of them is not what it must be.
    """
    times = checks.given(checks.seconds, end_silence_timeout=end_silence_timeout, speech_timeout=speech_timeout)
    settings = {**times, **checks.given(checks.text, language=language, model=model)}
    if hints is not None:
        checks.required(checks.texts, hints=hints)
        settings["hints"] = list(hints)
    return {"speech": settings}


def collect_settings(settings: Mapping[str, object]) -> JsonObject:
    """Return settings with those of digits and speech in their parts; what stands in a part already wins."""
    if _FLAT.isdisjoint(settings):
        return dict(settings)
    nested: JsonObject = {}
    flat: dict[str, JsonObject] = {part: {} for part in PARTS}
    for key, value in settings.items():
        part = next((part for part, keys in PARTS.items() if key in keys), None)
        if part is None:
            nested[key] = value
        else:
            flat[part][key] = value
    for part, found in flat.items():
        inside = nested.get(part)
        if found and (inside is None or isinstance(inside, Mapping)):
            nested[part] = {**found, **(inside or {})}
    return nested


def part_of(settings: Mapping[str, object], part: str) -> JsonObject:
    """Return the settings of one part, ``digits`` or ``speech``: they may be wrapped, as the builders give them."""
    wrapped = settings.get(part)
    return dict(wrapped) if type(wrapped) is dict or isinstance(wrapped, Mapping) else dict(settings)


def digits_problem(settings: object) -> str | None:
    """Return what the settings of digits must be, or None when they are that."""
    most = settings.get("max") if type(settings) is dict or isinstance(settings, Mapping) else None
    if isinstance(most, int) and not isinstance(most, bool) and most > 0:
        return None
    misspelt = misspelt_parts(settings, ("max",)) if most is None else ""
    return f'a dictionary with "max", the number of keys, 1 or more{misspelt}'


def input_problem(settings: Mapping[str, object]) -> str | None:
    """Return what collect settings must be, or None when they wait for something that can come."""
    nested = collect_settings(settings)
    digits, speech = nested.get("digits"), nested.get("speech")
    if digits is None and speech is None:
        # What else they hold is the server's business; but without either of these it could only ever time out.
        misspelt = misspelt_parts(settings)
        return f'a dictionary with "digits", "speech" or both, for example {{"digits": {{"max": 1}}}}{misspelt}'
    if speech is not None and not isinstance(speech, Mapping):
        return 'a dictionary whose "speech" is a dictionary, which may be empty'
    problem = None if digits is None else digits_problem(digits)
    return problem and f'a dictionary whose "digits" are {problem}'


def misspelt_parts(settings: object, wanted: Sequence[str] = tuple(PARTS)) -> str:
    """Say which keys were probably meant to be one that is ``wanted``, as the end of a sentence; "" if none was."""
    keys = settings if isinstance(settings, Mapping) else ()
    meant = {key: near_miss(key, wanted) for key in keys if isinstance(key, str)}
    return "".join(f'; "{key}" probably means "{name}"' for key, name in meant.items() if name)
