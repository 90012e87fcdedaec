"""One contender against one load server, each in a process of its own. No wait is without a deadline."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from relay_actors.simulator.tls import TlsFiles

__all__ = ["ROOT", "SDK_PYTHON", "Contender", "Contest", "NotMeasuredError", "floor", "official", "ours", "sdk_version"]

ROOT = Path(__file__).parents[2]
SDK_PYTHON = ROOT / ".venv-parity" / "bin" / "python"


class NotMeasuredError(Exception):
    """Something was not measured; the text is the reason."""


@dataclass(frozen=True)
class Contender:
    """A client that is measured.

    Attributes:
        name: as it stands in tables.
        command: how its process is started.
        environment: what it finds in its environment, beside where the server is.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def ours(program: str, *, name: str = "ours", journal: Path | None = None, **environment: str) -> Contender:
    """Return our client with one of its programs."""
    keeps = () if journal is None else ("--journal", str(journal))
    return Contender(name, (sys.executable, "-m", "tests.benchmarks.clients.ours", program, *keeps), environment)


def official(program: str, *, name: str = "official SDK", **environment: str) -> Contender:
    """Return the official SDK's client with one of its programs."""
    return Contender(name, (str(SDK_PYTHON), "tests/benchmarks/clients/official.py", program), environment)


def floor() -> Contender:
    """Return the client with no actors at all."""
    return Contender("floor", (sys.executable, "-m", "tests.benchmarks.clients.floor", "ivr"))


def sdk_version() -> str:
    """Return which version of the official SDK is there, or ``not installed``."""
    if not SDK_PYTHON.exists():
        return "not installed"
    ask = "from importlib.metadata import version; print(version('signalwire-sdk'))"
    return subprocess.run([str(SDK_PYTHON), "-c", ask], capture_output=True, text=True, check=True).stdout.strip()


def cpu_s(pid: int) -> float:
    """Return how many seconds of CPU a process has used, all its threads together; to the nanosecond, on Linux."""
    return time.clock_gettime((~pid << 3) | 2)  # what clock_getcpuclockid(3) makes of a process id


def resident_bytes(pid: int) -> int:
    """Return how much memory of a process is resident."""
    pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


class Contest:
    """A load server with a client, from the start of both until the end of the block."""

    def __init__(self, tls: TlsFiles, contender: Contender, scenario: str, *, spin: bool = False, **settings: float):
        self.client: subprocess.Popen[str] | None = None
        self._contender = contender
        self._tls = tls
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115  # closed at the end of the contest
        args = [scenario, str(tls.certificate_file), str(tls.key_file), *(["--spin"] if spin else [])]
        args += [f"{name}={value}" for name, value in settings.items()]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True, cwd=ROOT,
        )  # fmt: skip
        self._told: queue.SimpleQueue[str] = queue.SimpleQueue()
        _follow(self._server.stdout, self._told)

    def __enter__(self) -> Self:
        try:
            self._port = self.wait_for("port", 10.0)["port"]
            self.start_client()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill_client()
        self._server.kill()
        self._server.wait()
        for stream in (self._server.stdin, self._server.stdout, self._errors):
            if stream is not None:
                stream.close()

    def start_client(self) -> None:
        """Start the client, for the first time or once more."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SIGNALWIRE_", "RELAY_"))},
            "SIGNALWIRE_PROJECT_ID": "project",
            "SIGNALWIRE_API_TOKEN": "bench-token",
            "SIGNALWIRE_SPACE": f"localhost:{self._port}",
            "SIGNALWIRE_RELAY_CA_FILE": str(self._tls.ca_file),
            "SIGNALWIRE_LOG_LEVEL": "critical",
            "RELAY_MAX_ACTIVE_CALLS": "100000",
            **self._contender.environment,
        }
        self.client = subprocess.Popen(
            self._contender.command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=self._errors,
            text=True, cwd=ROOT, env=environment,
        )  # fmt: skip

    def kill_client(self) -> None:
        """Kill the client: no word of it is heard any more."""
        if self.client is not None:
            self.client.kill()
            self.client.wait()
            if self.client.stdin is not None:
                self.client.stdin.close()
            self.client = None

    def wait_for(self, mark: str, within_s: float) -> dict[str, Any]:
        """Wait until the server is so far, and return what it says of it.

        Raises:
            NotMeasuredError: it is not so far in time, or the client or the server has ended.
        """
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                said: dict[str, Any] = json.loads(self._told.get(timeout=0.25))
            except queue.Empty:
                self._look_after_both()
                continue
            if "failed" in said:
                self._look_after_both()
                raise NotMeasuredError(f"{self._contender.name}: {said['failed']}")
            if said["mark"] == mark:
                return said
        raise NotMeasuredError(f"{self._contender.name}: no {mark!r} within {within_s:g} s")

    def go(self) -> None:
        """Let the server go on after a mark that waits."""
        assert self._server.stdin is not None
        self._server.stdin.write("\n")
        self._server.stdin.flush()

    def cpu_s(self) -> float:
        """Return how many seconds of CPU the client has used so far."""
        return cpu_s(self._pid())

    def resident_bytes(self) -> int:
        """Return how much memory of the client is resident."""
        return resident_bytes(self._pid())

    def _pid(self) -> int:
        if self.client is None or self.client.poll() is not None:
            raise NotMeasuredError(f"{self._contender.name}: the client has ended")
        return self.client.pid

    def _look_after_both(self) -> None:
        for who, process in (("client", self.client), ("load server", self._server)):
            if process is not None and process.poll() not in (None, 0):
                self._errors.seek(0)
                last = self._errors.read().strip().rpartition("\n")[2]
                raise NotMeasuredError(f"{self._contender.name}: the {who} ended with {process.poll()}: {last}")


def _follow(stream: IO[str] | None, told: queue.SimpleQueue[str]) -> None:
    assert stream is not None
    lines = stream

    def read() -> None:
        try:
            for line in lines:
                told.put(line)
        except ValueError:
            pass  # closed, at the end of the contest

    threading.Thread(target=read, daemon=True).start()
