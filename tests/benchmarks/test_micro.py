"""What is measured within one process: each runs as a process of its own, and gives one number."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.benchmarks.contest import ROOT


@pytest.mark.parametrize(
    "args",
    [
        ("actors", "ours.fan_out", 50),
        ("actors", "theirs.ping_pong", 20, 2),
        ("actors", "ours.spawn", 50),
        ("call_start", "with_two_actions", 20),
        ("flows", "await_of_ours", 20),
        ("flows", "memory_with_flow", 20),
        ("timers", "ours", 100),
    ],
    ids=lambda args: args[1],
)
def test_it_gives_a_number(args: tuple[str | int, ...]):
    """What is renamed in the product is noticed here, and not by whoever measures next."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.micro", *map(str, args)],
        capture_output=True, text=True, cwd=ROOT, timeout=60, check=True,
    )  # fmt: skip
    assert float(done.stdout) > 0
