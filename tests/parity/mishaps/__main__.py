"""Runs every scenario with both applications, two at a time, and prints the table: ``python -m tests.parity.mishaps``.

Exits with 1 if ours did not survive what it should, or if the harness itself has failed.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

from tests.parity.mishaps.bench import OtherwiseError, open_bench
from tests.parity.mishaps.scenarios import SCENARIOS, Scenario
from tests.parity.mishaps.verdict import Outcome, Row, judge, markdown, surprises, table, with_table

SDK, OURS = "tests.parity.mishaps.with_sdk", "tests.parity.mishaps.with_ours"
AT_A_TIME = 3


def run(scenario: Scenario, module: str) -> Outcome:
    """Run one scenario with one application."""
    environment: dict[str, str] = {}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        if scenario.has_journal:
            environment["JOURNAL"] = str(Path(folder) / "calls.db")
        with open_bench(module, **environment) as bench:
            seen = otherwise = ""
            try:
                seen = scenario.tell(bench)
            except OtherwiseError as error:
                otherwise = str(error)
            found = bench.findings(
                seen,
                otherwise,
                patience_s=scenario.patience_s,
                may_repeat=scenario.may_repeat,
                has_next=scenario.has_next,
                lost=scenario.lost,
            )
            output = bench.application.output
    outcome = judge(found)
    sys.stderr.write(
        f"{time.monotonic() - began:6.1f} s  {module.rpartition('.')[2]:10}{scenario.name}: {outcome.seen}\n"
    )
    if module == OURS and scenario.should_survive and not outcome.survived:
        sys.stderr.write(f"{found}\n{output}\n")
    return outcome


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them all; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.parity.mishaps", description=__doc__)
    parser.add_argument("--only", default="", help="those in whose name this is found")
    parser.add_argument("--page", type=Path, help="write the table into this page, too")
    options = parser.parse_args(arguments)
    chosen = [scenario for scenario in SCENARIOS if options.only in scenario.name]
    if not chosen:
        parser.error(f"--only {options.only!r}: there is no such scenario")
    began = time.monotonic()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        runs = {
            (one.name, module): pool.submit(run, one, module)
            for one in chosen
            for module in (SDK, OURS)
            if module == OURS or not one.has_journal
        }
        outcomes = {key: future.result() for key, future in runs.items()}
    rows = [
        Row(one.name, outcomes.get((one.name, SDK)), outcomes[one.name, OURS], one.should_survive) for one in chosen
    ]
    sdk = f"official SDK {version('signalwire-sdk')}"
    sys.stdout.write("\n".join([*table(rows, sdk), f"took {time.monotonic() - began:.0f} s"]) + "\n")
    if options.page is not None:
        lines = [_headline(), "", *markdown(rows, sdk)]
        options.page.write_text(with_table(options.page.read_text("utf-8"), lines), "utf-8")
    missed = surprises(rows)
    for name in missed:
        sys.stdout.write(f"relay_actors should have survived this: {name}\n")
    return 1 if missed else 0


def _headline() -> str:
    return (
        f"Measured on {time.strftime('%Y-%m-%d')}: signalwire-sdk {version('signalwire-sdk')} from PyPI, unchanged; "
        f"relay_actors {version('relay-actors')}; Python {platform.python_version()}, {os.cpu_count()} cores."
    )


if __name__ == "__main__":
    sys.exit(main())
