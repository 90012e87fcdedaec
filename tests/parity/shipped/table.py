"""What is told of all runs: two tables, printed and for the documentation, and what fails them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.parity.shipped.comparing import Departure, Run, departures
from tests.parity.shipped.differences import DIFFERENCES, Difference, difference
from tests.parity.shipped.program import BY_ITSELF, NOT_AT_ALL

__all__ = ["Row", "failures", "legend", "markdown", "table", "total"]


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was run under both.

    Attributes:
        part: the example, or the document.
        name: what people do, or the heading.
        official: what came of it there; None: it cannot be run.
        ours: the same of ours.
        why_not: why it cannot be run.
    """

    part: str
    name: str
    official: Run | None = None
    ours: Run | None = None
    why_not: str = ""

    @property
    def departures(self) -> list[Departure]:
        """Where ours does otherwise."""
        if self.official is None or self.ours is None:
            return []
        return list(departures(self.official, self.ours))

    @property
    def differences(self) -> list[Difference]:
        """The differences that are meant, each once."""
        found = (difference(one, self.name) for one in self.departures)
        return list(dict.fromkeys(one for one in found if one is not None))

    @property
    def surprises(self) -> list[Departure]:
        """Where ours does otherwise, and should not."""
        return [one for one in self.departures if difference(one, self.name) is None]

    @property
    def told_as(self) -> str:
        """The name, with the example or the document."""
        file = self.part.rpartition("/")[2]
        return self.name if self.name.startswith(f"{file}, ") else f"{file}, {self.name}"

    @property
    def cells(self) -> list[str]:
        """What stands in the tables: how both ended, their frames, and in what they differ."""
        name = self.name.removeprefix(f"{self.part.rpartition('/')[2]}, ")
        if self.official is None or self.ours is None:
            return [name, "-", "-", "-", f"not run: {self.why_not}"]
        names = [one.name for one in self.differences if not one.is_everywhere]
        return [
            name,
            _how(self.official),
            _how(self.ours),
            self._frames(),
            ", ".join([*names, *(["NOT MEANT"] if self.surprises else [])]),
        ]

    def _frames(self) -> str:
        """Say how many frames were sent, without those that differ everywhere."""
        sent = [sum(map(len, run.frames.values())) for run in (self.official, self.ours) if run is not None]
        unlike = [one for one in self.departures if one.what == "frame"]
        everywhere = [one for one in unlike if (known := difference(one, self.name)) and known.is_everywhere]
        sent[1] -= sum(one.official is None for one in everywhere)
        if len(unlike) == len(everywhere):
            return f"{sent[0]}, the same"
        return f"{sent[0]} and {sent[1]}"


def headings(sdk: str) -> list[str]:
    """Return what stands over the cells."""
    return [sdk, "relay_actors", "frames", "differs in"]


def table(rows: Sequence[Row], sdk: str, what: str) -> Iterator[str]:
    """Give the lines of a table, as they are printed; ``what`` is in its first column, ``sdk`` is the official one."""
    lines = [[what, *headings(sdk)], *(row.cells for row in rows)]
    widths = [max(len(cells[column]) for cells in lines) for column in range(5)]
    shown = ""
    for row, cells in zip([None, *rows], lines, strict=True):
        if row is not None and row.part != shown:
            shown = row.part
            yield shown
        indent = "" if row is None else "  "
        yield indent + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
    yield total(rows)


def markdown(rows: Sequence[Row], sdk: str, what: str) -> Iterator[str]:
    """Give the lines of the same table for the documentation."""
    yield f"| {what} | " + " | ".join(headings(sdk)) + " |"
    yield "|---|---|---|---|---|"
    shown = ""
    for row in rows:
        if row.part != shown:
            shown = row.part
            yield f"| **{shown}** | | | | |"
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row.cells) + " |"


def total(rows: Sequence[Row]) -> str:
    """Say in a line how many are the same."""
    run = [row for row in rows if row.ours is not None]
    same = [row for row in run if not row.surprises and all(one.is_everywhere for one in row.differences)]
    meant = [row for row in run if not row.surprises and row not in same]
    line = f"{len(rows)} in all: {len(same)} the same, {len(meant)} with a difference that is meant"
    if len(run) < len(rows):
        line += f", {len(rows) - len(run)} not run"
    if unlike := len(run) - len(same) - len(meant):
        line += f", {unlike} NOT AS THEY SHOULD BE"
    return line


def legend(rows: Iterable[Row]) -> Iterator[str]:
    """Give the differences that were seen, with their reasons."""
    seen = {one for row in rows for one in row.differences}
    for one in DIFFERENCES:
        if one in seen:
            yield f"*{one.name}*{' (everywhere)' if one.is_everywhere else ''}: {one.reason}."


def failures(rows: Sequence[Row], *, is_all: bool) -> Iterator[str]:
    """Give what is not as it should be; of all rows also which difference there is no more."""
    for row in rows:
        for departure in row.surprises:
            yield f"{row.told_as}: {departure}"
    if is_all:
        seen = {one for row in rows for one in row.differences}
        for one in DIFFERENCES:
            if one not in seen:
                yield f"there is no difference “{one.name}” any more: take it out of the list"


def _how(run: Run) -> str:
    end = {BY_ITSELF: "", NOT_AT_ALL: "does not end"}.get(run.ended, run.ended.partition(" ")[0])
    status = "" if run.status is None else f"exit {run.status}"
    printed = "" if not run.printed else f"prints {len(run.printed)} line{'s' if len(run.printed) > 1 else ''}"
    return ", ".join(part for part in (end, status, printed) if part) or "done"
