"""`relay-actors record`: a call out of a journal, or out of what a running application has written."""

from __future__ import annotations

import ast
import contextlib
import re
import signal
from pathlib import Path

import pytest

from relay_actors.cli.main import main
from relay_actors.journal.sqlite import SqliteStore
from relay_actors.simulator.simulator import Simulator
from relay_actors.simulator.websockets_server import SimulatorServer
from relay_actors.testing import Recording, replays
from tests.cli.processes import Command
from tests.cli.test_run import variables
from tests.testing.recorded import CALLER, an_app, lived

APPLICATION = """
from relay_actors import CallActor, RelayApp, Timing

app = RelayApp(timing=Timing(linger_s=0.05))


@app.calls("shop")
class Clerk(CallActor):
    async def run(self):
        await self.answer()
        await self.play_tts("We are closed.").wait()
"""


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of an IVR, in the current directory."""
    monkeypatch.chdir(tmp_path)
    with contextlib.closing(SqliteStore("calls.db")) as store:
        store.append(lived("an IVR")[1])
        store.commit()
    return tmp_path / "calls.db"


@pytest.mark.parametrize("file", ["calls.db", "./calls.db", "linked.db"])
def test_a_journal_is_not_written_over_by_what_is_taken_out_of_it(
    journal: Path, file: str, capsys: pytest.CaptureFixture[str]
):
    Path("linked.db").symlink_to("calls.db")
    before = journal.read_bytes()
    assert main(["record", "calls.db", file]) == 2

    assert f"{file} is what the call is taken out of: name another file to write" in capsys.readouterr().err
    assert journal.read_bytes() == before


def test_nothing_is_written_over_that_is_no_recording(journal: Path, capsys: pytest.CaptureFixture[str]):
    """Who names the two files the wrong way round would lose the calls of a journal, or the code of an application."""
    Path("run.jsonl").write_bytes(b"")
    assert main(["record", "calls.db", "run.jsonl"]) == 0, "an empty file holds nothing"
    before = journal.read_bytes()
    Path("shop.py").write_text(APPLICATION, "utf-8")
    for file in ("calls.db", "shop.py"):
        assert main(["record", "run.jsonl", file]) == 2
        assert f"{file} is there, and is no recording: name another file to write" in capsys.readouterr().err

    assert journal.read_bytes() == before
    assert Path("shop.py").read_text("utf-8") == APPLICATION
    assert main(["record", "calls.db", "run.jsonl"]) == 0, "a recording is made anew"


def test_a_call_of_a_journal_becomes_a_test_that_passes(journal: Path, capsys: pytest.CaptureFixture[str]):
    """It says what is in it, and prints the lines to paste."""
    call_id = lived("an IVR")[1][0].subject
    assert main(["record", "calls.db", "calls/17.jsonl", "--call", call_id[:6]]) == 0
    head, *test = capsys.readouterr().out.splitlines()
    assert head.startswith("calls/17.jsonl: 1 call, ")
    assert head.endswith(" 7 commands, with stand-ins for what was said. The test:")
    assert [line for line in test if line] == [
        "from your_module import app  # where the RelayApp is",
        "from relay_actors.testing import replays",
        "def test_call_17() -> None:",
        '    replays("calls/17.jsonl", app)',
    ]
    text = Path("calls/17.jsonl").read_text("utf-8")
    assert CALLER not in text
    assert "Welcome" not in text
    replays("calls/17.jsonl", an_app())


def test_the_test_can_be_pasted_whatever_the_file_is_called(journal: Path, capsys: pytest.CaptureFixture[str]):
    file = 'Bob\'s "17".jsonl'
    assert main(["record", "calls.db", file]) == 0
    _head, _colon, test = capsys.readouterr().out.partition(":")
    [replayed] = [node for node in ast.walk(ast.parse(test.partition("\n")[2])) if isinstance(node, ast.Call)]
    assert ast.literal_eval(replayed.args[0]) == file


def test_words_are_kept_if_they_are_asked_for(journal: Path, capsys: pytest.CaptureFixture[str]):
    """For an application that decides by them."""
    assert main(["record", "calls.db", "a.jsonl", "--keep-words"]) == 0
    assert "with what was said. The test:" in capsys.readouterr().out
    assert "Welcome" in Path("a.jsonl").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["none.db", "a.jsonl"], "none.db cannot be read"),
        (["calls.db", "a.jsonl", "--call", "x"], "call 'x' is not there; there are:"),
        (["calls.db", "calls.db/a.jsonl"], "cannot be written"),
        (["words.txt", "a.jsonl"], "words.txt, line 1: it is no JSON"),
        (["run.jsonl", "a.jsonl", "--keep-words"], "say --keep-words when it is recorded"),
    ],
)
def test_what_cannot_be_recorded_is_told(
    journal: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
):
    """With what is wrong; the exit status says that something is to be mended."""
    Path("words.txt").write_text("once upon a time")
    Path("run.jsonl").write_text('{"recording": 1, "source": "run", "words": "replaced", "salt": 0}\n')
    assert main(["record", *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not Path("a.jsonl").exists()


def test_a_running_application_is_recorded_and_a_call_taken_out(
    tmp_path: Path,
    server: SimulatorServer,
    simulator: Simulator,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
):
    """SEMANTICS V7: over a real socket; what was recorded there replays."""
    (tmp_path / "recorded_application.py").write_text(APPLICATION)
    with Command("run", "recorded_application", "--record", "run.jsonl", cwd=tmp_path, **variables(server)) as run:
        run.says("logged in")
        line = simulator.phone("+15550001111").dials(context="shop")
        line.hears("closed").is_hung_up()
        run.signal(signal.SIGTERM)
        assert run.ends() == 0
    assert main(["record", str(tmp_path / "run.jsonl"), str(tmp_path / "17.jsonl"), "--call", line.call_id]) == 0
    recording = Recording.read(tmp_path / "17.jsonl")
    assert [one.name for one in recording.said if one.name and one.kind == "command"] == [
        "calling.answer",
        "calling.play",
        "calling.end",
    ]
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert main(["replay", "17.jsonl", "recorded_application"]) == 0
    assert "no difference, 3 commands as recorded" in capsys.readouterr().out


def test_of_a_call_whose_beginning_was_not_recorded_no_test_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """It was taken over when it was up: the test would fail, for there is nothing with which it could begin."""
    monkeypatch.chdir(tmp_path)
    whole = Recording.from_frames(lived("an IVR")[0]).text().splitlines()[1:]
    half = [re.sub(r'"(number|answer)": ', r"\g<0>9", line.replace("call-1", "call-0")) for line in whole[4:]]
    head = '{"recording": 1, "source": "run", "words": "replaced", "salt": 0, "ids": "as they were"}'
    Path("run.jsonl").write_text("\n".join([head, *half, *whole]))
    Path("half.jsonl").write_text("\n".join([head, *half]))

    assert main(["record", "run.jsonl", "a.jsonl"]) == 0
    said = capsys.readouterr().out
    assert "a.jsonl: 1 call, " in said
    assert "1 call is left out" in said
    replays("a.jsonl", an_app())
    for arguments in (["run.jsonl", "b.jsonl", "--call", "call-0"], ["half.jsonl", "b.jsonl"]):
        assert main(["record", *arguments]) == 2
        assert "was up already when the recording began" in capsys.readouterr().err
    assert not Path("b.jsonl").exists()


def test_words_are_for_recordings_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """An option without effect is a mistake."""
    assert main(["run", "examples.first_call:app", "--keep-words"]) == 2
    assert "give --record FILE, too" in capsys.readouterr().err
