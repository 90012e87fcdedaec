"""A simulator and an application, each a process of its own; what happens to them is said, and asked for, over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlencode

from tests.cli.processes import Command
from tests.parity.mishaps.numbers import NEXT_CALLER, OFFICE, name_of
from tests.parity.mishaps.reports import begun_and_open, failures, others
from tests.parity.mishaps.verdict import Findings, heard_twice

__all__ = ["Bench", "Control", "OtherwiseError", "Sim", "open_bench", "open_sim"]

PACE = 0.2
"""How long a simulated second is: people speak five times as fast."""
LOG_IN_WITHIN_S = 40.0
LOOK_EVERY_S = 0.1
NEXT_CALLER_WITHIN_S = 7.0
NEXT_CALLER_TRIES_S = 3.0
ANSWER_WITHIN_S = 90.0
NOBODY_SERVES_S = 2.0
"""After that long without any handler nothing more is waited for."""


class OtherwiseError(Exception):
    """The story did not go as it was told; the text says in a clause what happened."""


@dataclass(frozen=True, slots=True)
class Sim:
    """A simulator that runs.

    Attributes:
        url: of its control API.
        account: by which an application finds it, as variables of the environment.
    """

    url: str
    account: Mapping[str, str]


class Control:
    """One simulator, asked and told over HTTP.

    Args:
        url: of its control API.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._pause = Event()

    def ask(self, method: str, path: str, /, **given: Any) -> dict[str, Any]:
        """Ask the control API.

        Raises:
            OtherwiseError: the story went otherwise (409).
            RuntimeError: the harness has asked for something that there is not.
        """
        query = f"?{urlencode(given)}" if method == "GET" and given else ""
        body = None if method == "GET" else json.dumps(given).encode()
        request = urllib.request.Request(f"{self._url}{path}{query}", data=body, method=method)
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as response:
                return dict(json.load(response))
        except urllib.error.HTTPError as error:
            told = json.load(error)
            if error.code == 409:
                raise OtherwiseError(_in_short(str(told["error"]))) from None
            raise RuntimeError(f"{method} {path} {given}: {error.code} {told}") from error

    def person(self, number: str, verb: str, **given: Any) -> dict[str, Any]:
        """Let somebody do something, or wait for it."""
        return self.ask("POST", f"/phones/{number}/{verb}", **given)

    def dials(self, number: str, to: str, context: str = "office") -> None:
        """Let somebody call the application."""
        self.person(number, "dials", context=context, to=to)

    def fault(self, fault: str, **given: Any) -> None:
        """Let something go wrong."""
        self.ask("POST", "/faults", fault=fault, **given)

    def waits_for_log_in(self, within: float = LOG_IN_WITHIN_S) -> None:
        """Wait until the application is logged in."""
        self.ask("POST", "/wait", count=1, within=within)

    def waits_until(self, what: Callable[[], bool], within: float) -> float | None:
        """Wait until something is so; return after how many seconds, or None."""
        began = time.monotonic()
        while not what():
            if time.monotonic() - began > within:
                return None
            self._pause.wait(LOOK_EVERY_S)
        return time.monotonic() - began

    def pauses(self, seconds: float) -> None:
        """Let time pass, as people do."""
        self._pause.wait(seconds)


class Bench(Control):
    """One simulator with one application.

    Args:
        url: of the simulator's control API.
        start: starts the application.
    """

    def __init__(self, url: str, start: Callable[[], Command]) -> None:
        super().__init__(url)
        self._start = start
        self.application = start()
        self._others: list[Command] = []
        self.is_gone = False
        """Whether the application has ended, as the scenario wanted."""

    @property
    def output(self) -> str:
        """What the application has written, and every other process of it."""
        return "".join(one.output for one in [self.application, *self._others])

    def hears(self, number: str, what: str, within: float = 6.0) -> None:
        """Let somebody wait until they hear something; in vain as soon as no handler is left that could say it."""
        if not self._waits_for(lambda: self._has_heard(number, what), within):
            if self.is_over(number):
                raise OtherwiseError(f"{name_of(number)} is hung up, and has not heard “{what}”")
            raise OtherwiseError(f"{name_of(number)} does not hear “{what}”")

    def is_hung_up(self, number: str, within: float = 6.0) -> None:
        """Let somebody wait for the end of their call, in the same way."""
        if not self._waits_for(lambda: self.is_over(number), within):
            raise OtherwiseError(f"{name_of(number)} is not hung up")

    def heard(self, number: str) -> list[str]:
        """Return what somebody has heard on their latest call by now."""
        return [str(sound) for sound in self._line(number)["heard"]]

    def call_id(self, number: str) -> str:
        """Return the id of somebody's latest call."""
        return str(self._line(number)["call_id"])

    def log(self) -> list[str]:
        """Return the lines that the application has written by itself."""
        return others(self.output)

    def log_ins(self) -> int:
        """Return how often an application has asked to be logged in."""
        return len(self.ask("GET", "/frames", method="signalwire.connect", direction="received")["frames"])

    def terminates(self) -> None:
        """Send the application SIGTERM."""
        self.application.signal(signal.SIGTERM)

    def kills(self) -> None:
        """Kill the application by SIGKILL, and start it again."""
        self.application.signal(signal.SIGKILL)
        self.application.ends()
        self.application = self._start()

    def starts_another(self) -> None:
        """Start a second process of the application, and wait until it is logged in, too."""
        self._others.append(self._start())
        self.ask("POST", "/wait", count=2, within=LOG_IN_WITHIN_S)

    def sockets(self) -> int | None:
        """Return how many sockets the application has open; None where the system does not say."""
        folder = Path(f"/proc/{self.application.pid}/fd")
        if not folder.exists():
            return None
        return sum(_is_socket(one) for one in folder.iterdir())

    def calls_up(self) -> int:
        """Return how many legs of calls are up."""
        return int(self.ask("GET", "/health")["calls_up"])

    def is_over(self, number: str) -> bool:
        """Return whether somebody's latest call has ended."""
        return bool(self._line(number)["is_over"])

    def is_next_served(self) -> bool:
        """Let somebody call, and once more if need be; return whether they are greeted."""
        until = time.monotonic() + NEXT_CALLER_WITHIN_S
        while time.monotonic() < until:
            try:
                self.dials(NEXT_CALLER, OFFICE)
                self.person(NEXT_CALLER, "hears", what="press 1", within=NEXT_CALLER_TRIES_S)
            except OtherwiseError:
                self._hangs_up(NEXT_CALLER)
                self._pause.wait(5 * LOOK_EVERY_S)
            else:
                self._hangs_up(NEXT_CALLER)
                return True
        return False

    def findings(
        self, seen: str, otherwise: str, *, patience_s: float, may_repeat: bool, has_next: bool, lost: Collection[str]
    ) -> Findings:
        """Let everything come to an end, for so many seconds, and return what is found then.

        Args:
            seen: what the scenario has seen.
            otherwise: what did not go as told.
            patience_s: how long it may take.
            may_repeat: whether people may hear things twice.
            has_next: whether somebody is to call afterwards.
            lost: whose calls no application can reach any more, so that it is not its fault that they are up.
        """
        began = time.monotonic()
        is_next_served = self.is_next_served() if has_next else None
        self._waits_for(lambda: self._is_all_over(lost), max(0.0, began + patience_s - time.monotonic()))
        lines = [line["heard"] for phone in self.ask("GET", "/phones")["phones"] for line in phone["lines"]]
        _begun, running = begun_and_open(self.output)
        return Findings(
            seen=seen,
            otherwise=otherwise,
            up=len(self._up(lost)),
            open=() if self.is_gone else running,
            twice=() if may_repeat else heard_twice(lines),
            is_next_served=is_next_served,
            unacknowledged=self._unacknowledged(),
            violations=len(self.ask("GET", "/violations")["violations"]),
            failures=failures(self.output, but=NEXT_CALLER),
        )

    def _waits_for(self, what: Callable[[], bool], within: float) -> bool:
        """Wait until something is so, or until no handler has run for a while that could bring it about."""
        until, served_at = time.monotonic() + within, time.monotonic()
        while not what():
            now = time.monotonic()
            begun, running = begun_and_open(self.output)
            if running or not begun:
                served_at = now
            if now > until or now > served_at + NOBODY_SERVES_S:
                return False
            self._pause.wait(LOOK_EVERY_S)
        return True

    def _has_heard(self, number: str, what: str) -> bool:
        return any(what in sound.lower() for sound in self.heard(number))

    def _line(self, number: str) -> dict[str, Any]:
        return dict(self.ask("GET", f"/phones/{number}")["lines"][-1])

    def _is_all_over(self, lost: Collection[str]) -> bool:
        _begun, running = begun_and_open(self.output)
        return not (running and not self.is_gone) and not self._up(lost) and not self._unacknowledged()

    def _up(self, lost: Collection[str]) -> list[dict[str, Any]]:
        return [call for call in self.ask("GET", "/calls", up=1)["calls"] if call["from_number"] not in lost]

    def _unacknowledged(self) -> int:
        return len(self.ask("GET", "/unacknowledged")["unacknowledged"])

    def _hangs_up(self, number: str) -> None:
        try:
            self.person(number, "hangs_up")
        except OtherwiseError:
            return  # the call is over already


@contextmanager
def open_sim(pace: float = PACE) -> Iterator[Sim]:
    """Start a simulator; end it."""
    with Command("sim", "--tls", "--port", "0", "--control", "0", "--pace", str(pace), "--seed", "7") as command:
        account = {
            "SIGNALWIRE_SPACE": command.says(r"export SIGNALWIRE_SPACE=(\S+)")[1],
            "SIGNALWIRE_PROJECT_ID": "parity",
            "SIGNALWIRE_API_TOKEN": "parity",
            "SIGNALWIRE_RELAY_CA_FILE": command.says(r"export SIGNALWIRE_RELAY_CA_FILE=(.+)")[1].strip(),
        }
        yield Sim(command.says(r"control API at (\S+);")[1], account)
        command.signal(signal.SIGTERM)  # so that it takes its certificates away
        command.ends()


@contextmanager
def open_bench(sim: Sim, module: str, **environment: str) -> Iterator[Bench]:
    """Start an application that logs in to a simulator; end it, and let the simulator be as if nothing had happened."""
    with ExitStack() as stack:

        def start() -> Command:
            return stack.enter_context(Command(module=module, **sim.account, **environment))

        bench = Bench(sim.url, start)
        manners = bench.ask("GET", "/manners")["manners"]
        bench.waits_for_log_in()
        yield bench
    bench.ask("POST", "/reset")
    bench.ask("PATCH", "/manners", **manners)


def _is_socket(descriptor: Path) -> bool:
    try:
        return os.readlink(descriptor).startswith("socket:")
    except FileNotFoundError:
        return False  # it has been closed meanwhile


def _in_short(error: str) -> str:
    """Return what a 409 says, without the story that comes after it, and with people in the place of their numbers."""
    return re.sub(r"\+\d+", lambda number: name_of(number[0]), error.partition("\n")[0].partition(";")[0])
