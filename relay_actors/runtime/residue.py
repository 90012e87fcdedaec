"""What there is of a system: actors, their open questions, keys and timers, each by a name of its own. Layer: pillar.

Two looks can be compared: what the second has and the first has not, has come in between and is still there. Nothing is
stopped for it. Source: SEMANTICS H9, X18.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from relay_actors.runtime import wait_graph
from relay_actors.runtime.inspection import label_of, stats_of

__all__ = ["residue_of"]


def residue_of(system: Any) -> dict[Hashable, str]:
    """Return what there is, told for people, by what tells one from another. Any thread.

    Timers have no names: there are as many entries as timers are pending.
    """
    found: dict[Hashable, str] = {}
    keys = 0
    for cell in system.living:
        found["actor", cell.serial] = _told(cell)
        keys += len(system.registry.keys_of(cell))
        actor = cell.actor
        for number in range(actor.unanswered_questions if actor is not None else 0):
            found["question", cell.serial, number] = f"a question that {cell} has not answered"
    for number in range(len(system.registry) - keys):
        found["key", number] = "a key whose owner has ended"
    for number in range(getattr(system.dispatcher, "pending_timers", 0)):
        found["timer", number] = "a timer that is pending"
    return found


def _told(cell: Any) -> str:
    stats = stats_of(cell)
    words = [f"actor {cell}", label_of(cell), stats.state]
    if stats.waiting:
        words.append(f"with {stats.waiting} messages waiting")
    if stats.turn_s is not None:
        words.append(f"in {stats.message or 'a turn'} for {stats.turn_s:.3g} s")
    if cell.flow is not None and not cell.flow.is_over:
        words.append(f"whose flow waits at {cell.flow.place}")
    if chain := wait_graph.describe(cell):
        words.append(f"which waits: {chain}")
    return " ".join(filter(None, words))
