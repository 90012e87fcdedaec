"""Who is told when an actor ends: exactly one `Down` per watch. Layer: pillar. Source: SEMANTICS W1-W4.

A watch belongs to two actors, and either may end at any moment, on any thread. So both sides of it change under one
lock, and there is no message on its way that could cross with an end.
"""

from __future__ import annotations

import threading
from typing import Any

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.reasons import Down, ExitReason
from relay_actors.runtime.signals import Internal

__all__ = ["Watching"]

# Guards the watches of all cells: held for a few instructions, never while foreign code runs. Re-entrant, because a
# finaliser may run in the middle.
_watches = threading.RLock()


class Watching:
    """The watches of one actor: those that others have on it, and those that it has on others.

    Args:
        cell: whose they are.

    Attributes:
        watchers: who watches it, in the order in which they came. Guarded by the one lock of all watches.
    """

    __slots__ = ("_cell", "_final_reason", "_tokens", "_watched", "watchers")

    def __init__(self, cell: AnyCell) -> None:
        self._cell = cell
        self._tokens = 0
        self._watched: dict[int, Watching] = {}
        self.watchers: dict[tuple[Watching, int], None] = {}
        self._final_reason: ExitReason | None = None

    def watch(self, target: Watching) -> int:
        """Have one `Down` told to this actor when ``target`` ends, or at once if it has; return a token."""
        with _watches:
            self._tokens += 1
            token = self._tokens
            if self._final_reason is not None:  # killed in the middle of a handler that has just come back
                return token
            self._watched[token] = target
            reason = target._final_reason
            if reason is None:
                target.watchers[self, token] = None
        if reason is not None:
            target._tell(self, token, reason, already_dead=True)
        return token

    def unwatch(self, token: int) -> None:
        """End a watch: its `Down` is not handled any more, even if it waits already (W3)."""
        with _watches:
            target = self._watched.pop(token, None)
            if target is not None:
                target.watchers.pop((self, token), None)

    def take(self, token: int) -> bool:
        """Return whether the watch is still wanted, and end it."""
        with _watches:
            return self._watched.pop(token, None) is not None

    def end(self, reason: ExitReason) -> None:
        """Tell those who watch, once the actor has ended and its names are free (W4); forget whom it watched."""
        with _watches:
            self._final_reason = reason
            watchers, self.watchers = self.watchers, {}
            watched, self._watched = self._watched, {}
            for token, target in watched.items():
                target.watchers.pop((self, token), None)
        for watcher, token in watchers:
            self._tell(watcher, token, reason, already_dead=False)

    def _tell(self, watcher: Watching, token: int, reason: ExitReason, *, already_dead: bool) -> None:
        cell: Any = self._cell
        down = Down(cell.ref, cell.incarnation, reason, already_dead)
        watcher._cell.tell_control(_DownNotice(watcher, token, down))

    def handle(self, down: Down) -> None:
        """Hand a `Down` to the actor, in its turn."""
        self._cell.handle_user(down)


class _DownNotice(Internal):
    """A `Down` on its way; dropped when the watch was ended meanwhile."""

    __slots__ = ("_down", "_token", "_watcher")

    interleaves = False

    def __init__(self, watcher: Watching, token: int, down: Down) -> None:
        self._watcher = watcher
        self._token = token
        self._down = down

    def deliver(self) -> None:
        """Hand it to the actor, in its turn."""
        if self._watcher.take(self._token):
            self._watcher.handle(self._down)
