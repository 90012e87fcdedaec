"""Calls an application from a script: no test runner, no account, no telephone."""

from first_call import app

from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.testing import AppRunner, Lab, Simulator, SimulatorServer, Timeline


def in_virtual_time() -> None:
    """Everything on this thread; a caller who says nothing costs no time."""
    with Lab(seed=7) as lab:
        timeline = Timeline(lab.sim)
        lab.start(app)
        timeline.follow(app)
        caller = lab.phone("+15550001111").dials(context="office")
        caller.hears("did not get that").is_hung_up()
        print(f"after {lab.clock.now():.0f} s, with {len(timeline.entries)} things to tell:", *caller.heard, sep="\n")


def in_real_time() -> None:
    """On threads, over a WebSocket."""
    simulator = Simulator(clock=SystemClock(), random=Random(7), pace=0.05)
    with SimulatorServer(simulator) as server:
        run = AppRunner(server)
        run(app)
        caller = simulator.phone("+15550001111").dials(context="office")
        caller.hears("press 1").presses("2")
        caller.is_hung_up()
        print(*caller.heard, sep="\n")
        print("left over:", run.stop() or "nothing")


if __name__ == "__main__":
    in_virtual_time()
    in_real_time()
