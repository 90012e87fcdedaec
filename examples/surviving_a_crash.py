"""A call outlives its application, which is killed twice and started again. Needs no account and no telephone."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from relay_actors import CallActor, RelayApp
from relay_actors.params import digits
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.testing import Simulator, SimulatorServer

# [application]
shop = RelayApp(journal="calls.db")


def pack(order: str) -> str:
    """Have the order packed; what must not be done twice."""
    say(f"  the warehouse packs order {order}")
    return f"parcel {order}-1"


@shop.calls("orders")
class Order(CallActor):
    """Asks for an order, has it packed, and tells which parcel it is in."""

    async def run(self) -> None:
        """Begin at the top after each kill, and go on where it was."""
        say("  run() begins")
        await self.answer()
        asked = await self.prompt_tts("Welcome. Your order number, please.", digits(max=4)).wait()
        self.data["order"] = asked.digits
        parcel = await self.side_effect(pack, asked.digits)
        await self.play_tts(f"Thank you. Order {asked.digits} is being packed. It takes a moment.").wait()
        await self.hold()
        await self.sleep(2.0)
        await self.unhold()
        say(f"  goes on with order {self.data['order']}")
        await self.play_tts(f"Order {asked.digits} is {parcel}. Goodbye.").wait()
        # [/application]


def say(text: str) -> None:
    """Print at once: neither a pipe nor a kill shall hold it up."""
    print(text, flush=True)


# [running]
class Shop:
    """The application, in a process of its own."""

    def __init__(self, port: int, directory: str) -> None:
        """Start it for the first time."""
        where = {"SIGNALWIRE_SPACE": f"127.0.0.1:{port}", "SIGNALWIRE_RELAY_SCHEME": "ws"}
        who = {"SIGNALWIRE_PROJECT_ID": "project", "SIGNALWIRE_API_TOKEN": "token"}
        self.environment = {**os.environ, **where, **who}
        self.directory = directory
        self.start()

    def start(self) -> None:
        """Start it, each time in the same way: the journal is all that it has of the time before."""
        command = [sys.executable, str(Path(__file__).resolve()), "serve"]
        self.process = subprocess.Popen(command, cwd=self.directory, env=self.environment)

    def is_killed(self, when: str) -> None:
        """Send SIGKILL, which no program can catch; nothing is closed, nothing is said."""
        self.process.kill()
        say(f"killed {when}: {self.process.wait()}")
        # [/running]

    def stop(self) -> None:
        """Let it end in order."""
        self.process.terminate()
        say(f"the application has ended: {self.process.wait()}")


@contextmanager
def a_shop_and_its_callers() -> Iterator[tuple[Shop, Simulator]]:
    """Run the application, and a RELAY server with people on the phone."""
    simulator = Simulator(clock=SystemClock(), random=Random(7), pace=0.25)
    with tempfile.TemporaryDirectory() as directory, SimulatorServer(simulator) as server:
        application = Shop(server.port, directory)
        try:
            simulator.wait_for_clients(within=30.0)
            yield application, simulator
        finally:
            application.stop()


# [killing]
def main() -> None:
    """Kill the application in the middle of a prompt, and in the middle of a pause."""
    with a_shop_and_its_callers() as (application, simulator):
        caller = simulator.phone("+15550001111").dials(context="orders")
        caller.hears("your order number").presses("4711")

        caller.hears("is being packed")
        application.is_killed("in the middle of a prompt")
        application.start()

        simulator.wait_until(lambda: caller.is_on_hold and not simulator.unacknowledged, 30.0)
        application.is_killed("in the middle of a pause")
        application.start()

        caller.hears("parcel", within=30.0).is_hung_up(within=30.0)
        say("what the caller has heard:")
        for sound in caller.heard:
            say(f"  {sound}")
        # [/killing]


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        shop.run()
    else:
        main()
