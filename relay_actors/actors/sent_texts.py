"""What the journal knows of a text that a former process has sent, or was about to send. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.history import Answered, Asked, History
from relay_actors.errors import ConnectionLostError, NotSentError, RelayActorsError, RequestTimeoutError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.commands import SendMessage
from relay_actors.protocol.events import MessageStateEvent
from relay_actors.protocol.states import MESSAGE_MOVES, is_final

__all__ = ["SentText", "sent_text_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """One text, and what became of it.

    Attributes:
        name: under which the journal knows it.
        params: of the request.
        result: what the server has answered; None if it has refused the text, or nobody knows.
        error: why it was not taken; a `ConnectionLostError` or `RequestTimeoutError`: nobody knows whether it was.
        events: its states, as far as they are known.
        is_orphaned: whether the session is gone that would tell of more.
    """

    name: str
    params: Mapping[str, Any]
    result: JsonObject | None = None
    error: RelayActorsError | None = None
    events: tuple[MessageStateEvent, ...] = ()
    is_orphaned: bool = False

    @property
    def message_id(self) -> str:
        """What the server calls it; "" if it has not taken it."""
        message_id = (self.result or {}).get("message_id")
        return message_id if isinstance(message_id, str) else ""

    @property
    def is_unknown(self) -> bool:
        """Whether it may have been sent, and may not."""
        return isinstance(self.error, ConnectionLostError | RequestTimeoutError)

    @property
    def was_not_sent(self) -> bool:
        """Whether it has certainly never left the process."""
        return isinstance(self.error, NotSentError)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be heard of it: it was not taken, or its last state is known."""
        if not self.message_id:
            return not self.is_unknown
        return any(is_final(event.message_state, MESSAGE_MOVES) for event in self.events)


def sent_text_of(history: History) -> SentText | None:
    """Return what a history tells of the sending of a text; None if it is of something else."""
    asked = [item for item in history.items if isinstance(item, Asked) and item.method == SendMessage.method]
    if not asked:
        return None
    name, params = history.subject, asked[-1].params
    answers = [item for item in history.items if isinstance(item, Answered)]
    if answers:
        result, error = answers[-1].result, answers[-1].error
        return SentText(name=name, params=params, result=result, error=error, is_orphaned=history.is_orphaned)
    why = "the process ended before it was answered: it may have been sent, and is not sent again"
    lost = ConnectionLostError(f"{SendMessage.method}: {why}")
    return SentText(name=name, params=params, error=lost, is_orphaned=history.is_orphaned)
