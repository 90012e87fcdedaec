"""What was found in one run of a scenario, whether the application has survived it, and the table of all. Pure."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

__all__ = [
    "Contender",
    "Findings",
    "Outcome",
    "Row",
    "headline",
    "heard_twice",
    "judge",
    "markdown",
    "surprises",
    "table",
    "with_table",
]

LONGEST_REASON = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was found, from outside.

    Attributes:
        seen: what the scenario itself has measured, in a clause.
        otherwise: what did not go as it was told, in a clause; empty: nothing.
        up: how many legs of calls are still up after everybody had time enough.
        open: of whom a handler has begun and not ended.
        twice: what somebody has heard more than once.
        is_next_served: whether somebody who calls afterwards is greeted; None: nobody called.
        unacknowledged: how many events were not acknowledged.
        violations: how many commands broke the schema of the wire.
        failures: what handlers have raised. By itself nothing bad.
    """

    seen: str = ""
    otherwise: str = ""
    up: int = 0
    open: Sequence[str] = ()
    twice: Sequence[str] = ()
    is_next_served: bool | None = None
    unacknowledged: int = 0
    violations: int = 0
    failures: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict on one application, and what was seen, in a clause."""

    survived: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Contender:
    """Who is compared.

    Attributes:
        name: in a clause.
        heading: of its column.
        is_ours: whether it is expected to survive, unless a row says otherwise.
    """

    name: str
    heading: str
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario with all verdicts.

    Attributes:
        outcomes: by the contender's name; who has not got what the scenario is about has none.
        excused: of ours, who is not expected to survive.
    """

    scenario: str
    outcomes: Mapping[str, Outcome]
    excused: Collection[str] = ()


def heard_twice(lines: Iterable[Sequence[str]]) -> list[str]:
    """Return what was heard more than once on one line, of what was heard on each."""
    return sorted({sound for heard in lines for sound in heard if heard.count(sound) > 1})


def judge(findings: Findings) -> Outcome:
    """Say whether an application has survived: everybody was told what they should, and nothing is left over."""
    troubles = list(_troubles(findings))
    if not troubles:
        return Outcome(True, findings.seen)
    if findings.failures:
        troubles.insert(0, f"the handler got “{_shortened(findings.failures[0])}”")
    return Outcome(False, "; ".join(troubles))


def table(rows: Sequence[Row], contenders: Sequence[Contender]) -> Iterator[str]:
    """Give the lines of the table, as they are printed."""
    width = max(len(row.scenario) for row in rows)

    def line(first: str, cells: Iterable[str], last: str) -> str:
        columns = (f"{cell:{len(one.heading)}}" for cell, one in zip(cells, contenders, strict=True))
        return "  ".join([f"{first:{width}}", *columns, last])

    yield line("scenario", (one.heading for one in contenders), "what was seen")
    for row in rows:
        yield line(row.scenario, (_word(row, one) for one in contenders), _seen(row, contenders))
    yield "survived: " + ", ".join(f"{one.heading} {_count(rows, one)}" for one in contenders)


def markdown(rows: Sequence[Row], contenders: Sequence[Contender]) -> Iterator[str]:
    """Give the lines of the same table for the documentation."""
    yield _cells("scenario", *(one.heading for one in contenders), "what was seen")
    yield "|---" * (len(contenders) + 2) + "|"
    for row in rows:
        yield _cells(row.scenario, *(_word(row, one) for one in contenders), _seen(row, contenders))
    yield _cells("**survived**", *(_count(rows, one) for one in contenders), "")


def surprises(rows: Iterable[Row], contenders: Sequence[Contender]) -> list[str]:
    """Return which of ours should have survived what, and has not."""
    return [
        f"{one.name}: {row.scenario}"
        for row in rows
        for one in contenders
        if one.is_ours and one.name not in row.excused and one.name in row.outcomes
        if not row.outcomes[one.name].survived
    ]


def headline() -> str:
    """Say what was measured with what, and when: the first line of a table in the documentation."""
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: signalwire-sdk {version('signalwire-sdk')} from PyPI, unchanged; "
        f"relay_actors {version('relay-actors')}; Python {platform.python_version()}, {os.cpu_count()} cores."
    )


def with_table(page: str, lines: Iterable[str], what: str = "measured") -> str:
    """Return a page with these lines in the place of those between its marks, which begin and end ``what``.

    Raises:
        ValueError: the page has no such place.
    """
    marks = [f"<!-- {what}: {word} -->" for word in ("begin", "end")]
    before, begin, rest = page.partition(marks[0])
    _old, end, after = rest.partition(marks[1])
    if not begin or not end:
        raise ValueError(f"the page has no {' and '.join(marks)}")
    return "\n".join([before + begin, "", *lines, "", end + after])


def _troubles(findings: Findings) -> Iterator[str]:
    if findings.otherwise:
        yield findings.otherwise
    if findings.up:
        yield "a call is left up" if findings.up == 1 else f"{findings.up} calls are left up"
    if findings.open:
        yield "a handler never ends" if len(findings.open) == 1 else f"{len(findings.open)} handlers never end"
    if findings.twice:
        yield f"heard twice: “{_shortened(findings.twice[0])}”"
    if findings.is_next_served is False:
        yield "who calls next is not answered"
    if findings.unacknowledged:
        yield f"{findings.unacknowledged} events are not acknowledged"
    if findings.violations:
        yield f"{findings.violations} commands break the schema"


def _shortened(text: str) -> str:
    text = text.partition(" (tag=")[0]  # it is another one each time
    return text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…"


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _word(row: Row, contender: Contender) -> str:
    outcome = row.outcomes.get(contender.name)
    if outcome is None:
        return "-"
    return "yes" if outcome.survived else "no"


def _seen(row: Row, contenders: Sequence[Contender]) -> str:
    """Say what was seen: once for all of whom the same is true."""
    by_clause: dict[str, list[str]] = {}
    for contender in contenders:
        if contender.name in row.outcomes:
            by_clause.setdefault(row.outcomes[contender.name].seen, []).append(contender.name)
    return ". ".join(
        f"{'all' if len(names) == len(contenders) else ', '.join(names)}: {clause}"
        for clause, names in by_clause.items()
    )


def _count(rows: Iterable[Row], contender: Contender) -> str:
    verdicts = [row.outcomes[contender.name].survived for row in rows if contender.name in row.outcomes]
    return f"{sum(verdicts)} of {len(verdicts)}"
