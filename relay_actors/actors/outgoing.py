"""What is handed to the connection to be sent. Layer: hall."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from relay_actors.errors import (
    CommandRejectedError,
    ConnectionLostError,
    NotSentError,
    RelayActorsError,
    RequestTimeoutError,
)
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject

__all__ = ["LastWord", "OnAnswer", "Outgoing", "last_word"]

_log = logging.getLogger("relay_actors.calls")

_MOST_LOSSES: Final = 3
"""How often a last word is said again whose answer was lost with the socket: it may be what breaks the socket."""

OnAnswer = Callable[[JsonObject | None, RelayActorsError | None], None]
"""Told the result, or else the error, once; on the connection's turn, so it must be short and hand on to an actor."""


@dataclass(slots=True)  # not frozen, which takes three times as long to make
class Outgoing:
    """One request. It is not changed once it is made, but for what a `LastWord` counts.

    Attributes:
        method: of the wire.
        params: complete.
        on_answer: told how it ended.
        subject: the call id, message id or tag that it is about, for the journal; "" if none.
        number: which command of its call it is; 0 if no call's actor has given it.
        after: how many things its call had been told by the wire when it gave it.
        by: ``call`` if the code of the call's class wanted it, otherwise ``other``.
        is_repeat: whether it is sent once more because nobody knows what has become of it.
        on_late: told the answer that comes after ``on_answer`` was told of a time-out, if one comes.
    """

    method: str
    params: JsonObject
    on_answer: OnAnswer
    subject: str = ""
    number: int = 0
    after: int = -1
    by: str = "other"
    on_late: OnAnswer | None = None
    is_repeat: bool = False


@dataclass(slots=True)
class LastWord(Outgoing):
    """One that turns away or ends a leg that nobody attends to. Done twice it does no harm.

    Nobody is left who could ask for it again, and without it somebody would be left in silence; so the connection says
    it again.

    Attributes:
        losses: how often its answer was lost.
    """

    losses: int = 0

    def is_due_again(self, error: RelayActorsError) -> bool:
        """Note that it has failed; return whether it is to be said again: it was not sent, or nobody knows."""
        if isinstance(error, ConnectionLostError) and not error.is_final:
            self.losses += 1
            return self.losses <= _MOST_LOSSES
        if isinstance(error, RequestTimeoutError):
            was_repeat, self.is_repeat = self.is_repeat, True
            return not was_repeat
        return isinstance(error, NotSentError)


def last_word(ids: JsonObject, reason: str) -> LastWord:
    """Return the request that ends a leg about which nobody will be told any more.

    Args:
        ids: ``node_id`` and ``call_id``.
        reason: as for a hang-up.
    """
    call_id = str(ids["call_id"])

    def on_answer(_result: JsonObject | None, error: RelayActorsError | None) -> None:
        if error is not None:
            level = logging.DEBUG if isinstance(error, CommandRejectedError) else logging.WARNING
            _log.log(level, "last word not taken call_id=%s: %s", call_id, error)

    return LastWord("calling.end", {**ids, "reason": reason}, on_answer, call_id)
