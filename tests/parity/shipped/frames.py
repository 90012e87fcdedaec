"""What a client has sent, without what is another in every run: ids, sessions, tags. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["SESSION", "Frame", "Names", "commands", "names_in"]

SESSION = "the session"
"""Where frames stand that are about no call, and what stands in the place of its name."""

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(@[\w-]+)?")
_KEEPING_ALIVE = "signalwire.ping"


@dataclass(frozen=True, slots=True)
class Frame:
    """One request of a client: a method and what it was given.

    Attributes:
        is_late: it came when the server had told of the end of its call, and could do nothing any more.
    """

    method: str
    params: Mapping[str, Any]
    is_late: bool = field(default=False, compare=False)


@dataclass(slots=True)
class Names:
    """What stands for the ids of a run, by the order in which they were first seen."""

    calls: dict[str, str] = field(default_factory=dict)
    controls: dict[str, str] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)

    def learn(self, frame: Mapping[str, Any], session: str) -> None:
        """Take notice of the ids in a frame, of either side."""
        if session:
            self.sessions.add(session)
        for one in _objects(frame):
            if isinstance(call_id := one.get("call_id"), str) and _ID.fullmatch(call_id):
                self.calls.setdefault(call_id, f"call {len(self.calls) + 1}")
            if isinstance(control_id := one.get("control_id"), str):
                self.controls.setdefault(control_id, f"control {len(self.controls) + 1}")

    def call_of(self, params: Mapping[str, Any]) -> str:
        """Return the call that a request is about, or `SESSION`."""
        return self.calls.get(str(params.get("call_id", "")), SESSION)

    def anonymous(self, value: Any) -> Any:
        """Return any value of JSON, or a text, with names in the place of ids."""
        match value:
            case str():
                return self._text(value)
            case Mapping():
                return {key: self.anonymous(one) for key, one in value.items()}
            case list() | tuple():
                return [self.anonymous(one) for one in value]
            case _:
                return value

    def _text(self, text: str) -> str:
        for session in self.sessions:
            text = text.replace(session, SESSION)
        if known := self.controls.get(text):
            return known
        return _ID.sub(lambda found: self.calls.get(found[0]) or self.controls.get(found[0]) or "id", text)


def names_in(frames: Iterable[Mapping[str, Any]]) -> Names:
    """Return names for all that is in frames: objects of ``direction``, ``session`` and ``frame``, the oldest first."""
    names = Names()
    for one in frames:
        names.learn(one["frame"] or {}, one["session"])
    return names


def commands(frames: Iterable[Mapping[str, Any]], names: Names) -> dict[str, list[Frame]]:
    """Return what the client has asked for, of each call and of the session, each in the order in which it came."""
    asked, over = dict[str, list[Frame]](), set[str]()
    for one in frames:
        frame = one["frame"] or {}
        method, params = frame.get("method", ""), frame.get("params") or {}
        if one["direction"] == "sent":
            over |= {event["call_id"] for event in _objects(params) if event.get("call_state") == "ended"}
        elif method and method != _KEEPING_ALIVE:
            is_late = params.get("call_id") in over
            asked.setdefault(names.call_of(params), []).append(Frame(method, names.anonymous(params), is_late))
    return asked


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)
