"""Who calls, and what is said to them, is the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.kill9.cast import Person, make_cast
from tests.kill9.scripts import CALLED, CALLER, DESK, STEPS, label_of, number_of, queue_of, say, split


def test_the_same_seed_has_the_same_people():
    assert make_cast(50, 7, 10.0) == make_cast(50, 7, 10.0)
    assert make_cast(50, 7, 10.0) != make_cast(50, 8, 10.0)


@pytest.mark.parametrize("callers", range(31))
def test_whoever_waits_in_a_queue_is_taken_out_of_it(callers: int):
    """Or some calls could never come to their end."""
    queues: dict[str, Counter[str]] = {"waiting": Counter(), "agent": Counter()}
    for person in make_cast(callers, 1, 10.0):
        if person.kind in queues:
            queues[person.kind][queue_of(person.number)] += 1

    assert queues["waiting"] <= queues["agent"]


def test_nobody_is_there_twice():
    cast = make_cast(500, 1, 10.0)

    assert len({person.number for person in cast}) == len({person.label for person in cast}) == len(cast) == 650
    assert sum(person.arrives_at_s is not None for person in cast) == 500


def test_a_person_is_the_same_after_being_written_down():
    for person in make_cast(10, 1, 10.0):
        assert Person.from_record(person.to_record()) == person


@pytest.mark.parametrize("who", [CALLER, DESK, CALLED])
def test_a_number_tells_who_it_is(who: str):
    assert label_of(number_of(17, who)) == f"17{who}"


def test_a_prompt_tells_its_step_its_call_and_what_was_keyed():
    for step in {step for steps in STEPS.values() for step in steps}:
        assert split(say(step, "17", "4711")) == (step, "17", "4711")
        assert split(say(step, "17b")) == (step, "17b", "-")
    assert split("An application error has occurred.") == ("", "", "")
