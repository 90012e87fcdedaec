"""The command that sends a text message. Layer: protocol, pure."""

from __future__ import annotations

from typing import ClassVar

from relay_actors.errors import ArgumentError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import EmptyIsNone, EmptyTextIsNone, Text
from relay_actors.protocol.commands.command import RelayCommand

__all__ = ["SendMessage"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SendMessage(RelayCommand):
    """Send a text message; ``body``, ``media`` (URLs) or both. Source: PROTOCOL 14.1.

    Attributes:
        context: never missing on the wire: whoever sends it fills in the session's protocol, else ``default``.
    """

    method: ClassVar[str] = "messaging.send"
    needs_call: ClassVar[bool] = False

    to_number: Text
    from_number: Text
    context: EmptyTextIsNone | None = None
    body: EmptyTextIsNone | None = None
    media: EmptyIsNone | None = None
    tags: EmptyIsNone | None = None
    region: EmptyTextIsNone | None = None

    def check(self) -> None:
        """Refuse a message without content."""
        if not (self.body or self.media or self.extra.get("body") or self.extra.get("media")):
            raise ArgumentError("messaging.send: give body, media or both; an empty message cannot be sent")
