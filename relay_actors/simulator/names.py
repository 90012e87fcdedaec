"""Names of methods, event types and choices, as tests write them: a misspelt one would never come. Layer: simulator.

Every other name may be used: there are servers that take methods which no table names (`Manners`), and frames that
tests make up.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from relay_actors.errors import ConfigError
from relay_actors.protocol.checks import Check
from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.near_miss import near_miss
from relay_actors.protocol.schema_table import SCHEMA_TABLE
from relay_actors.simulator.faults import ALL_METHODS

__all__ = ["known_event_type", "known_method", "one_of"]

_ON_THE_WIRE: Final = {"calling.hangup": "calling.end"}
"""How what a test may call by its verb is called on the wire, where that is like no method."""


def known_method(method: str) -> str:
    """Return a wire method, or `ALL_METHODS`, as it is given.

    Raises:
        ConfigError: it is nearly a method of the wire, or an event type, but no method; or it is no text.
    """
    return _checked("method", "calling.play", method, (*SCHEMA_TABLE, ALL_METHODS), EVENT_TYPES, "event type")


def known_event_type(event_type: str) -> str:
    """Return an event type as it is given.

    Raises:
        ConfigError: it is nearly an event type of the wire, or a method, but no event type; or it is no text.
    """
    return _checked("event type", "calling.call.play", event_type, EVENT_TYPES, SCHEMA_TABLE, "method")


def one_of(words: Iterable[str]) -> Check:
    """Return a check that a value is one of these words."""
    known = tuple(words)
    return lambda value: None if value in known else f"one of {', '.join(known)}"


def _checked(
    what: str, example: str, name: str, known: Collection[str], others: Collection[str], what_others: str
) -> str:
    if not isinstance(name, str) or not name:
        raise ConfigError(f'{name!r} is no {what}: write it as text, for example "{example}"')
    if name not in known and name in others:
        raise ConfigError(f'{name!r} is no {what}, but one of the {what_others}s: give a name such as "{example}"')
    meant = near_miss(name, known) or (_ON_THE_WIRE.get(name) if what == "method" else None)
    if meant is not None:
        raise ConfigError(f"the wire has no {what} {name!r}; it probably means {meant!r}")
    return name
