"""The lock, the time and the waiting that all parts share."""

from __future__ import annotations

import threading
from random import Random

import pytest

from relay_actors.errors import ConfigError, ProtocolError
from relay_actors.runtime.clock import ManualClock, SystemClock
from relay_actors.simulator.world import World


def make(clock: ManualClock | SystemClock | None = None, pace: float = 1.0) -> World:
    return World(clock=clock or ManualClock(), random=Random(1), new_id=lambda: "id", pace=pace)


def driven(world: World, clock: ManualClock) -> World:
    def step() -> bool:
        due = world.next_deadline()
        if due is None:
            return False
        clock.advance_to(due)
        world.tick(clock.now())
        return True

    world.drive = step
    return world


@pytest.mark.parametrize("pace", [0.0, -1.0, float("nan"), float("inf")])
def test_a_pace_by_which_time_would_not_pass_is_refused(pace: float):
    with pytest.raises(ConfigError, match="pace"):
        make(pace=pace)


def test_pace_scales_simulated_seconds_and_leaves_real_ones_alone():
    world = make(pace=0.05)
    assert world.after(2.0, lambda: None).due == pytest.approx(0.1)
    assert world.after_real(2.0, lambda: None).due == 2.0
    world.clock.advance(0.1)  # type: ignore[attr-defined]  # a `ManualClock`
    assert world.simulated_now() == pytest.approx(2.0)


def test_texts_leave_once_at_the_end_of_the_outermost_turn():
    world, left = make(), []
    with world.turn():
        with world.turn():
            world.at_turn_end(lambda: left.append("out"))
        assert left == []
    assert left == ["out"]


def test_a_ticker_is_woken_when_the_next_deadline_becomes_earlier_and_only_then():
    world, woken = make(), []
    wake = lambda: woken.append(world.next_deadline())  # noqa: E731
    world.add_waker(wake)
    for delay in (5.0, 9.0, 2.0):
        with world.turn():
            world.after(delay, lambda: None)
    assert woken == [5.0, 2.0]

    world.remove_waker(wake)
    with world.turn():
        world.after(1.0, lambda: None)
    assert woken == [5.0, 2.0]


def test_a_driven_wait_stops_time_exactly_at_its_deadline():
    """A thing that happens later must not be taken for one that happened in time."""
    clock = ManualClock()
    world = driven(make(clock), clock)
    happened: list[bool] = []
    world.after(60.0, lambda: happened.append(True))

    assert not world.wait_until(lambda: bool(happened), within=5.0)
    assert clock.now() == 5.0
    assert happened == []


def test_a_wait_lasts_as_long_as_the_world_has_patience_unless_told_otherwise():
    """Five seconds of the clock, so that a story on a loaded machine is not lost; a driven world may give more."""
    clock = ManualClock()
    world = driven(make(clock), clock)
    assert not world.wait_until(lambda: False)
    assert clock.now() == 5.0
    world.patience_s = 100.0
    assert not world.wait_until(lambda: False)
    assert clock.now() == 105.0
    assert not world.wait_until(lambda: False, 0.0), "and not the world's, as None would mean"
    assert clock.now() == 105.0


def test_a_driven_wait_ends_at_once_when_the_world_has_stopped():
    world = make()
    world.drive = lambda: False

    assert not world.wait_until(lambda: False, within=1000.0)


def test_a_driven_wait_sees_what_happens_on_its_way():
    clock = ManualClock()
    world = driven(make(clock), clock)
    happened: list[bool] = []
    world.after(3.0, lambda: happened.append(True))

    assert world.wait_until(lambda: bool(happened), within=5.0)
    assert clock.now() == 3.0


def test_a_wait_in_real_time_ticks_by_itself():
    """Without a front nobody else would."""
    world = make(SystemClock())
    happened: list[bool] = []
    with world.turn():
        world.after(0.01, lambda: happened.append(True))

    assert world.wait_until(lambda: bool(happened), within=5.0)


def test_a_wait_in_real_time_is_woken_by_a_turn_of_another_thread():
    world = make(SystemClock())
    happened: list[bool] = []

    def act() -> None:
        with world.turn():
            happened.append(True)

    thread = threading.Thread(target=act)
    thread.start()
    assert world.wait_until(lambda: bool(happened), within=5.0)
    thread.join(5.0)


def test_two_waiters_do_not_keep_each_other_awake():
    """Looking must not count as a change, or two waiting threads would spin."""
    world = make(SystemClock())
    looks = 0
    done: list[bool] = []

    def is_so() -> bool:
        nonlocal looks
        looks += 1
        with world.look():
            return bool(done)

    threads = [threading.Thread(target=world.wait_until, args=(is_so, 0.2)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)

    assert looks < 50


def test_waiting_inside_a_turn_is_refused():
    world = make()
    with world.turn(), pytest.raises(ProtocolError, match="inside a turn"):
        world.wait_until(lambda: True, 1.0)


def test_a_wait_leaves_no_timer_behind():
    world = make()
    world.wait_until(lambda: True, within=5.0)
    assert world.next_deadline() is None
