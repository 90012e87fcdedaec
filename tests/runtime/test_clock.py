"""Where time, ids and randomness come from."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.clock import ManualClock, Random, SystemClock, fresh_random, is_time, uuid4_ids


def test_the_manual_clock_moves_only_when_it_is_moved():
    """Wall time moves with it."""
    clock = ManualClock(start=5.0, wall_start=1000.0)
    assert (clock.now(), clock.wall()) == (5.0, 1000.0)
    clock.advance(2.5)
    assert (clock.now(), clock.wall()) == (7.5, 1002.5)
    clock.advance_to(7.0)
    assert clock.now() == 7.5
    clock.advance_to(9.0)
    assert clock.now() == 9.0


def test_time_does_not_go_backward():
    """A test that tries it has a mistake."""
    with pytest.raises(ValueError, match="forward"):
        ManualClock().advance(-0.1)


@given(st.lists(st.floats(0, 100)))
def test_the_manual_clock_is_monotonic(steps: list[float]):
    """Whatever it is told."""
    clock = ManualClock()
    seen = [clock.now()]
    for step in steps:
        clock.advance_to(step)
        seen.append(clock.now())
    assert seen == sorted(seen)


def test_the_system_clock_does_not_go_backward():
    """Monotonic seconds for waiting, seconds since the epoch for people."""
    clock = SystemClock()
    assert clock.now() <= clock.now()
    assert clock.wall() > 1_700_000_000


def test_ids_are_uuids_and_follow_the_seed():
    """V3: the same seed, the same ids; version and variant as they should be."""
    first, again = uuid4_ids(Random(7)), uuid4_ids(Random(7))
    ids = [first() for _ in range(100)]

    assert ids == [again() for _ in range(100)]
    assert len(set(ids)) == 100
    assert {UUID(one).version for one in ids} == {4}
    assert {str(UUID(one)) for one in ids} == set(ids)


def test_ids_are_what_the_standard_library_makes_of_the_same_draws():
    """Journals and golden transcripts of a seed stay true."""

    class Scripted(Random):
        def getrandbits(self, k: int) -> int:
            return draws.pop(0) % 2**k

    numbers = [0, 1, 2**128 - 1, 0x123 << 60, *(Random(7).getrandbits(128) for _ in range(100))]
    draws = list(numbers)
    make = uuid4_ids(Scripted())
    assert [make() for _ in numbers] == [str(UUID(int=number, version=4)) for number in numbers]


def test_fresh_randomness_differs():
    """Two applications must not draw the same ids."""
    assert fresh_random().getrandbits(128) != fresh_random().getrandbits(128)


@pytest.mark.parametrize(("seconds", "is_one"), [(0, True), (2.5, True), (-1, False), (True, False), ("2", False)])
def test_a_number_of_seconds_is_told_from_what_is_none(seconds: object, is_one: bool):
    """What may end, and has not ended before it began."""
    assert is_time(seconds) == is_one
    assert not is_time(float("inf"))
    assert not is_time(float("nan"))
