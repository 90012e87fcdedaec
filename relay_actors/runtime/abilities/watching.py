"""What an actor can do with others that are not its children: watch them, and be found by them. Layer: pillar."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import pykka

from relay_actors.errors import NameTaken
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.cell import Cell

__all__ = ["Watching"]


class Watching:
    """Watches others, and owns keys. In the actor's turns only."""

    _cell: Cell

    def watch(self, ref: pykka.ActorRef[Any]) -> int:
        """Have one `Down` told to this actor when ``ref`` ends for good; return a token for `unwatch`.

        Source: SEMANTICS W1.
        """
        return self._cell.watch(cell_of(ref))

    def unwatch(self, token: int) -> None:
        """End a watch: its `Down` is not handled any more (SEMANTICS W3)."""
        self._cell.unwatch(token)

    def register(self, key: Hashable) -> None:
        """Claim a key, under which `System.find` finds this actor until it ends for good.

        Raises:
            NameTaken: another living actor owns it; ``error.owner`` is its ref (SEMANTICS R1).
        """
        owner = self._cell.register(key)
        if owner is not self._cell:
            raise NameTaken(f"{key!r} is taken by {owner}", owner=owner.ref)
