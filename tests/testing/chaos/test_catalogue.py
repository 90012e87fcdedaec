"""Every race of the catalogue really happens to an application to which it can, and breaks nothing."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.cast import cast_of
from relay_actors.testing.chaos.catalogue import CATALOGUE, race_named
from relay_actors.testing.chaos.moments import Crossed
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


def told(name: str, seed: int) -> list[Crossed]:
    return list(story_of(play(CATALOGUE[name].plan(seed, CAST), app).timeline.raw))


def asked(story: list[Crossed], method: str, call_id: str = "") -> list[Crossed]:
    return [one for one in story if one.kind == "received" and one.name == method and call_id in ("", one.call_id)]


def sent(story: list[Crossed], event_type: str, state: str = "") -> list[Crossed]:
    return [
        one for one in story if one.kind == "sent" and one.name == event_type and (not state or state in one.states)
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_call_that_is_offered_twice_is_answered_once(seed: int):
    """Proves SEMANTICS K3, X1: a second handler would answer, too."""
    story = told("call-offered-twice", seed)
    offered = {one.call_id for one in sent(story, "calling.call.receive")}
    assert offered
    assert all(len(asked(story, "calling.answer", call_id)) == 1 for call_id in offered)


@pytest.mark.parametrize("seed", range(3))
def test_a_text_that_comes_again_is_handled_once(seed: int):
    """Proves SEMANTICS K3, X17: each one who writes is called once."""
    story = told("text-redelivered", seed)
    texts = {one.text("message_id") for one in sent(story, "messaging.receive")}
    assert len(sent(story, "messaging.receive")) > len(texts) == 2
    assert len(asked(story, "calling.dial")) == 2


@pytest.mark.parametrize("seed", range(3))
def test_who_answers_after_the_dial_was_given_up_is_hung_up_once(seed: int):
    """Proves SEMANTICS X9: no call is left up with no owner. Of two dials one is late."""
    story = told("late-winner", seed)
    [late] = [one for one in sent(story, "calling.call.dial", "answered") if one.age > 100.0]
    assert len(asked(story, "calling.end", late.call_id)) == 1
    [ended] = [one for one in sent(story, "calling.call.state", "ended") if one.call_id == late.call_id]
    assert ended.at <= late.at


def test_a_call_that_is_offered_while_draining_is_declined():
    """Proves SEMANTICS H6, X11: at the very moment it may still be taken, and then it is carried to its end."""
    declined = taken = 0
    for seed in range(10):
        story = told("call-offered-while-draining", seed)
        drained = next(place for place, one in enumerate(story) if one.kind == "noted" and one.name == "drain")
        for offered in sent(story[drained:], "calling.call.receive"):
            [end] = asked(story, "calling.end", offered.call_id)
            is_declined = end.text("reason") == "decline"
            assert is_declined or (offered.at == story[drained].at and end.text("reason") == "hangup")
            assert end.at == offered.at if is_declined else end.at > offered.at
            declined, taken = declined + is_declined, taken + (not is_declined)
    assert declined
    assert taken


@pytest.mark.parametrize("seed", range(3))
def test_of_two_who_pick_up_at_once_one_talks_and_the_other_is_let_go(seed: int):
    """Proves SEMANTICS X9: the one who has lost is not spoken to, and ended once."""
    story = told("two-legs-answer", seed)
    won = {one.call_id for one in sent(story, "calling.call.dial", "answered")}
    lost = {
        one.call_id for one in sent(story, "calling.call.state", "ended") if one.text("tag") and one.call_id not in won
    }
    assert won
    assert lost
    assert all(len(asked(story, "calling.end", call_id)) <= 1 for call_id in lost)
    assert not any(asked(story, "calling.play", call_id) for call_id in lost)
