"""When, and after how long, a child is restarted: tables and sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.runtime.reasons import ExitKind, ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart, RestartWindow, is_restarted

EVERY: dict[ExitKind, set[Restart]] = {
    "normal": {Restart.PERMANENT},
    "shutdown": {Restart.PERMANENT},
    "error": {Restart.PERMANENT, Restart.TRANSIENT},
    "start_failed": {Restart.PERMANENT, Restart.TRANSIENT},
    "killed": {Restart.PERMANENT, Restart.TRANSIENT},
    "lost": {Restart.PERMANENT, Restart.TRANSIENT},
}


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize("restart", Restart)
def test_the_restart_types_of_otp(kind: ExitKind, restart: Restart):
    """S3: every cell of the table."""
    assert is_restarted(restart, ExitReason(kind)) is (restart in EVERY[kind])


def test_abnormal_is_what_a_transient_child_comes_back_from():
    """S3, L5: one meaning in both places."""
    for kind in EVERY:
        assert ExitReason(kind).is_abnormal is is_restarted(Restart.TRANSIENT, ExitReason(kind))


def test_the_window_is_closed_and_finer_than_seconds():
    """S6: entries exactly as old as the window still count."""
    window = RestartWindow(2, 5.0)
    assert [window.allows(at) for at in (0.0, 0.001, 5.0)] == [True, True, False]

    window = RestartWindow(2, 5.0)
    assert [window.allows(at) for at in (0.0, 0.001, 5.0001)] == [True, True, True]
    assert RestartWindow(0, 1.0).allows(0.0) is False


@given(
    st.integers(0, 5),
    st.floats(0.001, 10.0),
    st.lists(st.floats(0.0, 5.0), max_size=40),
)
def test_the_window_allows_what_the_sentence_says(max_restarts: int, within_s: float, gaps: list[float]):
    """S6: allowed, unless ``max_restarts`` before it lie within the closed interval that ends now."""
    window = RestartWindow(max_restarts, within_s)
    times: list[float] = []
    now = 0.0
    for gap in gaps:
        now += gap
        times.append(now)
        in_interval = sum(now - at <= within_s for at in times)
        assert window.allows(now) is (in_interval <= max_restarts)


@pytest.mark.parametrize(("max_restarts", "within_s"), [(-1, 1.0), (1, 0.0), (1, -1.0)])
def test_an_impossible_window_is_refused(max_restarts: int, within_s: float):
    """Early, with both numbers in the text."""
    with pytest.raises(ConfigError, match=f"max_restarts={max_restarts} within_s={within_s}"):
        RestartWindow(max_restarts, within_s)


@given(st.floats(0.001, 10.0), st.floats(1.0, 100.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.integers(0, 5000))
def test_the_delay_stays_within_its_bounds(min_s: float, factor: float, jitter: float, drawn: float, n: int):
    """B1: in [d(1-j), d], and never above the maximum, for every draw and however many failures."""
    backoff = Backoff(min_s=min_s, max_s=min_s * factor, jitter=jitter)
    full = backoff.max_s if n > 64 else min(backoff.max_s, min_s * 2**n)
    delay = backoff.delay_s(n, jitter=drawn)

    assert full * (1 - jitter) * (1 - 1e-9) <= delay <= full <= backoff.max_s
    assert backoff.delay_s(n, jitter=0.0) == full


def test_the_count_begins_anew_after_a_long_enough_run():
    """B2: by default the mean of least and greatest delay."""
    assert not Backoff(min_s=1, max_s=3).is_reset(1.999)
    assert Backoff(min_s=1, max_s=3).is_reset(2.0)
    assert Backoff(min_s=1, max_s=3, reset_after_s=0.5).is_reset(0.5)


@pytest.mark.parametrize(
    ("min_s", "max_s", "jitter"), [(0.0, 1.0, 0.1), (2.0, 1.0, 0.1), (1.0, 2.0, -0.1), (1.0, 2.0, 1.1)]
)
def test_an_impossible_back_off_is_refused(min_s: float, max_s: float, jitter: float):
    """Early, and named."""
    with pytest.raises(ConfigError, match="Backoff"):
        Backoff(min_s=min_s, max_s=max_s, jitter=jitter)
