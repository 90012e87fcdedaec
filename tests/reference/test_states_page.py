"""The drawings of the states say what the tables say."""

from __future__ import annotations

from enum import StrEnum

import pytest

from relay_actors.protocol.states import CALL_MOVES, CallState, MessageState, Moves
from tests.reference.states_page import TABLES, drawing, meanings


def read(text: str) -> dict[str, frozenset[str]]:
    """A drawing back into a table."""
    lines = [line.split() for line in text.splitlines()]
    assert all((line[1] == "──|") == (len(line) == 2) for line in lines)
    return {line[0]: frozenset(line[2:]) for line in lines}


@pytest.mark.parametrize(("states", "moves"), [row[2:] for row in TABLES])
def test_a_drawing_can_be_read_back(states: type[StrEnum], moves: Moves):
    """Nothing is added by hand, and nothing gets lost."""
    assert read(drawing(states, moves)) == dict(moves)


def test_names_stand_below_each_other():
    """So that a glance down a column tells what leads to a state."""
    assert drawing(CallState, CALL_MOVES).splitlines() == [
        "created  ──> ringing  answered  ending  ended",
        "ringing  ──>          answered  ending  ended",
        "answered ──>                    ending  ended",
        "ending   ──>                            ended",
        "ended    ──|",
    ]


@pytest.mark.parametrize("states", [row[2] for row in TABLES])
def test_every_state_says_what_it_means(states: type[StrEnum]):
    """Below its name in the code, from where the page takes it."""
    assert [state.name for state in states if not meanings(states).get(state.name)] == []


def test_what_a_state_means_is_taken_from_below_it():
    assert meanings(MessageState)["RECEIVED"] == "The one state of an inbound message."
