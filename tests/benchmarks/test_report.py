"""What is printed, written between the marks of a page, and drawn."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.benchmarks.plot import as_svg, times_better
from tests.benchmarks.report import BEGIN, END, as_json, as_line, as_table, machine, write_between
from tests.benchmarks.rows import Figure, Row, Target

FACTS = machine(versions={"official SDK": "3.7.5", "pykka": "4.5.0"}, rounds=5)


def row(name: str, ours: float, theirs: float, target: Target | None, failure: str = "") -> Row:
    return Row(
        name=name, unit="calls/s", against="official SDK", target=target, failure=failure, conditions="TLS, sleep",
        ours=Figure(ours, ours, ours, rounds=5), theirs=Figure(theirs, theirs / 2, theirs * 2, rounds=5),
    )  # fmt: skip


MET = row("calls & more", 8_000, 1_000, Target(at_least=7, aim=10))
MISSED = row("latency", 2, 1, Target(at_most=0.5))
FAILED = row("memory", 2, 1, Target(at_most=0.5), failure="the client ended with 1: no memory")


def test_a_line_says_all_of_a_row():
    """Whoever only sees the terminal misses nothing."""
    line = as_line(MET)
    assert [
        part for part in ("8,000 calls/s", "official SDK 1,000", "500 to 2,000", "8", "≥ 7", "met") if part not in line
    ] == []
    assert "missed" in as_line(MISSED)
    assert as_line(FAILED).endswith("no memory")


def test_what_failed_is_written_and_not_called_missed():
    """A table without it would look complete."""
    table = as_table([MET, FAILED], FACTS)
    assert "not measured" in table
    assert "TLS, sleep" in table
    assert table.count("\n| ") == 3


def test_machines_read_the_same():
    """JSON has the ratios and verdicts, so that nobody has to compute them in another way."""
    listed = json.loads(as_json([MET, MISSED], FACTS))
    assert [(each["ratio"], each["is_met"]) for each in listed["rows"]] == [(8.0, True), (2.0, False)]
    assert listed["measured with"]["official SDK"] == "3.7.5"


def test_nothing_of_the_machine_is_told(tmp_path: Path):
    """What is published names neither hosts nor folders."""
    assert set(FACTS) == {"python", "system", "cores", "TLS", "rounds", "official SDK", "pykka"}
    assert not [fact for fact in FACTS.values() if "/" in fact]


def test_results_take_the_place_of_the_old_ones(tmp_path: Path):
    """What people have written around them stays."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    write_between(page, "new \\1")
    write_between(page, "newer \\1")
    assert page.read_text("utf-8") == f"before\n{BEGIN}\n\nnewer \\1\n\n{END}\nafter\n"
    page.write_text("no marks", "utf-8")
    with pytest.raises(ValueError, match="no marks"):
        write_between(page, "new")


def test_better_is_to_the_right_whether_much_or_little_is_good():
    """Twice as late is half as good."""
    assert times_better(MET) == (8.0, 7)
    assert times_better(MISSED) == (0.5, 2.0)
    assert times_better(FAILED) is None
    assert times_better(row("it", 2, 1, Target(at_most=20, of="value"))) == (0.5, None)
    assert times_better(row("it", 2, 1, None)) is None


def test_the_plot_is_a_picture_with_a_bar_and_a_mark_for_each_row():
    """It is well-formed whatever a name has in it, and the same each time."""
    svg = as_svg([MET, MISSED, FAILED])
    root = ET.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    bars = root.findall(f"{space}g")
    assert [bar.findtext(f"{space}title") for bar in bars] == [
        "calls & more, against official SDK: 8 \u00d7, target 7 \u00d7",
        "latency, against official SDK: 0.50 \u00d7, target 2 \u00d7",
    ]
    rights = [float(bar.find(f"{space}rect").get("x")) + float(bar.find(f"{space}rect").get("width")) for bar in bars]  # type: ignore[union-attr, arg-type]
    assert rights[0] > rights[1]
    assert as_svg([MET, MISSED, FAILED]) == svg
    ET.fromstring(as_svg([]))
