"""What the applications tell of themselves on standard output, and how that is read."""

from __future__ import annotations

import sys
from collections.abc import Iterator

__all__ = ["begun_and_open", "failures", "others", "report"]

_MARK = "@ "


def report(what: str, who: str, why: str = "") -> None:
    """Tell that somebody's handler has ``begun``, has ``failed``, is ``over``."""
    sys.stdout.write(f"{_MARK}{what} {who} {why}".rstrip() + "\n")
    sys.stdout.flush()


def begun_and_open(output: str) -> tuple[int, list[str]]:
    """Return how many handlers have begun, and of whom one has not ended."""
    begun, running = 0, dict[str, int]()
    for what, who, _why in _read(output):
        if what == "begun":
            begun += 1
            running[who] = running.get(who, 0) + 1
        elif what == "over":
            running[who] = running.get(who, 0) - 1
    return begun, sorted(who for who, count in running.items() if count > 0)


def failures(output: str, *, but: str = "") -> list[str]:
    """Return why handlers have failed, other than that of one person."""
    return [why for what, who, why in _read(output) if what == "failed" and who != but]


def others(output: str) -> list[str]:
    """Return the lines that are no reports: what an application writes by itself."""
    return [line for line in output.splitlines() if line.strip() and not line.startswith(_MARK)]


def _read(output: str) -> Iterator[tuple[str, str, str]]:
    for line in output.splitlines():
        if line.startswith(_MARK):
            what, _blank, rest = line.removeprefix(_MARK).partition(" ")
            who, _blank, why = rest.partition(" ")
            yield what, who, why
