"""Who waits for whom, of all actors that block in a turn: a circle is found before it closes. Layer: pillar.

An actor that blocks in its turn handles nothing until what it waits for is settled. If that can only be settled in the
turn of an actor that itself waits, and so on back to the first, nobody of them ever goes on. A chain that travels with
the questions would find that too late: two actors may begin to ask each other at the same moment. So each notes what it
waits for, under one lock, and then looks where that leads: whichever comes second finds the circle.

Awaiting in a flow blocks no actor, and is not noted. Source: SEMANTICS A8.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from relay_actors.errors import WouldDeadlock
from relay_actors.runtime.base import Runnable

__all__ = ["Awaited", "describe", "enter", "leave"]


class Awaited(Protocol):
    """A future, as far as the graph has to know it."""

    settled_by: Runnable | None
    """The actor in whose turns it is settled, where that is known."""

    @property
    def what_is_awaited(self) -> str:
        """What people read between the two actors of an edge."""

    @property
    def instead_of_waiting(self) -> str:
        """What to do instead, for the error's text."""

    def open_parts(self) -> Sequence[Awaited]:
        """Return the futures that have yet to be settled: itself, or some of those from which it is computed."""


# Guards the table. Re-entrant, because a finaliser may run in the middle, and ask.
_lock = threading.RLock()
_waits: dict[Runnable, Awaited] = {}


def enter(turn: Runnable, future: Awaited) -> Awaited | None:
    """Note that ``turn`` is about to block until ``future`` is settled; return what to give to `leave`.

    Raises:
        WouldDeadlock: that leads back to itself; nothing is noted then.
    """
    with _lock:
        before = _waits.get(turn)
        _waits[turn] = future
        circle = _circle(turn)
        if circle is None:
            return before
        _restore(turn, before)
    raise _would_deadlock(circle, future)


def leave(turn: Runnable, before: Awaited | None) -> None:
    """Note that ``turn`` does not block any more."""
    with _lock:
        _restore(turn, before)


def describe(who: Runnable) -> str:
    """Return what ``who`` waits for, and what that waits for, and so on, for people; "" if it does not wait."""
    with _lock:
        words, seen = [f"{who}"], {who}
        while edges := [edge for edge in _edges(who) if edge[0] not in seen]:
            who, by = edges[0]
            seen.add(who)
            words.append(f"-{by}-> {who}")
    return " ".join(words) if len(words) > 1 else ""


def _restore(turn: Runnable, before: Awaited | None) -> None:
    if before is None:
        _waits.pop(turn, None)
    else:
        _waits[turn] = before


def _circle(start: Runnable) -> list[tuple[Runnable, str]] | None:
    """Follow what ``start`` waits for; return the steps back to it: who, and how it comes to the next."""
    steps: dict[Runnable, tuple[Runnable, str]] = {}  # how each was reached first: from whom, by what
    todo = [start]
    while todo:
        who = todo.pop()
        for target, by in _edges(who):
            if target is start:
                return _steps_to(start, who, by, steps)
            if target not in steps:
                steps[target] = (who, by)
                todo.append(target)
    return None


def _edges(who: Runnable) -> list[tuple[Runnable, str]]:
    edges = []
    future = _waits.get(who)
    if future is not None:
        for part in future.open_parts():
            if part.settled_by is not None:
                edges.append((part.settled_by, part.what_is_awaited))
    # Written by the thread that has the outer turn, before the inner one runs, and so before that can wait.
    inner: Runnable | None = getattr(who, "takes_in", None)
    if inner is not None:
        edges.append((inner, "runs"))
    return edges


def _steps_to(
    start: Runnable, last: Runnable, by: str, steps: dict[Runnable, tuple[Runnable, str]]
) -> list[tuple[Runnable, str]]:
    circle = [(last, by)]
    while last is not start:
        last, by = steps[last]
        circle.append((last, by))
    return circle[::-1]


def _would_deadlock(circle: list[tuple[Runnable, str]], future: Awaited) -> WouldDeadlock:
    start = circle[0][0]
    chain = [f"{who} -{by}->" for who, by in circle]
    return WouldDeadlock(
        f"{start} would wait for itself, and hear nothing meanwhile: {' '.join(chain)} {start}. "
        f"{future.instead_of_waiting}",
        chain=(*(f"{who}: {by}" for who, by in circle), f"{start}"),
    )
