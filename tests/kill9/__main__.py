"""Kill an application again and again while people are on the phone: ``python -m tests.kill9 --seed 7``."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.kill9.killer import Plan, read_records, run
from tests.kill9.table import faults_of, table, timeline, worth_telling

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Do one run, print the table, and return the exit status: 1 when a promise was not kept."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.kill9", description=__doc__)
    parser.add_argument(
        "--callers", type=int, default=usual.callers, help="how many people call (default: %(default)s)"
    )
    parser.add_argument("--kills", type=int, default=usual.kills, help="how often it is killed (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=usual.seed, help="of all that is drawn (default: %(default)s)")
    parser.add_argument(
        "--spread", type=float, default=usual.spread_s, help="seconds in which people call (%(default)s)"
    )
    parser.add_argument("--pace", type=float, default=usual.pace, help="how long a simulated second is (%(default)s)")
    parser.add_argument("--finish", type=float, default=usual.finish_s, help="seconds for the rest (%(default)s)")
    parser.add_argument(
        "--keep", type=Path, help="a folder for all files; by default they are kept only after a failure"
    )
    options = parser.parse_args(arguments)
    plan = Plan(
        callers=options.callers,
        kills=options.kills,
        seed=options.seed,
        spread_s=options.spread,
        pace=options.pace,
        finish_s=options.finish,
    )
    folder = options.keep or Path(tempfile.mkdtemp(prefix="kill9-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        verdict, troubles = run(plan, folder, _say)
    except BaseException:
        _say(f"the files are in {folder}")
        raise
    record = folder / "simulator.jsonl"
    for label in worth_telling(verdict):
        _say(f"-- the story of {label}")
        for line in timeline(read_records(record), label):
            _say(line)
    for line in (*faults_of(verdict), *troubles, *table(verdict)):
        _say(line)
    if verdict.is_good and not troubles:
        _say(f"All promises were kept. Again: make kill9 ARGS='--seed {plan.seed}'")
        if options.keep is None:
            shutil.rmtree(folder)
        return 0
    _say(f"NOT all promises were kept; seed {plan.seed}; the files are in {folder}")
    return 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
