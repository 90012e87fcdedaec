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
        """Return it as said so much later."""
        return dataclasses.replace(self, at=self.at + seconds)

    def with_body(self, body: Mapping[str, Any], outer: Mapping[str, Any]) -> Said:
        """Return it with another content."""
        return dataclasses.replace(self, body=body, outer=outer)
