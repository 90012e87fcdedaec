"""`RelayEvent`, the root of all typed events, and how its fields are filled from the wire. Layer: protocol, pure.

A typed event declares its fields as a dataclass; where a field is not simply ``params.<name>``, `wire` says from which
paths it is read. From that one extractor per class is built, once; parsing then only runs through prepared readers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self, TypeAlias, TypeVar, cast

from relay_actors.protocol.base import Event, JsonObject
from relay_actors.protocol.readers import (
    Reader,
    read_flag,
    read_number,
    read_object,
    read_text,
    read_texts,
    read_whole_number,
)

__all__ = ["RelayEvent", "extractor", "payload_of", "wire"]

T = TypeVar("T")

_Step: TypeAlias = Callable[[JsonObject, Mapping[str, object]], object]
"""Reads one field from the inner params and the whole payload."""

_READERS: Final[Mapping[str, Reader]] = {
    "str": read_text,
    "float": read_number,
    "int": read_whole_number,
    "bool": read_flag,
    "bool | None": read_flag,
    "JsonObject": read_object,
    "list[str]": read_texts,
}
_INHERITED: Final = 4
"""How many fields `RelayEvent` itself has; the extractor fills them by hand."""


def wire(default: T, *paths: str, read: Reader | None = None) -> T:
    """Return a dataclass field that is read from the first of ``paths`` where something usable is said.

    Args:
        default: what the field is when nothing usable is said anywhere; it must be immutable.
        paths: relative to the payload, for example ``params.record.url``; none means ``params.<name of the field>``.
        read: how the value is read, when its type does not say it.
    """
    return dataclasses.field(default=default, metadata={"paths": paths, "read": read})


@dataclass(frozen=True, slots=True)
class RelayEvent(Event):
    """Something that the server reports. Unknown event types arrive as this class itself.

    Attributes:
        event_type: for example ``calling.call.play``.
        params: the event's own data, exactly as received; shared with every receiver, so do not change it.
        call_id: the leg it belongs to, or ``""``.
        timestamp: seconds since the epoch by the server's clock, or 0.0.

    Source: PROTOCOL 7.1.
    """

    event_type: str
    params: JsonObject = dataclasses.field(default_factory=dict)
    call_id: str = ""
    timestamp: float = 0.0

    @classmethod
    def from_payload(cls, payload: Mapping[str, object]) -> Self:
        """Return an event of this class from the ``params`` of a ``signalwire.event``. Never raises on wire data."""
        return cast(Self, extractor(cls)(payload))

    @property
    def control_id(self) -> str:
        """The operation it belongs to, or ``""``."""
        return self._text("control_id")

    @property
    def node_id(self) -> str:
        """The server node that owns the leg, or ``""``."""
        return self._text("node_id")

    @property
    def tag(self) -> str:
        """The tag of the dial or connect that made the leg, or ``""``."""
        return self._text("tag")

    @property
    def segment_id(self) -> str:
        """The conversation that the leg is part of, or ``""``."""
        return self._text("segment_id")

    def _text(self, key: str) -> str:
        return read_text(self.params.get(key)) or ""

    def _whole_number(self, key: str) -> int:
        return read_whole_number(self.params.get(key)) or 0

    def _number(self, key: str) -> float:
        return read_number(self.params.get(key)) or 0.0

    def _flag(self, key: str) -> bool:
        return read_flag(self.params.get(key)) or False

    def _object(self, key: str) -> JsonObject:
        return read_object(self.params.get(key)) or {}


def payload_of(event: RelayEvent) -> JsonObject:
    """Return a payload from which an equal event is parsed: its params, and what its fields say beyond them.

    For who makes events by hand, ``CallStateEvent("calling.call.state", call_state="answered")``, and has to send them.
    """
    params: JsonObject = dict(event.params)
    payload: JsonObject = {"event_type": event.event_type, "params": params}
    if event.call_id:
        params.setdefault("call_id", event.call_id)
    if event.timestamp:
        payload["timestamp"] = event.timestamp
    said = [
        (_paths(field)[0].split("."), value)
        for field in dataclasses.fields(event)[_INHERITED:]
        if (value := getattr(event, field.name)) != _default_maker(field)()
    ]
    for (*above, last), value in sorted(said, key=lambda entry: len(entry[0])):  # wholes before their parts
        inner = payload
        for key in above:
            known = inner.get(key)
            inner[key] = nested = dict(known) if isinstance(known, dict) else {}
            inner = nested
        inner[last] = value
    return payload


_Extract: TypeAlias = Callable[[Mapping[str, object]], RelayEvent]
_EXTRACTORS: Final[dict[type, _Extract]] = {}


def extractor(cls: type[RelayEvent]) -> _Extract:
    """Return what makes an event of class ``cls`` from a payload; built once per class.

    Raises:
        KeyError: a field of ``cls`` has a type that no reader is known for.
    """
    extract = _EXTRACTORS.get(cls)
    if extract is None:
        extract = _EXTRACTORS[cls] = _build_extractor(cls)
    return extract


def _build_extractor(cls: type[RelayEvent]) -> _Extract:
    steps = tuple(_step(field) for field in dataclasses.fields(cls)[_INHERITED:])

    def extract(payload: Mapping[str, object]) -> RelayEvent:
        event_type = payload.get("event_type")
        params = payload.get("params")
        if not isinstance(params, dict):
            params = {}
        call_id = params.get("call_id")
        timestamp = params.get("timestamp")  # the wire has it outside, the reference SDK looks inside (PROTOCOL D14)
        if timestamp is None:
            timestamp = payload.get("timestamp")
            if not isinstance(timestamp, float):
                timestamp = read_number(timestamp) or 0.0
        else:
            timestamp = read_number(timestamp) or read_number(payload.get("timestamp")) or 0.0
        return cls(
            event_type if isinstance(event_type, str) else "",
            params,
            call_id if isinstance(call_id, str) else "",
            timestamp,
            *[step(params, payload) for step in steps],
        )

    return extract


def _step(field: dataclasses.Field[object]) -> _Step:
    paths = _paths(field)
    read = field.metadata.get("read") or _READERS[str(field.type)]
    make_default = _default_maker(field)
    if len(paths) == 1 and paths[0].count(".") == 1:
        return _direct_step(paths[0].removeprefix("params."), read, make_default)
    return _searching_step(paths, read, make_default)


def _paths(field: dataclasses.Field[object]) -> tuple[str, ...]:
    paths: tuple[str, ...] = field.metadata.get("paths") or (f"params.{field.name}",)
    return paths


def _default_maker(field: dataclasses.Field[object]) -> Callable[[], object]:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory
    default = field.default
    return lambda: default


def _direct_step(key: str, read: Reader, make_default: Callable[[], object]) -> _Step:
    if read is read_text:  # nine fields in ten: spare them two calls

        def text(params: JsonObject, payload: Mapping[str, object]) -> object:
            value = params.get(key)
            return value if isinstance(value, str) else ""

        return text

    def direct(params: JsonObject, payload: Mapping[str, object]) -> object:
        value = read(params.get(key))
        return make_default() if value is None else value

    return direct


def _searching_step(paths: Sequence[str], read: Reader, make_default: Callable[[], object]) -> _Step:
    ways = [(path.startswith("params."), path.removeprefix("params.").split(".")) for path in paths]

    def search(params: JsonObject, payload: Mapping[str, object]) -> object:
        for is_inner, keys in ways:
            found: object = params if is_inner else payload
            for key in keys:
                found = found.get(key) if isinstance(found, dict) else None
            if found and (value := read(found)):  # empty says nothing, so the next path may know more
                return value
        return make_default()

    return search
