"""`relay-actors replay`: an application against a recording; the chart, and the exit status."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay_actors.cli.main import main
from relay_actors.testing import Recording
from tests.testing.recorded import CALLER, lived


@pytest.fixture
def recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of a recorded IVR and of a dial; and applications to import."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    Recording.from_frames(lived("an IVR")[0], keeps_words=True).write("ivr.jsonl")
    Recording.from_frames(lived("a dial")[0]).write("dial.jsonl")
    Path("replayed_application.py").write_text(
        """
from tests.testing.recorded import Ivr, an_app, calls_again


class Changed(Ivr):
    greeting = "Hello."


class App:
    same, changed = an_app(Ivr), an_app(Changed)


again = calls_again


def fails(app, command):
    raise KeyError("of mine")
""",
        "utf-8",
    )
    Path("unsound.py").write_text("def f(:", "utf-8")
    return "ivr.jsonl"


def test_an_application_that_is_as_it_was_ends_with_0(recording: str, capsys: pytest.CaptureFixture[str]):
    """Under all seeds; the whole chart on demand."""
    assert (
        main(["replay", recording, "replayed_application:App.same", "--seeds", "3", "--whole", "--number", CALLER]) == 0
    )
    first, _empty, head, *chart = capsys.readouterr().out.splitlines()
    assert first == "ivr.jsonl: no difference, 7 commands as recorded (seed 2)"
    assert head.split() == ["at", "server", "application"]
    assert len([line for line in chart if "<-- calling." in line]) == 7


def test_a_changed_one_ends_with_1_and_shows_where(recording: str, capsys: pytest.CaptureFixture[str]):
    """The chart has the first difference marked."""
    assert main(["replay", recording, "replayed_application:App.changed"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("ivr.jsonl, seed 0: calling.play on call-1: play.0.params.text is")
    assert '<-- calling.play call-1 control-1 "Hello."' in out


def test_what_is_done_from_outside_is_done_by_a_function(recording: str, capsys: pytest.CaptureFixture[str]):
    """It is named like the application."""
    target = ["replay", "dial.jsonl", "replayed_application:App.same"]
    assert main([*target, "--outside", "replayed_application:again"]) == 0
    assert main(target) == 1
    assert "calling.dial was not sent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.jsonl", "replayed_application:App.same"], "none.jsonl cannot be read"),
        (["ivr.jsonl", "no_such_application"], "there is no module"),
        (["ivr.jsonl", "replayed_application:App.same", "--seeds", "0"], "--seeds 0: must be 1 or more"),
        (["ivr.jsonl", "replayed_application:App.same", "--outside", "x"], "write module:function"),
        (["ivr.jsonl", "replayed_application:App.same", "--outside", ".x:y"], "write module:function"),
        (["ivr.jsonl", "replayed_application:App.same", "--outside", "x:y"], "--outside x:y: No module named 'x'"),
        (["dial.jsonl", "replayed_application:App.same", "--outside", "unsound:f"], "unsound cannot be imported:\n"),
        (
            ["dial.jsonl", "replayed_application:App.same", "--outside", "replayed_application:fails"],
            "--outside replayed_application:fails has failed:\nTraceback (most recent call last):\n",
        ),
    ],
)
def test_what_cannot_be_replayed_is_told(
    recording: str, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
):
    """The exit status is another one than that of a difference."""
    assert main(["replay", *arguments]) == 2
    assert told in capsys.readouterr().err
