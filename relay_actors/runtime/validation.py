"""What can be seen to go wrong in a tree before it does: pure. Layer: pillar. Source: SEMANTICS S9."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from relay_actors.runtime.cell import Cell
from relay_actors.runtime.restart_policy import Restart

__all__ = ["MOST_RESTARTS", "restart_warnings"]

MOST_RESTARTS: Final = 100
"""How often one fault may be restarted, over all levels, before that is worth a warning."""


def restart_warnings(cells: Iterable[Cell]) -> list[str]:
    """Return a warning for each kind of nesting that allows too many restarts.

    Each level may restart the one below it ``max_restarts`` times, and that then begins to count anew: so the numbers
    multiply. A child with a window of its own ends there, and takes nobody along: above it nothing is multiplied.

    Args:
        cells: all that live; their places in the tree are read as they are.
    """
    warnings = dict.fromkeys(_warning(cell) for cell in cells)
    return [warning for warning in warnings if warning]


def _warning(cell: Cell) -> str:
    numbers: list[int] = []
    names = [cell.actor_class.__name__]
    child = cell
    while (parent := child.parent) is not None:
        children = parent.children
        spec = None if children is None else children.spec_of(child)
        if spec is None or spec.restart is Restart.TEMPORARY:
            break
        names.append(parent.actor_class.__name__)
        own = spec.max_restarts
        numbers.append(max(1, parent.actor_class.max_restarts if own is None else own))
        if own is not None:
            break
        child = parent
    total = 1
    for number in numbers:
        total *= number
    if len(numbers) < 2 or total <= MOST_RESTARTS:
        return ""
    path, product = " / ".join(reversed(names)), " x ".join(str(number) for number in reversed(numbers))
    return (
        f"{path}: a fault at the bottom can be restarted {product} = {total} times before anybody gives up; "
        f"more than {MOST_RESTARTS} is seldom meant: lower max_restarts at some level"
    )
