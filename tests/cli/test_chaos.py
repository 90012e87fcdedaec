"""``relay-actors chaos``: many seeds, one seed, and a run that breaks something."""

from __future__ import annotations

import re
import signal
import sys
from pathlib import Path

import pytest

from relay_actors.cli.main import main
from tests.cli.processes import Command

APP = "tests.testing.chaos.application:app"

UNSOUND = "tests.testing.chaos.unsound:app"

ALWAYS_FAILS = """
from relay_actors import CallActor, MessageActor, RelayApp

app = RelayApp()


@app.calls("shop")
class Fails(CallActor):
    async def run(self):
        await self.answer()
        raise KeyError("oops")


@app.messages("shop")
class FailsToo(MessageActor):
    def on_receive(self, message):
        raise KeyError("oops")
"""
TELLS_RUNS = """
import sys

app.on_shutdown("stop_intake", lambda: sys.stderr.write("a run\\n"))
"""

GOES_ON = """
import sys

from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("shop")
class GoesOn(CallActor):
    def on_receive(self, message):
        sys.stderr.write("going on\\n")
        while True:
            pass
"""

NEVER_RESTS = """
from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("shop")
class NeverRests(CallActor):
    async def run(self):
        await self.answer()
        while True:
            await self.sleep(0)
"""

DIES = """
import os

from relay_actors import CallActor, RelayApp

app = RelayApp()


@app.calls("shop")
class Dies(CallActor):
    def on_receive(self, message):
        os._exit(7)
"""

INTERRUPTS = """
import queue
import signal
import sys
import threading
from itertools import count

from relay_actors.cli.main import main

puts = count(1)


def interrupt_behind_the_lock(frame, event, _arg):
    takes_lock = event == "c_return" and frame.f_code is threading.Condition.__enter__.__code__
    # Not at the first one: then the thread is not there yet that would wait for the lock.
    if takes_lock and frame.f_back.f_code is queue.Queue.put.__code__ and next(puts) == 3:
        sys.setprofile(None)
        print("interrupting", flush=True)
        signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    sys.setprofile(interrupt_behind_the_lock)
    sys.exit(main(["chaos", *sys.argv[1:]]))
"""


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_seeds_that_all_hold_end_with_0(capsys: pytest.CaptureFixture[str]):
    """And what went wrong in them is counted."""
    assert main(["chaos", APP, "--seeds", "12", "--jobs", "1", "--journal", "--twice"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"12 runs of .* turns, [\d,]+ frames, \d+ mishaps", said)
    assert "all invariants held, and each run was the same twice" in said


def test_handlers_that_fail_break_nothing_and_are_counted(directory: Path, capsys: pytest.CaptureFixture[str]):
    """Otherwise an application in which every call raises would look like one that is well."""
    (directory / "always_fails.py").write_text(ALWAYS_FAILS)
    sys.path.insert(0, str(directory))
    try:
        assert main(["chaos", "always_fails", "--seeds", "4", "--jobs", "1", "--no-faults"]) == 0
        [told] = re.findall(
            r"^all invariants held; handlers failed (\d+) times \(the first: --seed (\d)\)$",
            capsys.readouterr().out,
            re.MULTILINE,
        )
        assert int(told[0]) >= 4
        assert main(["chaos", "always_fails", "--seed", told[1], "--no-faults"]) == 0
        assert re.search(r"^all invariants held; handlers failed \d+ times?$", capsys.readouterr().out, re.MULTILINE)
        assert main(["chaos", "always_fails", "--catalogue", "short-call", "--seeds", "4", "--jobs", "1"]) == 0
        assert re.search(r"races: .* 0 broken; handlers failed \d+ times$", capsys.readouterr().out, re.MULTILINE)
    finally:
        sys.path.remove(str(directory))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_it_is_told_what_came_of_it_so_far(directory: Path, number: signal.Signals):
    """An hour's runs are not for nothing; and nothing is left of the processes that did them."""
    (directory / "tells_runs.py").write_text(ALWAYS_FAILS + TELLS_RUNS)
    with Command("chaos", "tells_runs", "--seeds", "1000000", "--jobs", "2", "--no-faults", cwd=directory) as chaos:
        for _run in range(4 * 25):  # chunks come one after the other: those before the last ones have arrived
            chaos.says("a run")
        chaos.signal(number)
        assert chaos.ends() == 130
        found = re.search(
            r"^interrupted: in these (\d+) of 1000000 runs all invariants held; handlers failed",
            chaos.output,
            re.MULTILINE,
        )
        assert found
        assert f"{found[1]} runs of tells_runs in" in chaos.output
        assert int(found[1]) > 0
        assert "leaked" not in chaos.output
        assert "Traceback" not in chaos.output


@pytest.mark.parametrize("asked", [("--seeds", "50"), ("--catalogue",)], ids=" ".join)
def test_an_interrupt_ends_processes_that_would_go_on_for_ever(directory: Path, asked: tuple[str, ...]):
    """A handler that does not come back is a mistake that shows here first; and who looks for it presses Ctrl-C."""
    (directory / "goes_on.py").write_text(GOES_ON)
    with Command("chaos", "goes_on", *asked, "--jobs", "2", cwd=directory) as chaos:
        chaos.says("going on")
        chaos.signal(signal.SIGINT)
        assert chaos.ends() == 130
        assert re.search(r"^interrupted: .*\b0 of \d+ r", chaos.output, re.MULTILINE)
        assert "leaked" not in chaos.output
        assert "Traceback" not in chaos.output
        chaos.closes_its_output()


def test_an_interrupt_in_the_middle_of_handing_out_work_ends_it_all_the_same(
    directory: Path, monkeypatch: pytest.MonkeyPatch
):
    """Raised behind the lock of the pool's queue, it left that taken, and the end waited for ever."""
    (directory / "always_fails.py").write_text(ALWAYS_FAILS)
    (directory / "interrupts.py").write_text(INTERRUPTS)

    with Command("always_fails", "--seeds", "2000", "--jobs", "2", module="interrupts", cwd=directory) as chaos:
        chaos.says("interrupting")
        assert chaos.ends() == 130
        assert "interrupted: in these" in chaos.output


def test_the_processes_of_one_that_is_killed_end_with_it(directory: Path):
    """Nobody tells them anything any more: they would be there for ever."""
    (directory / "tells_runs.py").write_text(ALWAYS_FAILS + TELLS_RUNS)
    with Command("chaos", "tells_runs", "--seeds", "1000000", "--jobs", "2", cwd=directory) as chaos:
        chaos.says("a run")
        chaos.signal(signal.SIGKILL)
        assert chaos.ends() == -signal.SIGKILL
        chaos.closes_its_output()


def test_several_processes_do_the_same(capsys: pytest.CaptureFixture[str]):
    """The seeds do not depend on who runs them."""
    totals = []
    for jobs in ("1", "2"):
        assert main(["chaos", APP, "--seeds", "8", "--jobs", jobs]) == 0
        totals.append(capsys.readouterr().out.partition("s: ")[2])
    assert totals[0] == totals[1]


def test_one_seed_is_told_in_full(capsys: pytest.CaptureFixture[str]):
    """The plan, then everything that happened."""
    assert main(["chaos", APP, "--seed", "3", "--no-faults"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("seed 3")
    assert "signalwire.connect" in said


def test_what_breaks_is_reduced_written_down_and_repeated(directory: Path, capsys: pytest.CaptureFixture[str]):
    """Proves SEMANTICS V6: a file repeats it, with the same end."""
    assert main(["chaos", UNSOUND, "--seeds", "50", "--jobs", "1", "--no-faults"]) == 1
    said = capsys.readouterr().out
    assert "breaks 'after the end'" in said
    [path] = directory.glob("chaos-*.json")
    assert f"--replay {path.name}" in said
    [told] = re.findall(r"^BROKEN .*$", said, re.MULTILINE)
    assert main(["chaos", UNSOUND, "--replay", str(path)]) == 1
    again = capsys.readouterr().out
    assert told in again
    again = again.removeprefix("not shown\n")  # of one run what the application prints is shown, too
    assert re.match(r"seed \d+\nat .* calls menu, does nothing; stays .*\nturns are drawn 0 times", again)


def test_what_breaks_is_told_also_where_it_cannot_be_written(directory: Path, capsys: pytest.CaptureFixture[str]):
    """It may have taken an hour to find, in a checkout that is only to be read."""
    (directory / "chaos-0.json").mkdir()  # as nobody can write it, not even root
    assert main(["chaos", UNSOUND, "--seeds", "1", "--jobs", "1", "--no-faults"]) == 1
    said = capsys.readouterr().out
    assert "BROKEN after the end" in said
    [plan] = re.findall(
        r"^chaos-0\.json cannot be written: .*--replay FILE, with this in it: (.*)$", said, re.MULTILINE
    )
    (directory / "by-hand.json").write_text(plan)
    assert main(["chaos", UNSOUND, "--replay", "by-hand.json"]) == 1


def test_what_never_comes_to_rest_is_told_and_nothing_behind_it(directory: Path):
    """Its flows are still there when the process ends: Python told of each that could not be ended any more."""
    (directory / "never_rests.py").write_text(NEVER_RESTS)
    with Command("chaos", "never_rests", "--seeds", "2", "--jobs", "2", "--no-faults", cwd=directory) as chaos:
        assert chaos.ends() == 1
        assert "BROKEN rest" in chaos.output
        assert chaos.output.splitlines()[-1].startswith("repeat it: relay-actors chaos never_rests --replay")


def test_a_process_that_is_ended_by_the_application_is_told_of(directory: Path):
    """The traceback would be of a pool that who asks has never heard of."""
    (directory / "dies.py").write_text(DIES)
    with Command("chaos", "dies", "--seeds", "50", "--jobs", "2", cwd=directory) as chaos:
        assert chaos.ends() == 2
        assert "relay-actors: a process was ended in the middle of its runs: by the application itself" in chaos.output
        assert "Traceback" not in chaos.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--seeds", "0"], "at least 1"),
        (["--jobs", "0"], "at least 1"),
        (["--seed", "3", "--twice"], "--first SEED --seeds 1 --twice"),
        (["--replay", "nowhere.json"], "nowhere.json: No such file"),
        (["--replay", sys.executable], "not even text"),
        (["--replay", "pyproject.toml"], "no plan of a run"),
        (["--save", "nowhere"], "--save nowhere: there is no such directory"),
    ],
)
def test_what_cannot_be_done_is_said(arguments: list[str], why: str, capsys: pytest.CaptureFixture[str]):
    """With status 2: there is something to mend first."""
    assert main(["chaos", APP, *arguments]) == 2
    assert why in capsys.readouterr().err
