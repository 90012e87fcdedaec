"""The heap of what is due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.timers import Timers


def test_what_is_due_runs_in_the_order_of_time_and_what_comes_later_waits():
    timers, ran = Timers(), []
    for due in (3.0, 1.0, 2.0):
        timers.at(due, lambda due=due: ran.append(due))

    assert timers.run_due(2.5) == 2
    assert ran == [1.0, 2.0]
    assert timers.next_due() == 3.0


def test_a_cancelled_timer_is_not_run_and_not_counted_as_due():
    timers, ran = Timers(), []
    timers.at(1.0, lambda: ran.append("no")).cancel()

    assert timers.next_due() is None
    assert timers.run_due(9.0) == 0
    assert ran == []


def test_a_timer_that_has_run_says_so():
    """Operations tell by it which of their timers are still to be cancelled."""
    timers = Timers()
    timer = timers.at(1.0, lambda: None)
    assert timer.call is not None
    timers.run_due(1.0)
    assert timer.call is None


def test_what_a_due_call_asks_for_runs_in_the_same_round_if_it_is_due_too():
    timers, ran = Timers(), []
    timers.at(1.0, lambda: timers.at(1.0, lambda: ran.append("inner")))

    assert timers.run_due(1.0) == 2
    assert ran == ["inner"]


def test_clearing_forgets_everything():
    timers = Timers()
    timer = timers.at(1.0, lambda: None)
    timers.clear()

    assert timers.next_due() is None
    assert timer.call is None


@given(st.lists(st.sampled_from([0.0, 1.0, 2.0]), max_size=20))
def test_equal_times_run_in_the_order_of_asking(dues: list[float]):
    """Determinism: the heap must not choose."""
    timers, ran = Timers(), []
    for place, due in enumerate(dues):
        timers.at(due, lambda place=place: ran.append(place))
    timers.run_due(2.0)

    assert ran == [place for place, _ in sorted(enumerate(dues), key=lambda pair: pair[1])]


def test_one_that_fails_keeps_no_other_from_being_made(caplog: pytest.LogCaptureFixture):
    """The time of a whole simulator must not stop because of one person's or one operation's mistake."""
    timers, ran = Timers(), []

    def fail(what: str) -> None:
        raise ValueError(what)

    timers.at(1.0, lambda: fail("the first"))
    timers.at(2.0, lambda: fail("the second"))
    timers.at(3.0, lambda: ran.append("made"))
    with pytest.raises(ValueError, match="the first"):
        timers.run_due(9.0)

    assert ran == ["made"]
    assert "the second" in caplog.text
    assert timers.next_due() is None
