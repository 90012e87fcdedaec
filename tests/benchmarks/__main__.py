"""Measures all that performance has targets for, side by side in one run.

``make bench``, or ``python -m tests.benchmarks``; ``--only NAME …`` for some of it, ``--quick`` for a look. It exits
with 0 when everything was measured, whatever the verdicts: a target that is missed is printed and is no error.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.tls import make_tls_files
from tests.benchmarks import calls, latency, live, mishaps, plot, report, small
from tests.benchmarks.arena import MODES, SDK, Arena
from tests.benchmarks.contest import ROOT, SDK_PYTHON, sdk_version
from tests.benchmarks.rows import Row

_PAGES = ROOT / "docs" / "explanation"

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
    """Measure, print, and write into the documentation what was measured as a whole."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measure speed, in one run.")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, help="5; 1 for a look")
    parser.add_argument("--quick", action="store_true", help="a look: smaller, fewer rounds, nothing is written")
    parser.add_argument("--spin", action="store_true", help="calls: only with a load server that never sleeps")
    parser.add_argument("--sleep", action="store_true", help="calls: only with one that does")
    args = parser.parse_args(arguments)
    chosen = [mode for mode in MODES if getattr(args, mode)]
    rounds = args.rounds or (1 if args.quick else 5)
    facts = report.machine(versions={SDK: sdk_version(), "pykka": metadata.version("pykka")}, rounds=rounds)
    print(", ".join(f"{name} {fact}" for name, fact in facts.items()))
    if not SDK_PYTHON.exists():
        print("The official SDK is not installed here, so nothing is compared with it: `make bench` installs it.")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        arena = Arena(
            folder=folder, tls=make_tls_files(folder, clock=SystemClock()), rounds=rounds, is_quick=args.quick,
            modes=tuple(chosen or (["sleep"] if args.quick else MODES)), has_sdk=SDK_PYTHON.exists(),
        )  # fmt: skip
        rows = list(_measured(arena, args.only or BENCHMARKS))
    with_targets = [row for row in rows if row.target is not None]
    print(f"\n{sum(bool(row.is_met) for row in with_targets)} of {len(with_targets)} targets are met")
    if not (args.only or args.quick or chosen):
        _write(rows, facts)
    return 1 if any(row.failure for row in rows) else 0


def _measured(arena: Arena, names: Iterable[str]) -> Iterator[Row]:
    for name in names:
        try:
            rows = BENCHMARKS[name](arena)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with one benchmark, the others are measured
            rows = [Row(name=name, unit="", failure=f"{type(error).__name__}: {error}")]
        for row in rows:
            print(report.as_line(row), flush=True)
            yield row


def _write(rows: Sequence[Row], facts: Mapping[str, str]) -> None:
    (_PAGES / "performance.json").write_text(report.as_json(rows, facts), "utf-8")
    (_PAGES / "performance.svg").write_text(plot.as_svg(rows), "utf-8")
    report.write_between(_PAGES / "performance.md", report.as_table(rows, facts))
    print(f"written: performance.json, performance.svg and the tables of performance.md, in {_PAGES.relative_to(ROOT)}")


if __name__ == "__main__":
    raise SystemExit(main())
