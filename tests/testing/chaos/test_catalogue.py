"""Every race of the catalogue really happens to an application to which it can, and breaks nothing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.catalogue import CATALOGUE, race_named
from relay_actors.testing.chaos.plan import from_json, to_json
from relay_actors.testing.chaos.run import play
from relay_actors.testing.chaos.sightings import story_of
from tests.testing.chaos.racers import app

CAST = cast_of(app, can_die=True)
AT_LEAST, AT_MOST = 2, 20
"""So many seeds of each race are run, until it has happened."""

BY_CHANCE = {"hang-up-meets-hang-up", "hang-up-while-connecting"}
"""What people do to each other also when nothing goes wrong."""


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_race_happens_and_everything_holds(name: str):
    """Proves SEMANTICS V4, V5: what is counted as happened is seen on the wire, not in the plan."""
    race, seen = CATALOGUE[name], 0
    for seed in range(AT_MOST):
        run = play(race.plan(seed, CAST), app)
        assert run.broken == (), seed
        seen += race.is_seen(story_of(run.timeline.raw))
        if seen and seed + 1 >= AT_LEAST:
            return
    pytest.fail(f"{name} never happened")


@pytest.mark.parametrize("seed", range(6))
def test_no_race_is_seen_where_none_was_ordered(seed: int):
    """A sighting that is always true would prove nothing."""
    plan = dataclasses.replace(CATALOGUE["ended-twice"].plan(seed, CAST), mishaps=(), manners=())
    story = story_of(play(plan, app).timeline.raw)
    assert len(story) > 20
    assert {race.name for race in CATALOGUE.values() if race.is_seen(story)} <= BY_CHANCE


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_race_is_repeated_by_its_seed_and_by_its_file(name: str):
    """Proves SEMANTICS V3, V6: the plan is plain data, and names only what there is."""
    race = CATALOGUE[name]
    for seed in range(10):
        plan = race.plan(seed, CAST)
        assert plan == race.plan(seed, CAST)
        assert from_json(to_json(plan)) == plan
        assert plan.mishaps or plan.manners
        assert plan.callers
        assert plan.texters


def test_a_race_is_played_the_same_to_the_byte():
    """Proves SEMANTICS V3, with moments, deeds and a death in it."""
    for name in ("hang-up-overtakes-the-prompt", "death-before-the-ack"):
        plan = CATALOGUE[name].plan(1, CAST)
        assert play(plan, app).timeline.text() == play(plan, app).timeline.text()


def test_a_race_that_needs_a_journal_is_left_out_where_there_is_none():
    """Calls do not survive a death without one."""
    mortal = dataclasses.replace(CAST, can_die=False)
    left_out = {race.name for race in CATALOGUE.values() if not race.can_happen(mortal)}
    assert left_out == {"death-before-the-ack", "death-before-the-write", "death-after-the-write"}
    assert not any(race.plan(1, mortal).journal for race in CATALOGUE.values() if race.can_happen(mortal))


def test_a_race_is_asked_for_by_its_name():
    """With a hint when it is misspelt."""
    assert race_named("ended-twice") is CATALOGUE["ended-twice"]
    with pytest.raises(ConfigError, match="it probably means 'ended-twice'"):
        race_named("endd-twice")
    with pytest.raises(ConfigError, match="--catalogue list shows all of them"):
        race_named("nothing of the kind")


def test_every_race_names_codes_and_sections_that_exist(shared_codes: set[str]):
    """A promise that nobody made is none."""
    for race in CATALOGUE.values():
        codes, _, sections = race.promise.partition("; PROTOCOL ")
        assert set(codes.split(", ")) <= shared_codes, race.name
        assert all(section.replace(".", "").isdigit() for section in sections.split(", ") if section), race.name
        assert race.what_happens.endswith(".")
        assert race.where_known


@pytest.fixture
def shared_codes() -> set[str]:
    """The codes of the guarantees."""
    page = Path(__file__).parents[3] / "docs" / "reference" / "guarantees.md"
    return set(re.findall(r"^\| ([A-Z]+\d+) \|", page.read_text("utf-8"), re.MULTILINE))
