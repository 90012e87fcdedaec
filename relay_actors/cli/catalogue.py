"""``relay-actors chaos module:app --catalogue``: the races as a table, and what came of each. Layer: door."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from relay_actors.app import RelayApp
from relay_actors.cli.screen import Screen
from relay_actors.testing.chaos.catalogue import CATALOGUE, race_named
from relay_actors.testing.chaos.plan import Cast, to_json
from relay_actors.testing.chaos.racing import race

__all__ = ["ALL", "LIST", "RACE_SEEDS", "Row", "keep", "listed", "names_of", "race_row", "report", "told_failures"]

ALL: Final = "all"
LIST: Final = "list"

RACE_SEEDS: Final = 20
"""How often each race is tried, unless told."""


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one race, as it can be sent from one process to another.

    Attributes:
        name: of the race.
        runs: how often it was tried.
        seen: how often it really happened.
        broken: what did not hold; empty: all did.
        seed: with which it did not.
        plan: a reduced plan that breaks it, as JSON.
        failures: how often handlers have failed in it.
    """

    name: str
    runs: int
    seen: int
    broken: str = ""
    seed: int = 0
    plan: str = ""
    failures: int = 0


def names_of(wanted: str) -> list[str]:
    """Return the names of the races that are asked for: by its name one, or ``all``.

    Raises:
        ConfigError: there is no such race.
    """
    return list(CATALOGUE) if wanted == ALL else [race_named(wanted).name]


def listed() -> str:
    """Return all races as people read them."""
    width = max(map(len, CATALOGUE))
    return "\n".join(f"{one.name:{width}}  {one.what_happens} (needs {one.needs})" for one in CATALOGUE.values())


def race_row(name: str, app: RelayApp, cast: Cast, seeds: Iterable[int]) -> Row:
    """Run an application against one race, and reduce what it breaks. What the application prints is not shown."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        failures: list[int] = []
        outcome = race(race_named(name), app, cast, seeds, after_run=lambda run: failures.append(run.failures))
        if outcome.broken is None:
            return Row(name, outcome.runs, outcome.seen, failures=sum(failures))
        reduced = outcome.reduced(app)
        broken, seed = str(outcome.broken.broken[0]), outcome.broken.plan.seed
        return Row(name, outcome.runs, outcome.seen, broken, seed, to_json(reduced.plan), sum(failures))


def report(rows: Sequence[Row], app: str, save: Path) -> int:
    """Print a line for each race, write a file for each that breaks something, and return the exit status.

    Args:
        rows: in the order in which they are shown; none, when it was interrupted before the first was done.
        app: as it was named on the command line.
        save: where the files go.
    """
    screen = Screen()
    width = max((len(row.name) for row in rows), default=0)
    screen.say(f"{'race':{width}}  runs  happened")
    for row in rows:
        screen.say(f"{row.name:{width}}  {row.runs:4}  {row.seen:8}  {_verdict(row)}")
        if row.broken:
            kept = keep(row.plan, save / f"race-{row.name}-{row.seed}.json", app)
            screen.say(f"{'':{width}}  {kept}")
    broken = sum(bool(row.broken) for row in rows)
    missed = sum(not row.seen and not row.broken for row in rows)
    screen.say(
        f"{len(rows)} races: {len(rows) - broken - missed} held, {missed} not reached, {broken} broken"
        f"{told_failures(sum(row.failures for row in rows))}"
    )
    return 1 if broken else 0


def keep(plan: str, path: Path, app: str) -> str:
    """Write a plan into a file, and say how to repeat it; give the plan itself if it cannot be written.

    Args:
        plan: as JSON.
        path: of the file.
        app: as it was named on the command line.
    """
    by = f"relay-actors chaos {app} --replay"
    try:
        path.write_text(plan + "\n", "utf-8")
    except OSError as error:  # what took long to be found is not lost for it
        return f"{path} cannot be written: {error.strerror or error}; repeat it: {by} FILE, with this in it: {plan}"
    return f"repeat it: {by} {path}"


def told_failures(failures: int) -> str:
    """Say how often handlers have failed, after something else; nothing if none has."""
    return f"; handlers failed {failures:,} time{'s' * (failures != 1)}" if failures else ""


def _verdict(row: Row) -> str:
    one = CATALOGUE[row.name]
    if row.broken:
        return f"BROKEN with seed {row.seed}: {row.broken}"
    if not row.runs:
        return f"not reached: it needs {one.needs} (--journal keeps one for the test)"
    # Whether the application has what it takes, and only the moment was missed, is not known here.
    return "held" if row.seen else f"not reached in {row.runs} runs; it takes {one.needs}, at the right moment"
