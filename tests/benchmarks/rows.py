"""What is printed, written and drawn: one row for each line of the table of targets, and for what stands beside it."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["TIMES", "Figure", "Row", "Target", "figure", "number"]

TIMES = "\u00d7"


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of several rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float
    rounds: int = 1


def figure(values: Sequence[float]) -> Figure:
    """Return the figure of the values of all rounds."""
    return Figure(statistics.median(values), min(values), max(values), len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a row is to reach: at least, or at most.

    Attributes:
        of: ``ratio``: of ours to the other's; ``value``: of ours, in the row's unit.
        aim: what is hoped for beyond the target.
        is_out_of_reach: it was measured with less load than the target is for, so that it is missed whatever came out.
    """

    at_least: float | None = None
    at_most: float | None = None
    aim: float | None = None
    of: str = "ratio"
    is_out_of_reach: bool = False

    @property
    def bound(self) -> float:
        """The number, whichever side it is on."""
        bound = self.at_least if self.at_least is not None else self.at_most
        assert bound is not None
        return bound

    def is_met_by(self, value: float) -> bool:
        """Return whether ``value`` is on the right side of the bound."""
        if self.is_out_of_reach:
            return False
        return value >= self.bound if self.at_least is not None else value <= self.bound

    def said(self, unit: str) -> str:
        """Return it as it stands in a table; ``unit`` is that of the row."""
        side = "≥" if self.at_least is not None else "≤"
        aim = "" if self.aim is None else f", aim {number(self.aim)}"
        return f"{side} {number(self.bound)} {TIMES if self.of == 'ratio' else unit}{aim}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the results.

    Attributes:
        name: what was measured.
        unit: of both figures.
        ours: ours; None when it could not be measured.
        theirs: what it is measured against; None when there is nothing, or it could not be measured.
        against: who that is.
        target: what is to be reached; None for a row that only informs.
        conditions: what was on, and how it was measured.
        failure: why something was not measured; empty if all was.
    """

    name: str
    unit: str
    ours: Figure | None = None
    theirs: Figure | None = None
    against: str = ""
    target: Target | None = None
    conditions: str = ""
    failure: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours as a multiple of theirs, of the medians."""
        if self.ours is None or self.theirs is None or not self.theirs.median:
            return None
        return self.ours.median / self.theirs.median

    @property
    def is_met(self) -> bool | None:
        """Whether the target is reached; None if there is none, or if it cannot be said."""
        if self.target is None or self.failure:
            return None
        value = self.ratio if self.target.of == "ratio" else self.ours.median if self.ours is not None else None
        return None if value is None else self.target.is_met_by(value)


def number(value: float) -> str:
    """Return a number as people read it: three digits that mean something, and no more."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if size >= 10 else f"{value:.2f}" if size >= 0.1 else f"{value:.3g}"
