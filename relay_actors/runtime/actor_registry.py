"""pykka's `ActorRegistry`, for actors that were started without a system of their own. Layer: pillar."""

from __future__ import annotations

import weakref
from typing import Any, TypeVar

import pykka
from pykka import ActorRegistry as StockRegistry

from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.system import default_system

__all__ = ["ActorRegistry"]

A = TypeVar("A", bound=pykka.Actor)

_hidden: weakref.WeakSet[Cell] = weakref.WeakSet()
"""Who was taken out by hand. Changed and read by whole calls of a `WeakSet` only."""


class ActorRegistry(StockRegistry):
    """All running actors of ``MyActor.start()``, and those of stock pykka in the same process.

    What pykka does with a list that it searches is done here with the actors that live anyway: starting and ending
    costs nothing, and ``get_by_urn`` is one look-up. An application's own actors are not in it: two systems share
    nothing (SEMANTICS L10); look at ``app.system`` for them. Any thread.

    Source: pykka's ``ActorRegistry``; SEMANTICS R3.
    """

    @classmethod
    def get_all(cls) -> list[pykka.ActorRef[Any]]:
        """Return all running actors, oldest first, ours before those of stock pykka."""
        ours = [cell.ref for cell in default_system().living if not cell.is_stopped and cell not in _hidden]
        return [*ours, *StockRegistry.get_all()]

    @classmethod
    def get_by_class(cls, actor_class: type[A]) -> list[pykka.ActorRef[A]]:
        """Return the running actors of a class and its subclasses."""
        return [ref for ref in cls.get_all() if issubclass(ref.actor_class, actor_class)]

    @classmethod
    def get_by_class_name(cls, actor_class_name: str) -> list[pykka.ActorRef[Any]]:
        """Return the running actors whose class has this name."""
        return [ref for ref in cls.get_all() if ref.actor_class.__name__ == actor_class_name]

    @classmethod
    def get_by_urn(cls, actor_urn: str) -> pykka.ActorRef[Any] | None:
        """Return the running actor with this name, or None."""
        ref = default_system().find(actor_urn)
        if ref is not None and ref.actor_urn == actor_urn:
            return None if ref._cell in _hidden else ref  # noqa: SLF001  # the runtime's own other half
        return StockRegistry.get_by_urn(actor_urn)

    @classmethod
    def register(cls, actor_ref: pykka.ActorRef[Any]) -> None:
        """Put an actor back that was taken out by `unregister`; all others are here by themselves."""
        if isinstance(actor_ref, ActorRef):
            _hidden.discard(actor_ref._cell)  # noqa: SLF001  # the runtime's own other half
        else:
            StockRegistry.register(actor_ref)

    @classmethod
    def unregister(cls, actor_ref: pykka.ActorRef[A]) -> None:
        """Leave an actor out from now on; it runs on."""
        if isinstance(actor_ref, ActorRef):
            _hidden.add(actor_ref._cell)  # noqa: SLF001  # the runtime's own other half
        else:
            StockRegistry.unregister(actor_ref)
