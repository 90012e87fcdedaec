"""The ids of the wire: all opaque strings, kept apart by type. Layer: protocol, pure.

They are `typing.NewType`, so they cost nothing at run time and any string from the wire may be used as one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NewType, TypeAlias

__all__ = [
    "CallId",
    "ConferenceId",
    "ControlId",
    "DialTag",
    "EventId",
    "IdMaker",
    "MessageId",
    "NodeId",
    "QueueId",
    "RequestId",
    "SegmentId",
]

CallId = NewType("CallId", str)
"""One leg of a call; the key of everything that happens to it. Source: PROTOCOL 8.1."""

NodeId = NewType("NodeId", str)
"""The server node that owns a leg; sent back with every command. Bridged legs can live on different nodes."""

SegmentId = NewType("SegmentId", str)
"""Groups the legs of one conversation in reports; no command uses it."""

ControlId = NewType("ControlId", str)
"""One running operation (play, record, collect, …); chosen by the client before it asks."""

DialTag = NewType("DialTag", str)
"""One dial, and every leg of it; chosen by the client. Source: PROTOCOL 9.1."""

MessageId = NewType("MessageId", str)
"""One text message; chosen by the server."""

QueueId = NewType("QueueId", str)
"""One queue on the server."""

ConferenceId = NewType("ConferenceId", str)
"""One conference on the server."""

RequestId = NewType("RequestId", str)
"""The JSON-RPC id of a request of this client: a fresh UUID4. Ids of the server may be of any JSON type."""

EventId = NewType("EventId", str)
"""The JSON-RPC id under which the server sent an event, as text; what an acknowledgement names."""

IdMaker: TypeAlias = Callable[[], str]
"""Makes a fresh UUID4 string at each call. It comes in as an argument: nothing here draws randomness."""
