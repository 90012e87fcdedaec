"""Runs one measurement, and ends the process at once: ten thousand threads take longer to stop than to measure."""

from __future__ import annotations

import importlib
import json
import os
import sys
from typing import Any

_MODULES = ("actors", "flows", "timers", "call_start")


def main(module: str, measurement: str, *numbers: str) -> None:
    """Print what the measurement gives: a number. ``measurement`` may be dotted."""
    if module not in _MODULES:
        raise SystemExit(f"one of {', '.join(_MODULES)}, not {module}")
    measure: Any = importlib.import_module(f"tests.benchmarks.micro.{module}")
    for name in measurement.split("."):
        measure = getattr(measure, name)
    print(json.dumps(measure(*(int(number) for number in numbers))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
