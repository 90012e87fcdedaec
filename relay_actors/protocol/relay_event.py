"""`RelayEvent`, the root of all typed events, and how its fields are filled from the wire. Layer: protocol, pure.

A typed event declares its fields as a dataclass; where a field is not simply ``params.<name>``, `wire` says from which
paths it is read. From that, one extractor per class is written and compiled when the first such event comes, as the
dataclass's own methods are: a line for each field, and no call for what is of the type that it should be.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self, TypeAlias, TypeVar, cast

from relay_actors.late_dataclasses import dataclass, unfrozen
from relay_actors.protocol.base import Event, JsonObject
from relay_actors.protocol.frozen import NOTHING
from relay_actors.protocol.readers import (
    Reader,
    read_flag,
    read_number,
    read_object,
    read_text,
    read_texts,
    read_whole_number,
)

__all__ = ["Extract", "RelayEvent", "extractor", "payload_of", "wire"]

T = TypeVar("T")

_Search: TypeAlias = Callable[[JsonObject, Mapping[str, object]], object]
"""Looks for one field in the inner params and the whole payload."""

_READERS: Final[Mapping[str, Reader]] = {
    "str": read_text,
    "float": read_number,
    "int": read_whole_number,
    "bool": read_flag,
    "bool | None": read_flag,
    "JsonObject": read_object,
    "dict[str, object]": read_object,
    "list[str]": read_texts,
}
"""By the type of a field, as it is written. Without ``from __future__ import annotations`` it is the type itself."""
_INHERITED: Final = 4
"""How many fields `RelayEvent` itself has; every extractor fills them in its first lines."""
_AS_IT_IS: Final[Mapping[Reader, str]] = {read_text: "str", read_object: "dict"}
"""Readers that let a value of one type pass, and that type."""


def wire(default: T, *paths: str, read: Reader | None = None) -> T:
    """Return a dataclass field that is read from the first of ``paths`` where something usable is said.

    Args:
        default: what the field is when nothing usable is said anywhere; it must be immutable.
        paths: relative to the payload, for example ``params.record.url``; none means ``params.<name of the field>``.
        read: how the value is read, when its type does not say it.
    """
    return dataclasses.field(default=default, metadata={"paths": paths, "read": read})


class _Reported(Event):
    """Adds what is known of an event beside its fields; two are equal, whatever this says.

    Attributes:
        was_read: whether it is known to say just what JSON text has said, by fields and by params; not there if it was
            made by hand.
    """

    __slots__ = ("was_read",)

    was_read: bool


@dataclass(frozen=True, slots=True)
class RelayEvent(_Reported):
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
        value = self.params.get("control_id")
        return value if isinstance(value, str) else ""

    @property
    def node_id(self) -> str:
        """The server node that owns the leg, or ``""``."""
        value = self.params.get("node_id")
        return value if isinstance(value, str) else ""

    @property
    def tag(self) -> str:
        """The tag of the dial or connect that made the leg, or ``""``."""
        value = self.params.get("tag")
        return value if isinstance(value, str) else ""

    @property
    def segment_id(self) -> str:
        """The conversation that the leg is part of, or ``""``."""
        value = self.params.get("segment_id")
        return value if isinstance(value, str) else ""

    def _text(self, key: str) -> str:
        value = self.params.get(key)
        return value if isinstance(value, str) else ""

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


Extract: TypeAlias = Callable[..., RelayEvent]
"""Makes an event of a payload, and of what is known of that: see `parse_event`."""
_EXTRACTORS: Final[dict[type, Extract]] = {}


def extractor(cls: type[RelayEvent]) -> Extract:
    """Return what makes an event of class ``cls`` from a payload; built once per class.

    Raises:
        KeyError: a field of ``cls`` has a type that no reader is known for.
    """
    extract = _EXTRACTORS.get(cls)
    if extract is None:
        extract = _EXTRACTORS[cls] = _build_extractor(cls)
    return extract


_FIRST_LINES: Final = """\
def extract(payload, was_read=False):
    params = payload["params"] if "params" in payload else None
    if type(params) is not dict and not isinstance(params, dict):
        params = {}
    event = empty()
    event.was_read = was_read
    value = payload["event_type"] if "event_type" in payload else None
    event.event_type = value if type(value) is str or isinstance(value, str) else ""
    event.params = params
    value = params["call_id"] if "call_id" in params else None
    event.call_id = value if type(value) is str or isinstance(value, str) else ""
    value = payload["timestamp"] if "timestamp" in payload else None
    event.timestamp = value if type(value) is float and "timestamp" not in params else timestamp_of(params, payload)
"""


def _build_extractor(cls: type[RelayEvent]) -> Extract:
    names: dict[str, object] = {"cls": cls, "empty": unfrozen(cls), "timestamp_of": _timestamp_of}
    fields = dataclasses.fields(cls)[_INHERITED:]
    lines = [f"    event.{field.name} = {_expression(field, names)}\n" for field in fields]
    source = _FIRST_LINES + "".join(lines) + "    event.__class__ = cls\n"
    if hasattr(cls, "__post_init__"):
        source += "    event.__post_init__()\n"
    exec(compile(f"{source}    return event\n", f"<extractor of {cls.__qualname__}>", "exec"), names)
    return cast(Extract, names["extract"])


def _expression(field: dataclasses.Field[object], names: dict[str, object]) -> str:
    """Return how the value of a field is found, in Python; what that needs is added to ``names``."""
    paths = _paths(field)
    read: Reader = field.metadata.get("read") or _READERS[_written(field.type)]
    default = f"default_{field.name}"
    if field.default_factory is dict:
        names[default] = NOTHING
    elif field.default_factory is dataclasses.MISSING:
        names[default] = field.default
    else:
        names[default] = field.default_factory
        default += "()"
    first, *others = paths
    key = repr(first.removeprefix("params."))
    is_direct = first.startswith("params.") and first.count(".") == 1
    # Nearly all fields are of these two types, and nearly all values as they should be.
    fits = f"type(value := params[{key}]) is {_AS_IT_IS[read]}" if is_direct and read in _AS_IT_IS else ""
    if is_direct and not others:
        names[reader := f"read_{field.name}"] = read
        found = f"value if (value := {reader}(params[{key}])) is not None else {default}"
        return f"({f'value if {fits} else ' if fits else ''}{found}) if {key} in params else {default}"
    make_default = (lambda: NOTHING) if field.default_factory is dict else _default_maker(field)
    names[search := f"search_{field.name}"] = _search(paths, read, make_default)
    # What is empty says nothing, so another path may know more.
    return f"{f'value if {key} in params and {fits} and value else ' if fits else ''}{search}(params, payload)"


def _timestamp_of(params: JsonObject, payload: Mapping[str, object]) -> float:
    # The wire has it outside, the reference SDK looks inside (PROTOCOL D14).
    return read_number(params.get("timestamp")) or read_number(payload.get("timestamp")) or 0.0


def _written(hint: object) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint)


def _paths(field: dataclasses.Field[object]) -> tuple[str, ...]:
    paths: tuple[str, ...] = field.metadata.get("paths") or (f"params.{field.name}",)
    return paths


def _default_maker(field: dataclasses.Field[object]) -> Callable[[], object]:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory
    default = field.default
    return lambda: default


def _search(paths: Sequence[str], read: Reader, make_default: Callable[[], object]) -> _Search:
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
