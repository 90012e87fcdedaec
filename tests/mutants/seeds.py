"""Runs seeds until one is broken, and says which: ``python -m tests.mutants.seeds 0 2000``. For `tests.mutants`."""

from __future__ import annotations

import sys

from relay_actors.cli.chaos import quieten
from tests.mutants.judge import judged
from tests.mutants.plans import draw

__all__ = ["main"]


def main(first: int, stop: int) -> int:
    """Return 1 when something was broken."""
    quieten()
    for seed in range(first, stop):
        try:
            broken = judged(draw(seed)).broken
        except Exception as error:  # noqa: BLE001  # a fault may break the run itself, which is noticed, too
            print(f"BROKEN {seed} crash: {type(error).__name__}: {error}".splitlines()[0])
            return 1
        if broken:
            print(f"BROKEN {seed} {broken[0].invariant}: {broken[0].how}".splitlines()[0])
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
