"""The whole of it, small: two processes, people on the phone, and the judge. ``make kill9`` is the large form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kill9.__main__ import main
from tests.kill9.killer import Plan, run

SMALL = {"callers": 10, "spread_s": 1.0, "pace": 0.1, "finish_s": 40.0, "away_s": 0.5}


def test_the_moments_of_death_are_drawn_from_the_seed_one_after_the_other():
    moments = Plan(kills=5, seed=7).moments()

    assert moments == Plan(kills=5, seed=7).moments() != Plan(kills=5, seed=8).moments()
    assert [at_s for at_s, _away_s in moments] == sorted(at_s for at_s, _away_s in moments)
    assert len(moments) == 5


def test_with_kills_every_call_completes_its_script_all_the_same(tmp_path: Path):
    """J3, J4, J5: no prompt is heard twice, no digit is lost, and nobody is left up."""
    verdict, troubles = run(Plan(kills=2, seed=1, **SMALL), tmp_path, print)

    assert (verdict.faults, troubles) == ((), [])
    assert verdict.is_good
    assert len(verdict.kills) == 2


def test_an_application_that_ends_by_itself_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """And nobody who calls it is forgotten: the files are kept, and the place is told."""
    monkeypatch.setattr("tests.kill9.killer.APPLICATION", "tests.kill9.no_such_module")
    with pytest.raises(RuntimeError, match="the application ended by itself with status 1"):
        main(["--callers", "1", "--keep", str(tmp_path)])

    assert str(tmp_path) in capsys.readouterr().out
    assert "no_such_module" in (tmp_path / "application-1.log").read_text()
