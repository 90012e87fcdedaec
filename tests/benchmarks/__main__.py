"""Measures all that performance has targets for, side by side in one run.

``make bench``, or ``python -m tests.benchmarks``; ``--only NAME …`` for some of it, ``--quick`` for a look. It exits
with 0 when everything was measured, whatever the verdicts: a target that is missed is printed and is no error.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import make_tls_files
from tests.benchmarks import calls, latency, live, mishaps, report, small
from tests.benchmarks.arena import MODES, Arena
from tests.benchmarks.contest import SDK_PYTHON
from tests.benchmarks.rows import Row

BENCHMARKS: dict[str, Callable[[Arena], list[Row]]] = {
    "calls": calls.measure,
    "latency": latency.measure,
    "blocking": latency.measure_blocking,
    "memory": live.measure_memory,
    "events": live.measure_events,
    "growth": live.measure_growth,
    "dropped": mishaps.measure_dropped,
    "killed": mishaps.measure_killed,
    "call-start": small.measure_call_start,
    "actors": small.measure_actors,
    "flows": small.measure_flows,
    "timers": small.measure_timers,
    "imports": small.measure_imports,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, and write into the documentation when all of it was measured in full."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description="Measure speed, as ratios in one run."
    )
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="5; 2 for a look")
    parser.add_argument("--quick", action="store_true", help="a look: smaller, fewer rounds, nothing is written")
    parser.add_argument("--spin", action="store_true", help="calls: only with a load server that never sleeps")
    parser.add_argument("--sleep", action="store_true", help="calls: only with one that does")
    args = parser.parse_args(arguments)
    chosen = [mode for mode in MODES if getattr(args, mode)] or (["sleep"] if args.quick else list(MODES))
    rounds = args.rounds or (2 if args.quick else 5)
    if not SDK_PYTHON.exists():
        print("The official SDK is not installed here, so there is nothing to compare with: `make bench` installs it.")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arena = Arena(
            folder=folder, tls=make_tls_files(folder, clock=SystemClock()), rounds=rounds, modes=tuple(chosen),
            is_quick=args.quick, has_sdk=SDK_PYTHON.exists(),
        )  # fmt: skip
        for benchmark in args.only or BENCHMARKS:
            for row in BENCHMARKS[benchmark](arena):
                print(report.as_line(row), flush=True)
                rows.append(row)
    with_targets = [row for row in rows if row.target is not None]
    print(f"\n{sum(bool(row.is_met) for row in with_targets)} of {len(with_targets)} targets are met")
    return 1 if any(row.failure for row in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
