"""What a failing test tells of its run."""

from __future__ import annotations

import pytest

from relay_actors.testing import reports
from relay_actors.testing.reports import Passes, timeline_of
from relay_actors.testing.timeline import TimelineEntry


def story(*whats: str) -> list[TimelineEntry]:
    return [TimelineEntry(1.0, "person", "+1", what) for what in whats]


TURN = TimelineEntry(1.0, "actor", "Menu#7", "handles Tick")


def test_it_is_compared_with_the_passing_run_that_is_like_it_for_longest():
    """That is nearest to what has decided."""
    passes = Passes()
    passes.add("test", 1, story("a", "x"))
    passes.add("test", 2, [TURN, *story("a", "b", "y")])
    passes.add("test", 3, story("z"))

    assert passes.first_divergence("test", story("a", "b", "c", "d")) == (
        2,
        "first divergence: with seed 2, which passed, here came: 1.000 person +1 y",
    )


def test_what_has_not_passed_is_compared_with_nothing():
    """As is another test."""
    passes = Passes()
    passes.add("other", 1, story("a"))
    assert passes.first_divergence("test", story("a")) is None


@pytest.mark.parametrize(
    ("failing", "told"),
    [
        (story("a", "b"), (2, "no divergence: with seed 1, which passed, people and frames were the same")),
        (story("a", "b", "c"), (2, "first divergence: with seed 1, which passed, here came: nothing more")),
        (story("a"), (1, "first divergence: with seed 1, which passed, here came: 1.000 person +1 b")),
    ],
)
def test_one_that_ends_earlier_or_later_or_is_the_same_is_told_so(failing: list[TimelineEntry], told: tuple[int, str]):
    """An assertion may look at what no timeline tells."""
    passes = Passes()
    passes.add("test", 1, story("a", "b"))
    assert passes.first_divergence("test", failing) == told


def test_only_the_latest_are_remembered(monkeypatch: pytest.MonkeyPatch):
    """A session may have any number of tests and seeds."""
    monkeypatch.setattr(reports, "KEPT_TESTS", 2)
    passes = Passes()
    for test in ("one", "two", "one", "three"):
        passes.add(test, 1, story("a"))
    assert [passes.first_divergence(test, story("a")) is None for test in ("one", "two", "three")] == [
        False,
        True,
        False,
    ]


def test_marks_stand_where_they_belong():
    """Both may be at one place."""
    assert timeline_of(story("a", "b"), last=0, divergence=(1, "here"), waits_from=1).splitlines() == [
        str(story("a")[0]),
        ">>>>>>>>>>  here",
        ">>>>>>>>>>  from here on the test waited in vain",
        str(story("b")[0]),
    ]
