"""Which recorded command a sent one is, and what of it has changed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.testing.matching import Change, Matching, lane_of
from relay_actors.testing.said import COMMAND, EVENT, Said


def play(number: int, text: str, call: str = "call-1") -> Said:
    params = {"call_id": call, "control_id": f"control-{number}", "play": [{"params": {"text": text}}]}
    return Said(float(number), COMMAND, "calling.play", params, number)


def stop(number: int, of: int) -> Said:
    return Said(
        float(number), COMMAND, "calling.play.stop", {"call_id": "call-1", "control_id": f"control-{of}"}, number
    )


def sent(matching: Matching, text: str, control: str, call: str = "call-1") -> tuple[int, list[str]] | None:
    params = {"call_id": call, "control_id": control, "play": [{"params": {"text": text}}]}
    found = matching.take("calling.play", params, params)
    return None if found is None else (found[0], [str(change) for change in found[1]])


def test_what_the_application_chooses_is_bound_when_it_is_first_seen_and_has_to_stay():
    """Else it would be another operation that is stopped."""
    matching = Matching([play(1, "a"), play(2, "b"), stop(3, of=1)])
    assert sent(matching, "a", "x") == (1, [])
    assert sent(matching, "b", "y") == (2, [])
    right, wrong = ({"call_id": "call-1", "control_id": control} for control in ("x", "y"))
    assert matching.to_live({"a": "control-1", "b": "https://h/control-2"}) == {"a": "x", "b": "https://h/y"}
    assert matching.to_recorded({"a": "x", "b": "z"}) == {"a": "control-1", "b": "z"}
    assert matching.take("calling.play.stop", wrong, wrong) == (
        3,
        [Change("control_id", '"control-1"', '"y"')],
    )
    again = Matching([play(1, "a"), play(2, "b"), stop(3, of=1)])
    sent(again, "a", "x")
    assert again.take("calling.play.stop", right, right) == (3, [])


def test_the_same_command_further_on_is_preferred_to_another_one_now():
    """One that was left out is left out, and what follows is not all wrong."""
    matching = Matching([play(1, "a"), play(2, "b")])
    assert sent(matching, "b", "x") == (2, [])
    assert matching.is_passed(1)
    assert not matching.is_passed(2)
    assert sent(matching, "a", "y") == (1, [])
    assert sent(matching, "a", "z") is None


def test_calls_are_compared_each_for_itself_and_texts_in_any_order():
    """What two calls do beside each other has no order."""
    texts = [Said(0, COMMAND, "messaging.send", {"body": body}, number) for number, body in ((1, "a"), (2, "b"))]
    matching = Matching([*texts, play(3, "a"), play(4, "a", "call-2")])
    assert sent(matching, "a", "x", "call-2") == (4, [])
    assert not matching.is_passed(3)
    assert matching.take("messaging.send", {"body": "b"}, {"body": "b"}) == (2, [])
    assert not matching.is_passed(1)
    assert lane_of("messaging.send", {}) == "messaging.send"


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ({"a": 1, "b": [1, {"c": "x"}]}, []),
        ({"a": 1.0, "b": [1, {"c": "x"}]}, []),
        ({"a": 2, "b": [1, {"c": "x"}]}, ["a is 2, and was 1"]),
        ({"a": 1, "b": [1, {"c": "y"}]}, ['b.1.c is "y", and was "x"']),
        ({"a": 1}, ['b is missing: [1, {"c": "x"}]']),
        ({"a": 1, "b": [1, {"c": "x"}], "d": None}, ["d is null, and was not there"]),
        ({"a": 1, "b": [1]}, ['b is [1], and was [1, {"c": "x"}]']),
    ],
)
def test_each_value_that_has_changed_is_told_with_its_place(now: dict[str, Any], told: list[str]):
    """A person looks for it in the code."""
    matching = Matching([Said(0, COMMAND, "m", {"a": 1, "b": [1, {"c": "x"}]}, 1)])
    found = matching.take("m", now, now)
    assert found is not None
    assert [str(change) for change in found[1]] == told


def test_what_is_about_an_operation_that_does_not_run_is_known():
    """It cannot be said to the application: it would not know of what."""
    matching = Matching([Said(0, EVENT, "e", {"call_id": "call-1"}), play(1, "a")])
    assert matching.not_chosen_yet({"control_id": "control-1"}) == "control-1"
    assert matching.not_chosen_yet({"call_id": "call-1", "control_id": "control-7"}) is None
    sent(matching, "a", "x")
    assert matching.not_chosen_yet({"control_id": "control-1"}) is None


@given(st.lists(st.sampled_from("abc"), max_size=8))
def test_what_is_sent_as_it_was_recorded_matches_one_by_one(prompts: list[str]):
    """Also when the same is said several times."""
    matching = Matching([play(number, text) for number, text in enumerate(prompts, start=1)])
    for number, text in enumerate(prompts, start=1):
        assert sent(matching, text, f"live-{number}-x") == (number, [])
    assert matching.matched == list(range(1, len(prompts) + 1))
