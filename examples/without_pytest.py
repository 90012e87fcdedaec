"""Calls an application from a script: no test runner, no account, no telephone."""

from first_call import app

from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.testing import AppRunner, Simulator, SimulatorServer


def main() -> None:
    """Call once, and print what was heard."""
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
    main()
