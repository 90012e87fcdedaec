"""``relay-actors chaos --catalogue``: a table of what came of each race."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from relay_actors.cli.catalogue import Row, names_of, race_row, report
from relay_actors.cli.main import main
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.catalogue import CATALOGUE
from tests.testing.chaos.racers import app

APP = "tests.testing.chaos.racers:app"

UNSOUND = "tests.testing.chaos.unsound:app"


def test_the_races_are_listed_without_an_application(capsys: pytest.CaptureFixture[str]):
    """So that one can look them up."""
    assert main(["chaos", "--catalogue", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(CATALOGUE)
    assert all(line.startswith(name) for line, name in zip(lines, CATALOGUE, strict=True))


def test_without_an_application_nothing_can_be_run(capsys: pytest.CaptureFixture[str]):
    assert main(["chaos", "--catalogue"]) == 2
    assert "name the application" in capsys.readouterr().err


def test_one_seed_is_of_one_race(capsys: pytest.CaptureFixture[str]):
    assert main(["chaos", APP, "--catalogue", "--seed", "3"]) == 2
    assert "name the race" in capsys.readouterr().err


def test_all_races_or_one_can_be_asked_for():
    assert names_of("all") == list(CATALOGUE)
    assert names_of("ended-twice") == ["ended-twice"]


def test_one_race_is_run_and_counted(capsys: pytest.CaptureFixture[str]):
    assert main(["chaos", APP, "--catalogue", "ended-twice", "--seeds", "3", "--jobs", "1"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"^ended-twice +3 +3  held$", said, re.MULTILINE)
    assert said.endswith("1 races: 1 held, 0 not reached, 0 broken\n")


def test_when_no_race_is_done_yet_that_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Who interrupts it early has not found anything, and made no mistake either."""
    assert report([], APP, tmp_path) == 0
    assert capsys.readouterr().out.endswith("0 races: 0 held, 0 not reached, 0 broken\n")


def test_one_seed_of_a_race_is_told_in_full(capsys: pytest.CaptureFixture[str]):
    assert main(["chaos", APP, "--catalogue", "short-call", "--seed", "1"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("seed 1")
    assert "on sending calling.call.receive:  hang_up" in said
    assert "hung up" in said


def test_what_a_race_breaks_is_written_down_and_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Proves SEMANTICS V6. What the application prints is not shown among it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["chaos", UNSOUND, "--catalogue", "short-call", "--seeds", "5", "--jobs", "1"]) == 1
    said = capsys.readouterr().out
    assert "BROKEN with seed 0: after the end" in said
    assert "not shown" not in said
    [path] = tmp_path.glob("race-short-call-0.json")
    assert f"--replay {path.name}" in said
    assert json.loads(path.read_text())["format"] == 1
    assert main(["chaos", UNSOUND, "--replay", str(path)]) == 1
    assert "BROKEN after the end" in capsys.readouterr().out


def test_races_are_told_also_if_their_files_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Those that come after it, too."""
    rows = [Row("short-call", 1, 1, broken="rest: no end", plan='{"format":1}'), Row("ended-twice", 2, 2)]
    assert report(rows, "app", tmp_path / "nowhere") == 1
    said = capsys.readouterr().out
    assert re.search(r"nowhere/race-short-call-0\.json cannot be written: .*, with this in it: {\"format\":1}\n", said)
    assert "ended-twice     2         2  held\n" in said


def test_a_race_that_was_not_reached_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """It is neither held nor broken."""
    unkept = race_row("death-before-the-ack", app, cast_of(app), range(2))
    assert report([unkept, Row("late-winner", 20, 0)], "app", tmp_path) == 0
    said = capsys.readouterr().out
    assert "not reached: it needs a journal (--journal keeps one for the test)" in said
    # That the application never dials is not known: it may have missed the moment.
    assert "not reached in 20 runs; it takes a dial that is answered, at the right moment" in said
    assert said.endswith("2 races: 0 held, 2 not reached, 0 broken\n")
