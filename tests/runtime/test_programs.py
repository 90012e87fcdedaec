"""Random programs of actors: what must be true in each of them (SEMANTICS V5)."""

import logging
import os
import re
import subprocess
import sys

import pytest

from tests.runtime.programs import Program, Violation
from tests.runtime.programs.__main__ import main
from tests.runtime.programs.actions import ACTIONS
from tests.runtime.programs.moves import MOVES
from tests.runtime.programs.mutations import MUTATIONS
from tests.runtime.programs.on_threads import ThreadedProgram
from tests.support.house import REPOSITORY
from tests.support.thorough import IS_THOROUGH

SEEDS = 2000 if IS_THOROUGH else 200
CHUNK = 100
DIGESTS = [
    "577ac179090cf2d9fe0f0e8b1b474492caa2a63c240d281d54af764b2c92c662",
    "cab3d7dc0b91228382aa623e2db6685ce7fa618cba16c7aab96d5e42bb30ebc9",
    "b16491abc5e042b5ef51cccbcd8edab91cb0da70bd2f202e3188018bd5e83920",
    "5d84a4ac4d55523c8c4c9f2f2c290b2edb61a978bd1c258f1859b325819b1374",
]
"""Fingerprints of the events of the first seeds, the same everywhere."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """They fail on purpose, many times."""
    caplog.set_level(logging.CRITICAL + 1, logger="relay_actors")  # the fixture takes it back


def run_some() -> None:
    """Run as many as a mistake may take to be found."""
    for seed in range(100):
        Program(seed).run()


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_every_message_ask_watch_and_actor_is_accounted_for(first: int):
    """A5, A6, D1, D2, DL1, L3, L4, L6, L9, M1, M5, R2, S10, S11, T1, T2, V5, W1-W4: see `programs.invariants`."""
    for seed in range(first, first + CHUNK):
        Program(seed).run()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.usefixtures("eager_switches")
def test_the_same_is_true_on_threads(seed: int):
    """D1, M5, A6, V5, W1: as above, as far as actors see it themselves, and at the end. `make stress` runs more."""
    ThreadedProgram(seed).run()


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_broken_runtime_is_found(mutation: str, monkeypatch: pytest.MonkeyPatch):
    """V5: the programs can fail: each way to break the runtime is found, soon, and as what it is."""
    break_it, word = MUTATIONS[mutation]
    with monkeypatch.context() as patch:
        break_it(patch)
        with pytest.raises(Violation) as caught:
            run_some()
    [line] = re.findall(r"VIOLATION: (.*)", str(caught.value))
    assert re.search(word, line), line


def test_a_violation_tells_the_events_before_it_and_how_to_see_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """V3: with the command, which shows the same once more."""
    break_it, _word = MUTATIONS["the_last_comes_first"]
    break_it(monkeypatch)
    with pytest.raises(Violation) as caught:
        run_some()
    *_events, violation, how = str(caught.value).splitlines()
    seed = int(re.findall(r"seed (\d+); see it again with: make seeds SEED=\1$", how)[0])

    assert main(["--seed", str(seed)]) == 1
    shown = capsys.readouterr().out
    assert violation in shown
    assert shown.splitlines()[0].split()[0] == "1"
    assert main(["--seed", str(seed), "--number", "1"]) == 1


def test_many_seeds_are_run_in_processes(capsys: pytest.CaptureFixture[str]):
    """`make seeds` says how far it is."""
    assert main(["--number", "3", "--first", "7", "--processes", "1"]) == 0
    assert "3 of 3 seeds, 0 failed" in capsys.readouterr().out
    assert main(["--seed", "7"]) == 0
    assert "nothing was violated" in capsys.readouterr().out


def test_the_programs_do_what_they_are_made_of():
    """An action that nobody ever does proves nothing; nor do messages that nobody ever handles."""
    seen: set[str] = set()
    for seed in range(60):
        program = Program(seed)
        program.run()
        seen |= {" ".join(line.split()[2:4]) for line in program.log}
        seen |= {line.split()[2] for line in program.log}
    words = (
        "tells", "asks", "handles", "dead letter", "full", "starts", "stops", "ticks", "crashes", "exits", "kill",
        "watches", "unwatches", "hears of", "has waited", "is restarted", "gets no", "could not", "stops a", "is",
        "begins a", "stop",
    )  # fmt: skip

    assert [word for word in words if word not in seen] == []
    assert len(ACTIONS) == 18
    assert len(MOVES) == 7


# -- the same seed


@pytest.mark.parametrize("seed", range(10))
def test_the_same_seed_gives_the_same_events(seed: int):
    """V3: what is random comes from the seed, and from nothing else."""
    logs = []
    for _ in range(2):
        program = Program(seed)
        program.run()
        logs.append(program.log)
    assert logs[0] == logs[1]
    assert len(logs[0]) > 50


def test_the_same_seed_gives_the_same_events_in_another_process():
    """V3: byte for byte, with other hashes of texts, at other addresses in memory, and with any version of Python."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.runtime.programs", "--digests", str(len(DIGESTS))],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONHASHSEED": "17"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    digests = run.stdout.split()
    here = []
    for seed in range(len(DIGESTS)):
        program = Program(seed)
        program.run()
        here.append(program.digest)

    assert digests == here
    assert digests == DIGESTS, (
        "other events than before. If the runtime or the programs were changed on purpose, "
        "put in what `python -m tests.runtime.programs --digests` prints"
    )
