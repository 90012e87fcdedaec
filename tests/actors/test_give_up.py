"""What becomes of a call whose code has failed for good: shapes and table."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import Apologise, CallActor, HandTo, HangUp, LeaveUp, TransferTo
from relay_actors.actors.give_up import ANSWERED, BEFORE_ANSWER, BRIDGED, DEFAULTS, phase_of, policies
from relay_actors.actors.leg import Leg
from relay_actors.errors import ArgumentError


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        (HangUp, {"reason": ""}),
        (Apologise, {"text": ""}),
        (Apologise, {"text": None}),
        (Apologise, {"language": 5}),
        (Apologise, {"within_s": -1}),
        (Apologise, {"within_s": "soon"}),
        (TransferTo, {"dest": ""}),
    ],
)
def test_a_policy_that_cannot_work_cannot_be_made(shape: Any, arguments: dict[str, Any]):
    """X7: a mistake in it must show before the call that needs it."""
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        shape(**arguments)


@pytest.mark.parametrize(
    ("state", "is_bridged", "phase"),
    [
        ("", False, BEFORE_ANSWER),
        ("created", False, BEFORE_ANSWER),
        ("ringing", False, BEFORE_ANSWER),
        ("answered", False, ANSWERED),
        ("answered", True, BRIDGED),
        ("ending", False, ANSWERED),
    ],
)
def test_the_phase_follows_from_the_state_and_the_bridge(state: str, is_bridged: bool, phase: str):
    """X7."""
    leg = Leg(direction="inbound")
    leg.state = state
    leg.is_bridged = is_bridged
    assert phase_of(leg) == phase


def test_by_default_a_call_is_declined_hung_up_or_left_to_those_who_talk():
    """X7."""
    assert {BEFORE_ANSWER: HangUp("decline"), ANSWERED: HangUp("error"), BRIDGED: LeaveUp()} == DEFAULTS


def test_one_policy_is_for_calls_that_are_not_bridged():
    """X7: an apology for a lonely caller must not cut two people off who are talking."""
    sorry = Apologise("Sorry.")
    assert policies(sorry, CallActor) == {BEFORE_ANSWER: sorry, ANSWERED: sorry, BRIDGED: LeaveUp()}


def test_what_a_dictionary_leaves_out_is_as_by_default():
    """X7."""
    given = policies({BRIDGED: HangUp("hangup")}, CallActor)
    assert given == {**DEFAULTS, BRIDGED: HangUp("hangup")}
    assert policies({ANSWERED: HandTo(CallActor)}, CallActor)[ANSWERED] == HandTo(CallActor)


def test_a_subclass_says_it_anew():
    """X7: as any other class attribute; and what a class does not say, it has from the one above it."""

    class Base(CallActor):
        on_give_up = HangUp("busy")

    class Same(Base):
        pass

    class Other(Base):
        on_give_up = TransferTo("context:sales")

    assert Same._by_phase[ANSWERED] == HangUp("busy")
    assert Other._by_phase[ANSWERED] == TransferTo("context:sales")
