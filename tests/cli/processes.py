"""Commands as processes of their own: with their pipes, signals and exit statuses. Every wait has a deadline."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.house import REPOSITORY

__all__ = ["DEADLINE_S", "Command", "plain_environment"]

DEADLINE_S = 30.0


def plain_environment(**variables: str) -> dict[str, str]:
    """This process's environment without anybody's account in it, and with these variables."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNALWIRE_", "RELAY_"))}
    kept |= {"PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
    return kept | variables


class Command:
    """``relay-actors`` (or another module) with these arguments, and all that it writes, standard error included.

    Use it in a ``with`` statement, which kills what is left of it.
    """

    def __init__(
        self, *arguments: str, module: str = "relay_actors.cli.main", cwd: Path = REPOSITORY, **environment: str
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=cwd,
            env=plain_environment(**environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._read = 0
        self._is_over = False
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read_all, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(ProcessLookupError):  # nobody is left
            os.killpg(self._process.pid, signal.SIGKILL)  # with what it has started: that would hold its output open
        self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def output(self) -> str:
        """All that was written so far."""
        with self._changed:
            return "".join(self._lines)

    def says(self, pattern: str) -> re.Match[str]:
        """Wait for a line in which ``pattern`` is found, after the one that was found last."""

        def find() -> re.Match[str] | None:
            while self._read < len(self._lines):
                self._read += 1
                if found := re.search(pattern, self._lines[self._read - 1]):
                    return found
            return None

        with self._changed:
            found: list[re.Match[str]] = []

            def look() -> bool:
                match = find()
                if match is not None:
                    found.append(match)
                return bool(found) or self._is_over

            self._changed.wait_for(look, DEADLINE_S)
            assert found, f"{pattern!r} was not said; what was said:\n{''.join(self._lines)}"
            return found[0]

    def type(self, *lines: str) -> None:
        """Write to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write("".join(f"{line}\n" for line in lines))
        self._process.stdin.flush()

    def end_input(self) -> None:
        """Close its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end, and return its exit status; negative: the signal that killed it."""
        status = self._process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return status

    def closes_its_output(self) -> None:
        """Wait until nobody can write to its output any more: neither it nor what it has started."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._is_over, DEADLINE_S), "somebody still has its output open"

    def _read_all(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
