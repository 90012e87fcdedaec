"""Ratios and verdicts: a benchmark that says the wrong thing of what it has measured is worse than none."""

from __future__ import annotations

import pytest

from tests.benchmarks.rows import TIMES, Figure, Row, Target, figure, number


def row(ours: float | None, theirs: float | None, target: Target | None, failure: str = "") -> Row:
    return Row(
        name="a thing", unit="ms", against="another", target=target, failure=failure,
        ours=None if ours is None else Figure(ours, ours, ours),
        theirs=None if theirs is None else Figure(theirs, theirs, theirs),
    )  # fmt: skip


def test_a_figure_is_the_median_with_what_is_around_it():
    """A mean would let one disturbed round speak for all."""
    assert figure([3.0, 1.0, 90.0]) == Figure(3.0, 1.0, 90.0, rounds=3)


@pytest.mark.parametrize(
    ("ours", "theirs", "target", "is_met"),
    [
        (7.0, 1.0, Target(at_least=7), True),
        (6.9, 1.0, Target(at_least=7), False),
        (0.45, 1.0, Target(at_most=0.45), True),
        (0.46, 1.0, Target(at_most=0.45), False),
        (19.0, None, Target(at_most=20, of="value"), True),
        (21.0, 1000.0, Target(at_most=20, of="value"), False),
        (0.0, 100.0, Target(at_most=0, of="value"), True),
        (0.5, None, Target(at_most=1, of="value", is_out_of_reach=True), False),
        (7.0, None, Target(at_least=7), None),
        (7.0, 1.0, None, None),
    ],
)
def test_a_target_is_met_on_its_own_side_only(
    ours: float, theirs: float | None, target: Target | None, is_met: bool | None
):
    """The boundary belongs to what is met; without the other side nothing can be said of a ratio."""
    assert row(ours, theirs, target).is_met is is_met


def test_what_was_not_measured_is_never_met():
    """Half a measurement is no verdict."""
    assert row(9.0, 1.0, Target(at_least=7), failure="it died").is_met is None
    assert row(None, 1.0, Target(at_least=7)).ratio is None
    assert row(1.0, 0.0, Target(at_least=7)).ratio is None


def test_a_target_is_said_with_its_unit():
    """A ratio and a number of ms are two things."""
    assert Target(at_least=7, aim=10).said("calls/s") == f"≥ 7 {TIMES}, aim 10"
    assert Target(at_most=20, of="value").said("ms") == "≤ 20 ms"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12345.6, "12,346"),
        (123.4, "123"),
        (12.34, "12.3"),
        (1.234, "1.23"),
        (0.1234, "0.12"),
        (0.01234, "0.0123"),
        (2, "2"),
    ],
)
def test_numbers_have_the_digits_that_mean_something(value: float, text: str):
    """Six digits of a noisy figure are read as if they were known."""
    assert number(value) == text
