"""Serves one scenario, then ends. See the docstring of the package."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tests.benchmarks.load.ivr import AtRate, Saturated
from tests.benchmarks.load.live import Dropped, Killed, Live
from tests.benchmarks.load.wire import Gate, GoneError

_SCENARIOS: dict[str, Any] = {
    "saturated": Saturated,
    "at_rate": AtRate,
    "live": Live,
    "dropped": Dropped,
    "killed": Killed,
}


def main() -> None:
    """Say the port, serve, and say what has failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.load")
    parser.add_argument("scenario", choices=_SCENARIOS)
    parser.add_argument("cert")
    parser.add_argument("key")
    parser.add_argument("settings", nargs="*", help="of the scenario: name=number")
    parser.add_argument("--spin", action="store_true", help="never sleep between frames")
    parser.add_argument("--deadline", type=float, default=400.0, help="seconds for all of it")
    args = parser.parse_intermixed_args()
    gate = Gate(args.cert, args.key, spin=args.spin)
    scenario = _SCENARIOS[args.scenario](gate, **{name: _number(text) for name, text in map(_split, args.settings)})
    scenario.mark("port", waits=False, port=gate.port)
    try:
        scenario.serve(args.deadline)
    except (GoneError, TimeoutError) as error:
        print(json.dumps({"failed": str(error) or type(error).__name__}), flush=True)


def _split(text: str) -> list[str]:
    return text.split("=", 1)


def _number(text: str) -> int | float:
    return float(text) if "." in text else int(text)


if __name__ == "__main__":
    main()
