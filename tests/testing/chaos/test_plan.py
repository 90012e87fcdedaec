"""Plans follow from their seeds, and from their files."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.testing.chaos.plan import KILL, Cast, Desk, Mishap, Plan, draw, from_json, to_json

CAST = Cast(call_contexts=("menu", "echo"), text_contexts=("echo",), can_die=True)


@given(st.integers(0, 2**32))
def test_a_plan_is_drawn_the_same_and_read_as_it_was_written(seed: int):
    """Proves SEMANTICS V3, V6: a file repeats a run."""
    plan = draw(seed, CAST)
    assert plan == draw(seed, CAST)
    assert from_json(to_json(plan)) == plan
    assert plan.size > 0
    assert str(plan).startswith(f"seed {seed}")


def test_every_fault_that_can_be_survived_is_drawn_sooner_or_later():
    """V4; and a kill only of what keeps a journal."""
    plans = [draw(seed, CAST) for seed in range(1000)]
    drawn = {mishap.what.split()[0] for plan in plans for mishap in plan.mishaps}
    assert {KILL, "cut", "drop", "half_open", "stall", "slow", "delay", "reorder", "duplicate", "reject"} <= drawn
    assert {"time_out", "malformed", "binary", "oversize", "unknown_event", "missing_field", "restart"} <= drawn
    assert all(plan.journal for plan in plans if any(mishap.what == KILL for mishap in plan.mishaps))
    assert 300 < sum(plan.journal for plan in plans) < 600
    assert any(not plan.mishaps for plan in plans)


def test_nothing_goes_wrong_when_it_is_not_to():
    """Only people are left."""
    cast = dataclasses.replace(CAST, faults=False)
    assert all(draw(seed, cast).mishaps == () for seed in range(100))
    assert all(not draw(seed, dataclasses.replace(CAST, can_die=False)).journal for seed in range(100))


def with_field(**changed: object) -> str:
    """A plan in which somebody has changed something by hand."""
    return json.dumps({**json.loads(to_json(Plan(seed=1))), **changed})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no plan of a run"),
        ("[]", "of format 1"),
        ('{"format": 99}', "of format 1"),
        ('{"format": 1, "seed": 3}', "no plan of a run"),
        (to_json(Plan(seed=1)).replace('"seed"', '"sed"'), "unexpected keyword argument 'sed'"),
        (with_field(seed="1"), "seed of a Plan must be int, not '1'"),
        (with_field(journal=0), "journal of a Plan must be bool, not 0"),
        (with_field(lots={}), r"lots of a Plan must be int \| None, not {}"),
        (
            to_json(Plan(seed=1, mishaps=(Mishap(what="drop", at=2.5),))).replace("2.5", "true"),
            r"at of a Mishap must be float \| None, not True",
        ),
        (
            to_json(Plan(seed=1, desks=(Desk(answer="busy"),))).replace("busy", "bust"),
            "answer of a Desk must be Literal.*, not 'bust'",
        ),
        (to_json(Plan(seed=1, mishaps=(Mishap(what="reject metod=calling.play"),))), "method"),
        (to_json(Plan(seed=1, mishaps=(Mishap(what="drop", on="saw calling.play"),))), "is no moment of a run"),
        (to_json(Plan(seed=1, mishaps=(Mishap(what="press", on="sent *"),))), "press takes keys="),
        (to_json(Plan(seed=1, mishaps=(Mishap(what="text words='hello"),))), "cannot be read: No closing quotation"),
        (to_json(Plan(seed=1, manners=("bad_ones",))), "no manner is called 'bad_ones'; there are event_before_"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, why: str):
    """Early, and with what is wrong."""
    with pytest.raises(ConfigError, match=why):
        from_json(text)


@pytest.mark.parametrize(
    ("mishap", "words"),
    [
        (Mishap(what="drop", at_frame=7), "frame 7  drop"),
        (Mishap(what="drop", at=2.5), "at   2.500  drop"),
        (Mishap(what="hang_up", on="sent calling.call.play finished"), "on sent calling.call.play finished:  hang_up"),
        (Mishap(what=KILL, on="kept calling.*", nth=3, after=0.5), "on kept calling.*, number 3 + 0.5:  kill"),
    ],
)
def test_when_something_goes_wrong_is_told_in_words(mishap: Mishap, words: str):
    assert str(Plan(seed=1, mishaps=(mishap,))).splitlines() == ["seed 1", words]
