"""The plot of the results: how many times better each is than what it is measured against, beside its target."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from tests.benchmarks.rows import TIMES, Row, number

__all__ = ["as_svg", "times_better"]

# Each is told apart on white and on black alike: a picture does not know which theme the reader has chosen.
_TEXT, _LINE, _MET, _MISSED, _MARK = "#7b8494", "#9aa2ae", "#2f9e6e", "#d97f2b", "#4c83d6"
_WIDTH, _LEFT, _RIGHT, _TOP, _STEP, _BAR = 960, 400, 90, 64, 22, 12


def times_better(row: Row) -> tuple[float, float | None] | None:
    """Return how many times better ours is, and how many times it should be, or None; None for what has no ratio.

    Where little is good, half as much is twice as good.
    """
    if row.target is None or not row.ratio or row.failure:
        return None
    more_is_good = row.target.at_least is not None
    better = row.ratio if more_is_good else 1 / row.ratio
    if row.target.of != "ratio":
        return better, None
    return better, row.target.bound if more_is_good else 1 / row.target.bound


def as_svg(rows: Sequence[Row]) -> str:
    """Return the plot: a bar for each row that has a ratio and a target, on a logarithmic scale."""
    bars = [(row, *found) for row in rows if (found := times_better(row)) is not None]
    values = [value for _row, better, wanted in bars for value in (better, wanted) if value] or [1.0]
    low = min(-1, math.floor(math.log10(min(values))))
    high = max(1, math.ceil(math.log10(max(values))))
    height = _TOP + _STEP * len(bars) + 34

    def x(value: float) -> float:
        return _LEFT + (math.log10(value) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" font-family="sans-serif" '
        f'font-size="12" fill="{_TEXT}">',
        "<title>How many times better than what it is measured against</title>",
        '<text x="12" y="24" font-size="15">Times better than what it is measured against</text>',
        f'<text x="12" y="44"><tspan fill="{_MET}">■</tspan> target met  <tspan fill="{_MISSED}">■</tspan> missed  '
        f'<tspan fill="{_MARK}">┃</tspan> target</text>',
    ]
    for exponent in range(low, high + 1):
        at = x(10.0**exponent)
        weight = 2 if exponent == 0 else 0.5
        parts.append(f'<path d="M{at:.1f} {_TOP - 6}V{height - 28}" stroke="{_LINE}" stroke-width="{weight}"/>')
        label = f"{10.0**exponent:g} {TIMES}"
        parts.append(f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle">{label}</text>')
    for place, (row, better, wanted) in enumerate(bars):
        parts += _bar(row, better, wanted, _TOP + _STEP * place, x)
    return "\n".join([*parts, "</svg>\n"])


def _bar(row: Row, better: float, wanted: float | None, y: float, x: Callable[[float], float]) -> list[str]:
    one, end = x(1.0), x(better)
    after = max(end, one, one if wanted is None else x(wanted)) + 6
    said = f"{number(better)} {TIMES}"
    told = f"{row.name}, against {row.against}: {said}"
    parts = [
        f'<text x="{_LEFT - 10}" y="{y + _BAR - 1}" text-anchor="end">{escape(row.name)}</text>',
        f'<rect x="{min(one, end):.1f}" y="{y}" width="{max(1.0, abs(end - one)):.1f}" height="{_BAR}" '
        f'fill="{_MET if row.is_met else _MISSED}"/>',
        f'<text x="{after:.1f}" y="{y + _BAR - 1}">{said}</text>',
    ]
    if wanted is not None:
        told += f", target {number(wanted)} {TIMES}"
        parts.append(f'<path d="M{x(wanted):.1f} {y - 3}v{_BAR + 6}" stroke="{_MARK}" stroke-width="3"/>')
    return [f"<g><title>{escape(told)}</title>", *parts, "</g>"]
