"""Commands that must not overtake one that may have been lost. Layer: hall; pure. Source: SEMANTICS K6, K7.

When the answer to a command is lost with the socket, its call finds out what has become of it, and may send it again.
What the call asks for after it waits here for that, in order, and not in the queue for the next connection, which is
emptied as soon as there is one.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from relay_actors.actors.outgoing import Outgoing
from relay_actors.late_dataclasses import dataclass

__all__ = ["HoldBack", "Holding", "Release", "TakeBack"]


@dataclass(frozen=True, slots=True)
class HoldBack:
    """It is not known what has become of a command of ``subject``: hold back what comes behind it."""

    subject: str


@dataclass(frozen=True, slots=True)
class Release:
    """It is known by now, or the command was sent again.

    Attributes:
        subject: whose command it was.
        is_over: nothing of that subject is wanted any more, whatever is in doubt and whatever waits.
    """

    subject: str
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class TakeBack:
    """Do not send what nobody waits for any more, if it has not left yet.

    Attributes:
        concerns: says of a request whether it is that.
    """

    concerns: Callable[[Outgoing], bool]


class _Held(NamedTuple):
    due: float
    subject: str
    request_id: str


class Holding:
    """What is held back, for all calls, by request ids.

    Args:
        timeout_s: how long a command may wait here; the same for all, so that the first come is the first to go.
        limit: how many may wait.

    Attributes:
        in_doubt: how many commands of whom; while it is empty, which is nearly always, none has to wait.
        held: what waits, in order.
    """

    def __init__(self, timeout_s: float, limit: int) -> None:
        self._timeout_s = timeout_s
        self._limit = limit
        self.in_doubt: Counter[str] = Counter()
        self.held: deque[_Held] = deque()

    def __len__(self) -> int:
        """Return how many commands wait."""
        return len(self.held)

    @property
    def subjects(self) -> set[str]:
        """Whose commands wait, or are in doubt. Any thread."""
        return {held.subject for held in list(self.held)} | {
            who for who, doubts in list(self.in_doubt.items()) if doubts
        }

    @property
    def is_full(self) -> bool:
        """Whether no more can be taken."""
        return len(self.held) >= self._limit

    def hold(self, subject: str) -> None:
        """One more command of ``subject`` is in doubt."""
        self.in_doubt[subject] += 1

    def concerns(self, outgoing: Outgoing) -> bool:
        """Return whether a command has to wait: not one that is sent again, nor a last word."""
        return outgoing.on_late is not None and not outgoing.is_repeat and outgoing.subject in self.in_doubt

    def take(self, request_id: str, subject: str, now: float) -> None:
        """Keep a command."""
        self.held.append(_Held(now + self._timeout_s, subject, request_id))

    def release(self, subject: str) -> list[str]:
        """One command less of ``subject`` is in doubt; return, and forget, what can be sent now, in order."""
        if self.in_doubt[subject] > 1:
            self.in_doubt[subject] -= 1
            return []
        return self.forget(subject)

    def forget(self, subject: str) -> list[str]:
        """Nothing of ``subject`` is in doubt any more; return, and forget, what has waited, in order."""
        self.in_doubt.pop(subject, None)
        if not self.held:
            return []
        freed = [held.request_id for held in self.held if held.subject == subject]
        if freed:
            self.held = deque(held for held in self.held if held.subject != subject)
        return freed

    def recall(self, request_id: str) -> bool:
        """Forget a command that waits; False if it does not."""
        count = len(self.held)
        self.held = deque(held for held in self.held if held.request_id != request_id)
        return len(self.held) < count

    def expire(self, now: float) -> list[str]:
        """Return, and forget, what has waited for too long."""
        overdue: list[str] = []
        while self.held and self.held[0].due <= now:
            overdue.append(self.held.popleft().request_id)
        return overdue

    def clear(self) -> list[str]:
        """Return, and forget, everything."""
        held = [held.request_id for held in self.held]
        self.held.clear()
        self.in_doubt.clear()
        return held

    def next_deadline(self) -> float | None:
        """Return when `expire` will next have something, or None."""
        return self.held[0].due if self.held else None
