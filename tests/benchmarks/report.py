"""The results as text for a terminal, as the tables of the documentation, and as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.benchmarks.rows import TIMES, Figure, Row, number

__all__ = ["as_json", "as_line", "as_table", "machine", "write_between"]

BEGIN, END = "<!-- begin: written by make bench -->", "<!-- end: written by make bench -->"


def machine(*, versions: Mapping[str, str], rounds: int) -> dict[str, str]:
    """Return what the results were measured with. Neither names nor places of the machine are part of it."""
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "system": platform.system(),
        "cores": str(os.cpu_count()),
        "TLS": ssl.OPENSSL_VERSION.partition("  ")[0],
        "rounds": str(rounds),
        **versions,
    }


def _shown(value: Figure | None, unit: str) -> str:
    if value is None:
        return "-"
    spread = "" if value.low == value.high else f" ({number(value.low)} to {number(value.high)})"
    return f"{number(value.median)} {unit}{spread}"


def _verdict(row: Row) -> str:
    if row.failure:
        return "not measured"
    return "" if row.target is None else {True: "met", False: "missed", None: "cannot be said"}[row.is_met]


def _target(row: Row) -> str:
    return "" if row.target is None else row.target.said(row.unit)


def as_line(row: Row) -> str:
    """Return one row for a terminal."""
    ratio = "" if row.ratio is None else f"{number(row.ratio)} {TIMES}"
    theirs = f"{row.against} {_shown(row.theirs, row.unit)}" if row.against else ""
    cells = (row.name.ljust(60), _shown(row.ours, row.unit).ljust(34), theirs.ljust(44), ratio.rjust(9), _target(row))
    line = f"{' '.join(cells):172} {_verdict(row)}"
    return line.rstrip() + (f"\n    {row.failure}" if row.failure else "")


def as_table(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """Return the table of a page, and the list of what was on beneath it."""
    lines = [
        "![How many times better each is, beside its target](performance.svg)\n",
        f"{facts['python']} on {facts['cores']} cores, {facts['TLS']}, official SDK {facts['official SDK']}, pykka "
        f"{facts['pykka']}; at most {facts['rounds']} rounds, in turn. The median, and in brackets the lowest and the "
        "highest. A ratio is here to there. All of it for machines: {download}`performance.json`.\n",
        "| what | here | against | ratio | target | |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = "" if row.ratio is None else f"{number(row.ratio)} {TIMES}"
        theirs = f"{row.against}: {_shown(row.theirs, row.unit)}" if row.against else ""
        cells = (row.name, _shown(row.ours, row.unit), theirs, ratio, _target(row), _verdict(row))
        lines.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    by_conditions: dict[str, list[str]] = {}
    for row in rows:
        by_conditions.setdefault(row.conditions, []).append(row.name)
    lines.append("\nWhat was on, and how each was measured:\n")
    lines += [f"* {'; '.join(f'*{name}*' for name in names)}: {said}." for said, names in by_conditions.items()]
    return "\n".join(lines)


def as_json(rows: Sequence[Row], facts: Mapping[str, str]) -> str:
    """Return everything for machines."""
    listed = [
        {
            **dataclasses.asdict(row),
            "target": None if row.target is None else {**dataclasses.asdict(row.target), "text": _target(row)},
            "ratio": row.ratio,
            "is_met": row.is_met,
        }
        for row in rows
    ]
    return json.dumps({"measured with": dict(facts), "rows": listed}, indent=1, ensure_ascii=False) + "\n"


def write_between(page: Path, text: str) -> None:
    """Put ``text`` between the two marks of a page, in place of what is there."""
    old = page.read_text("utf-8")
    marks = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not marks.search(old):
        raise ValueError(f"{page.name} has no marks between which results belong")
    page.write_text(marks.sub(lambda _found: f"{BEGIN}\n\n{text}\n\n{END}", old), "utf-8")
