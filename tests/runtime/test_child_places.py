"""What is said about children from outside: who there is, in which state, and in which order."""

from typing import Any

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_places import describe, in_place, state_of
from relay_actors.runtime.child_record import Child, ChildRecord, Place
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.strategies import Phase


class Cell:
    """As much of a cell as is looked at."""

    def __init__(self, name: str) -> None:
        self.ref = f"ref of {name}"
        self.actor_class = Actor


def family(names: str, living: str, others: int = 0) -> tuple[dict[Any, Place], dict[Any, ChildRecord]]:
    """Places of those named; records of the living, in that order, and of ``others`` without an id."""
    places = {name: Place(Child(id=name, actor_class=Actor)) for name in names}
    records: dict[Any, ChildRecord] = {}
    for number in range(others):
        cell: Any = Cell(str(number))
        records[cell] = ChildRecord(cell, ChildSpec(), Phase.RUNNING, None, None)
    for name in living:
        places[name].cell = cell = Cell(name)
        records[cell] = ChildRecord(cell, places[name].child.spec, Phase.RUNNING, places[name], None)
    return places, records


def test_the_order_is_that_of_the_ids_and_then_that_of_coming():
    """H1, S4: who comes back by hand came last, and has its place all the same."""
    places, records = family("abc", "cab", others=2)
    ordered = in_place(places, records)

    assert [record.id for record in ordered.values()] == ["a", "b", "c", None, None]
    assert [cell.ref for cell in ordered][3:] == ["ref of 0", "ref of 1"]


def test_each_child_has_a_line_also_one_that_is_stopped():
    """S17."""
    places, records = family("abc", "ca", others=1)
    lines = describe(places, records)

    assert [(line.id, line.ref, line.state.value) for line in lines] == [
        ("a", "ref of a", "running"),
        ("b", None, "stopped"),
        ("c", "ref of c", "running"),
        (None, "ref of 0", "running"),
    ]


def test_one_of_four_states():
    """S17: running, restarting, stopped, not found."""
    places, records = family("abc", "ab")
    records[places["b"].cell].phase = Phase.RESTARTING  # type: ignore[index]
    assert [state_of(places.get(name), records) for name in "abcd"] == ["running", "restarting", "stopped", "not_found"]
