"""Delays grow, stop growing, and are never longer than promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.backoff import ping_retry_delay_s, reconnect_delay_s


def test_reconnects_wait_1_2_4_8_16_30_30():
    """The delays that PROTOCOL 6.5 promises."""
    delays = [reconnect_delay_s(attempt, min_s=1.0, max_s=30.0) for attempt in range(1, 9)]
    assert delays == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


@pytest.mark.parametrize("factor", [1.01, 2, 10**6, 1e300])
def test_delays_grow_to_their_maximum_by_any_factor_and_stay_there(factor):
    """PROTOCOL 6.6: it is tried for ever. A server may be away for days, and a factor be small or huge."""
    delays = [reconnect_delay_s(attempt, min_s=1.0, max_s=30.0, factor=factor) for attempt in (1, 1000, 10**9)]
    assert delays == [1.0, 30.0, 30.0]


def test_a_draw_of_zero_gives_the_whole_delay_exactly():
    """So that a test can switch the jitter off without changing the limits."""
    assert reconnect_delay_s(3, min_s=1.0, max_s=30.0, jitter=0.1, draw=0.0) == 4.0


@given(
    st.integers(1, 10**9),
    st.floats(0.001, 10),
    st.floats(0.001, 100),
    st.floats(1, 10),
    st.floats(0, 1),
    st.floats(0, 1, exclude_max=True),
)
def test_a_reconnect_delay_lies_between_its_jittered_and_its_whole_length(attempt, low, high, factor, jitter, draw):
    """SEMANTICS B1: inside [d * (1 - j), d], and never above the maximum."""
    whole = reconnect_delay_s(attempt, min_s=low, max_s=high, factor=factor)
    delay = reconnect_delay_s(attempt, min_s=low, max_s=high, factor=factor, jitter=jitter, draw=draw)
    assert whole <= high
    assert whole * (1 - jitter) <= delay <= whole
    assert whole <= reconnect_delay_s(attempt + 1, min_s=low, max_s=high, factor=factor)


@pytest.mark.parametrize(
    "bad", [{"attempt": 0}, {"attempt": -1}, {"factor": 0.5}, {"jitter": -0.1}, {"jitter": 1.1}, {"draw": 2.0}]
)
def test_senseless_arguments_are_refused(bad):
    arguments = {"attempt": 1, "min_s": 1.0, "max_s": 30.0} | bad
    with pytest.raises(ValueError, match=r"must|counted"):
        reconnect_delay_s(**arguments)


def test_pings_are_retried_after_2_4_8_16_30_30():
    """PROTOCOL 5.3: after failure n, min(1 * 2**n, 30)."""
    delays = [ping_retry_delay_s(failures, min_s=1.0, max_s=30.0) for failures in (1, 2, 3, 4, 5, 6, 10**9)]
    assert delays == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_no_failure_has_no_delay():
    with pytest.raises(ValueError, match="counted from 1"):
        ping_retry_delay_s(0, min_s=1.0, max_s=30.0)
