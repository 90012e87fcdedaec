"""The seams of `protocol/`: what is reported (`Event`) and what is asked for (`Command`). Layer: protocol, pure.

Another dialect of the wire implements these two; everything above speaks in them.
"""

from __future__ import annotations

from typing import TypeAlias

__all__ = ["Command", "Event", "JsonObject"]

JsonObject: TypeAlias = dict[str, object]
"""A JSON object as decoded: string keys, and values nobody has looked at yet."""


class Event:
    """Something that a protocol machine reports. Frozen; taken apart by ``match``."""

    __slots__ = ()


class Command:
    """Something that a client asks the server to do. Frozen; checked when it is made, so that nothing bad is sent."""

    # No ABC: to ask whether something is a command would take five times as long, and it is asked all the time.
    __slots__ = ()

    @property
    def method(self) -> str:
        """The wire method, for example ``calling.play``. On the classes of one method also a class attribute."""
        raise TypeError(f"{type(self).__name__} does not say how it is sent")

    def to_params(self) -> JsonObject:
        """Return the params of the request, without ``node_id`` and ``call_id``: those belong to the call."""
        raise TypeError(f"{type(self).__name__} does not say how it is sent")
