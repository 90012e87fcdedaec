"""States only move forward, whatever the wire says and in whatever order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol import constants
from relay_actors.protocol.states import (
    ACTION_MOVES,
    CALL_MOVES,
    CONNECT_MOVES,
    DIAL_MOVES,
    MESSAGE_MOVES,
    ActionState,
    CallState,
    ConnectState,
    DialState,
    MessageState,
    Moves,
    advance,
    is_at_or_past,
    is_final,
    may_move,
)
from tests.protocol.wire_tables import EVENTS

TABLES: list[tuple[type[StrEnum], Moves]] = [
    (CallState, CALL_MOVES),
    (ActionState, ACTION_MOVES),
    (MessageState, MESSAGE_MOVES),
    (ConnectState, CONNECT_MOVES),
    (DialState, DIAL_MOVES),
]
ONE_WAY = [table for table in TABLES if table[0] is not ConnectState]
every_table = pytest.mark.parametrize(("states", "moves"), TABLES, ids=lambda value: getattr(value, "__name__", ""))
words = st.sampled_from([state for states, _ in TABLES for state in states]) | st.text(max_size=10)


def run_through(reports: Iterable[str], moves: Moves, start: str = "") -> list[str]:
    state, path = start, []
    for report in reports:
        following = advance(state, report, moves)
        if following != state:
            path.append(following)
        state = following
    return path


@every_table
def test_a_table_names_every_state_and_leads_only_to_states_it_names(states: type[StrEnum], moves: Moves) -> None:
    """A state without a row would be taken for an unknown word."""
    assert set(moves) == set(states)
    assert set().union(*moves.values()) <= set(states)
    assert all(state not in following for state, following in moves.items())


@pytest.mark.parametrize(
    ("event_type", "states"),
    [
        ("calling.call.state", CallState),
        ("calling.call.connect", ConnectState),
        ("calling.call.dial", DialState),
        ("messaging.state", MessageState),
    ],
)
def test_every_state_of_the_wire_is_known_and_final_where_the_wire_says_so(
    event_type: str, states: type[StrEnum]
) -> None:
    """The tables are ours, the words are the server's."""
    row = next(row for row in EVENTS if row["event_type"] == event_type)
    assert set(row["states"]) <= set(states)
    moves = next(moves for known, moves in TABLES if known is states)
    if states is not ConnectState:  # a leg may be bridged again
        assert {state for state in row["states"] if is_final(state, moves)} == set(row["terminal_states"])


@given(reports=st.lists(words, max_size=30))
def test_any_order_of_reports_ends_in_a_legal_state(reports: list[str]) -> None:
    """SEMANTICS X1, X5: stale, repeated and unknown reports change nothing."""
    for states, moves in TABLES:
        path = run_through(reports, moves)
        assert set(path) <= set(states)
        assert all(new in moves[old] for old, new in pairwise(path))


@given(reports=st.lists(words, max_size=30))
def test_a_final_state_is_entered_once_and_never_left(reports: list[str]) -> None:
    """SEMANTICS X1, X5: exactly one terminal state, and the first wins."""
    for states, moves in ONE_WAY:
        path = run_through(reports, moves)
        finals = [state for state in path if is_final(state, moves)]
        assert finals == path[-1:] or not finals
        named = [state for state in reports if state in set(states)]
        assert (not named) == (not path)


@given(reports=st.permutations(list(CallState)))
def test_a_call_that_was_reported_ended_is_ended_in_any_order(reports: list[CallState]) -> None:
    """SEMANTICS X1: events may overtake each other, yet a call that is over stays over."""
    assert run_through(reports, CALL_MOVES)[-1] == CallState.ENDED


@pytest.mark.parametrize("old", list(CallState))
@pytest.mark.parametrize("new", list(CallState))
def test_a_call_moves_forward_only_and_may_skip_any_state(old: CallState, new: CallState) -> None:
    """SEMANTICS X1; the order is that of the constants."""
    order = constants.CALL_STATES
    assert may_move(old, new) == (order.index(new) > order.index(old))
    assert is_at_or_past(new, old) == (order.index(new) >= order.index(old))


@every_table
def test_an_unknown_word_moves_nothing(states: type[StrEnum], moves: Moves) -> None:
    """A new server feature must not end a call."""
    for state in states:
        assert advance(state, "brand_new", moves) == state
    assert advance("", "brand_new", moves) == ""


@every_table
def test_after_an_unknown_word_every_known_state_may_follow(states: type[StrEnum], moves: Moves) -> None:
    """What is not known cannot forbid what the server says next."""
    for state in states:
        assert advance("brand_new", state, moves) == state
        assert advance("", state, moves) == state


def test_an_unknown_word_is_never_final_nor_past_anything() -> None:
    """Somebody who waits for ``answered`` must not be woken by a word that nobody knows."""
    assert not is_final("brand_new")
    assert not is_at_or_past("brand_new", "created")
    assert not is_at_or_past("brand_new", "brand_new")
    assert not is_at_or_past("", "created")


def test_an_operation_pauses_and_goes_on_as_often_as_it_likes() -> None:
    """The only loop among the states of an action (SEMANTICS X5)."""
    reports = ["requested", "executing", "paused", "executing", "paused", "finished", "executing"]
    assert run_through(reports, ACTION_MOVES, start="new") == reports[:-1]


def test_an_operation_cannot_run_before_it_was_asked_for() -> None:
    """No event can belong to a control id that was never sent."""
    assert not may_move(ActionState.NEW, ActionState.EXECUTING, ACTION_MOVES)


def test_a_leg_can_be_bridged_again_after_its_bridge_ended() -> None:
    """A bridge ends, the leg lives on (PROTOCOL 12)."""
    reports = ["connecting", "connected", "disconnected", "connecting", "failed", "connecting", "connected"]
    assert run_through(reports, CONNECT_MOVES) == reports


def test_states_can_be_compared_with_what_the_wire_says() -> None:
    """``event.call_state == CallState.ENDED`` must simply work."""
    assert CallState.ENDED == constants.CALL_STATE_ENDED
    assert f"{CallState.ENDED}" == "ended"
