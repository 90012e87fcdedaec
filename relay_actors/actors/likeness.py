"""Whether a command asks for what one in the journal has asked for. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from relay_actors.journal.redact import MASK
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.json_codec import dumps, loads

__all__ = ["different"]

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
    plain = loads(dumps(now))
    assert isinstance(plain, dict)
    names = sorted((then.keys() | plain.keys()) - _NOT_ASKED)
    return [name for name in names if name not in then or name not in plain or not _matches(then[name], plain[name])]


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
