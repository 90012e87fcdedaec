"""One thing that was said in a recording. Layer: door; pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

__all__ = ["ANSWER", "COMMAND", "EVENT", "REFUSAL", "Kind", "Said"]

Kind: TypeAlias = Literal["event", "command", "answer", "refusal"]

EVENT: Final = "event"
COMMAND: Final = "command"
ANSWER: Final = "answer"
REFUSAL: Final = "refusal"

_TIMES: Final = ("answer_time", "end_time", "start_time")


@dataclass(frozen=True, slots=True)
class Said:
    """An event, a command, or what became of a command.

    Attributes:
        at: seconds since the recording began.
        kind: ``event``, ``answer`` and ``refusal`` (a JSON-RPC error) are the server's, ``command`` the application's.
        name: the type of the event, or the method; empty for an answer.
        number: which command it is, or answers; 0 for an event.
        body: the event's own params, the command's params, the result, or the error.
        outer: further members of an event's envelope, such as ``context``.
    """

    at: float
    kind: Kind
    name: str
    body: Mapping[str, Any]
    number: int = 0
    outer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def call_id(self) -> str:
        """The call that it is about; empty if it names none."""
        call_id = self.body.get("call_id")
        return call_id if isinstance(call_id, str) else ""

    def moved(self, seconds: float) -> Said:
        """Return it as said so much later, with all times that it tells of."""
        return dataclasses.replace(self.with_times_moved(seconds), at=round(self.at + seconds, 6))

    def with_times_moved(self, seconds: float) -> Said:
        """Return it with the times that it tells of moved by so much."""
        return dataclasses.replace(self, body=_moved(self.body, seconds))

    def with_body(self, body: Mapping[str, Any], outer: Mapping[str, Any]) -> Said:
        """Return it with another content."""
        return dataclasses.replace(self, body=body, outer=outer)


def _moved(value: Any, seconds: float, key: str = "") -> Any:
    """Return plain data with its times moved, be they in seconds or in milliseconds."""
    match value:
        case dict():
            return {name: _moved(item, seconds, name) for name, item in value.items()}
        case list():
            return [_moved(item, seconds, key) for item in value]
        case int() | float() if key in _TIMES and not isinstance(value, bool):
            moved = value + seconds * (1000 if value > 1e11 else 1)
            return round(moved) if isinstance(value, int) else moved
        case _:
            return value
