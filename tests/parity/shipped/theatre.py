"""Runs a program, as a process of its own, with people: what came of it is a `Run`."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

from tests.cli.processes import Command
from tests.parity.mishaps.bench import Control, OtherwiseError, Sim
from tests.parity.shipped.comparing import Run
from tests.parity.shipped.frames import commands, names_in
from tests.parity.shipped.program import NOT_AT_ALL, ended, said
from tests.parity.shipped.scenarios import Scenario

__all__ = ["PACE", "Theatre"]

PACE = 0.1
"""How long a simulated second is: people speak ten times as fast."""
ENDS_WITHIN_S = 45.0
"""One of the examples waits for half a minute."""
LOGGED_IN_S = 0.3
"""From the answer to the log in until the client has read it: what comes before that, it takes as best it can."""
SETTLES_WITHIN_S = 10.0
SETTLED_S = 0.4
"""What has not changed for that long does not change any more."""
PLAIN_MANNERS = {"dial_event_first": False, "ring_s": 30.0}


class Theatre:
    """One simulator, for one program after the other.

    Args:
        sim: which one.
    """

    def __init__(self, sim: Sim) -> None:
        self._control = Control(sim.url)
        self._account = dict(sim.account)

    def run(self, side: str, file: Path, scenario: Scenario) -> Run:
        """Run a program under one client while people do what the scenario says."""
        self._control.ask("POST", "/reset")
        self._control.ask("PATCH", "/manners", **PLAIN_MANNERS | dict(scenario.manners or {}))
        scenario.before(self._control)
        with Command(side, str(file), module="tests.parity.shipped.program", **self._account) as program:
            otherwise = self._tell(scenario)
            if scenario.is_interrupted:
                self._settle(program)
                program.signal(signal.SIGINT)
            how, status = self._end(program)
            return self._run(program.output, how, status, otherwise)

    def _tell(self, scenario: Scenario) -> str:
        try:
            if scenario.is_interrupted:
                self._control.waits_for_log_in()
                self._control.pauses(LOGGED_IN_S)
            scenario.tell(self._control)
        except OtherwiseError as error:
            return str(error)
        return ""

    def _settle(self, program: Command) -> None:
        """Wait until nothing changes any more, on the wire or in what is printed."""
        last, since = (-1, -1), time.monotonic()

        def is_settled() -> bool:
            nonlocal last, since
            now = (len(self._control.ask("GET", "/frames")["frames"]), len(program.output))
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() >= since + SETTLED_S

        self._control.waits_until(is_settled, SETTLES_WITHIN_S)

    def _end(self, program: Command) -> tuple[str, int | None]:
        if self._control.waits_until(lambda: bool(ended(program.output)), ENDS_WITHIN_S) is None:
            return NOT_AT_ALL, None
        try:
            return ended(program.output), program.ends()
        except subprocess.TimeoutExpired:
            return f"{ended(program.output)}, and its process never ends", None

    def _run(self, output: str, how: str, status: int | None, otherwise: str) -> Run:
        frames = self._control.ask("GET", "/frames")["frames"]
        names = names_in(frames)
        phones = self._control.ask("GET", "/phones")["phones"]
        return Run(
            ended=how,
            status=status,
            printed=names.anonymous(said(output)),
            heard={
                phone["number"]: [names.anonymous(line["heard"]) for line in self._lines(phone["number"])]
                for phone in phones
            },
            frames=commands(frames, names),
            otherwise=otherwise,
        )

    def _lines(self, number: str) -> list[dict[str, list[str]]]:
        return list(self._control.ask("GET", f"/phones/{number}")["lines"])
