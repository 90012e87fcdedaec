"""What was found in one run of a scenario, whether the application has survived it, and the table of all. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

__all__ = [
    "Findings",
    "Outcome",
    "Row",
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
class Row:
    """One scenario with both verdicts.

    Attributes:
        sdk: None: it has not got what the scenario is about.
        should_survive: whether ours is expected to.
    """

    scenario: str
    sdk: Outcome | None
    ours: Outcome
    should_survive: bool = True


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


def table(rows: Sequence[Row], sdk: str) -> Iterator[str]:
    """Give the lines of the table, as they are printed; ``sdk`` is the official SDK with its version."""
    width = max(len(row.scenario) for row in rows)
    yield f"{'scenario':{width}}  {sdk:{len(sdk)}}  relay_actors  what was seen"
    for row in rows:
        yield f"{row.scenario:{width}}  {_word(row.sdk):{len(sdk)}}  {_word(row.ours):12}  {_seen(row)}"
    yield f"survived: {sdk} {_count(row.sdk for row in rows)}, relay_actors {_count(row.ours for row in rows)}"


def markdown(rows: Sequence[Row], sdk: str) -> Iterator[str]:
    """Give the lines of the same table for the documentation."""
    yield f"| scenario | {sdk} | relay_actors | what was seen |"
    yield "|---|---|---|---|"
    for row in rows:
        cells = (row.scenario, _word(row.sdk), _word(row.ours), _seen(row))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    sums = (_count(row.sdk for row in rows), _count(row.ours for row in rows))
    yield f"| **survived** | {sums[0]} | {sums[1]} | |"


def surprises(rows: Iterable[Row]) -> list[str]:
    """Return the scenarios that ours should have survived, and has not."""
    return [row.scenario for row in rows if row.should_survive and not row.ours.survived]


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


def _word(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    return "yes" if outcome.survived else "no"


def _seen(row: Row) -> str:
    if row.sdk is None:
        return f"relay_actors: {row.ours.seen}"
    if row.sdk.seen == row.ours.seen:
        return f"both: {row.ours.seen}"
    return f"SDK: {row.sdk.seen}. relay_actors: {row.ours.seen}"


def _count(outcomes: Iterable[Outcome | None]) -> str:
    verdicts = [outcome.survived for outcome in outcomes if outcome is not None]
    return f"{sum(verdicts)} of {len(verdicts)}"
