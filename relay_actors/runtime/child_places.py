"""What is said about children from outside: who there is, and in which state. Layer: pillar. Source: SEMANTICS S17."""

from __future__ import annotations

from collections.abc import Hashable, Mapping

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.child_record import ChildInfo, ChildRecord, ChildState, Place

__all__ = ["describe", "in_place", "state_of"]


def state_of(place: Place | None, records: Mapping[AnyCell, ChildRecord]) -> ChildState:
    """Return what is to be said about a child with an id."""
    if place is None:
        return ChildState.NOT_FOUND
    record = None if place.cell is None else records.get(place.cell)
    return ChildState.STOPPED if record is None else record.state


def in_place(places: Mapping[Hashable, Place], records: dict[AnyCell, ChildRecord]) -> dict[AnyCell, ChildRecord]:
    """Return the records with those that have an id in the order of their ids: one that comes again came last."""
    rank = {place.cell: number for number, place in enumerate(places.values())}
    last = len(rank)
    return dict(sorted(records.items(), key=lambda item: rank.get(item[0], last)))


def describe(places: Mapping[Hashable, Place], records: Mapping[AnyCell, ChildRecord]) -> list[ChildInfo]:
    """Return a line for each: those with an id in their order, then the others in theirs. Any thread."""
    living = list(records.values())
    by_id = {record.id: record for record in living if record.place is not None}
    lines = []
    for child_id, place in list(places.items()):
        record = by_id.get(child_id)
        if record is not None:
            lines.append(_line(record))
        else:
            child = place.child
            lines.append(
                ChildInfo(
                    id=child_id, ref=None, state=ChildState.STOPPED, actor_class=child.actor_class, spec=child.spec
                )
            )
    return lines + [_line(record) for record in living if record.place is None]


def _line(record: ChildRecord) -> ChildInfo:
    cell = record.cell
    return ChildInfo(id=record.id, ref=cell.ref, state=record.state, actor_class=cell.actor_class, spec=record.spec)
