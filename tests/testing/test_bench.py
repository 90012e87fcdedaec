"""What one test of the plugin runs on."""

from __future__ import annotations

import contextlib

import pytest

from relay_actors.errors import ConfigError
from relay_actors.simulator.lines import StoryError
from relay_actors.testing.bench import set_up


def test_in_virtual_time_the_clock_counts_from_the_beginning_and_can_be_moved():
    """As in a lab."""
    with set_up(3, 1.0) as bench:
        assert (bench.clock.now, bench.seed, bench.lab.seed if bench.lab else None) == (0.0, 3, 3)
        bench.clock.advance(600)
        assert bench.clock.now == 600
        with pytest.raises(ConfigError, match="time only goes on"):
            bench.clock.advance(-1)


def test_in_real_time_nobody_moves_the_clock():
    """The error says why it is real time."""
    with set_up(0, 0.05, why_real="because I said so") as bench:
        assert bench.lab is None
        assert 0 <= bench.clock.now < 60
        with pytest.raises(ConfigError, match=r"advance\(5\): .* real time, because I said so; there time passes"):
            bench.clock.advance(5)
        assert "real" in repr(bench.clock)


def test_what_a_person_could_not_do_is_raised_at_the_end_though_nobody_waited():
    """In virtual time as in real time; and time goes on for all others."""
    ends = contextlib.ExitStack()
    bench = ends.enter_context(set_up(0, 1.0))
    caller = bench.sim.phone("+15550001111").dials(context="nobody")
    with bench.sim.turn():
        bench.sim._world.after(1.0, caller.answers)
    bench.clock.advance(100)
    assert caller.is_over
    with pytest.raises(StoryError, match="cannot answer: the phone does not ring"):
        ends.close()
