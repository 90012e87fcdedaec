"""Finding actors by key, in constant time. Layer: pillar."""

from __future__ import annotations

import threading
from collections.abc import Hashable

from relay_actors.runtime.anatomy import AnyCell

__all__ = ["Registry"]


class Registry:
    """Keys and the cells that own them, of one system.

    A key is any hashable value; by custom a pair such as ``("call", call_id)``. Keys go when their owner's last
    incarnation ends, and not on a restart (SEMANTICS R2).
    """

    def __init__(self) -> None:
        self._owners: dict[Hashable, AnyCell] = {}
        self._keys: dict[AnyCell, list[Hashable]] = {}
        # Guards both dictionaries, so that a key and its owner's list of keys change together (R3). Re-entrant,
        # because a finaliser may run in the middle.
        self._lock = threading.RLock()

    def __len__(self) -> int:
        """Return how many keys there are."""
        return len(self._owners)

    def register(self, key: Hashable, cell: AnyCell) -> AnyCell:
        """Claim ``key`` for ``cell``; return who owns it now: of two claims at once, the same winner for both (R1)."""
        with self._lock:
            winner = self._owners.setdefault(key, cell)
            if winner is cell and key not in (keys := self._keys.setdefault(cell, [])):
                keys.append(key)
            return winner

    def unregister(self, key: Hashable, cell: AnyCell) -> None:
        """Free ``key``, if ``cell`` owns it."""
        with self._lock:
            if self._owners.get(key) is cell:
                del self._owners[key]
                self._keys[cell].remove(key)

    def release(self, cell: AnyCell) -> None:
        """Free all keys of ``cell``."""
        with self._lock:
            for key in self._keys.pop(cell, ()):
                del self._owners[key]

    def find(self, key: Hashable) -> AnyCell | None:
        """Return the living owner of ``key``, or None. It may die right after (R2)."""
        cell = self._owners.get(key)  # one dictionary look-up, atomic by itself
        return None if cell is None or cell.is_stopped else cell

    def keys_of(self, cell: AnyCell) -> tuple[Hashable, ...]:
        """Return the keys that ``cell`` owns."""
        with self._lock:
            return tuple(self._keys.get(cell, ()))
