"""What a live call keeps as JSON text, for it is large and seldom asked for. Layer: hall; pure.

The events that a flow has not asked for yet, up to 64 for as long as the call lasts; those that are remembered so that
it can be brought to where it was; and the device. A text is a third of the tables, is nobody else's, and is nothing for
the garbage collector to go through.
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

__all__ = ["kept_of", "may_be", "message_of", "text_of", "value_of"]

_SAY_IT_IN_PARAMS: Final = frozenset(
    {*EVENT_TYPES.values()} - {CallReceiveEvent, MessageReceiveEvent, MessageStateEvent}
)
"""Classes of events of which nothing is said beside their params, but the type and the time."""


@functools.cache  # an import in a function takes as long as ten calls
def _codec() -> tuple[Callable[[object], bytes], Callable[[str], Any]]:
    from relay_actors.protocol.json_codec import raw_dumps, raw_loads  # not needed to start

    return raw_dumps, raw_loads


def text_of(value: object) -> str | None:
    """Return what was read from JSON as text again; None if it has none: nested too deeply, or made by hand."""
    dumps, _loads = _codec()
    try:
        return dumps(value).decode()  # not the bytes: those have room for what might still have been written
    except TypeError:
        return None


def value_of(text: str) -> Any:
    """Return what `text_of` was given."""
    _dumps, loads = _codec()
    return loads(text)


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
    params = text_of(message.params)
    if params is None:
        return message
    said = _Said()
    said.params = params
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
    payload = {"event_type": kept.event_type, "params": value_of(kept.params), "timestamp": kept.timestamp}
    return parse_event(payload, was_read=True)
