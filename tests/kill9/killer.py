"""Starts the simulator and the application, kills the application at random moments, and has the journal judged."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import IO, Any

from relay_actors.runtime.clock import SystemClock
from tests.cli.processes import plain_environment
from tests.kill9.judge import Verdict, judge
from tests.support.house import REPOSITORY

__all__ = ["Plan", "read_records", "run"]

APPLICATION = "tests.kill9.application"
START_WITHIN_S = 60.0
STOP_WITHIN_S = 30.0
LOOK_EVERY_S = 2.0
HEAR_EVERY_S = 0.2

_HALF_A_CALL_S = 15.0
"""Simulated: later than that after the last caller has come, few are left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One run.

    Attributes:
        callers: how many people call.
        kills: how often the application is killed.
        seed: of everything that is drawn.
        spread_s: over how many seconds people call.
        pace: how long a simulated second is.
        finish_s: how long everything may take to come to an end after the last kill.
        away_s: how long the application is away at most, before it is started again.
    """

    callers: int = 500
    kills: int = 5
    seed: int = 1
    spread_s: float = 25.0
    pace: float = 1.0
    finish_s: float = 180.0
    away_s: float = 2.0

    def moments(self) -> list[tuple[float, float]]:
        """Return when it is killed, in seconds since people began to call, and for how long it then is away.

        The moments are drawn from equal parts of the time in which most calls are up.
        """
        random = Random(f"kills {self.seed}")
        first_s, last_s = 0.1 * self.spread_s, self.spread_s + _HALF_A_CALL_S * self.pace
        part_s = (last_s - first_s) / max(1, self.kills)
        return [
            (first_s + part_s * (place + random.random()), random.uniform(0.0, self.away_s))
            for place in range(self.kills)
        ]


def run(plan: Plan, folder: Path, say: Callable[[str], None]) -> tuple[Verdict, list[str]]:
    """Do one run, and return what the journal shows, and what went wrong beside the calls.

    Args:
        plan: what is to be done.
        folder: where all files go: ``simulator.jsonl``, ``calls.db``, and what the processes write.
        say: told how far it is.
    """
    troubles: list[str] = []
    record = folder / "simulator.jsonl"
    with contextlib.ExitStack() as stack:
        simulator = stack.enter_context(_simulator(plan, record, folder))
        application = _Application(simulator.hear(("port",), START_WITHIN_S).split()[1], folder, troubles)
        stack.callback(application.kill)
        application.start()
        try:
            simulator.hear(("begun",), START_WITHIN_S, lambda: application.is_running)
        except RuntimeError as error:
            application.kill()
            raise RuntimeError("; ".join([str(error), *troubles])) from error
        _kill_again_and_again(plan, simulator, application, say)
        say("now everything is let finish")
        _let_finish(plan, simulator, application)
        simulator.tell("end")
        simulator.hear(("over",), START_WITHIN_S)  # only then, for it hangs up whoever is left
        application.stop()
    return judge(read_records(record)), troubles


def read_records(path: Path) -> Iterator[dict[str, Any]]:
    """Give the records of a simulator's journal."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _kill_again_and_again(plan: Plan, simulator: _Simulator, application: _Application, say: Any) -> None:
    clock, pause = SystemClock(), threading.Event()
    began = clock.now()
    for number, (at_s, away_s) in enumerate(plan.moments(), start=1):
        pause.wait(max(0.0, began + at_s - clock.now()))
        application.kill()
        simulator.tell(f"killed {number}")
        say(f"killed for the {number}. time after {clock.now() - began:.1f} s; away for {away_s:.1f} s")
        pause.wait(away_s)
        application.start()


def _let_finish(plan: Plan, simulator: _Simulator, application: _Application) -> None:
    until = SystemClock().now() + plan.finish_s
    while SystemClock().now() < until and application.is_running:
        simulator.tell(f"wait {LOOK_EVERY_S:g}")
        if simulator.hear(("finished", "unfinished"), START_WITHIN_S) == "finished":
            return


class _Simulator:
    """The simulator's process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="simulator's words", daemon=True).start()

    def tell(self, order: str) -> None:
        """Write to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()

    def hear(self, words: tuple[str, ...], within_s: float, as_long_as: Callable[[], bool] = lambda: True) -> str:
        """Wait for what it says next, which begins with one of these words, and return it.

        Raises:
            RuntimeError: it says something else, or nothing in time, or as long as something is so.
        """
        until, line = SystemClock().now() + within_s, None
        while line is None:
            try:
                line = self._said.get(timeout=HEAR_EVERY_S)
            except queue.Empty:
                if SystemClock().now() > until or not as_long_as():
                    raise RuntimeError(f"the simulator did not say {words[0]!r}") from None
        if line.partition(" ")[0] not in words:
            raise RuntimeError(f"the simulator said {line or 'nothing more'!r}, not {words[0]!r}; see simulator.log")
        return line

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._said.put(line.strip())
        self._said.put("")


@contextlib.contextmanager
def _simulator(plan: Plan, record: Path, folder: Path) -> Iterator[_Simulator]:
    options = {
        "--record": record,
        "--callers": plan.callers,
        "--seed": plan.seed,
        "--spread": plan.spread_s,
        "--pace": plan.pace,
    }
    arguments = [str(part) for option in options.items() for part in option]
    with (folder / "simulator.log").open("w") as log:
        process = _start("tests.kill9.simulator", arguments, log, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            yield _Simulator(process)
            assert process.stdin is not None
            process.stdin.close()
            process.wait(STOP_WITHIN_S)  # it writes the end of its journal
        finally:
            process.kill()
            process.wait(STOP_WITHIN_S)
            for pipe in (process.stdin, process.stdout):
                assert pipe is not None
                pipe.close()


class _Application:
    """The application's process, each time that it is started."""

    def __init__(self, port: str, folder: Path, troubles: list[str]) -> None:
        self._port = port
        self._folder = folder
        self._troubles = troubles
        self._process: subprocess.Popen[str] | None = None
        self._starts = 0

    @property
    def is_running(self) -> bool:
        """Whether it has not ended by itself."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, with the journal that the one before it has written."""
        self._starts += 1
        with (self._folder / f"application-{self._starts}.log").open("w") as log:
            arguments = ["--port", self._port, "--journal", str(self._folder / "calls.db")]
            self._process = _start(APPLICATION, arguments, log, stdout=log)

    def kill(self) -> None:
        """Kill it, at once; note if it had ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is not None:
            self._note_end(process)
        process.kill()
        process.wait(STOP_WITHIN_S)

    def stop(self) -> None:
        """End it as one does, and note if it does not, or had ended by itself."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is not None:
            self._note_end(process)
            return
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._troubles.append(f"the application did not end within {STOP_WITHIN_S:g} s of SIGTERM")
            process.kill()
            process.wait(STOP_WITHIN_S)
        else:
            if status:
                self._troubles.append(f"the application ended with status {status} after SIGTERM")

    def _note_end(self, process: subprocess.Popen[str]) -> None:
        self._troubles.append(
            f"the application ended by itself with status {process.returncode}; see application-{self._starts}.log"
        )


def _start(module: str, arguments: list[str], log: IO[str], **pipes: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        env=plain_environment(PYTHONFAULTHANDLER="1") | {"PATH": os.environ.get("PATH", "")},
        stderr=log,
        text=True,
        **pipes,
    )
