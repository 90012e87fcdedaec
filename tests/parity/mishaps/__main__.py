"""Runs every scenario with every contender, some at a time, and prints the table: ``python -m tests.parity.mishaps``.

Exits with 1 if ours did not survive what it should, or if the harness itself has failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue

from tests.parity.mishaps.bench import OtherwiseError, Sim, open_bench, open_sim
from tests.parity.mishaps.scenarios import ACTORS, SAME_CODE, SCENARIOS, SDK, Scenario
from tests.parity.mishaps.verdict import (
    Contender,
    Outcome,
    Row,
    headline,
    judge,
    markdown,
    surprises,
    table,
    with_table,
)

CONTENDERS = (
    Contender(SDK, f"official SDK {version('signalwire-sdk')}", is_ours=False),
    Contender(SAME_CODE, "same code, our import"),
    Contender(ACTORS, "relay_actors (actors)"),
)
MODULES = {
    SDK: "tests.parity.mishaps.with_sdk",
    SAME_CODE: "tests.parity.mishaps.with_client",
    ACTORS: "tests.parity.mishaps.with_ours",
}
AT_A_TIME = 4
"""They wait most of the time."""


def run(scenario: Scenario, contender: str, sim: Sim) -> Outcome:
    """Run one scenario with one contender."""
    environment = dict(scenario.environment)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        if scenario.has_journal:
            environment["JOURNAL"] = str(Path(folder) / "calls.db")
        with open_bench(sim, MODULES[contender], **environment) as bench:
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
            output = bench.output
    outcome = judge(found)
    sys.stderr.write(f"{time.monotonic() - began:6.1f} s  {contender:10}{scenario.name}: {outcome.seen}\n")
    if contender != SDK and contender not in scenario.excused and not outcome.survived:
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
    outcomes = _run_all([(one, name) for one in chosen for name in MODULES if name == ACTORS or not one.has_journal])
    rows = [
        Row(one.name, {name: outcomes[one, name] for name in MODULES if (one, name) in outcomes}, one.excused)
        for one in chosen
    ]
    sys.stdout.write("\n".join([*table(rows, CONTENDERS), f"took {time.monotonic() - began:.0f} s"]) + "\n")
    if options.page is not None:
        lines = [headline(), "", *markdown(rows, CONTENDERS)]
        options.page.write_text(with_table(options.page.read_text("utf-8"), lines), "utf-8")
    missed = surprises(rows, CONTENDERS)
    for name in missed:
        sys.stdout.write(f"relay_actors should have survived this: {name}\n")
    return 1 if missed else 0


def _run_all(runs: Sequence[tuple[Scenario, str]]) -> dict[tuple[Scenario, str], Outcome]:
    """Run so many at a time as there are simulators; each simulator is lent to one run after the other."""
    with ExitStack() as stack:
        free: SimpleQueue[Sim] = SimpleQueue()
        for _ in range(min(AT_A_TIME, len(runs))):
            free.put(stack.enter_context(open_sim()))

        def run_one(scenario: Scenario, contender: str) -> Outcome:
            sim = free.get()
            try:
                return run(scenario, contender, sim)
            finally:
                free.put(sim)

        pool = stack.enter_context(ThreadPoolExecutor(AT_A_TIME))
        futures = {one: pool.submit(run_one, *one) for one in runs}
        return {one: future.result() for one, future in futures.items()}


if __name__ == "__main__":
    sys.exit(main())
