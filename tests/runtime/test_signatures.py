"""What the methods that users write take."""

import functools
from typing import Any

import pytest

from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.signatures import has_parameter, takes, takes_reason
from tests.runtime.worlds import Recorder, World, crash


def plain(self: Any) -> None: ...
def with_reason(self: Any, reason: Any) -> None: ...
def with_another_name(self: Any, why: Any) -> None: ...
def with_default(self: Any, reason: Any = None) -> None: ...
def with_something_else(self: Any, flush: bool = True) -> None: ...
def with_anything(self: Any, *args: Any, **kwargs: Any) -> None: ...
def with_keyword(self: Any, *, reason: Any = None) -> None: ...


@functools.wraps(with_reason)
def wrapped(*args: Any, **kwargs: Any) -> None: ...


@pytest.mark.parametrize(
    ("function", "takes"),
    [
        (plain, False),
        (with_reason, True),
        (with_another_name, True),
        (with_default, True),
        (with_something_else, False),
        (with_anything, False),
        (with_keyword, False),
        (wrapped, True),
        (dict.update, False),
    ],
)
def test_who_wants_to_know_why(function: Any, takes: bool):
    """L7: a required argument, or one that is called so; all else is pykka's, which gives none."""
    assert takes_reason(function) is takes


def test_a_parameter_counts_only_by_its_name():
    """L2: ``**kwargs`` would take anything, and means nothing."""
    assert has_parameter(with_default, "reason")
    assert not has_parameter(with_anything, "reason")
    assert not has_parameter(with_anything, "kwargs")
    assert not has_parameter(plain, "reason")


@pytest.mark.parametrize(
    ("function", "counts"),
    [
        (plain, {1}),
        (with_reason, {2}),
        (with_default, {1, 2}),
        (with_anything, {1, 2, 3}),
        (with_keyword, {1}),
        (wrapped, {1, 2, 3}),
    ],
)
def test_what_can_be_called_with_so_many_arguments(function: Any, counts: set[int]):
    """Of what is decorated counts what is called; what it wraps may be given more by it."""
    assert {count for count in (1, 2, 3) if takes(function, count)} == counts


def test_a_method_that_could_never_be_called_is_refused_where_it_is_written():
    """Otherwise it fails with each message, or start, and nobody is told why before there is one."""
    with pytest.raises(
        TypeError, match=r"Deaf\.on_receive\(self\) cannot be called: write on_receive\(self, message\)"
    ):

        class Deaf(Recorder):
            def on_receive(self) -> None: ...  # type: ignore[override]

    with pytest.raises(TypeError, match=r"Greedy\.on_receive\(self, call, message\) cannot be called"):

        class Greedy(Recorder):
            async def on_receive(self, call, message): ...  # type: ignore[no-untyped-def, override]

    with pytest.raises(TypeError, match=r"Eager\.on_start\(self, app\) cannot be called: write on_start\(self\)"):

        class Eager(Recorder):
            def on_start(self, app): ...  # type: ignore[no-untyped-def, override]

    with pytest.raises(TypeError, match=r"write on_stop\(self\) or on_stop\(self, reason\)"):

        class Slow(Recorder):
            def on_stop(self, reason, error): ...  # type: ignore[no-untyped-def, override]


def test_a_method_may_take_more_than_it_is_given(world: World):
    """Defaults, ``*args``, and what a decorator adds."""

    def with_a_friend(function: Any) -> Any:
        @functools.wraps(function)
        def called(self: Any, message: object) -> None:
            function(self, message, "friend")

        return called

    heard: list[object] = []

    class Rich(Recorder):
        def on_start(self, *args: object, **kwargs: object) -> None: ...

        @with_a_friend
        def on_receive(self, message: object, friend: object) -> None:
            heard.append((message, friend))

    world.start(Rich).tell("hello")
    world.settle()
    assert heard == [("hello", "friend")]


@pytest.mark.parametrize("how", ["fails", "stops"])
def test_on_stop_is_told_why(world: World, how: str):
    """L7: as an argument, if it takes one; and in any case it can look at ``self.exit_reason``."""
    told: list[ExitReason] = []

    class Curious(Recorder):
        def on_stop(self, reason: ExitReason) -> None:  # type: ignore[override]
            told.extend([reason, self.exit_reason])

    ref = world.start(Curious)
    ref.tell(crash()) if how == "fails" else ref.stop(block=False)
    world.settle()

    assert told == [ref._cell.exit_reason] * 2
    assert told[0].kind == ("error" if how == "fails" else "normal")
