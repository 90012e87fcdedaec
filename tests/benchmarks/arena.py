"""What every benchmark is given: how many rounds, which modes, and the means to run contenders in turn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay_actors.simulator.tls import TlsFiles
from tests.benchmarks.contest import Contender, Contest, NotMeasuredError
from tests.benchmarks.rows import Figure, Row, figure

__all__ = ["MODES", "ON", "SDK", "Arena", "Results"]

SDK = "official SDK"
ON = "TLS, supervision, scrubbing and limits on"
"""What is on in every benchmark of calls, as a user has it."""

MODES: Mapping[str, bool] = {"sleep": False, "spin": True}
"""Whether the load server never sleeps between frames. One that sleeps is woken by each write of a client, so that it
charges whoever writes frame by frame."""


@dataclass
class Results:
    """What the rounds of one benchmark gave, by contender: a list of measurements, or why there are none."""

    rounds: dict[str, list[dict[str, float]]]
    reasons: dict[str, str]

    def figure(self, name: str, key: str) -> Figure | None:
        """Return the figure of one measurement of a contender, or None if it has none."""
        values = [measured[key] for measured in self.rounds.get(name, []) if key in measured]
        return figure(values) if values else None

    def row(self, ours: str, theirs: str = "", *, key: str, **said: Any) -> Row:
        """Return the row of one measurement, of one contender against another, or against nobody.

        Who was not there at all (the official SDK is not installed) is no failure: the ratio is left out.
        """
        return Row(
            ours=self.figure(ours, key),
            theirs=self.figure(theirs, key) if theirs else None,
            failure="; ".join(self.reasons[name] for name in (ours, theirs) if name in self.reasons),
            **{"against": theirs, **said},
        )


@dataclass(frozen=True, kw_only=True)
class Arena:
    """What a benchmark needs.

    Attributes:
        folder: for files, removed at the end.
        rounds: how often each contender is measured.
        modes: of the load server, for the benchmarks of calls: ``sleep``, ``spin``.
        is_quick: a look only: fewer calls, shorter.
        has_sdk: whether the official SDK's environment is there.
    """

    folder: Path
    tls: TlsFiles
    rounds: int
    modes: tuple[str, ...]
    is_quick: bool
    has_sdk: bool

    def size(self, full: int, quick: int) -> int:
        """Return how many of something, for a measurement or for a look."""
        return quick if self.is_quick else full

    def contest(self, contender: Contender, scenario: str, *, mode: str = "sleep", **settings: float) -> Contest:
        """Return a load server with that client."""
        return Contest(self.tls, contender, scenario, spin=MODES[mode], **settings)

    def interleave(self, measures: Mapping[str, Callable[[], dict[str, float]]], rounds: int | None = None) -> Results:
        """Measure each in turn, round by round, so that what disturbs the machine disturbs all alike.

        One that has failed is not tried again.
        """
        results = Results({name: [] for name in measures}, {})
        for _ in range(rounds or self.rounds):
            for name, measure in measures.items():
                if name not in results.reasons:
                    self._measure(name, measure, results)
        return results

    def _measure(self, name: str, measure: Callable[[], dict[str, float]], results: Results) -> None:
        if sys.stderr.isatty():
            print(f"  {name} …\x1b[K", end="\r", file=sys.stderr, flush=True)
        try:
            results.rounds[name].append(measure())
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a contender, the others are measured
            is_said = isinstance(error, NotMeasuredError)
            results.reasons[name] = str(error) if is_said else f"{name}: {type(error).__name__}: {error}"
            results.rounds[name].clear()
