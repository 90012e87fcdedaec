"""Run all of it, or what is named: ``python -m tests.stress programs fairness``."""

import importlib
import logging
import pkgutil
import sys
import traceback
from collections.abc import Sequence

from relay_actors.runtime.clock import SystemClock
from tests import stress

__all__ = ["main"]


def main(names: Sequence[str]) -> int:
    """Return the exit status: 1 when a promise was not kept."""
    known = sorted(module.name for module in pkgutil.iter_modules(stress.__path__) if module.name != "__main__")
    if unknown := [name for name in names if name not in known]:
        print(f"there is no {', '.join(unknown)}: choose from {', '.join(known)}")
        return 2
    logging.getLogger("relay_actors").setLevel(logging.CRITICAL + 1)  # much fails on purpose
    clock, broken = SystemClock(), []
    for name in names or known:
        print(f"-- {name}", flush=True)
        began = clock.now()
        try:
            failed = bool(importlib.import_module(f"tests.stress.{name}").main())
        except Exception:  # noqa: BLE001  # the others are to run all the same
            traceback.print_exc()
            failed = True
        print(f"-- {name}: {'BROKEN' if failed else 'kept'}, {clock.now() - began:.1f} s", flush=True)
        if failed:
            broken.append(name)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
