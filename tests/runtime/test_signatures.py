"""What the methods that users write take."""

import functools
from typing import Any

import pytest

from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.signatures import has_parameter, takes_reason
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
