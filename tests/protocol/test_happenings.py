"""The happenings are values of a closed set."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from relay_actors.errors import ConnectionLostError
from relay_actors.protocol import happenings
from relay_actors.protocol.happenings import ConnectionDown, Happening, RequestFailed


def test_the_closed_set_holds_every_happening():
    """A driver ends its match in assert_never; a happening outside the set would slip through."""
    named = {getattr(happenings, name) for name in happenings.__all__} - {Happening}
    assert set(typing.get_args(Happening)) == named


@pytest.mark.parametrize("kind", typing.get_args(Happening))
def test_a_happening_cannot_be_changed(kind):
    """They are handed from actor to actor."""
    assert dataclasses.is_dataclass(kind)
    assert kind.__dataclass_params__.frozen
    assert not hasattr(kind, "__dict__") or "__slots__" in vars(kind)


def test_happenings_compare_by_value():
    error = ConnectionLostError()
    assert RequestFailed("1", error) == RequestFailed("1", error)
    assert ConnectionDown("why", 1.0) == ConnectionDown("why", 1.0, was_logged_in=False)
