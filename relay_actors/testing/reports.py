"""What a failing test tells of its run: the timeline, where it parts from one that passed, and how to repeat it.

Layer: door. Knows no test runner.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from relay_actors.testing.timeline import Kind, TimelineEntry, first_difference, rendered

__all__ = ["Passes", "timeline_of"]

KEPT_TESTS: Final = 20
"""Of how many tests the passing runs are remembered, the latest: the seeds of one test usually follow each other."""

KEPT_RUNS: Final = 50
"""How many passing runs of one test are remembered."""

_LEFT_OUT: Final[frozenset[Kind]] = frozenset({"actor"})
"""In which order actors have their turns differs with every seed, and says little until people or frames differ."""


class Passes:
    """The runs of this session that have passed, by test and seed."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, deque[tuple[int, Sequence[TimelineEntry]]]] = OrderedDict()

    def add(self, test: str, seed: int, entries: Sequence[TimelineEntry]) -> None:
        """Remember a run that has passed.

        Args:
            test: which, the same under every seed.
            seed: of this run.
            entries: of its timeline.
        """
        self._runs.setdefault(test, deque(maxlen=KEPT_RUNS)).append((seed, entries))
        self._runs.move_to_end(test)
        while len(self._runs) > KEPT_TESTS:
            self._runs.popitem(last=False)

    def first_divergence(self, test: str, entries: Sequence[TimelineEntry]) -> tuple[int, str] | None:
        """Return where a failing run parts from the passing one that is like it for longest, and in words how.

        The more seeds have passed, the nearer this is to what has decided. None: the test has not passed.
        """
        found: tuple[int, str] | None = None
        for seed, passed in self._runs.get(test, ()):
            place = first_difference(entries, passed, but=_LEFT_OUT)
            if place is None:
                return len(entries), f"no divergence: with seed {seed}, which passed, people and frames were the same"
            if found is None or place > found[0]:
                there = first_difference(passed, entries, but=_LEFT_OUT)
                instead = (
                    " ".join(str(passed[there]).split())
                    if there is not None and there < len(passed)
                    else "nothing more"
                )
                found = place, f"first divergence: with seed {seed}, which passed, here came: {instead}"
        return found


def timeline_of(
    entries: Sequence[TimelineEntry],
    *,
    last: int,
    divergence: tuple[int, str] | None = None,
    waits_from: int | None = None,
) -> str:
    """Return a timeline with its marks.

    Args:
        entries: of the run.
        last: how many of the latest are shown; 0: all.
        divergence: as `Passes.first_divergence` tells it.
        waits_from: from where on somebody waited in vain.
    """
    marks = [divergence] if divergence is not None else []
    if waits_from is not None:
        marks.append((waits_from, "from here on the test waited in vain"))
    return rendered(entries, marks, last=last)
