"""What the code of a call asked for then, and what of it comes next, while its past is run again. Layer: hall; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from relay_actors.actors.history import Asked, Item, Learnt, is_of_the_code, is_output

__all__ = ["Past"]


_PASSED: Final = frozenset({"arranged", "data", "looked", "over", "recovered", "sent"})
"""Notes that nothing waits for; ``recovered``: what comes after it was asked for before the end of a process."""


class Past:
    """The items of a past, and how far it has come.

    Args:
        items: in order.

    Attributes:
        items: in order.
        at: the place of the next one.
        taken: the places of those that were asked for again.
        awaited: the numbers of the futures of others after which the code has gone on already.
    """

    __slots__ = ("at", "awaited", "items", "taken")

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        self.at = 0
        self.taken: set[int] = set()
        self.awaited: set[int] = set()

    def noted(self, what: str, since: int = 0) -> list[Mapping[str, Any]]:
        """Return the values of all notes of a kind, from a place on."""
        return [item.values for item in self.items[since:] if isinstance(item, Learnt) and item.what == what]

    def next_output(self) -> int | None:
        """Return the place of what the code asks for next, if it was asked for before anything else happened."""
        for at in range(self.at, len(self.items)):
            item = self.items[at]
            if not is_output(item):
                if self._is_passed(item):
                    continue
                return None
            if at not in self.taken and is_of_the_code(item):
                return at
        return None

    def next_number(self) -> int | None:
        """Return the number of the next command of all, or None."""
        return next((item.number for item in self.items[self.at :] if isinstance(item, Asked)), None)

    def next_asked(self, method: str | None = None) -> int | None:
        """Return the place of the next command, with a ``method`` of the next such one."""
        at = self.next_output()
        if method is None or at is None:
            return at if at is not None and isinstance(self.items[at], Asked) else None
        for place in range(at, len(self.items)):
            item = self.items[place]
            if not is_output(item):
                if self._is_passed(item):
                    continue
                return None
            if place not in self.taken and isinstance(item, Asked) and item.is_own and item.method == method:
                return place
        return None

    def _is_passed(self, item: Item) -> bool:
        """Return whether an item tells nothing that would have to come before what the code asks for."""
        if not isinstance(item, Learnt):
            return False
        if item.what == "awaited":
            return item.values["number"] in self.awaited
        return item.what in _PASSED

    def has_more(self) -> bool:
        """Return whether the code asked for anything later, so that it must have asked for what it asks for now."""
        to_come = range(self.at, len(self.items))
        return any(at not in self.taken and is_of_the_code(self.items[at]) for at in to_come)
