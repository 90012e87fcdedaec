"""``relay-actors demo``: an application, a simulator, and two dozen callers, on real sockets. Layer: door."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from relay_actors.app import RelayApp
from relay_actors.cli.callers import Part, Stage
from relay_actors.cli.cast import AT_THE_CUT, CAST, DESK, make_cast, open_desk
from relay_actors.cli.examples import load_example
from relay_actors.cli.screen import Screen
from relay_actors.cli.story import Teller, masked
from relay_actors.cli.tally import CrashReports, Figure, Remains, count
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.system import System
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.simulator.wire_log import LoggedFrame

__all__ = ["FAST", "NORMAL", "Speed", "add_command", "run_demo"]

EXAMPLE: Final = "front_desk"
PROJECT, TOKEN = "demo-project", "demo-token"

_QUIET_S: Final = 0.02
_QUIET_TRIES: Final = 60


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast everything goes, in real seconds.

    Attributes:
        pace: how long a simulated second is.
        cut_s: how long the socket is down.
        patience_s: how long anybody waits for anything.
    """

    pace: float
    cut_s: float
    patience_s: float


NORMAL: Final = Speed(pace=0.5, cut_s=1.5, patience_s=60.0)
FAST: Final = Speed(pace=0.08, cut_s=0.3, patience_s=20.0)


def add_command(commands: Any) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "demo",
        help="let two dozen callers call an example application, and count what became of them",
        description="Runs a simulator as a real WebSocket server on loopback, connects examples/front_desk.py to it "
        "through the socket, and lets 24 calls come in: some crash their handlers, and the socket is cut while calls "
        "are up. Ends with a table of what was counted; the exit status is 1 if a figure is wrong.",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=1,
        help="repeats who calls, when, and what they press and say (default: 1); how their lines interleave is up to "
        "the machine",
    )
    parser.add_argument("--fast", action="store_true", help="a few seconds in all, for CI")
    parser.set_defaults(command=_run_command)


def _run_command(options: argparse.Namespace) -> int:
    return run_demo(options.seed, FAST if options.fast else NORMAL, Screen())


def run_demo(seed: int, speed: Speed, screen: Screen, app: RelayApp | None = None) -> int:
    """Run the demo, write its story and its figures, and return 0 if they are right, else 1.

    Args:
        seed: of the callers.
        speed: how fast everything goes.
        screen: where it is written.
        app: the application; the example if None.
    """
    threads_before = set(threading.enumerate())
    crashes = CrashReports()
    supervision = logging.getLogger("relay_actors.supervision")
    supervision.addHandler(crashes)
    try:
        with _own_environment():
            show = _Show(seed, speed, screen, app or load_example(EXAMPLE))
            show.play()
    finally:
        supervision.removeHandler(crashes)
    counters = show.counters.snapshot()
    figures = count(
        show.parts,
        show.simulator,
        counters=counters,
        crashes=crashes,
        up_at_the_cut=show.up_at_the_cut,
        remains=Remains(
            calls_up=show.calls_left_up,
            actors=show.system.actor_count + counters.get("actors.killed", 0),
            threads=len(set(threading.enumerate()) - threads_before),
        ),
    )
    return _report(figures, show.parts, screen, seed)


class _Show:
    """One run: the simulator, the application and the callers.

    Attributes:
        parts: the callers.
        simulator: where they call.
        system: the application's actors.
        counters: what the runtime has counted.
        up_at_the_cut: the ids of all legs that were up when the socket was cut.
        calls_left_up: how many legs were up when all stories were over.
    """

    def __init__(self, seed: int, speed: Speed, screen: Screen, app: RelayApp) -> None:
        self._speed = speed
        self._screen = screen
        self._clock = SystemClock()
        self._app = app
        self.counters = Counters()
        self.system = System(name="demo", random=Random(seed), hooks=self.counters)
        self.simulator = Simulator(
            clock=self._clock, random=Random(seed), pace=speed.pace, project=PROJECT, token=TOKEN, server_ping_s=5.0
        )
        self._stage = Stage(self.simulator, pace=speed.pace, patience_s=speed.patience_s)
        cast = make_cast(seed)
        self.parts = [Part(caller, self._stage, CAST[caller.part].story) for caller in cast]
        self._names = {DESK: "the desk", **{caller.number: caller.name for caller in cast}}
        self.up_at_the_cut: frozenset[str] = frozenset()
        self.calls_left_up = 0
        self._last_frame_at = 0.0
        self.simulator.frames.observe(self._note_frame)

    def play(self) -> None:
        """Run everything, and leave nothing running."""
        teller = Teller(
            self.simulator,
            self._screen,
            clock=self._clock,
            names=self._names,
            logger=logging.getLogger("relay_actors"),
        )
        with teller, SimulatorServer(self.simulator) as server:
            teller.note(f"a RELAY server listens on {server.url}; {len(self.parts)} people have its number")
            try:
                self._app.start(
                    host=f"127.0.0.1:{server.port}", project=PROJECT, token=TOKEN, scheme="ws", system=self.system
                )
                self._let_them_call(teller)
            finally:
                self._stage.is_over.set()
                self._app.stop()

    def _let_them_call(self, teller: Teller) -> None:
        open_desk(self.simulator)
        for part in self.parts:
            part.start()
        self._cut(teller)
        for part in self.parts:
            part.join()
        patience_s = self._speed.patience_s
        self.simulator.wait_until(self._is_quiet, patience_s)
        self.calls_left_up = len(self.simulator.calls_up())

    def _cut(self, teller: Teller) -> None:
        for name in AT_THE_CUT:
            if not self._stage.ready(name).wait(self._speed.patience_s):
                return  # its story has failed, and says so
        self._wait_for_a_quiet_moment()
        self.up_at_the_cut = frozenset(leg.call_id for leg in self.simulator.calls_up())
        legs = len(self.up_at_the_cut)
        teller.note(f"THE SOCKET IS CUT, and stays down for {self._speed.cut_s:g} s; {legs} legs are up", "bold red")
        with self.simulator.socket_down(self._speed.cut_s):
            self._stage.is_cut.set()
        teller.note("the server takes connections again")
        try:
            self.simulator.wait_for_clients(1, self._speed.patience_s)
        except StoryError as error:
            teller.note(f"the application has not come back: {error}", "bold red")
        else:
            self._stage.is_back.set()

    def _wait_for_a_quiet_moment(self) -> None:
        """Wait until nothing is on its way, for a moment at most.

        A command that is on its way when the socket goes has an unknown outcome. The application gives it again, or
        begins the flow anew; but it is the calls that are to be seen surviving, not those commands. On a busy machine
        there may be no such moment: then a text may be in doubt, and is not sent again.
        """
        for _ in range(_QUIET_TRIES):
            if self._clock.now() - self._last_frame_at > _QUIET_S or self._stage.is_over.wait(_QUIET_S / 4):
                return

    def _note_frame(self, logged: LoggedFrame) -> None:
        self._last_frame_at = logged.at

    def _is_quiet(self) -> bool:
        """Whether no call is up, and the last texts have arrived."""
        recordings = sum(CAST[part.caller.part].recordings for part in self.parts)
        in_doubt = self.counters.snapshot().get("messages.unknown", 0)
        return (
            not self.simulator.calls_up()
            and not self.simulator.unacknowledged
            and len(self.simulator.phone(DESK).inbox) >= recordings - in_doubt
        )


def _report(figures: list[Figure], parts: list[Part], screen: Screen, seed: int) -> int:
    for part in parts:
        if not part.is_told:
            screen.say((f"{part.caller.name} ({part.caller.part}): {masked(part.failure or 'broke off')}", "red"))
    rows = []
    for figure in figures:
        style = "" if figure.is_right else "bold red"
        rows.append(
            [
                (figure.name, style),
                (str(figure.counted), style or "bold"),
                (figure.expectation, style or "dim"),
                screen.mark(figure.is_right),
                (figure.source, "dim"),
            ]
        )
    screen.table(["", "counted", "expected", "", "counted where"], rows)
    wrong = [figure for figure in figures if not figure.is_right]
    for figure in wrong:
        screen.say(("wrong: ", "bold red"), f"{figure.name.strip()} is {figure.counted}, expected {figure.expectation}")
    if not wrong:
        screen.say(("All figures are right.", "bold green"), f" Again: relay-actors demo --seed {seed}")
    return 1 if wrong else 0


@contextlib.contextmanager
def _own_environment() -> Iterator[None]:
    """Hide the variables that are meant for the user's own application."""
    hidden = {name: value for name, value in os.environ.items() if name.startswith(("SIGNALWIRE_", "RELAY_"))}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)
