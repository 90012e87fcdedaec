"""Events about text messages. Layer: protocol, pure.

Attributes are the wire's own names. A null, missing or unusable value is the default of its field.
"""

from __future__ import annotations

from dataclasses import field

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.relay_event import RelayEvent, wire

__all__ = ["MessageReceiveEvent", "MessageStateEvent"]


@dataclass(frozen=True, slots=True)
class MessageReceiveEvent(RelayEvent):
    """``messaging.receive``: somebody sent a text to one of our contexts.

    Attributes:
        message_id: the server's.
        context: the routing label by which it came in.
        direction: ``inbound``.
        from_number: who has sent it.
        to_number: who was meant.
        body: the text.
        media: URLs.
        segments: how many texts it was sent as.
        message_state: ``received``.
        tags: labels.

    Source: PROTOCOL 14.3.
    """

    message_id: str = ""
    context: str = wire("", "params.context", "context")
    direction: str = ""
    from_number: str = ""
    to_number: str = ""
    body: str = ""
    media: list[str] = field(default_factory=list)
    segments: int = 0
    message_state: str = ""
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class MessageStateEvent(RelayEvent):
    """``messaging.state``: how far one of our texts is. ``reason`` says why it failed.

    Attributes:
        message_id: as `app.send_message` was told.
        context: as it was sent.
        direction: ``outbound``.
        from_number: as it was sent.
        to_number: as it was sent.
        body: the text.
        media: URLs.
        segments: how many texts it was sent as.
        message_state: how far it is.
        reason: why it failed, or ``""``.
        tags: as it was sent.

    Source: PROTOCOL 14.2.
    """

    message_id: str = ""
    context: str = wire("", "params.context", "context")
    direction: str = ""
    from_number: str = ""
    to_number: str = ""
    body: str = ""
    media: list[str] = field(default_factory=list)
    segments: int = 0
    message_state: str = ""
    reason: str = ""
    tags: list[str] = field(default_factory=list)
