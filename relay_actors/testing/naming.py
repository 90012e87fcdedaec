"""Gives the ids in a recording short names, in the order of their appearance. Layer: door; pure.

Two recordings of the same story then have the same ids, and nobody's real ones are in a repository.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from relay_actors.testing.said import COMMAND, Said

__all__ = ["NAME", "chosen_here", "named", "with_texts"]

NAME: Final = re.compile(r"(?<![\w-])[a-z_]+-\d+(?![\w-])")
"""A short name, also within a longer text."""

_CHOSEN: Final = ("control_id", "tag")
"""Ids that the application chooses, by their keys."""
_NO_ID: Final = frozenset({"project_id", "space_id"})
_SHORTEST: Final = 8
"""A shorter id is only replaced where it stands alone: within a longer text it may be anything."""


def named(said: Sequence[Said]) -> list[Said]:
    """Return it with each id replaced by its name, such as ``call-1``, wherever it occurs."""
    names = _names(said)
    long = sorted((one for one in names if len(one) >= _SHORTEST), key=len, reverse=True)
    within = re.compile("|".join(map(re.escape, long))) if long else None

    def rename(text: str) -> str:
        if text in names:
            return names[text]
        return within.sub(lambda hit: names[hit[0]], text) if within is not None else text

    ids = {key for one in said for key in _keys(one.body) if _is_id(key)}

    def by_key(key: str, text: str) -> str:
        # A short id, such as a tag of somebody's choice, may be an everyday word elsewhere.
        return rename(text) if len(text) >= _SHORTEST or key in ids else text

    return [one.with_body(with_texts(one.body, by_key), with_texts(one.outer, by_key)) for one in said]


def chosen_here(said: Iterable[Said]) -> set[str]:
    """Return the ids that the application has chosen: another run of it chooses others."""
    known: set[str] = set()
    chosen: set[str] = set()
    for one in said:
        ids = {text for key, text in _texts(one.body) if _is_id(key)}
        if one.kind == COMMAND:
            chosen |= {text for key, text in _texts(one.body) if key in _CHOSEN and text} - known
        known |= ids
    return chosen


def with_texts(value: Any, text: Callable[[str, str], str], key: str = "") -> Any:
    """Return plain data with each text replaced, by the key under which it stands."""
    match value:
        case str():
            return text(key, value)
        case dict():
            return {name: with_texts(item, text, name) for name, item in value.items()}
        case list():
            return [with_texts(item, text, key) for item in value]
        case _:
            return value


def _names(said: Sequence[Said]) -> dict[str, str]:
    names: dict[str, str] = {}
    count: Counter[str] = Counter()
    for one in said:
        # A call's segment has the call's own id: the call comes first.
        for key, text in sorted(_texts(one.body), key=lambda found: found[0] != "call_id"):
            is_id = key in (*_CHOSEN, "call_id", "node_id") if one.kind == COMMAND else _is_id(key)
            if is_id and text and text not in names:
                kind = key.removesuffix("_id")
                count[kind] += 1
                names[text] = f"{kind}-{count[kind]}"
    return names


def _is_id(key: str) -> bool:
    return key == "tag" or (key.endswith("_id") and key not in _NO_ID)


def _texts(value: object, key: str = "") -> Iterable[tuple[str, str]]:
    match value:
        case str():
            yield key, value
        case Mapping():
            for name, item in value.items():
                yield from _texts(item, name)
        case list():
            for item in value:
                yield from _texts(item, key)


def _keys(value: object) -> Iterable[str]:
    return (key for key, _text in _texts(value))
