"""Whether a command asks for what one in the journal has asked for. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from relay_actors.journal.redact import MASK
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.json_codec import dumps, loads

__all__ = ["as_kept", "different"]

_NOT_ASKED: Final = frozenset({"call_id", "node_id"})
"""Params that say which leg is meant, and not what is asked."""


def different(then: Mapping[str, Any], now: JsonObject) -> list[str]:
    """Return which params differ, by name; nothing of what they are, which may be anybody's business.

    As far as the journal has kept what was asked for then: a text with a secret in it is like any other.

    Args:
        then: of the journal.
        now: as they would be sent.
    """
    if then == now:  # as nearly always
        return []
    kept, plain = as_kept(then), as_kept(now)
    names = sorted((kept.keys() | plain.keys()) - _NOT_ASKED)
    return [name for name in names if name not in kept or name not in plain or not _matches(kept[name], plain[name])]


def as_kept(params: Mapping[str, Any]) -> JsonObject:
    """Return params as JSON writes them; in place of one that it cannot write, which is never sent, there is `MASK`."""
    return {str(name): _as_written(value) for name, value in params.items()}


def _as_written(value: object) -> object:
    try:
        return loads(dumps(value))
    except ValueError:
        return MASK


def _matches(then: object, now: object) -> bool:
    if type(then) is str:  # as nearly all are; asking for a Mapping takes long
        return then == now or MASK in then
    if isinstance(then, dict) and isinstance(now, dict):
        return then.keys() == now.keys() and all(_matches(then[key], now[key]) for key in then)
    if isinstance(then, list | tuple) and isinstance(now, list | tuple):
        return len(then) == len(now) and all(map(_matches, then, now))
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        return then.keys() == now.keys() and all(_matches(then[key], now[key]) for key in then)
    return then == now or (isinstance(then, str) and MASK in then)
