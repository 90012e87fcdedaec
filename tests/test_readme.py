"""The README is true: its code runs, its commands and files are there, and its list of what is missing is complete."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relay_actors import CallHandle
from relay_actors.cli.main import main
from tests.support.house import REPOSITORY

README = (REPOSITORY / "README.md").read_text("utf-8")
FIFTEEN = 15
DEADLINE_S = 30.0


def blocks() -> dict[str, str]:
    """Every block of Python, by the file name in its first line."""
    return dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", README, re.MULTILINE | re.DOTALL))


def test_the_application_and_its_test_are_short():
    """Fifteen lines of code each, which is what was promised; comments and empty lines are free."""
    assert list(blocks()) == ["office.py", "test_office.py"]
    for name, text in blocks().items():
        code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(code) <= FIFTEEN, name


def test_the_test_passes_and_warns_of_nothing(pytester: pytest.Pytester):
    """A reader's first experience: two files in an empty directory, and ``pytest``."""
    for name, text in blocks().items():
        (pytester.path / name).write_text(text, "utf-8")

    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=blocks()["test_office.py"].count("def test_"))


def test_no_python_is_shown_that_is_not_run():
    """A block without a file name would be forgotten."""
    assert README.count("```python") == len(blocks())


def test_what_is_made_can_be_made():
    """The first two commands are all that a newcomer has to know."""
    targets = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)

    assert targets == ["demo", "test"]
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_link_leads_somewhere():
    """On the first screen of all places."""
    links = re.findall(r"\]\(([^)]+)\)", README)

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_every_variable_is_one_that_is_read():
    """What is exported to no effect is found out late."""
    config = (REPOSITORY / "relay_actors" / "config.py").read_text("utf-8")
    for variable in re.findall(r"SIGNALWIRE_\w+", README):
        assert f'"{variable}"' in config


def test_every_verb_is_in_the_table_once_and_there_is_no_other():
    """Measured against the methods of a call in the official SDK: what a reader finds here exists."""
    table = json.loads((REPOSITORY / "tests" / "data" / "methods.json").read_text("utf-8"))
    told = re.findall(r"`(\w+)`", README.partition("## All of RELAY")[2].partition("They are the same")[0])

    assert sorted(told) == sorted(method["name"] for method in table["call_methods"])
    assert all(hasattr(CallHandle, name) for name in told)


@pytest.fixture
def watchdog() -> Iterator[Callable[[subprocess.Popen[str]], subprocess.Popen[str]]]:
    """Ends processes that would keep the suite waiting for ever, and all others at the end."""
    started: list[tuple[subprocess.Popen[str], threading.Timer]] = []

    def watch(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
        timer = threading.Timer(DEADLINE_S, process.kill)
        timer.start()
        started.append((process, timer))
        return process

    yield watch
    for process, timer in started:
        timer.cancel()
        with process:
            process.kill()


def relay_actors(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "relay_actors.cli.main", *arguments]


def test_it_can_be_tried_by_hand(
    tmp_path: Path, watchdog: Callable[[subprocess.Popen[str]], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
):
    """With two terminals: what the first one says to set is all that the second one, and the doctor, need."""
    for name in [name for name in os.environ if name.startswith(("SIGNALWIRE_", "RELAY_"))]:
        monkeypatch.delenv(name)
    (tmp_path / "office.py").write_text(blocks()["office.py"], "utf-8")
    command = relay_actors("sim", "--port", "0", "--pace", "0.05")
    sim = watchdog(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    )
    assert sim.stdout
    assert sim.stdin
    told = list(itertools.takewhile(lambda line: not line.startswith("and then"), sim.stdout))
    variables = dict(re.findall(r"^export (\w+)=(\S+)$", "".join(told), re.MULTILINE))
    environment = {**os.environ, **variables}

    doctor = subprocess.run(
        relay_actors("doctor"), env=environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert doctor.returncode == 0, doctor.stdout + doctor.stderr

    command = relay_actors("run", "office:app")
    run = watchdog(subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True))
    sim.stdin.write("app\ndial office\nhear press 1\npress 2\nhear nine to five\nended\n")
    sim.stdin.flush()
    assert any("ended (hangup)" in line for line in sim.stdout)
    run.send_signal(signal.SIGTERM)
    assert run.wait() == 0
    sim.stdin.write("quit\n")
    sim.stdin.close()
    rest = sim.stdout.read()
    assert sim.wait() == 0, rest


def test_every_command_that_is_shown_is_one():
    """Here and in the pages."""
    texts = [README, *(page.read_text("utf-8") for page in (REPOSITORY / "docs").rglob("*.md"))]
    shown = {name for text in texts for name in re.findall(r"^ *\$ \S*relay-actors (\w+)", text, re.MULTILINE)}

    assert {"doctor", "run", "sim"} <= shown
    for name in shown:
        with pytest.raises(SystemExit) as end:
            main([name, "--help"])
        assert end.value.code == 0, name
