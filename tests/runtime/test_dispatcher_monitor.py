"""The monitor takes the baton from a turn that takes long, from no other, and sleeps while there is none."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.runtime.clock import ManualClock
from relay_actors.runtime.dispatcher_monitor import Monitor
from relay_actors.runtime.long_turns import LongTurn, LongTurns, Seat
from tests.runtime.worlds import DEADLINE_S, until


class Hands:
    """A holder and its dispatcher, as the monitor sees them."""

    def __init__(self) -> None:
        self.grant: list[None] = []
        self.asleep = False
        self.looks = 0
        self.turns_per_look = 0
        self.taken: list[float] = []

    @property
    def holder(self) -> Any:
        self.looks += 1
        return self

    @property
    def turn_count(self) -> int:
        return self.looks * self.turns_per_look

    def take_from(self, holder: Any, *, turn_s: float) -> None:
        assert holder is self
        self.taken.append(turn_s)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def long_turns() -> LongTurns:
    return LongTurns()


@pytest.fixture
def monitor(hands: Hands, long_turns: LongTurns) -> Iterator[Monitor[Any]]:
    monitor: Monitor[Any] = Monitor(
        hands, clock=ManualClock(), long_turns=long_turns, handover_after_s=0.001, name="monitor", daemon=True
    )
    monitor.start()
    yield monitor
    monitor.stop()
    monitor.thread.join(DEADLINE_S)
    assert not monitor.thread.is_alive()


@pytest.mark.usefixtures("monitor")
def test_the_same_turn_seen_again_and_again_loses_the_baton(hands: Hands):
    """D5: and is said to have been running for as long as that takes."""
    hands.grant.append(None)
    until(lambda: bool(hands.taken))

    assert set(hands.taken) == {0.001}


@pytest.mark.usefixtures("monitor")
def test_turns_that_change_and_a_holder_outside_of_turns_keep_it(hands: Hands):
    """DESIGN 2a: only a long turn is worth a change of threads."""
    hands.turns_per_look = 1
    hands.grant.append(None)
    until(lambda: hands.looks > 30)
    hands.grant.clear()
    hands.turns_per_look = 0
    until(lambda: hands.looks > 60)

    assert hands.taken == []


def test_it_sleeps_while_the_holder_does_and_looks_again_when_woken(hands: Hands, monitor: Monitor[Any]):
    """D6: an idle system wakes up for nothing."""
    hands.asleep = True
    until(lambda: monitor.rests)
    looks = hands.looks
    monitor.thread.join(0.02)
    assert monitor.thread.is_alive()
    assert hands.looks == looks
    hands.asleep = False
    monitor.wake()
    until(lambda: hands.looks > looks + 30)
    assert not monitor.rests


def test_it_does_not_sleep_longer_than_until_a_turn_has_to_be_reported(
    hands: Hands, monitor: Monitor[Any], long_turns: LongTurns
):
    """A16, O5: while all others are idle, one handler may block."""
    seat = Seat(threading.Thread())
    turn = LongTurn(seat, seat.returns, -1.0)
    long_turns.add(turn)
    hands.asleep = True
    until(lambda: turn.blocking_is_told)
    assert not turn.hang_is_told
    until(lambda: monitor.rests)
