"""Runs an application against races of the catalogue, and counts how often each really happened. Layer: door."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from relay_actors.app import RelayApp
from relay_actors.testing.chaos.plan import Cast
from relay_actors.testing.chaos.races import Race
from relay_actors.testing.chaos.run import Run, breaks, play
from relay_actors.testing.chaos.shrink import shrink
from relay_actors.testing.chaos.sightings import story_of

__all__ = ["Outcome", "race"]

MOST_TRIES: Final = 100
"""How many runs a reduction may cost."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one race.

    Attributes:
        runs: how often it was tried.
        seen: how often it happened.
        broken: the first run in which something did not hold; None: all is well.
    """

    race: Race
    runs: int
    seen: int
    broken: Run | None = None

    def reduced(self, app: RelayApp) -> Run:
        """Return a run of as little as possible that breaks what the broken one breaks."""
        assert self.broken is not None  # nobody asks otherwise
        invariant = self.broken.broken[0].invariant
        plan = shrink(self.broken.plan, lambda smaller: breaks(smaller, app, invariant), most_tries=MOST_TRIES)
        return play(plan, app)


def race(
    race: Race, app: RelayApp, cast: Cast, seeds: Iterable[int], *, after_run: Callable[[Run], None] | None = None
) -> Outcome:
    """Run an application against one race, once for each seed, until something is broken.

    Args:
        race: see `CATALOGUE`.
        app: is started and stopped in each run.
        cast: what people can do with it.
        seeds: of the people, and of all that is drawn while it runs.
        after_run: is told of each run.
    """
    runs = seen = 0
    if race.can_happen(cast):
        for seed in seeds:
            run = play(race.plan(seed, cast), app)
            runs += 1
            seen += race.is_seen(story_of(run.timeline.raw))
            if after_run is not None:
                after_run(run)
            if run.broken:
                return Outcome(race, runs, seen, run)
    return Outcome(race, runs, seen)
