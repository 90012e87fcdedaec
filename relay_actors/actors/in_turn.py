"""What an actor is to do in a turn of its own, told to it from elsewhere. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay_actors.runtime.signals import Unwrapped

__all__ = ["InTurn", "tell_in_turn"]


class InTurn(Unwrapped):
    """Something to do, by whichever incarnation is there when its turn comes.

    Args:
        cell: the actor's cell.
        do: is given the incarnation. What it raises fails the actor, as a handler would.
    """

    __slots__ = ("_cell", "_do")

    def __init__(self, cell: Any, do: Callable[[Any], object]) -> None:
        self._cell = cell
        self._do = do

    def deliver(self) -> None:
        """Do it."""
        self._do(self._cell.actor)


def tell_in_turn(cell: Any, do: Callable[[Any], object]) -> bool:
    """Have ``do`` done in a turn of an actor, ahead of what users have sent; False if it has ended. Any thread."""
    taken: bool = cell.tell_control(InTurn(cell, do))
    return taken
