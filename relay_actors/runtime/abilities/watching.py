"""What an actor can do with others that are not its children: watch them, and be found by them. Layer: pillar."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

import pykka

from relay_actors.errors import ActorError, NameTaken
from relay_actors.runtime.actor_ref import cell_of

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["Watching"]


class Watching:
    """Watches others, is linked to others, owns keys, and follows who owns which. In the actor's turns only."""

    _cell: Cell

    def watch(self, ref: pykka.ActorRef[Any], *, on_restart: bool = False, death_pact: bool = False) -> int:
        """Have one `Down` told to this actor when ``ref`` ends for good; return a token for `unwatch`.

        Each call is a watch of its own, with a `Down` of its own. A watch outlives restarts, of both.

        Args:
            ref: whom to watch; one that has ended is told at once, with ``already_dead``.
            on_restart: whether `WatchedRestarted` is told as well, each time that it has been restarted.
            death_pact: whether this actor fails with `DeathPact` when it does not handle the `Down`: when that gets to
                the ``on_receive`` of the framework's own classes.

        Source: SEMANTICS W1, W2, W6.
        """
        return self._cell.watch(cell_of(ref), on_restart=on_restart, death_pact=death_pact)

    def unwatch(self, token: int) -> None:
        """End a watch: nothing of it is handled any more, even if it waits already (SEMANTICS W3)."""
        self._cell.unwatch(token)

    def link(self, ref: pykka.ActorRef[Any]) -> None:
        """Share the fate of another actor: when one of the two ends abnormally, the other fails.

        It fails as by a handler that raised `LinkedActorFailed`, and its supervisor decides what becomes of it. Only an
        end for good counts: a restart of either is none, and leaves the link. A normal end or a shutdown dissolves it.
        Of two actors there is one link, however often it is asked for; if the other has ended already, it is as if
        that happened now.

        Raises:
            ActorError: it is this actor itself, or none of this framework.

        Source: SEMANTICS W7; Erlang ``link``.
        """
        other = cell_of(ref)
        if other is self._cell:
            raise ActorError(f"{self._cell} cannot be linked to itself")
        self._cell.watching.link(other.watching)

    def unlink(self, ref: pykka.ActorRef[Any]) -> None:
        """Dissolve a link, whoever of the two made it; an end of the other has no effect from here on."""
        self._cell.watching.unlink(cell_of(ref).watching)

    def register(self, *keys: Hashable) -> None:
        """Claim keys, under each of which `System.find` finds this actor until it ends for good: all of them, or none.

        Raises:
            NameTaken: another living actor owns one of them; ``error.owner`` is its ref (SEMANTICS R1).
        """
        owner = self._cell.register(*keys)
        if owner is not self._cell:
            raise NameTaken(f"{', '.join(map(repr, keys))}: taken by {owner}", owner=owner.ref)

    def unregister(self, key: Hashable) -> None:
        """Give a key back; nothing happens if this actor does not own it."""
        self._cell.system.registry.unregister(key, self._cell)

    def watch_keys(self, prefix: Hashable = None, *, where: Callable[[Hashable], bool] | None = None) -> int:
        """Have a `KeysFound` told to this actor, and then each change; return a token for `unwatch_keys`.

        See `Registry.subscribe`. It ends with this incarnation: call it in ``on_start``, and each incarnation begins
        with a `KeysFound` of its own.
        """
        token: int = self._cell.system.registry.subscribe(self._cell.ref, prefix, where=where)
        return token

    def unwatch_keys(self, token: int) -> None:
        """End it: nothing of it is handled any more, even if it waits already."""
        self._cell.system.registry.unsubscribe(token)
