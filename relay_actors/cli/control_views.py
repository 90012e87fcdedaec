"""The simulator's objects as plain values for JSON. Layer: door."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from relay_actors.cli.control_shapes import Json
from relay_actors.protocol.readers import read_code, read_object, read_text
from relay_actors.simulator.lines import Line
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["frame_view", "line_view", "person_view", "phone_view", "plain", "what_is_said"]


def plain(value: object) -> Any:
    """Return ``value`` as what JSON has: snapshots as objects, a line as `line_view`, anything foreign as text."""
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return plain(value.value)
        case str():
            return str(value)
        case Line():
            return line_view(value)
        case Phone():
            return person_view(value)
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset() | Iterator():
            return [plain(one) for one in value]
        case _ if dataclasses.is_dataclass(value):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        case _:
            return str(value)


def line_view(line: Line) -> Json:
    """Return one person's part in one call. What was heard is told in the words that ``hears`` looks for."""
    return {
        "number": line.number,
        "call_id": line.call_id,
        "call_ids": line.call_ids,
        "state": line.state,
        "end_reason": line.end_reason,
        "is_over": line.is_over,
        "is_ringing": line.is_ringing,
        "is_on_hold": line.is_on_hold,
        "transferred_to": line.transferred_to,
        "heard": [str(sound) for sound in line.heard],
        "received_faxes": plain(line.received_faxes),
        "timeline": plain(line.timeline),
    }


def person_view(phone: Phone) -> Json:
    """Return a phone in short: its number, and its latest line if there was one."""
    lines = phone.lines
    return {"number": phone.number, "line": line_view(lines[-1]) if lines else None}


def phone_view(phone: Phone) -> Json:
    """Return a phone with everything that happened to it."""
    return {"number": phone.number, "lines": plain(phone.lines), "texts": plain(phone.inbox)}


def frame_view(logged: LoggedFrame) -> Json:
    """Return a frame as it was, credentials included; of what is no JSON object only the length is told."""
    return {
        "at": logged.at,
        "wall": logged.wall,
        "direction": logged.direction,
        "session": logged.session,
        "method": logged.method,
        "event_type": logged.event_type,
        "bytes": len(logged.text),
        "frame": logged.frame or None,
    }


def what_is_said(logged: LoggedFrame) -> str:
    """Return a frame in a few words: a command, an event with its state, an answer with its code."""
    frame = logged.frame
    if logged.event_type:
        params = read_object(logged.params.get("params")) or {}
        states = (params.get(key) for key in ("state", "call_state", "message_state", "status"))
        return " ".join([logged.event_type, *_texts(states)][:2])
    if logged.method:
        return logged.method
    error, result = read_object(frame.get("error")), read_object(frame.get("result"))
    if error is not None:
        return f"error {error.get('code')}"
    if result is not None:
        return f"answer {read_code(result.get('code')) or ''}".rstrip()
    return f"{len(logged.text)} bytes that are no frame"


def _texts(values: Iterable[object]) -> list[str]:
    return [text for value in values if (text := read_text(value))]
