"""Values that are filled first and frozen then are like all others."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import dataclass

import pytest

from relay_actors.protocol.frozen import NOTHING, unfrozen


@dataclass(frozen=True, slots=True)
class Base:
    name: str


@dataclass(frozen=True, slots=True)
class Thing(Base):
    size: int = 3

    def double(self) -> int:
        return 2 * self.size


@dataclass(frozen=True)
class Roomy:
    """One without slots."""

    name: str


def made(name: str, size: int) -> Thing:
    thing = unfrozen(Thing)()
    thing.name = name
    thing.size = size
    thing.__class__ = Thing
    assert isinstance(thing, Thing)
    return thing


def test_a_value_that_was_filled_is_equal_to_one_that_was_made() -> None:
    """Nobody who gets one can tell how it came about."""
    thing = made("a", 5)
    assert type(thing) is Thing
    assert (thing, hash(thing), repr(thing)) == (Thing("a", 5), hash(Thing("a", 5)), repr(Thing("a", 5)))
    assert thing.double() == 10
    assert dataclasses.replace(thing, size=6) == Thing("a", 6)
    assert copy.copy(thing) == pickle.loads(pickle.dumps(thing)) == thing


def test_a_value_is_frozen_in_the_end() -> None:
    """Several actors may hold it."""
    thing = made("a", 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        thing.size = 7  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del thing.size
    assert not hasattr(thing, "__dict__")


def test_a_class_without_slots_is_made_alike() -> None:
    """Applications may declare such events."""
    thing = unfrozen(Roomy)()
    thing.name = "a"
    thing.__class__ = Roomy
    assert thing == Roomy("a")


def test_a_table_that_all_have_stays_empty() -> None:
    """Else what belongs to one call would be seen by all (X19). It is read like any other, and left alone by itself."""
    nothing: dict[str, int] = NOTHING
    assert (nothing, dict(nothing), {**nothing, "a": 1}, nothing.get("a"), nothing.pop("a", 2)) == (
        {},
        {},
        {"a": 1},
        None,
        2,
    )
    assert copy.deepcopy(nothing) == pickle.loads(pickle.dumps(nothing)) == {}
    with pytest.raises(TypeError, match="replace it"):
        nothing["a"] = 1
    with pytest.raises(TypeError, match="replace it"):
        nothing.setdefault("a", 1)
    with pytest.raises(TypeError, match="replace it"):
        nothing.update(a=1)
    with pytest.raises(TypeError, match="replace it"):
        nothing |= {"a": 1}
    assert nothing == {}
