"""What is known of a command that was sent."""

from relay_actors.actors.under_way import UnderWay
from relay_actors.errors import ConnectionLostError


class Timer:
    def __init__(self) -> None:
        self.cancelled = 0

    def cancel(self) -> None:
        self.cancelled += 1


def test_what_is_sent_again_begins_anew_and_is_counted():
    known = UnderWay(1.0)
    timer = Timer()
    known.clock = timer
    known.error = ConnectionLostError()
    known.is_stalled = True
    known.sent_again(5.0)
    assert (known.since, known.repeats, known.error, known.is_stalled, known.clock) == (5.0, 1, None, False, None)
    assert timer.cancelled == 1


def test_stopping_the_clock_twice_is_harmless():
    known = UnderWay(1.0)
    timer = Timer()
    known.clock = timer
    known.stop_clock()
    known.stop_clock()
    assert timer.cancelled == 1
