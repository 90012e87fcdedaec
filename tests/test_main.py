"""``python -m relay_actors``, as whoever has several interpreters starts the command line."""

import subprocess
import sys

import pytest

from relay_actors import __version__
from tests.cli.processes import DEADLINE_S, plain_environment


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [(["--version"], 0, f"relay-actors {__version__}"), (["dance"], 2, "usage: relay-actors")],
)
def test_the_package_is_run_as_the_command_line(arguments: list[str], status: int, said: str):
    done = subprocess.run(
        [sys.executable, "-m", "relay_actors", *arguments],
        capture_output=True, text=True, timeout=DEADLINE_S, env=plain_environment(),
    )  # fmt: skip
    assert done.returncode == status
    assert said in done.stdout + done.stderr
