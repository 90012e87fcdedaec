"""Runs pykka's own tests with our classes where they mean pykka's threads; exits with 1 if anything is unexpected.

The tests come from pykka's source distribution of the same version. Each test in which we differ on purpose is named in
`differences`, and must fail: a difference that has gone is an error, too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tarfile
from importlib.metadata import version
from pathlib import Path

import pykka
import pytest
from differences import DIFFERENCES  # beside this file: pykka's tests are called `tests`, as ours are

from relay_actors import Actor, ActorRegistry, Future

DISPATCHERS = ("pooled", "pinned")


class Differences:
    """Marks the tests in which we differ on purpose, and counts what became of all of them."""

    def __init__(self) -> None:
        self.missing: list[str] = []
        self.seen: list[str] = []
        self.passed = 0

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Expect the named ones to fail."""
        found: set[str] = set()
        for item in items:
            name = item.nodeid.removeprefix("tests/").partition("[")[0]
            if name in DIFFERENCES:
                found.add(name)
                code, why = DIFFERENCES[name]
                item.add_marker(pytest.mark.xfail(strict=True, reason=f"{code}: {why}"))
        self.missing = sorted(DIFFERENCES.keys() - found)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count."""
        if report.when == "call" and report.passed and not hasattr(report, "wasxfail"):
            self.passed += 1
        if hasattr(report, "wasxfail"):
            self.seen.append(f"{report.nodeid}: {report.wasxfail}")


def unpack(archive: Path) -> Path:
    """Unpack pykka's sources beside their archive; return their folder."""
    with tarfile.open(archive) as sources:
        if hasattr(tarfile, "data_filter"):  # later than our oldest Python
            sources.extraction_filter = tarfile.data_filter
        sources.extractall(archive.parent)
    return archive.parent / archive.name.removesuffix(".tar.gz")


def run(folder: Path, dispatcher: str) -> int:
    """Run the tests in this process, with actors on one dispatcher."""

    class ThreadingActor(Actor):
        """Ours, under the name that the tests know."""

    ThreadingActor.dispatcher = dispatcher  # type: ignore[assignment]
    pykka.ThreadingActor = ThreadingActor  # type: ignore[misc,assignment]
    pykka.ThreadingFuture = Future  # type: ignore[misc,assignment]
    pykka.ActorRegistry = ActorRegistry  # type: ignore[misc]
    differences = Differences()
    # Without a file of settings: the next one up from there is ours, which makes errors of warnings.
    options = ["-q", "-c", os.devnull, "--rootdir", str(folder), "-p", "no:relay_actors", "-p", "no:cacheprovider"]
    code = int(pytest.main([*options, str(folder / "tests")], plugins=[differences]))
    numbers = f"{differences.passed} passed, {len(differences.seen)} named differences"
    print(f"pykka {version('pykka')}, {dispatcher}: {numbers}:")
    for line in differences.seen:
        print(f"  {line}")
    for name in differences.missing:
        print(f"  pykka has no test {name}: take it out of the list")
    return 1 if code or differences.missing else 0


def main() -> int:
    """Run all, each dispatcher in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="pykka's source distribution")
    parser.add_argument("--dispatcher", choices=DISPATCHERS, help="run only this one, in this process")
    options = parser.parse_args()
    if options.dispatcher:
        return run(unpack(options.archive), options.dispatcher)
    again = [sys.executable, __file__, str(options.archive), "--dispatcher"]
    return max(subprocess.run([*again, dispatcher], check=False).returncode for dispatcher in DISPATCHERS)


if __name__ == "__main__":
    sys.exit(main())
