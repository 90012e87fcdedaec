"""Who is told when an actor ends: exactly one `Down` per watch. Layer: pillar. Source: SEMANTICS W1-W4, W6.

A watch belongs to two actors, and either may end at any moment, on any thread. So both sides of it change under one
lock, and there is no message on its way that could cross with an end.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from relay_actors.errors import DeathPact
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.links import Linked, bonds
from relay_actors.runtime.reasons import Down, ExitReason, WatchedRestarted
from relay_actors.runtime.signals import Internal

__all__ = ["Watching"]


class _Watch:
    """One watch, as the watcher knows it."""

    __slots__ = ("death_pact", "is_begun", "on_restart", "target")

    def __init__(self, target: Watching, on_restart: bool, death_pact: bool) -> None:
        self.target = target
        self.on_restart = on_restart
        self.death_pact = death_pact
        self.is_begun = False


class Watching(Linked):
    """The watches of one actor: those that others have on it, and those that it has on others; and its links.

    Args:
        cell: whose they are.

    Attributes:
        watchers: who watches it, in the order in which they came, and whether restarts are to be told as well.
            Guarded by the one lock of all watches.
        telling: the token of the watch whose notice is being handled; touched in turns only.
    """

    __slots__ = ("_pact", "_tokens", "_watched", "telling", "watchers")

    def __init__(self, cell: AnyCell) -> None:
        super().__init__(cell)
        self._tokens = 0
        self._watched: dict[int, _Watch] = {}
        self.watchers: dict[tuple[Watching, int], bool] = {}
        self.telling = 0
        self._pact: Down | None = None  # the one being handled that must not be ignored; touched in turns only

    def watch(
        self, target: Watching, *, on_restart: bool = False, death_pact: bool = False, later: bool = False
    ) -> int:
        """Have one `Down` told to this actor when ``target`` ends, or at once if it has; return a token.

        Args:
            target: whose end is told.
            on_restart: whether its restarts are told as well.
            death_pact: whether the `Down` must be handled.
            later: nothing is told before `begin_all`.
        """
        with bonds:
            self._tokens += 1
            token = self._tokens
            if self._final_reason is not None:  # killed in the middle of a handler that has just come back
                return token
            self._watched[token] = _Watch(target, on_restart, death_pact)
        if not later:
            self._begin(token)
        return token

    def _begin(self, token: int) -> None:
        with bonds:
            watch = self._watched.get(token)
            if watch is None or watch.is_begun:
                return
            watch.is_begun = True
            target = watch.target
            reason = target._final_reason  # noqa: SLF001  # its own kind, here and below
            if reason is None:
                target.watchers[self, token] = watch.on_restart
        if reason is not None:
            target._tell(self, token, reason, already_dead=True)  # noqa: SLF001

    def begin_all(self) -> None:
        """Begin the watches that were to begin later."""
        for token in tuple(self._watched):
            self._begin(token)

    @property
    def last(self) -> int:
        """The token of the newest watch that there was."""
        return self._tokens

    def known(self) -> list[tuple[int, AnyCell, bool, bool]]:
        """Return of each watch its token, who is watched, and what `watch` was told. In the actor's turn."""
        with bonds:
            watched = self._watched.items()
            return [(token, one.target._cell, one.on_restart, one.death_pact) for token, one in watched]  # noqa: SLF001

    def take_again(self, last: int, watches: Iterable[tuple[int, Watching, bool, bool]] = ()) -> None:
        """Have just these watches, with their tokens, in place of all that there are; `begin_all` begins them.

        Args:
            last: the token of the newest watch that there was.
            watches: as `known` has returned them.
        """
        with bonds:
            for token, watch in self._watched.items():
                watch.target.watchers.pop((self, token), None)
            self._watched = {token: _Watch(target, *how) for token, target, *how in watches}
            self._tokens = last

    def told_then(self, token: int, *, is_last: bool) -> AnyCell | None:
        """Return who is watched by a watch whose notice is told again; after the last one it is over."""
        with bonds:
            watch = self._watched.pop(token, None) if is_last else self._watched.get(token)
        return None if watch is None else watch.target._cell  # noqa: SLF001

    def unwatch(self, token: int) -> None:
        """End a watch: nothing of it is handled any more, even if it waits already (W3)."""
        with bonds:
            watch = self._watched.pop(token, None)
            if watch is not None:
                watch.target.watchers.pop((self, token), None)

    def end(self, reason: ExitReason) -> None:
        """Tell those who watch, once the actor has ended and its names are free (W4); forget whom it watched."""
        with bonds:
            self._final_reason = reason
            watchers, self.watchers = self.watchers, {}
            watched, self._watched = self._watched, {}
            for token, watch in watched.items():
                watch.target.watchers.pop((self, token), None)
        if self._links is not None:  # none are added any more
            self._end_links(reason)
        for watcher, token in watchers:
            self._tell(watcher, token, reason, already_dead=False)

    def tell_restarted(self, reason: ExitReason) -> None:
        """Tell those who asked for it that the next incarnation has started (W2). In the actor's turn."""
        with bonds:
            watchers = [watch for watch, on_restart in self.watchers.items() if on_restart]
        for watcher, token in watchers:
            notice = WatchedRestarted(self._cell.ref, self._cell.incarnation, reason)
            self._post(watcher, token, notice)

    def _tell(self, watcher: Watching, token: int, reason: ExitReason, *, already_dead: bool) -> None:
        cell: Any = self._cell
        down = Down(cell.ref, cell.incarnation, reason, already_dead)
        self._post(watcher, token, down)

    @staticmethod
    def _post(watcher: Watching, token: int, notice: Down | WatchedRestarted) -> None:
        watcher._cell.tell_control(_Notice(watcher, token, notice))

    def deliver(self, token: int, notice: Down | WatchedRestarted) -> None:
        """Hand a notice to the actor, in its turn, if the watch is still wanted."""
        is_last = isinstance(notice, Down)
        with bonds:
            watch = self._watched.pop(token, None) if is_last else self._watched.get(token)
        if watch is None:
            return
        self._pact = notice if isinstance(notice, Down) and watch.death_pact else None
        self.telling = token
        self._cell.handle_user(notice)

    def on_ignored(self, message: object) -> None:
        """Note that a message has reached the base class, so that nobody has handled it.

        Raises:
            DeathPact: it is the `Down` of an actor without which this one does not want to live (W6).
        """
        if message is self._pact and self._pact is not None:
            down = self._pact
            error = DeathPact(
                f"{self._cell} cannot go on without {down.ref}, which has ended ({down.reason}): handle its Down in "
                "on_receive, or leave it to who restarts both"
            )
            error.__cause__ = down.reason.cause
            raise error


class _Notice(Internal):
    """What a watcher is told, on its way; dropped when the watch was ended meanwhile."""

    __slots__ = ("_notice", "_token", "_watcher")

    interleaves = False

    def __init__(self, watcher: Watching, token: int, notice: Down | WatchedRestarted) -> None:
        self._watcher = watcher
        self._token = token
        self._notice = notice

    def deliver(self) -> None:
        """Hand it to the actor, in its turn."""
        self._watcher.deliver(self._token, self._notice)
