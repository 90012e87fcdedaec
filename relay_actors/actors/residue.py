"""What there is of an application beside its actors: what is under way at its connection. Layer: hall.

Source: SEMANTICS X18. As in `relay_actors.runtime.residue`, two looks can be compared.
"""

from __future__ import annotations

from collections.abc import Hashable

from relay_actors.actors.tree import Tree
from relay_actors.runtime.residue import residue_of

__all__ = ["residue_of_tree"]


def residue_of_tree(tree: Tree) -> dict[Hashable, str]:
    """Return what there is, told for people, by what tells one from another. Any thread."""
    found = residue_of(tree.system)
    wire = tree.wire
    for request_id, outgoing in list(wire.pending.items()):
        found["request", request_id] = f"request {outgoing.method} ({request_id}) that waits for its answer"
    for call_id in list(wire.last_words):
        found["last word", call_id] = f"a last word on {call_id} that is to be said again"
    for key in wire.parking.keys:
        found["parked", key] = f"events that are parked for {key!r}, whose owner is not known"
    for subject in wire.holding.subjects:
        found["held", subject] = f"commands of {subject} that are held back or in doubt"
    for cell in (*wire.live.calls, *wire.live.texts):
        found["known", cell.ref] = f"the connection knows {cell.ref}"
    for number in range(tree.office.desk.open_count):
        found["asked", number] = "a request of the application's own that waits for its answer"
    return found
