"""Put each fault into a copy of the package, and run seeds until one notices: ``python -m tests.mutants``."""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutations import MUTATIONS, Mutation, apply

__all__ = ["main", "try_seeds"]

SEEDS = 2000
UNMUTATED_SEEDS = 300
HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault: by which seed, and by what, it was caught; ``seed`` is None if it was not."""

    seed: int | None
    by: str
    how: str
    took_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and return 1 if a fault survives, or something is noticed where there is none."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", help="of faults; all by default")
    parser.add_argument(
        "--seeds",
        type=int,
        default=SEEDS,
        help="after so many it has survived (default: %(default)s)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        help="side by side (default: all cores)",
    )
    parser.add_argument("--verbose", action="store_true", help="say also what exactly was noticed")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {mutation.name for mutation in MUTATIONS}
    if unknown:
        parser.error(f"no such fault: {', '.join(sorted(unknown))}")
    chosen = [mutation for mutation in MUTATIONS if not options.names or mutation.name in options.names]
    began = time.monotonic()
    failures = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        sound = (
            []
            if options.names
            else [pool.submit(try_seeds, None, part) for part in _parts(UNMUTATED_SEEDS, options.jobs)]
        )
        outcomes = [(mutation, pool.submit(try_seeds, mutation, range(options.seeds))) for mutation in chosen]
        print(f"{'fault':28} {'statement':13} {'caught by':15} {'seed':>5} {'s':>6}")
        for mutation, future in outcomes:
            outcome = future.result()
            failures += outcome.seed is None
            at = "SURVIVED" if outcome.seed is None else str(outcome.seed)
            print(
                f"{mutation.name:28} {mutation.statement:13} {outcome.by:15} {at:>5} {outcome.took_s:6.1f}",
                flush=True,
            )
            if options.verbose or outcome.seed is None:
                print(f"    {mutation.breaks}; {outcome.how}")
        for outcome in (future.result() for future in sound):
            if outcome.seed is not None:
                failures += 1
                print(f"the code as it is breaks at seed {outcome.seed}: {outcome.by}: {outcome.how}")
    print(f"{len(chosen)} faults, {failures} failures, {time.monotonic() - began:.0f} s")
    return 1 if failures else 0


def _parts(seeds: int, jobs: int) -> Iterator[range]:
    each = -(-seeds // jobs)
    for first in range(0, seeds, each):
        yield range(first, min(first + each, seeds))


def try_seeds(mutation: Mutation | None, seeds: range) -> Outcome:
    """Run seeds in a process of its own, with a copy of the package that has the fault, up to the first that breaks."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        for name in ("relay_actors", "tests/mutants"):
            shutil.copytree(HERE / name, Path(folder, name))  # with what is compiled already
        Path(folder, "tests/__init__.py").touch()
        if mutation is not None:
            apply(mutation, Path(folder, "relay_actors"))
        command = [
            sys.executable,
            "-P",
            "-m",
            "tests.mutants.seeds",
            str(seeds.start),
            str(seeds.stop),
        ]
        done = subprocess.run(
            command,
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": folder,
                "PYTHONHASHSEED": "0",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
    took_s = time.monotonic() - began
    found = re.search(r"^BROKEN (\d+) ([^:]+): (.*)", done.stdout, re.MULTILINE)
    if found is not None:
        return Outcome(int(found[1]), found[2], found[3], took_s)
    if done.returncode:
        return Outcome(None, "nobody", f"the run itself failed: {done.stderr[-300:].strip()}", took_s)
    return Outcome(None, "nobody", f"{len(seeds)} seeds notice nothing", took_s)


if __name__ == "__main__":
    sys.exit(main())
