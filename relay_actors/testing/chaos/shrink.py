"""Reduces the plan of a run that breaks an invariant to one that is easier to understand. Layer: door, pure.

Source: SEMANTICS V6; the way of taking away halves, then quarters, is Zeller's delta debugging.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from relay_actors.testing.chaos.plan import Plan

__all__ = ["shrink"]

MOST_TRIES: Final = 400
"""How often a smaller plan is tried."""

_PARTS: Final = ("mishaps", "manners", "texters", "callers", "desks")


def shrink(plan: Plan, breaks: Callable[[Plan], bool], *, most_tries: int = MOST_TRIES) -> Plan:
    """Return the smallest plan that was found to break the same.

    Args:
        plan: breaks something.
        breaks: whether a plan breaks that, too; each call is a whole run.
        most_tries: how many runs may be spent.
    """
    tries = 0
    found = True
    while found and tries < most_tries:
        found = False
        for smaller in _smaller(plan):
            tries += 1
            if breaks(smaller):
                plan, found = smaller, True
                break
            if tries == most_tries:
                break
    return plan


def _smaller(plan: Plan) -> Iterator[Plan]:
    """Give simpler plans, those first that would make it much simpler."""
    for part in _PARTS:
        for fewer in _fewer(getattr(plan, part)):
            yield _with(plan, part, fewer)
    if plan.journal:
        yield dataclasses.replace(plan, journal=False)
    if plan.lots != 0:
        yield dataclasses.replace(plan, lots=0)
    if plan.lots is None:
        yield from (dataclasses.replace(plan, lots=lots) for lots in (16, 64, 256, 1024, 4096))
    elif plan.lots > 1:
        yield from (dataclasses.replace(plan, lots=lots) for lots in (plan.lots // 2, plan.lots - plan.lots // 8 - 1))
    for part in ("callers", "desks"):
        people: tuple[Any, ...] = getattr(plan, part)
        for place, one in enumerate(people):
            for simpler in _simpler(one):
                yield _with(plan, part, (*people[:place], simpler, *people[place + 1 :]))


def _with(plan: Plan, part: str, value: Any) -> Plan:
    changes: dict[str, Any] = {part: value}
    return dataclasses.replace(plan, **changes)


def _fewer(things: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """Give the things without all, a half, a quarter, …, one of them."""
    size = len(things)
    while size:
        for start in range(0, len(things), size):
            yield (*things[:start], *things[start + size :])
        size //= 2


def _simpler(person: Any) -> Iterator[Any]:
    for fewer in _fewer(person.does):
        yield dataclasses.replace(person, does=fewer)
    for place, doing in enumerate(person.does):
        rounded = dataclasses.replace(doing, after=1.0)
        if rounded != doing and doing.after > 1.0:
            yield dataclasses.replace(person, does=(*person.does[:place], rounded, *person.does[place + 1 :]))
