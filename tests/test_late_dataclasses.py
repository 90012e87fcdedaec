"""A late dataclass is what the standard library would have made, only later."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import threading
from dataclasses import field
from typing import Any, ClassVar, Generic, TypeVar

import pytest

from relay_actors import late_dataclasses
from relay_actors.late_dataclasses import dataclass, unfrozen

T = TypeVar("T")


def is_made(cls: type) -> bool:
    return not isinstance(vars(cls)["__init__"], late_dataclasses._Late)


@dataclass(frozen=True, slots=True)
class Point:
    """A frozen one."""

    KIND: ClassVar[str] = "point"

    x: int
    y: int = 0
    marks: list[str] = field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Place(Point):
    """One that derives from it."""

    name: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name.title())


@pytest.mark.skipif(sys.version_info < (3, 13), reason="copy.replace came with Python 3.13")
def test_it_can_be_copied_with_other_values():
    """Before anything else was done with its class."""
    moved = copy.replace(Place(1, 2, name="here"), x=5)  # type: ignore[attr-defined,unused-ignore]
    assert moved == Place(5, 2, name="here")
    assert type(moved) is Place


def same(late: Any, plain: type, options: dict[str, bool]) -> None:
    """Check that a class has everything that ``dataclasses.dataclass(slots=True)`` makes of what it was made of."""
    made: Any = dataclasses.dataclass(slots=True, **options)(plain)
    assert dataclasses.is_dataclass(late)
    assert late.__slots__ == made.__slots__
    # Early Pythons 3.11 leave a class with slots the look of one that can be referred to weakly; it cannot be.
    there = {name: value for name, value in vars(made).items() if name != "__weakref__"}
    for name, value in there.items():
        assert name in vars(late), name
        assert getattr(vars(late)[name], "__qualname__", None) == getattr(value, "__qualname__", None) or name in {
            "__setattr__", "__delattr__", "__getstate__", "__setstate__"
        }, name  # fmt: skip
    assert set(vars(late)) == set(there), late
    assert inspect.signature(late) == inspect.signature(made)
    assert repr(late.__dataclass_params__) == repr(made.__dataclass_params__)
    assert late.__match_args__ == made.__match_args__
    assert (late.__hash__ is None) == (made.__hash__ is None)
    for ours, theirs in zip(dataclasses.fields(late), dataclasses.fields(made), strict=True):
        for said in ("name", "type", "default", "default_factory", "init", "repr", "hash", "compare", "metadata"):
            assert getattr(ours, said) == getattr(theirs, said), (ours.name, said)
        assert ours.kw_only == theirs.kw_only


class Shape:
    """The body of the classes that are made below."""

    __annotations__ = {"a": "int", "b": "str", "KIND": "ClassVar[int]"}
    b = "b"
    KIND = 5


class WithOwnEq(Shape):
    __annotations__ = {"c": "int"}
    c = 0

    def __eq__(self, other: object) -> bool:
        return self is other


class WithOwnHash(Shape):
    __annotations__ = {"c": "int"}
    c = 0

    def __hash__(self) -> int:
        return 7


class Unhashable(Shape):
    __annotations__ = {"c": "int"}
    c = 0
    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize("body", [Shape, WithOwnEq, WithOwnHash, Unhashable], ids=lambda cls: cls.__name__)
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"frozen": True},
        {"eq": False},
        {"frozen": True, "eq": False},
        {"kw_only": True},
        {"order": True},
        {"repr": False, "frozen": True},
    ],
    ids=lambda options: "-".join(options) or "plain",
)
def test_it_is_what_the_standard_library_makes(body: type, options: dict[str, bool]) -> None:
    """Whatever is asked for, and whatever the class says itself."""
    like = {name: value for name, value in vars(body).items() if name not in ("__dict__", "__weakref__")}
    bases = body.__bases__

    same(dataclass(slots=True, **options)(type("X", bases, dict(like))), type("X", bases, dict(like)), options)


EVERY = """
import dataclasses, importlib, pkgutil
from relay_actors import late_dataclasses
from tests.test_late_dataclasses import same

pairs = []
real = late_dataclasses._late

def both(plain, **options):
    body = {name: value for name, value in vars(plain).items() if name not in ("__dict__", "__weakref__")}
    cls = real(plain, **options)
    body["__qualname__"] = plain.__qualname__
    pairs.append((cls, type(plain)(plain.__name__, plain.__bases__, body), options))
    return cls

late_dataclasses._late = both
import relay_actors
for module in pkgutil.walk_packages(relay_actors.__path__, "relay_actors."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
for cls, plain, options in pairs:
    same(cls, plain, options)
print(len(pairs))
"""


def test_every_one_of_the_package_is_what_the_standard_library_makes() -> None:
    """So that none of them asks for what is not known here."""
    told = subprocess.run([sys.executable, "-c", EVERY], capture_output=True, text=True, check=False)

    assert told.returncode == 0, told.stderr
    assert int(told.stdout) > 200


def test_nothing_is_made_before_anybody_looks() -> None:
    """Which is all that it is for."""

    @dataclass(slots=True)
    class Unused:
        a: int = 0

    assert not is_made(Unused)
    assert Unused(5).a == 5
    assert is_made(Unused)


@pytest.mark.parametrize(
    "look",
    [
        lambda cls: cls(a=1),
        lambda cls: cls.__init__,
        dataclasses.fields,
        dataclasses.is_dataclass,
        inspect.signature,
        lambda cls: cls.__match_args__,
        lambda cls: cls.__hash__,
        lambda cls: cls.__eq__,
        lambda cls: cls.__repr__,
    ],
)
def test_every_look_makes_it(look: Any) -> None:
    """A class never shows that it is unfinished."""

    @dataclass(frozen=True, slots=True)
    class Seen:
        a: int = 0

    look(Seen)

    assert is_made(Seen)
    assert not any(isinstance(value, late_dataclasses._Late) for value in vars(Seen).values())


def test_values_of_it_are_values() -> None:
    """Equal, hashable, shown, taken apart, replaced, copied and pickled."""
    place = Place(1, name="office")

    assert place == Place(1, 0, [], "OFFICE") != Point(1)
    assert hash(place) == hash(Place(1, name="office"))
    assert repr(place) == "Place(x=1, y=0, marks=[], name='Office')"
    assert dataclasses.replace(place, y=2) == Place(1, 2, name="office")
    assert copy.deepcopy(place) == pickle.loads(pickle.dumps(place)) == copy.copy(place) == place
    match place:
        case Place(x, y, name=name):
            assert (x, y, name) == (1, 0, "Office")
    assert Place.KIND == "point"
    assert not hasattr(place, "__dict__")


def test_a_frozen_one_is_frozen() -> None:
    """Before and after it is made; what derives from it without saying more may have attributes of its own."""

    class Loose(Point):
        pass

    loose = Loose(1)
    loose.more = 5  # type: ignore[attr-defined]
    del loose.more  # type: ignore[attr-defined]
    for thing, name in ((Point(1), "x"), (Point(1), "other"), (Place(1), "x"), (loose, "x")):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(thing, name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(thing, name)


def test_a_class_that_is_not_late_may_derive_from_one() -> None:
    """An application's own events are dataclasses of the standard library, or plain classes."""

    @dataclass(frozen=True, slots=True)
    class Base:
        a: int = 1

    @dataclasses.dataclass(frozen=True)
    class Theirs(Base):
        b: int = 2

    class Plain(Base):
        def __init__(self, a: int) -> None:
            super().__init__(a + 1)

        def __repr__(self) -> str:
            return "plain " + super().__repr__()

    assert Theirs(b=3) == Theirs(1, 3)
    assert repr(Plain(1)).startswith("plain ")
    assert Plain(1).a == 2
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        dataclasses.dataclass(type("Wrong", (Base,), {}))


def test_a_generic_one_keeps_its_parameters() -> None:
    """``Box[int](5)`` goes by the class's own attributes."""

    @dataclass(slots=True)
    class Box(Generic[T]):
        value: T

    assert Box[int](5) == Box(5)
    assert Box.__orig_bases__ == (Generic[T],)  # type: ignore[attr-defined]


def test_threads_that_come_at_once_all_get_a_whole_class() -> None:
    """The first message of a kind may reach several actors in the same moment."""
    for _round in range(50):

        @dataclass(frozen=True, slots=True)
        class Raced:
            a: int = 0
            b: list[int] = field(default_factory=list)

        begin = threading.Barrier(4)
        made: list[object] = []

        def make(cls: Any = Raced, begin: threading.Barrier = begin, made: list[object] = made) -> None:
            begin.wait()
            made.append((cls(1), cls(1) == cls(1), repr(cls(1))))

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert made == [made[0]] * 4
        assert is_made(Raced)


def test_it_is_for_classes_with_slots() -> None:
    """Without them the class could be left as it is, and that is the standard library's own."""
    with pytest.raises(TypeError, match="slots=True"):
        dataclass(slots=False)


class Derived(Place):
    """Of another layout: it has a table for whatever is added."""


class Loud(Place):
    """Has something to say when it is filled."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "marks", [*self.marks, "filled"])


@pytest.mark.parametrize(
    ("cls", "given", "expected"),
    [
        (Point, {"x": 1}, (1, 0, [])),
        (Point, {"x": 1, "y": 2, "marks": ["a"]}, (1, 2, ["a"])),
        (Place, {"x": 1}, (1, 0, [])),
        (Derived, {"x": 1, "name": "office"}, (1, 0, [])),
        (Loud, {"x": 1, "marks": ["a"]}, (1, 0, ["a", "filled"])),
    ],
)
def test_a_frozen_one_is_filled_and_of_its_class(cls: Any, given: dict[str, Any], expected: Any) -> None:
    """By name or in order, with defaults of its own, and whoever derives from it."""
    point = cls(**given)

    assert type(point) is cls
    assert (point.x, point.y, point.marks) == expected
    assert type(cls(*given.values())) is cls
    assert point.marks is not cls(**given).marks or "marks" in given
    assert (getattr(point, "name", None) == "Office") == (cls is Derived)
    assert not hasattr(point, "__dict__") or cls in (Derived, Loud)


@pytest.mark.parametrize("given", [{}, {"x": 1, "z": 2}, {"x": 1, "y": 2, "marks": [], "name": "a", "more": 1}])
def test_what_a_frozen_one_is_not_given_rightly_is_told_as_ever(given: dict[str, Any]) -> None:
    """Python's own words: whose ``__init__``, and what of it."""
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) (missing 1 required|got an unexpected)"):
        Point(**given)


def test_a_default_that_cannot_be_made_leaves_nothing_behind() -> None:
    """The error is the factory's own, and the next one is made as ever."""
    ready: list[list[str]] = []

    @dataclass(frozen=True, slots=True)
    class Marked:
        marks: list[str] = field(default_factory=ready.pop)

    with pytest.raises(IndexError, match="pop from empty list"):
        Marked()
    ready.append(["a"])
    assert Marked() == Marked(["a"])


def test_a_field_that_is_not_given_is_left_to_the_standard_library() -> None:
    """It may be filled by what runs after."""

    @dataclass(frozen=True, slots=True)
    class Summed:
        a: int
        double: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "double", 2 * self.a)

    assert Summed(4) == Summed(4)
    assert repr(Summed(4)).endswith("Summed(a=4, double=8)")


# -- filled by hand ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Named:
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Thing(Named):
    size: int = 3

    def double(self) -> int:
        return 2 * self.size


@dataclasses.dataclass(frozen=True)
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
