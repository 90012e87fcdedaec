"""What the handler of an inbound text begins: texts and dials, each of them once. Layer: hall.

Source: SEMANTICS J4, J5, K6. A process may die in the middle of a handler, which is run again then, from its beginning:
nothing of the text is forgotten before the handler is over. So that it does not send or dial again what it had, what it
begins in its turns is counted, and named after the text and its number: what has such a name in the journal is found by
it.
"""

from __future__ import annotations

from typing import Any, Final

from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.context import here

__all__ = ["TEXT", "TextHandled", "TextTurn", "cause_of", "text_turn"]

TEXT: Final = "text:"
"""How the names of texts begin that this side sends, before and after they have a message id."""


class TextTurn:
    """What belongs to the handling of one inbound text. Shared by its actor and the connection.

    Args:
        message_id: of the inbound text.

    Attributes:
        former: the actors of what a former process had begun, by their names, or the tags of dials; since before the
            text is handled again.
        subjects: what is over, and stays in the journal until the text has been handled; of the connection.
    """

    __slots__ = ("_count", "former", "message_id", "subjects")

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.former: dict[str, Any] = {}
        self.subjects: list[str] = []
        self._count = 0

    def next_name(self) -> str:
        """Return the name of what is begun next: the same one whenever the handler is run again."""
        self._count += 1
        return f"{TEXT}{self.message_id}:{self._count}"


@dataclass(frozen=True, slots=True)
class TextHandled:
    """Told to the connection: the actor of an inbound text has ended, so that nothing of it need be kept any more."""

    message_id: str


def text_turn() -> TextTurn | None:
    """Return whose handler runs here, if it is that of an inbound text and this is one of its actor's turns."""
    turn = getattr(getattr(here.turn, "keep", None), "turn", None)
    return turn if isinstance(turn, TextTurn) else None


def cause_of(name: str) -> str:
    """Return the message id of the inbound text whose handler has begun what has that name; "" if none has."""
    return name.removeprefix(TEXT).rpartition(":")[0] if name.startswith(TEXT) else ""
