"""Matchers, factors, and an inbox that wakes who waits."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.testing.expecting import Expecting, Inbox, describe, factor_for, matches, shown

VARIABLE = "RELAY_TEST_TIME_FACTOR"


def virtual() -> DeterministicDispatcher:
    return DeterministicDispatcher(Random(1))


def on_threads() -> BatonDispatcher:
    return BatonDispatcher(SystemClock())


@pytest.mark.parametrize(
    ("matcher", "value", "is_so", "told"),
    [
        (str, "a", True, "str"),
        (str, 1, False, "str"),
        ("a", "a", True, "'a'"),
        ("a", "b", False, "'a'"),
        (None, None, True, "None"),
        (str.isdigit, "12", True, "what isdigit accepts"),
        (str.isdigit, "x", False, "what isdigit accepts"),
    ],
)
def test_a_matcher_is_a_class_a_function_or_a_value(matcher: object, value: object, is_so: bool, told: str):
    """And says what it is."""
    assert matches(matcher, value) is is_so
    assert describe(matcher) == told


def test_a_long_message_is_told_in_short():
    """An error of a thousand lines is read by nobody."""
    assert len(shown("x" * 10_000)) < 250


def test_the_factor_is_given_or_that_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    """SEMANTICS V1: one factor for all times; on a machine under load it is set once, from outside."""
    monkeypatch.delenv(VARIABLE, raising=False)
    assert factor_for(on_threads(), None) == 1.0

    monkeypatch.setenv(VARIABLE, "2.5")
    assert factor_for(on_threads(), None) == 2.5
    assert factor_for(on_threads(), 4) == 4


def test_virtual_time_has_a_factor_only_if_one_is_given(monkeypatch: pytest.MonkeyPatch):
    """No load slows it down, and a test that counts on ten seconds must not be given fifty."""
    monkeypatch.setenv(VARIABLE, "5")

    assert factor_for(virtual(), None) == 1.0
    assert factor_for(virtual(), 2.0) == 2.0


@pytest.mark.parametrize("wrong", ["soon", "0", "-1", "nan", "inf"])
def test_a_factor_that_makes_no_sense_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch):
    """By the name under which it was given."""
    monkeypatch.setenv(VARIABLE, wrong)

    with pytest.raises(ConfigError, match=VARIABLE):
        factor_for(on_threads(), None)
    with pytest.raises(ConfigError, match=r"^factor=0"):
        factor_for(on_threads(), 0)


@pytest.mark.parametrize("wrong", [-1, "5", float("nan"), float("inf"), True])
def test_a_time_that_makes_no_sense_is_refused(wrong: Any):
    """An endless wait, above all."""
    expecting = Expecting(virtual())

    with pytest.raises(ConfigError, match=r"within=.*must be a number of seconds"):
        expecting.expect(str, within=wrong)
    with pytest.raises(ConfigError, match="within="), expecting.within(wrong):
        pass


@pytest.mark.parametrize(("factor", "given_s", "taken_s"), [(None, None, 3.0), (2.0, None, 6.0), (3.0, 1.5, 4.5)])
def test_every_time_is_multiplied(factor: float | None, given_s: float | None, taken_s: float):
    """SEMANTICS V1: those that a test gives, and the one that holds by default."""
    dispatcher = virtual()
    expecting = Expecting(dispatcher, factor=factor)

    with pytest.raises(AssertionError):
        expecting.expect(str, within=given_s)

    assert dispatcher.clock.now() == taken_s


def test_a_block_that_takes_too_long_fails():
    """SEMANTICS V1: also where nothing was waited for in vain."""
    dispatcher = virtual()
    expecting = Expecting(dispatcher, factor=2.0)

    with expecting.within(5.0):
        dispatcher.advance(9.0)
    with pytest.raises(AssertionError, match="has taken 11 s, and may take 10 s"), expecting.within(5.0):
        dispatcher.advance(11.0)


def test_what_fails_in_a_block_is_told_and_not_the_time():
    """The first reason is the right one."""
    dispatcher = virtual()

    def fails() -> None:
        with Expecting(dispatcher).within(1.0):
            dispatcher.advance(2.0)
            raise KeyError

    with pytest.raises(KeyError):
        fails()


def test_an_inbox_is_looked_at_without_waiting():
    """What is there is taken in its order; some of it may be left."""
    dispatcher = virtual()
    inbox: Inbox[int] = Inbox(dispatcher)
    for number in (1, 2, 3, 4):
        inbox.put(number)

    assert inbox.take(0.0, lambda number: number > 2) == 3
    assert inbox.waiting == [1, 2, 4]
    assert [inbox.take(0.0) for _ in range(4)] == [1, 2, 4, None]


def test_who_waits_is_woken_by_what_comes_and_by_nothing_else():
    """Something that it does not want comes meanwhile."""
    dispatcher = virtual()
    inbox: Inbox[int] = Inbox(dispatcher)
    for due, number in ((1.0, 7), (2.0, 8), (3.0, 9)):
        dispatcher.call_at(due, lambda number=number: inbox.put(number))  # type: ignore[misc]

    assert inbox.take(60.0, lambda number: number == 8) == 8
    assert dispatcher.clock.now() == 2.0
    assert inbox.waiting == [7]
