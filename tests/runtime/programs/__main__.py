"""Run many random programs: ``python -m tests.runtime.programs --number 100000``, or one: ``--seed 17``."""

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice

from relay_actors.runtime.clock import SystemClock
from tests.runtime.programs.program import Program, Violation

__all__ = ["main", "violations_of"]

_CHUNK = 200
_SHOWN = 3


def violations_of(seeds: Sequence[int]) -> list[tuple[int, str]]:
    """Run a program for each seed; return the seeds that fail, with what they say."""
    logging.getLogger("relay_actors").setLevel(logging.CRITICAL + 1)  # they fail on purpose, many times
    found = []
    for seed in seeds:
        try:
            Program(seed).run()
        except Violation as violation:
            found.append((seed, str(violation)))
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Return the exit status: 1 when something was not true."""
    parser = argparse.ArgumentParser(prog="make seeds", description="Random programs of actors, with invariants.")
    parser.add_argument("--number", type=int, default=10_000, help="how many seeds (default: %(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first one (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=2, help="how many at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="run this one only, and show its events")
    parser.add_argument(
        "--digests", type=int, nargs="?", const=4, metavar="N", help="print the fingerprints of the first N logs"
    )
    given = parser.parse_args(arguments)
    if given.seed is not None:
        return _show(given.seed)
    if given.digests is not None:
        return _print_digests(given.digests)
    return _run_many(range(given.first, given.first + given.number), given.processes)


def _show(seed: int) -> int:
    logging.getLogger("relay_actors").setLevel(logging.CRITICAL + 1)
    program = Program(seed)
    try:
        program.run()
    except Violation as violation:
        print("\n".join(program.log))
        print("\n".join(str(violation).splitlines()[-2:]))
        if violation.__cause__ is not None:
            raise violation.__cause__ from None
        return 1
    print("\n".join(program.log))
    print(f"seed {seed}: {program.steps} steps, {len(program.log)} events, nothing was violated")
    return 0


def _print_digests(number: int) -> int:
    logging.getLogger("relay_actors").setLevel(logging.CRITICAL + 1)
    for seed in range(number):
        program = Program(seed)
        program.run()
        print(program.digest)
    return 0


def _run_many(seeds: Sequence[int], processes: int) -> int:
    clock, done, failed = SystemClock(), 0, 0
    began = clock.now()
    with ProcessPoolExecutor(processes) as pool:
        chunks = list(_chunks(seeds))
        for chunk, found in zip(chunks, pool.map(violations_of, chunks), strict=True):
            done += len(chunk)
            for _seed, text in found[: max(0, _SHOWN - failed)]:
                print(f"\n{text}\n", flush=True)
            failed += len(found)
            rate = done / max(clock.now() - began, 1e-9)
            print(f"\r{done} of {len(seeds)} seeds, {failed} failed, {rate:.0f}/s", end="", flush=True)
            if failed >= _SHOWN:
                pool.shutdown(cancel_futures=True)
                break
    print()
    return int(failed > 0)


def _chunks(seeds: Sequence[int]) -> Iterator[list[int]]:
    rest = iter(seeds)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


if __name__ == "__main__":
    sys.exit(main())
