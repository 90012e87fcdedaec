"""All typed events by event type, and `parse_event`. Layer: protocol, pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.protocol.action_events import (
    CollectEvent,
    DetectEvent,
    FaxEvent,
    PayEvent,
    PlayEvent,
    RecordEvent,
    StreamEvent,
    TapEvent,
    TranscribeEvent,
)
from relay_actors.protocol.call_events import (
    CallingErrorEvent,
    CallReceiveEvent,
    CallStateEvent,
    ConferenceEvent,
    ConnectEvent,
    DenoiseEvent,
    DialEvent,
    EchoEvent,
    HoldEvent,
    QueueEvent,
    ReferEvent,
    SendDigitsEvent,
)
from relay_actors.protocol.messaging_events import MessageReceiveEvent, MessageStateEvent
from relay_actors.protocol.relay_event import Extract, RelayEvent, extractor

__all__ = [
    "EVENT_CLASS_MAP",
    "EVENT_TYPES",
    "CallReceiveEvent",
    "CallStateEvent",
    "CallingErrorEvent",
    "CollectEvent",
    "ConferenceEvent",
    "ConnectEvent",
    "DenoiseEvent",
    "DetectEvent",
    "DialEvent",
    "EchoEvent",
    "FaxEvent",
    "HoldEvent",
    "MessageReceiveEvent",
    "MessageStateEvent",
    "PayEvent",
    "PlayEvent",
    "QueueEvent",
    "RecordEvent",
    "ReferEvent",
    "RelayEvent",
    "SendDigitsEvent",
    "StreamEvent",
    "TapEvent",
    "TranscribeEvent",
    "parse_event",
]

EVENT_CLASS_MAP: Final[dict[str, type[RelayEvent]]] = {
    "calling.call.state": CallStateEvent,
    "calling.call.receive": CallReceiveEvent,
    "calling.call.play": PlayEvent,
    "calling.call.record": RecordEvent,
    "calling.call.collect": CollectEvent,
    "calling.call.connect": ConnectEvent,
    "calling.call.detect": DetectEvent,
    "calling.call.fax": FaxEvent,
    "calling.call.tap": TapEvent,
    "calling.call.stream": StreamEvent,
    "calling.call.send_digits": SendDigitsEvent,
    "calling.call.dial": DialEvent,
    "calling.call.refer": ReferEvent,
    "calling.call.denoise": DenoiseEvent,
    "calling.call.pay": PayEvent,
    "calling.call.queue": QueueEvent,
    "calling.call.echo": EchoEvent,
    "calling.call.transcribe": TranscribeEvent,
    "calling.call.hold": HoldEvent,
    "calling.conference": ConferenceEvent,
    "calling.error": CallingErrorEvent,
    "messaging.receive": MessageReceiveEvent,
    "messaging.state": MessageStateEvent,
}
"""From each event type with a class of its own to that class."""

EVENT_TYPES: Final[Mapping[str, type[RelayEvent]]] = {
    **EVENT_CLASS_MAP,
    "signalwire.authorization.state": RelayEvent,
    "calling.call.ai": RelayEvent,
    "calling.call.disconnect": RelayEvent,
    "queuing.relay.tasks": RelayEvent,
}
"""From every known event type to its class."""

_EXTRACTORS: Final[dict[object, Extract]] = {}
"""Of the typed events that have come so far, by event type."""


def parse_event(payload: Mapping[str, object], was_read: bool = False) -> RelayEvent:
    """Return the typed event of a payload, the ``params`` member of a ``signalwire.event``.

    An unknown event type becomes a `RelayEvent`. Never raises on wire data: what is null, missing or of a wrong type
    becomes the default of its field.

    Args:
        payload: shared with the event, so do not change it.
        was_read: whether the payload is just what JSON text has given, and not made by hand.

    Source: PROTOCOL 7.1, 16.4.
    """
    try:
        extract = _EXTRACTORS[payload["event_type"]]
    except (KeyError, TypeError):  # TypeError: an event type that is a list, or an object
        extract = _extractor_for(payload.get("event_type"))
    return extract(payload, was_read)


def _extractor_for(event_type: object) -> Extract:
    if not isinstance(event_type, str) or event_type not in EVENT_CLASS_MAP:
        return extractor(RelayEvent)  # and nothing is kept of it: the server can make up types without end
    extract = _EXTRACTORS[event_type] = extractor(EVENT_CLASS_MAP[event_type])
    return extract
