"""What a name that nobody knows was probably meant to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.events import EVENT_TYPES
from relay_actors.protocol.near_miss import fuller_name, near_miss
from relay_actors.protocol.schema_table import SCHEMA_TABLE

MUTED = ["muted", "beep", "max_participants", "status_callback", "status_callback_event"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("mute", "muted"),
        ("maxParticipants", "max_participants"),
        ("status_calback", "status_callback"),
        ("muted", None),
        ("colour", None),
        ("", None),
    ],
)
def test_a_word_is_like_the_one_that_is_spelled_nearly_so(name: str, meant: str | None):
    """A name that is known is never a mistake, and one that is like none may be brand-new."""
    assert near_miss(name, MUTED) == meant


@pytest.mark.parametrize(
    ("method", "meant"),
    [
        ("calling.ply", "calling.play"),
        ("calling.play.stp", "calling.play.stop"),
        ("caling.play", "calling.play"),
        ("callling.play_and_collect", "calling.play_and_collect"),
        ("play", "calling.play"),
        ("calling.play", None),
        ("calling.brand_new", None),
        ("calling.future", None),
        ("calling.y", None),
        ("calling.pla.stop", "calling.play.stop"),
        ("video.play", None),
    ],
)
def test_names_of_one_family_are_compared_by_their_ends(method: str, meant: str | None):
    """All methods begin with the same word, which makes none of them a misspelt other one."""
    assert near_miss(method, SCHEMA_TABLE) == meant


def test_events_are_told_apart_by_their_last_word():
    assert near_miss("calling.call.plya", EVENT_TYPES) == "calling.call.play"
    assert near_miss("calling.call.future", EVENT_TYPES) is None


@given(st.text(), st.lists(st.text(min_size=1)))
def test_what_was_meant_is_one_of_the_known_and_another_one(name: str, known: list[str]):
    assert near_miss(name, known) in {None, *known} - {name}
    assert fuller_name(name, known) in {None, *known} - {name}


@pytest.mark.parametrize(
    ("name", "fuller"),
    [("timeout", "initial_timeout"), ("lang", "language"), ("max", "max_attempts"), ("ur", None), ("outer", None)],
)
def test_a_name_may_be_a_word_or_the_beginning_of_a_longer_one(name: str, fuller: str | None):
    assert fuller_name(name, ["initial_timeout", "language", "max_attempts", "url"]) == fuller
