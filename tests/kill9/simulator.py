"""The simulator in a process of its own: ``python -m tests.kill9.simulator --callers 500 --record simulator.jsonl``.

It writes ``port 12345``, and ``begun`` when an application has logged in and people begin to call. Then it does what is
written to its standard input: ``killed 1`` notes a kill, ``wait 2`` waits until all calls are over, so many seconds at
most, and says ``finished`` or ``unfinished``, and ``end`` notes whose call is up, and says ``over``. It ends with its
standard input.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from random import Random

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from tests.kill9.cast import Person, make_cast
from tests.kill9.people import has_habits
from tests.kill9.recorder import Recorder

__all__ = ["PATIENT", "Arrivals", "is_all_over", "main"]

PATIENT = Manners(inbound_ring_s=36_000.0, connect_ring_s=36_000.0, ring_s=36_000.0)
"""Nobody gives up while the application is away."""

LOG_IN_WITHIN_S = 60.0
LOOK_EVERY_S = 0.2
SETTLE_S = 2.0
"""How long is waited for what should not come when all calls are over."""


class Arrivals(threading.Thread):
    """Lets people call, each when it is their time."""

    def __init__(self, simulator: Simulator, cast: Sequence[Person]) -> None:
        super().__init__(name="arrivals", daemon=True)
        self._simulator = simulator
        self._callers = sorted(
            (person.arrives_at_s, person.number, person.kind) for person in cast if person.arrives_at_s is not None
        )
        self._stopping = threading.Event()

    def run(self) -> None:
        began = self._simulator.clock.now()
        for at_s, number, context in self._callers:
            if self._stopping.wait(max(0.0, began + at_s - self._simulator.clock.now())):
                return
            self._simulator.phone(number).dials(context=context)

    def stop(self) -> None:
        """Let nobody call any more."""
        self._stopping.set()
        self.join()


def is_all_over(simulator: Simulator, cast: Sequence[Person]) -> bool:
    """Whether everybody of the cast has had a call, and none is up."""
    return not simulator.calls_up() and all(simulator.phone(person.number).lines for person in cast)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what standard input says, until it ends; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.kill9.simulator", description=__doc__)
    parser.add_argument("--record", type=Path, required=True)
    parser.add_argument("--callers", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--spread", type=float, default=25.0, help="over how many seconds people call")
    parser.add_argument("--pace", type=float, default=1.0)
    options = parser.parse_args(arguments)
    simulator = Simulator(
        clock=SystemClock(), random=Random(options.seed), pace=options.pace, manners=PATIENT, server_ping_s=5.0
    )
    cast = make_cast(options.callers, options.seed, options.spread)
    for person in cast:
        has_habits(person, simulator, options.seed)
    arrivals = Arrivals(simulator, cast)
    with Recorder(options.record, simulator, cast) as recorder, SimulatorServer(simulator) as server:
        print("port", server.port, flush=True)
        simulator.wait_for_clients(1, LOG_IN_WITHIN_S)
        arrivals.start()
        print("begun", flush=True)
        for line in sys.stdin:
            order, _, given = line.strip().partition(" ")
            if order == "killed":
                recorder.note_kill(int(given))
            elif order == "wait":
                is_over = _wait(simulator, cast, float(given))
                print("finished" if is_over else "unfinished", flush=True)
            elif order == "end":
                recorder.note_over()
                print("over", flush=True)
        arrivals.stop()
    return 0


def _wait(simulator: Simulator, cast: Sequence[Person], within_s: float) -> bool:
    pause = threading.Event()
    until = simulator.clock.now() + within_s
    while not is_all_over(simulator, cast):
        if simulator.clock.now() > until:
            return False
        pause.wait(LOOK_EVERY_S)
    pause.wait(SETTLE_S)
    return True


if __name__ == "__main__":
    sys.exit(main())
