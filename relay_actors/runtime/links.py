"""Actors that fail together: links. Layer: pillar. Source: SEMANTICS W7; Erlang ``link``.

A link belongs to two actors, and either may end at any moment, on any thread. So both sides of it, and the fact that
one has ended, change under one lock, which the watches share.
"""

from __future__ import annotations

import threading
from typing import Any

from relay_actors.errors import LinkedActorFailed
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.signals import Internal

__all__ = ["Linked", "bonds"]

bonds = threading.RLock()
"""Guards the links and the watches of all cells: held for a few instructions, never while foreign code runs.
Re-entrant, because a finaliser may run in the middle."""


class Linked:
    """The links of one actor.

    Args:
        cell: whose they are.
    """

    __slots__ = ("_cell", "_final_reason", "_links")

    def __init__(self, cell: AnyCell) -> None:
        self._cell = cell
        self._final_reason: ExitReason | None = None
        self._links: dict[Linked, None] | None = None  # made at the first link: few actors have any

    def link(self, other: Linked) -> None:
        """Have each of the two fail when the other ends abnormally, or at once if it has. In this actor's turn."""
        with bonds:
            if self._final_reason is not None:  # killed in the middle of a handler that has just come back
                return
            reason = other._final_reason
            if reason is not None:
                self._drop(other)  # its end may be on its way already, and is told once
            self._peers()[other] = None
            if reason is None:
                other._peers()[self] = None
                return
        other._break(self, reason)

    def unlink(self, other: Linked) -> None:
        """Dissolve the link, from either side: an end of the other that is on its way has no effect any more."""
        with bonds:
            other.take(self)
            self._drop(other)

    def take(self, other: Linked) -> bool:
        """Drop this side of a link; return whether there was one."""
        with bonds:
            if self._links is None or other not in self._links:
                return False
            del self._links[other]
            return True

    def _drop(self, other: Linked) -> None:
        """Drop this side of a link, also with one that has ended: its ref leads to another object of its by then."""
        if not self.take(other):
            for peer in list(self._links or ()):
                if peer._cell is other._cell:  # noqa: SLF001  # its own kind
                    self.take(peer)

    def _end_links(self, reason: ExitReason) -> None:
        """Fail those to whom it is linked, if that is what such an end does."""
        with bonds:
            peers, self._links = self._links or {}, None
        for peer in peers:
            self._break(peer, reason)

    def _break(self, peer: Linked, reason: ExitReason) -> None:
        # The peer's side of the link stays until the signal is handled: so the peer can still dissolve it.
        if reason.is_abnormal:
            peer._cell.signal(_LinkBroken(self, peer, reason))
        else:
            peer.take(self)

    def _peers(self) -> dict[Linked, None]:
        if self._links is None:
            self._links = {}
        return self._links


@dataclass(eq=False, slots=True)
class _LinkBroken:
    """A linked actor has ended abnormally."""

    ended: Linked
    peer: Linked
    reason: ExitReason

    def handle(self, cell: AnyCell) -> None:
        """Fail, as by a handler that raised, unless the link was dissolved or the actor is ending already."""
        if cell.is_between:  # it has no incarnation that could fail, and the link outlives restarts
            cell.tell_control(_LaterBroken(self, cell))
            return
        if not self.peer.take(self.ended) or cell.is_stopped:
            return
        ended: Any = self.ended._cell  # noqa: SLF001  # its own kind
        error = LinkedActorFailed(f"{ended}, to which {cell} is linked, has ended ({self.reason})", ref=ended.ref)
        error.__cause__ = self.reason.cause
        raise error

    def refuse(self, cell: AnyCell) -> None:
        """Ended itself: nothing is owed."""


class _LaterBroken(Internal):
    """It waits for the next incarnation."""

    __slots__ = ("_broken", "_cell")

    def __init__(self, broken: _LinkBroken, cell: AnyCell) -> None:
        self._broken = broken
        self._cell = cell

    def deliver(self) -> None:
        """Have the actor fail, unless the link was dissolved meanwhile."""
        self._broken.handle(self._cell)
