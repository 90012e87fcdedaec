"""What is handed to the connection to be sent. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject

__all__ = ["OnAnswer", "Outgoing"]

OnAnswer = Callable[[JsonObject | None, RelayActorsError | None], None]
"""Told the result, or else the error, once; on the connection's turn, so it must be short and hand on to an actor."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request.

    Attributes:
        method: of the wire.
        params: complete.
        on_answer: told how it ended.
        subject: the call id, message id or tag that it is about, for the journal; "" if none.
    """

    method: str
    params: JsonObject
    on_answer: OnAnswer
    subject: str = ""
