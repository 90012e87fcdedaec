"""What is kept of a message for a flow that has not asked for it yet. Layer: hall; pure.

A live call keeps up to 64 of them for as long as it lasts, most are never asked for, and most are events of the wire.
Of such a one only what it says is kept, as text: a third of the event with its tables, and nothing for the garbage
collector to go through.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from sys import intern
from typing import Any, Final

from relay_actors.protocol.events import (
    EVENT_TYPES,
    CallReceiveEvent,
    MessageReceiveEvent,
    MessageStateEvent,
    RelayEvent,
    parse_event,
)

__all__ = ["codec", "kept_of", "may_be", "message_of"]

_SAY_IT_IN_PARAMS: Final = frozenset(
    {*EVENT_TYPES.values()} - {CallReceiveEvent, MessageReceiveEvent, MessageStateEvent}
)
"""Classes of events of which nothing is said beside their params, but the type and the time."""


@functools.cache  # an import in a function takes as long as ten calls
def codec() -> tuple[Callable[[object], bytes], Callable[[str], Any]]:
    """Return what writes JSON, and what reads it."""
    from relay_actors.protocol.json_codec import raw_dumps, raw_loads  # not needed to start

    return raw_dumps, raw_loads


class _Said:
    """An event of the wire: `parse_event` makes an equal one of this."""

    __slots__ = ("event_type", "params", "timestamp")

    event_type: str
    params: str
    timestamp: float


def kept_of(message: Any) -> object:
    """Return what is to be kept of a message, for `message_of`."""
    if type(message) not in _SAY_IT_IN_PARAMS or not getattr(message, "was_read", False):
        return message
    said = _Said()
    try:
        # Not the bytes: those have room for what might still have been written.
        said.params = codec()[0](message.params).decode()
    except TypeError:  # nested deeper than can be written
        return message
    said.event_type = intern(message.event_type)  # nearly always one of few
    said.timestamp = message.timestamp
    return said


def may_be(kept: object, types: tuple[type[Any], ...]) -> bool:
    """Return whether `message_of` may give one of these types: to be asked first, for it takes less time."""
    if not isinstance(kept, _Said):
        return True
    its = EVENT_TYPES.get(kept.event_type, RelayEvent)
    return any(type(kind) is not type or issubclass(its, kind) for kind in types)  # others have a say themselves


def message_of(kept: object) -> object:
    """Return the message again: itself, or an event that is equal to it."""
    if not isinstance(kept, _Said):
        return kept
    params = codec()[1](kept.params)
    return parse_event({"event_type": kept.event_type, "params": params, "timestamp": kept.timestamp}, True)
