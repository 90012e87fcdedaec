"""Following one actor: what it is told, what it handles, and what it tells others. Layer: pillar.

Source: SEMANTICS O4; Erlang's ``sys:trace``.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, Literal

from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.context import here
from relay_actors.runtime.inspection import name_of_message
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.reasons import ExitReason

__all__ = ["Trace", "TraceRecord"]

_log = logging.getLogger("relay_actors.trace")


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """One thing that a traced actor did. It never holds a message itself: only of which type it is (SEMANTICS O6).

    Attributes:
        at: seconds since the epoch.
        kind: ``received``, ``handled``, ``sent`` (to another), ``ended``. What its mailbox has no room for is received,
            too, and never handled; like what comes when it has ended, it is a dead letter.
        actor: the actor's name.
        incarnation: of the actor.
        message: the message's type, and its method if it is a request to the server; of ``ended`` the reason.
        peer: who sent it, or to whom it was sent; "" for what comes from outside of all actors.
        waited_s: of ``handled``: how long it was in the mailbox; None if it came before the trace began.
        took_s: of ``handled``: how long that took.
        error: of ``handled``: what came out of it, if that was an error.
    """

    at: float
    kind: Literal["received", "handled", "sent", "ended"]
    actor: str
    incarnation: int
    message: str
    peer: str = ""
    waited_s: float | None = None
    took_s: float | None = None
    error: str = ""

    def __str__(self) -> str:
        words = [f"{self.actor} {self.kind} {self.message}"]
        if self.peer:
            words.append(f"{'to' if self.kind == 'sent' else 'from'} {self.peer}")
        if self.waited_s is not None:
            words.append(f"waited_s={self.waited_s:.6f}")
        if self.took_s is not None:
            words.append(f"took_s={self.took_s:.6f}")
        if self.error:
            words.append(f"error={self.error}")
        return " ".join(words)


class Trace:
    """The trace of one actor: the latest records, which are also logged by ``relay_actors.trace`` at INFO.

    Args:
        cell: the actor's.
        keep: how many records are kept.

    Attributes:
        cell: the actor's.
    """

    def __init__(self, cell: Cell, keep: int) -> None:
        self.cell = cell
        self._clock = cell.system.clock
        self._records: deque[TraceRecord] = deque(maxlen=keep)

    def __repr__(self) -> str:
        return f"<Trace of {self.cell}>"

    @property
    def records(self) -> tuple[TraceRecord, ...]:
        """The latest records, oldest first. Any thread."""
        return tuple(self._records)

    @property
    def is_over(self) -> bool:
        """Whether nothing is recorded any more: it was ended, or its actor has ended. Any thread."""
        return self not in self.cell.system.observation.observers

    def end(self) -> None:
        """Record nothing any more. Any thread; idempotent."""
        self.cell.system.observation.remove(self)

    def on_sent(self, cell: Cell, message: object) -> None:
        """Note what the actor is told, and what it tells."""
        sender = here.turn
        if sender is self.cell:
            self._note("sent", name_of_message(message), peer=repr(cell))
        if cell is self.cell:
            self._note("received", name_of_message(message), peer="" if sender is None else repr(sender))

    def capture(self) -> object:
        """Nothing travels with the messages."""
        return None

    def on_handling(self, cell: Cell, envelope: Envelope) -> float | None:
        """Return how long the message has waited."""
        if cell is not self.cell:
            return None
        seen_at = getattr(envelope, "seen_at", None)
        return None if seen_at is None else self._clock.now() - seen_at

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: float | None, took_s: float, error: BaseException | None
    ) -> None:
        """Note what the actor has handled."""
        if cell is self.cell:
            name = name_of_message(envelope.message)
            told = "" if error is None else type(error).__name__
            self._note("handled", name, waited_s=begun, took_s=took_s, error=told)

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        """Note the end; there is nothing to follow any more."""
        if cell is self.cell:
            self._note("ended", reason.kind)
            self.end()

    def _note(self, kind: Literal["received", "handled", "sent", "ended"], message: str, **more: Any) -> None:
        cell = self.cell
        record = TraceRecord(self._clock.wall(), kind, repr(cell), cell.incarnation, message, **more)
        self._records.append(record)
        _log.info("%s", record)
