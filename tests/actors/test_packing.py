"""Values of the application's in the journal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, Flag, IntEnum, auto
from types import ModuleType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.packing import NotKept, name_of, pack, pack_data, pack_error, unpack, unpack_data, unpack_error
from relay_actors.errors import CallEnded, CommandRejectedError, NotSentError
from relay_actors.events import PlayEvent, RelayEvent, parse_event
from relay_actors.journal.codec import decode, encode
from relay_actors.journal.entries import Noted
from relay_actors.journal.memory import MemoryStore
from tests.journal.strategies import texts


@dataclass(frozen=True)
class Item:
    name: str
    count: int = 1
    price: float = field(default=0.0, init=False)


@dataclass
class Order:
    items: list[Item]
    notes: dict[str, Any]


@dataclass
class Strict:
    """Takes only what is good."""

    number: int

    def __post_init__(self) -> None:
        if self.number < 0:
            raise LookupError("no such number")


class Colour(Enum):
    RED = "red"


class Sides(Flag):
    LEFT = auto()
    RIGHT = auto()


class Level(IntEnum):
    HIGH = 3


class NewError(Exception):
    """An error that is made by code of its own."""

    def __new__(cls, *, code: int) -> NewError:
        return super().__new__(cls, f"made with {code}")

    def __init__(self, *, code: int) -> None:
        super().__init__(f"it has the code {code}")
        self.code = code


class MuteError(Exception):
    """An error that fails when it is asked what it says."""

    def __str__(self) -> str:
        raise LookupError("nobody knows")


class WrongError(Exception):
    def __init__(self, what: str, *, code: int) -> None:
        super().__init__(f"{what} is wrong")
        self.what = what
        self.code = code


_keys = texts.filter(lambda text: text != "$relay_actors")
_simple = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts | st.binary(max_size=8)
_items = st.builds(Item, name=texts, count=st.integers())
_values = st.recursive(
    _simple | _items,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(_keys, inner, max_size=3)
        | st.builds(Order, items=st.lists(_items, max_size=2), notes=st.dictionaries(_keys, inner, max_size=2))
    ),
    max_leaves=8,
)


@given(_values)
def test_what_was_packed_is_unpacked_to_the_same(value: object) -> None:
    assert unpack(pack(value)) == value


@given(_values)
def test_it_is_the_same_after_the_journal_has_kept_it(value: object) -> None:
    entry = decode(encode(Noted(subject="s", at=1.0, what="told", values={"value": pack(value)})))
    assert isinstance(entry, Noted)
    assert unpack(entry.values["value"]) == value


def test_an_event_comes_back_as_an_event_of_its_class() -> None:
    event = parse_event(
        {
            "event_type": "calling.call.play",
            "timestamp": 12.5,
            "params": {"call_id": "c", "node_id": "n", "control_id": "x", "state": "finished"},
        }
    )
    [back] = unpack(pack([event]))
    assert isinstance(back, PlayEvent)
    assert back == event


def test_an_event_of_ones_own_comes_back_with_what_is_in_it() -> None:
    """Nobody says that only the server may make one."""
    [back] = unpack(pack([RelayEvent("mine", {"colour": Colour.RED, "items": (Item("a"),)})]))
    assert back.params == {"colour": Colour.RED, "items": (Item("a"),)}


def test_tuples_stay_tuples_and_enums_of_numbers_become_their_values() -> None:
    """What looks for a tuple among what others tell it finds it again."""
    assert unpack(pack([(1, (2, Level.HIGH)), ()])) == [(1, (2, 3)), ()]
    assert type(unpack(pack(Level.HIGH))) is int


@pytest.mark.parametrize("member", [Colour.RED, Sides.LEFT, Sides.LEFT | Sides.RIGHT, Sides(0)])
def test_a_member_of_an_enum_comes_back_as_itself(member: Enum) -> None:
    """Where a call was is often kept as one, and compared with `is`."""
    assert unpack(pack({"step": member})) == {"step": member}
    assert unpack(pack(member)) is member


@pytest.mark.parametrize(
    ("packed", "what"),
    [
        ({"member": "MAUVE"}, "MAUVE"),
        ({"flags": 1}, "1"),
    ],
)
def test_a_member_that_is_not_there_any_more_is_an_error_that_says_which(packed: dict[str, object], what: str) -> None:
    with pytest.raises(NotKept, match=f"the member {what} of {__name__}:Colour"):
        unpack({"$relay_actors": f"{__name__}:Colour", **packed})


def test_a_member_of_an_enum_that_nobody_finds_again_is_not_kept() -> None:
    local = Enum("Local", "A B")  # of no module's own
    with pytest.raises(NotKept, match="not found by its name"):
        pack(local["A"])


def _endless() -> list[Any]:
    endless: list[Any] = []
    endless.append(endless)
    return endless


def _of_this_function() -> object:
    @dataclass
    class Local:
        number: int

    return Local(1)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        {1, 2},
        {1: "a"},
        {"$relay_actors": "tests.actors.test_packing:Item"},
        [Item("a"), lambda: None],
        Order([], {"a": object()}),
        Item,
        ValueError("x"),
        complex(1, 2),
        PlayEvent("calling.call.play", {"at": {1, 2}}),
        RelayEvent("mine", {"x": {(1, 2): 3}}),
        _endless(),
        _of_this_function(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_kept_is_refused(value: object) -> None:
    with pytest.raises(NotKept):
        pack(value)


def test_what_is_nested_is_kept_down_to_a_depth_that_nobody_needs() -> None:
    """Far from Python's own limit, and from that of whoever writes it down."""
    nested: list[Any] = []
    for _ in range(98):
        nested = [nested]
    assert unpack(pack(nested)) == nested
    with pytest.raises(NotKept, match="100 others inside one another"):
        pack([[nested]])


@pytest.mark.parametrize(
    "around",
    [
        lambda inner: [inner],
        lambda inner: (inner,),
        lambda inner: {"key": inner},
        lambda inner: Order([], {"key": inner}),
        lambda inner: RelayEvent("mine", {"key": inner}),
    ],
    ids=["list", "tuple", "dictionary", "dataclass", "event"],
)
def test_whatever_can_be_packed_is_kept_by_the_journal_down_to_its_bottom(around: Callable[[object], object]) -> None:
    """What the journal cuts off, nobody is warned of, and after a kill the whole value is lost (SEMANTICS J4)."""
    deepest: object = None
    nested: object = Sides.LEFT
    with contextlib.suppress(NotKept):
        while True:
            pack(nested)
            deepest, nested = nested, around(nested)
    store = MemoryStore()

    store.append([Noted(subject="s", at=1.0, what="data", values={"aside": [[{"event": pack(deepest)}, True]]})])

    [entry] = store.load()
    assert isinstance(entry, Noted)
    kept = cast("Any", entry.values)["aside"][0][0]["event"]
    assert pack(unpack(kept)) == pack(deepest)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_whole_number_that_can_be_packed_can_be_written(sign: int) -> None:
    """A journal that refuses a note is done for, and the application with it: rather is the number left out."""
    store = MemoryStore()
    store.append([Noted(subject="s", at=1.0, what="data", values={"n": pack(sign * (2**8192 - 1))})])
    [entry] = store.load()
    assert isinstance(entry, Noted)
    assert entry.values["n"] == sign * (2**8192 - 1)

    with pytest.raises(NotKept, match="more than 8192 bits"):
        pack(sign * 10**5000)


def test_the_text_of_a_refusal_names_the_type_and_never_the_value() -> None:
    with pytest.raises(NotKept, match="a set cannot be kept") as refused:
        pack({"card": {"4111111111111111"}})
    assert "4111" not in str(refused.value)


@pytest.mark.parametrize(
    "packed",
    [
        {"$relay_actors": "tests.actors.test_packing:Gone", "fields": {}},
        {"$relay_actors": "tests.actors.nowhere:Item", "fields": {}},
        {"$relay_actors": "tests.actors.test_packing:Item", "fields": {"colour": "red"}},
        {"$relay_actors": "tests.actors.test_packing:Item"},
        {"$relay_actors": "tests.actors.test_packing:Colour", "fields": {"value": "red"}},
        {"$relay_actors": "os:system", "fields": {"command": "true"}},
        {"$relay_actors": "subprocess:Popen", "fields": {"args": "true"}},
        {"$relay_actors": "tests.actors.test_packing:Strict", "fields": {"number": -1}},
        {"$relay_actors": "tests.actors.test_packing:Order.__class__", "fields": {}},
        {"$relay_actors": "event"},
        {"$relay_actors": 7},
    ],
)
def test_what_its_class_does_not_take_any_more_is_refused(packed: object) -> None:
    with pytest.raises(NotKept):
        unpack([packed])


@pytest.fixture
def lazy_module() -> Iterator[ModuleType]:
    module = ModuleType("tests.lazy")

    def on_missing(name: str) -> object:
        raise AssertionError(f"code was run to find {name}")

    module.__getattr__ = on_missing  # type: ignore[method-assign]
    sys.modules["tests.lazy"] = module
    yield module
    del sys.modules["tests.lazy"]


def test_to_find_a_class_nothing_is_imported_and_no_code_is_run(lazy_module: ModuleType) -> None:
    before = set(sys.modules)
    for name in ("tests.lazy:Thing", "wave:Wave_read", "antigravity:x"):
        with pytest.raises(NotKept):
            unpack({"$relay_actors": name, "fields": {}})
        assert type(unpack_error({"type": name, "arguments": [], "text": "x"})) is RuntimeError
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no"),
        KeyError("k"),
        TimeoutError(),
        OSError(2, "No such file"),
        OSError(2, "No such file", "calls.csv"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        SystemExit(3),
        ImportError("no such module", name="billing"),
        NewError(code=8),
        ZeroDivisionError("x", 1),
        NotSentError("the call is over"),
        CallEnded("c1", "busy"),
        CommandRejectedError("calling.play", 404, "gone"),
        WrongError("it", code=7),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_as_one_of_its_class(error: BaseException) -> None:
    entry = decode(encode(Noted(subject="s", at=1.0, what="result", values={"error": pack_error(error)})))
    assert isinstance(entry, Noted)
    packed = entry.values["error"]
    assert isinstance(packed, dict)
    back = unpack_error(packed)
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
    assert back.args == error.args
    for name in ("errno", "filename", "code", "reason", "name"):
        assert getattr(back, name, None) == getattr(error, name, None)


def test_a_group_of_errors_comes_back_with_all_that_are_in_it() -> None:
    """So `except*` finds them, as it did then: what `aio` has run may have raised such a group."""
    group = ExceptionGroup("several", [ValueError("a"), ExceptionGroup("more", [NewError(code=9), KeyError("k")])])
    entry = decode(encode(Noted(subject="s", at=1.0, what="result", values={"error": pack_error(group)})))
    assert isinstance(entry, Noted)
    back = unpack_error(entry.values["error"])  # type: ignore[arg-type]  # as it was packed
    assert repr(back) == repr(group)
    assert isinstance(back, ExceptionGroup)
    found = back.subgroup(NewError)
    assert found is not None
    assert found.exceptions[0].exceptions[0].code == 9  # type: ignore[union-attr]  # a group of groups


def test_an_error_that_has_no_text_can_be_kept() -> None:
    assert type(unpack_error(pack_error(MuteError("a")))) is MuteError


def test_an_error_whose_class_cannot_be_made_again_is_told_by_its_name() -> None:
    class LocalError(Exception):
        pass

    for error in (LocalError("gone wrong"), WrongError("it", code=1)):
        packed = pack_error(error)
        if isinstance(error, WrongError):
            packed["type"] = "tests.actors.test_packing:Renamed"
        back = unpack_error(packed)
        assert type(back) is RuntimeError
        assert str(back) == f"{packed['type']}: {error}"


@pytest.mark.parametrize("packed", [{}, {"type": 5}, {"type": "builtins:int"}, {"type": "builtins:open"}])
def test_what_is_no_error_becomes_one(packed: dict[str, Any]) -> None:
    assert type(unpack_error(packed)) is RuntimeError


def test_arguments_that_cannot_be_kept_are_kept_as_text() -> None:
    back = unpack_error(pack_error(ValueError(object, 1)))
    assert type(back) is ValueError
    assert "<class 'object'>" in str(back)


def test_a_class_is_named_by_its_module_and_its_place_there() -> None:
    assert name_of(Item) == "tests.actors.test_packing:Item"


def test_of_data_only_what_cannot_be_unpacked_is_lost() -> None:
    packed = {"item": pack(Item("a")), "gone": {"$relay_actors": "app:Gone", "fields": {}}, "n": 1}
    data, problems = unpack_data(packed)
    assert data == {"item": Item("a"), "n": 1}
    assert len(problems) == 1
    assert "self.data['gone'] is lost" in problems[0]


def test_data_are_packed_as_far_as_they_can_be_and_it_is_said_why_others_cannot() -> None:
    packed, problems = pack_data({"a": (1,), "b": object(), 3: "c"})
    assert unpack_data(packed) == ({"a": (1,)}, [])
    assert list(problems) == ["b", 3]
    assert "a object cannot be kept" in problems["b"]
    assert "no text" in problems[3]
