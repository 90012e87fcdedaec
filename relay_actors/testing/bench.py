"""What one test of the plugin runs on: a lab in virtual time, or a server in real time. Layer: door.

Knows no test runner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from relay_actors.errors import ConfigError
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.simulator import Simulator
from relay_actors.testing.crashes import crashes_in_stories
from relay_actors.testing.lab import Lab
from relay_actors.testing.timeline import Timeline

__all__ = ["Bench", "RelayClock", "set_up"]


class RelayClock:
    """The time of a test: what the fixture ``relay_clock`` is.

    In virtual time it goes on by itself when nothing can happen and somebody waits; a test advances it to let time pass
    in which it waits for nothing.

    Args:
        sim: whose clock it is.
        lab: that moves it; None in real time.
        why_real: why it is real time, for the error.
    """

    def __init__(self, sim: Simulator, lab: Lab | None, why_real: str = "") -> None:
        self._now = sim.clock.now
        self._lab = lab
        self._why_real = why_real
        self._began = self._now()

    def __repr__(self) -> str:
        return f"<RelayClock at {self.now:.3f} s, {'real' if self._lab is None else 'virtual'}>"

    @property
    def now(self) -> float:
        """Seconds since the test began."""
        return self._now() - self._began

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen that happens in it.

        Raises:
            ConfigError: time is real, and passes by itself; or ``seconds`` is negative.
        """
        if self._lab is None:
            raise ConfigError(
                f"relay_clock.advance({seconds:g}): this test runs in real time, {self._why_real}; there time passes "
                "by itself: wait for what is to happen, or let the test run in virtual time"
            )
        self._lab.advance(seconds)


@dataclass(frozen=True)
class Bench:
    """What one test runs on.

    Attributes:
        seed: from which the run follows in virtual time.
        sim: the server.
        lab: the world of a test in virtual time; None in real time.
        clock: its time.
        timeline: what has happened, from before the test on.
    """

    seed: int
    sim: Simulator
    lab: Lab | None
    clock: RelayClock
    timeline: Timeline


@contextmanager
def set_up(seed: int, pace: float, *, why_real: str = "", faults: Iterable[str] = ()) -> Iterator[Bench]:
    """Give a bench, and put it away at the end.

    Args:
        seed: of the run.
        pace: how long a simulated second is.
        why_real: why time is to be real, in words; virtual if empty.
        faults: what is to go wrong, as `Simulator.inject` takes it; ordered before anything happens.

    Raises:
        Exception: what a person was to do and could not, although nobody waited for it.
    """
    lab = None if why_real else Lab(seed, pace=pace)
    sim = Simulator(clock=SystemClock(), random=Random(seed), pace=pace) if lab is None else lab.sim
    timeline = Timeline(sim)
    for fault in faults:
        timeline.note(f"fault: {fault}")
        sim.inject(fault)
    bench = Bench(seed, sim, lab, RelayClock(sim, lab, why_real), timeline)
    with crashes_in_stories(sim), lab if lab is not None else nullcontext():
        yield bench
    for failure in sim.failures[:1]:
        raise failure
