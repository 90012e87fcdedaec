"""When the next ping goes out, and when the connection counts as dead."""

from __future__ import annotations

from relay_actors.config import Limits, Timing
from relay_actors.protocol.keep_alive import KeepAlive


def _logged_in(timing: Timing | None = None) -> KeepAlive:
    keep_alive = KeepAlive(timing or Timing(), Limits())
    keep_alive.logged_in(100.0)
    return keep_alive


def test_pings_go_out_every_30_seconds_however_long_the_answer_takes():
    keep_alive = _logged_in()
    assert keep_alive.ping_at == 130.0
    keep_alive.ping_sent("p1", 130.0)
    assert keep_alive.ping_at is None
    keep_alive.ping_answered(133.0)
    assert (keep_alive.ping_at, keep_alive.ping_id) == (160.0, "")


def test_an_answer_slower_than_the_interval_is_followed_by_a_ping_at_once():
    keep_alive = _logged_in(Timing(client_ping_interval_s=2.0))
    keep_alive.ping_sent("p1", 102.0)
    keep_alive.ping_answered(109.0)
    assert keep_alive.ping_at == 109.0


def test_refused_pings_are_retried_after_2_and_4_seconds_and_the_third_is_one_too_many():
    """PROTOCOL 5.3."""
    keep_alive = _logged_in()
    assert keep_alive.ping_failed(200.0) is False
    assert keep_alive.ping_at == 202.0
    assert keep_alive.ping_failed(202.0) is False
    assert keep_alive.ping_at == 206.0
    assert keep_alive.ping_failed(206.0) is True


def test_a_good_answer_or_a_ping_of_the_server_begins_the_count_anew():
    for relief in (KeepAlive.server_pinged, KeepAlive.ping_answered):
        keep_alive = _logged_in()
        keep_alive.ping_failed(200.0)
        keep_alive.ping_failed(202.0)
        relief(keep_alive, 203.0)
        assert keep_alive.ping_failed(206.0) is False


def test_the_watchdog_sleeps_until_the_first_ping_of_the_server():
    """A server that never pings is not punished (PROTOCOL 5.2)."""
    keep_alive = _logged_in()
    assert keep_alive.watchdog_at is None
    keep_alive.server_pinged(103.0)
    assert keep_alive.watchdog_at == 118.0
    keep_alive.server_pinged(108.0)
    assert keep_alive.watchdog_at == 123.0


def test_a_server_that_is_about_to_leave_is_not_pinged_but_still_watched():
    keep_alive = _logged_in()
    keep_alive.server_pinged(103.0)
    keep_alive.stop_pinging()
    assert (keep_alive.ping_at, keep_alive.watchdog_at) == (None, 118.0)


def test_the_next_connection_begins_with_nothing():
    keep_alive = _logged_in()
    keep_alive.server_pinged(103.0)
    keep_alive.ping_failed(104.0)
    keep_alive.ping_failed(104.0)
    keep_alive.ping_sent("p1", 104.0)
    keep_alive.reset()
    assert (keep_alive.ping_at, keep_alive.watchdog_at, keep_alive.ping_id) == (None, None, "")
    assert keep_alive.ping_failed(200.0) is False


def test_the_answer_to_a_ping_is_due_within_the_time_of_any_request():
    keep_alive = _logged_in()
    assert keep_alive.answer_due_at is None
    keep_alive.ping_sent("p1", 130.0)
    assert keep_alive.answer_due_at == 140.0
    keep_alive.ping_answered(133.0)
    assert keep_alive.answer_due_at is None
    keep_alive.ping_sent("p2", 160.0)
    keep_alive.ping_failed(161.0)
    assert keep_alive.answer_due_at is None
    keep_alive.ping_sent("p3", 163.0)
    keep_alive.stop_pinging()
    assert keep_alive.answer_due_at is None


def test_a_connection_is_dead_when_a_ping_or_the_answer_to_one_is_overdue():
    """PROTOCOL 5.2, 2.6: whichever it is, the log says so."""
    keep_alive = _logged_in()
    keep_alive.server_pinged(103.0)
    keep_alive.ping_sent("p1", 110.0)
    assert keep_alive.why_dead(117.0) == ""
    assert keep_alive.why_dead(118.0) == "no ping from the server for 15 s"
    keep_alive.server_pinged(118.0)
    assert keep_alive.why_dead(119.0) == ""
    assert keep_alive.why_dead(120.0) == "no answer to signalwire.ping within 10 s"
