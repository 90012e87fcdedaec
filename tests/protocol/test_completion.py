"""Each operation is over when its own rule says so, and never earlier."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.commands import Collect, Play, PlayAndCollect
from relay_actors.protocol.completion import COMPLETION_RULES, action_state, goes_on, is_continuous, is_terminal
from relay_actors.protocol.events import EVENT_TYPES, parse_event
from relay_actors.protocol.states import ACTION_MOVES, ActionState, advance, is_final
from tests.protocol.wire_tables import EVENTS, METHODS, PAYLOAD, json_values

WITH_STATE = [row for row in EVENTS if row["state_path"] == "params.state"]
E = ActionState.EXECUTING
P = ActionState.PAUSED
F = ActionState.FINISHED
X = ActionState.ERROR


def event(kind: str, **params: Any) -> Any:
    return parse_event({"event_type": f"calling.call.{kind}", "params": params})


@pytest.mark.parametrize(
    ("action", "frame", "expected"),
    [
        ("play", "play.event.playing", E),
        ("play", "play.event.paused", P),
        ("play", "play.event.playing_again", E),
        ("play", "play.event.finished", F),
        ("play", "play.event.error", X),
        ("record", "record.event.recording", E),
        ("record", "record.event.paused", P),
        ("record", "record.event.finished", F),
        ("record", "record.event.finished.nested", F),
        ("record", "record.event.no_input", ActionState.NO_INPUT),
        ("collect", "collect.event.partial_speech", E),
        ("collect", "collect.event.final_speech", F),
        ("collect", "collect.event.digit", F),
        ("collect", "collect.event.no_input", ActionState.NO_INPUT),
        ("collect", "collect.event.no_match", ActionState.NO_MATCH),
        ("collect", "collect.event.error", X),
        ("collect", "collect.event.start_of_input", E),
        ("collect", "collect.event.continuous_finished", F),
        ("play_and_collect", "play_and_collect.event.playing", E),
        ("play_and_collect", "play_and_collect.event.play_finished", E),
        ("play_and_collect", "play.event.error", E),
        ("play_and_collect", "play.event.paused", P),
        ("play_and_collect", "play_and_collect.event.digit", F),
        ("play_and_collect", "collect.event.partial_speech", E),
        ("detect", "detect.event.human", F),
        ("detect", "detect.event.machine", F),
        ("detect", "detect.event.fax_ced", F),
        ("detect", "detect.event.digit", F),
        ("detect", "detect.event.machine_finished", F),
        ("detect", "detect.event.machine_error", X),
        ("send_fax", "fax.event.page", E),
        ("send_fax", "fax.event.finished", F),
        ("receive_fax", "fax.event.error", X),
        ("tap", "tap.event.tapping", E),
        ("tap", "tap.event.finished", F),
        ("stream", "stream.event.streaming", E),
        ("stream", "stream.event.finished", F),
        ("transcribe", "transcribe.event.transcribing", E),
        ("transcribe", "transcribe.event.finished", F),
        ("pay", "pay.event.status", E),
        ("pay", "pay.event.result_success", F),
        ("pay", "pay.event.finished_state", F),
        ("pay", "pay.event.error_state", X),
        ("ai", "ai.event.finished", F),
    ],
)
def test_a_captured_event_reports_the_state(action: str, frame: str, expected: ActionState) -> None:
    """Golden frames against PROTOCOL 11; the reference client gets collect, fax and pay wrong (PROTOCOL 18)."""
    captured = parse_event(PAYLOAD[frame])
    assert action_state(f"calling.{action}", captured) is expected
    assert is_terminal(f"calling.{action}", captured) == is_final(expected, ACTION_MOVES)


@pytest.mark.parametrize(
    ("fields", "continuous", "expected"),
    [
        ({"result": {"type": "digit"}, "final": True}, False, F),
        ({"result": {"type": "digit"}, "final": False}, False, E),
        ({"result": {"type": "digit"}, "final": None}, False, F),
        ({"result": {"type": "brand_new"}}, False, F),
        ({"result": {"type": "start_of_input"}, "final": True}, False, E),
        ({"result": {"type": "digit"}, "state": "collecting"}, True, E),
        ({"result": {"type": "digit"}, "state": "collecting"}, False, F),
        ({"result": {"type": "digit"}}, True, F),
        ({"result": {"type": "finished"}, "state": "finished"}, True, F),
        ({"result": {"type": "digit"}, "final": False, "state": "finished"}, False, F),
        ({"state": "collecting"}, False, E),
        ({"state": "finished"}, False, F),
        ({"state": "error"}, False, X),
        ({"state": "no_input"}, False, ActionState.NO_INPUT),
        ({"state": "no_match"}, True, ActionState.NO_MATCH),
        ({"result": {}}, False, None),
        ({"result": None}, False, None),
        ({"state": "brand_new"}, False, None),
        ({}, False, None),
    ],
)
@pytest.mark.parametrize("action", ["calling.collect", "calling.play_and_collect"])
def test_a_collect_ends_with_its_last_result(
    action: str, fields: dict[str, Any], continuous: bool, expected: ActionState | None
) -> None:
    """PROTOCOL 11.3: interim results, the start of input and a continuous collect's results are not the end."""
    assert action_state(action, event("collect", **fields), continuous=continuous) is expected


@pytest.mark.parametrize(
    ("action", "params", "expected"),
    [
        ("calling.collect", {"continuous": True}, True),
        ("calling.collect", {}, False),
        ("calling.play_and_collect", {"collect": {"continuous": True}}, True),
        ("calling.play_and_collect", {"collect": "odd", "continuous": True}, False),
        ("calling.play", {"continuous": True}, False),
    ],
)
def test_only_a_collect_can_go_on_after_a_result(action: str, params: dict[str, Any], expected: bool) -> None:
    assert is_continuous(action, params) is expected


@pytest.mark.parametrize("state", ["playing", "paused", "finished", "error", "brand_new", ""])
def test_a_play_never_completes_a_prompt(state: str) -> None:
    """PROTOCOL 11.4: they share a control id, and the input is still to come."""
    assert not is_terminal("calling.play_and_collect", event("play", state=state))


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"detect": {}}, None),
        ({"state": "finished"}, F),
        ({"state": "error"}, X),
        ({"detect": {}, "state": "finished"}, F),
        ({"detect": {"type": "machine"}}, F),
    ],
)
def test_a_detector_that_says_only_its_state_is_understood(fields: dict[str, Any], expected: object) -> None:
    """PROTOCOL 11.5: the shape that the reference client waits for."""
    assert action_state("calling.detect", event("detect", **fields)) is expected


@pytest.mark.parametrize("action", ["calling.send_fax", "calling.receive_fax"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"fax": {"type": "finished", "params": {"success": False}}}, F),
        ({"state": "finished"}, F),
        ({"state": "error"}, X),
        ({"fax": {"type": "page"}, "state": ""}, E),
        ({}, None),
    ],
)
def test_a_fax_is_over_in_either_dialect(action: str, fields: dict[str, Any], expected: object) -> None:
    """PROTOCOL D11; one that did not get through is still over."""
    assert action_state(action, event("fax", **fields)) is expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"for": "payment-completed"}, F),
        ({"for": "payment-failed"}, X),
        ({"for": "payment-canceled"}, ActionState.STOPPED),
        ({"for": "payment-processing"}, E),
        ({"result": "success"}, F),
        ({"result": "relay-pay-stop"}, ActionState.STOPPED),
        ({"result": "too-many-failed-attempts"}, X),
        ({"for": "expiration-date", "result": "caller-hung-up"}, X),
        ({"for": "expiration-date", "result": ""}, E),
        ({"state": "finished", "result": "success"}, F),
        ({}, None),
    ],
)
def test_a_payment_is_over_in_each_of_its_three_shapes(fields: dict[str, Any], expected: object) -> None:
    """PROTOCOL 11.10, D11: a state, a result, or a last step."""
    assert action_state("calling.pay", event("pay", **fields)) is expected


def test_a_recording_that_failed_is_over() -> None:
    """PROTOCOL D29: documented, but not a constant of the seed."""
    assert is_terminal("calling.record", event("record", state="error"))


def test_every_operation_of_the_wire_has_a_rule_for_its_own_event() -> None:
    """An operation without a rule would never complete."""
    actions = {row["method"]: row["event_type"] for row in METHODS if row["kind"] == "action"}
    assert {method: rule.completing for method, rule in COMPLETION_RULES.items()} == actions


@pytest.mark.parametrize("row", [row for row in METHODS if row["kind"] == "action"], ids=lambda row: str(row["method"]))
def test_every_terminal_state_of_the_table_completes_its_operation(row: dict[str, Any]) -> None:
    """Also where real servers use other shapes, the state is understood (PROTOCOL 11)."""
    for state in row["terminal_states"]:
        reported = parse_event({"event_type": row["event_type"], "params": {"state": state}})
        assert is_terminal(row["method"], reported), f"{row['method']} does not end with {state}"


@pytest.mark.parametrize("row", WITH_STATE, ids=lambda row: str(row["event_type"]))
def test_no_running_state_of_the_table_completes_an_operation(row: dict[str, Any]) -> None:
    """A play that pauses is not over."""
    running = set(row["states"]) - set(row["terminal_states"])
    for method in COMPLETION_RULES:
        for state in running:
            reported = parse_event({"event_type": row["event_type"], "params": {"state": state}})
            assert not is_terminal(method, reported), f"{state} ends {method}"


@pytest.mark.parametrize("method", list(COMPLETION_RULES))
def test_events_of_other_operations_say_nothing(method: str) -> None:
    """A control id may be misused, yet a play cannot finish a recording."""
    others = set(EVENT_TYPES) - set(COMPLETION_RULES[method].event_types)
    for event_type in others:
        stranger = parse_event({"event_type": event_type, "params": {"state": "finished", "result": "success"}})
        assert action_state(method, stranger) is None


def test_an_unknown_operation_has_no_state() -> None:
    """A method that no table knows is left alone."""
    assert action_state("calling.brand_new", event("play", state="finished")) is None
    assert not is_terminal("calling.brand_new", event("play", state="finished"))


states_said = st.sampled_from(["playing", "paused", "recording", "collecting", "finished", "error", "no_input", "odd"])
results = st.fixed_dictionaries({"type": st.sampled_from(["digit", "start_of_input", "no_match", "odd"])}) | json_values
reports = st.builds(
    lambda kind, params: event(kind, **params),
    st.sampled_from(["play", "record", "collect", "detect", "fax", "tap", "pay", "ai", "state"]),
    st.fixed_dictionaries(
        {},
        optional={
            "state": states_said,
            "result": results,
            "final": st.booleans(),
            "detect": results,
            "fax": results,
            "for": st.sampled_from(["payment-completed", "payment-failed", "postal-code"]),
        },
    ),
)


@given(said=st.lists(reports, max_size=12), method=st.sampled_from(list(COMPLETION_RULES)), continuous=st.booleans())
def test_any_order_of_events_takes_an_operation_through_legal_states_to_at_most_one_end(
    said: list[Any], method: str, continuous: bool
) -> None:
    """SEMANTICS X5: exactly one terminal state, and the first wins."""
    state: str = ActionState.REQUESTED
    path = []
    for report in said:
        reported = action_state(method, report, continuous=continuous)
        if reported is not None and advance(state, reported, ACTION_MOVES) != state:
            assert reported in ACTION_MOVES[state]
            state = reported
            path.append(reported)
    assert sum(is_final(step, ACTION_MOVES) for step in path) == is_final(state, ACTION_MOVES)
    first_end = next((report for report in said if is_terminal(method, report, continuous=continuous)), None)
    assert is_final(state, ACTION_MOVES) == (first_end is not None)


@pytest.mark.parametrize("method", COMPLETION_RULES)
def test_a_rule_says_in_words_when_its_operation_is_over(method: str) -> None:
    """The reference shows it, and readers have nothing else."""
    assert (COMPLETION_RULES[method].judge.__doc__ or "").startswith("Over ")


def test_the_words_of_a_table_of_states_are_its_final_ones() -> None:
    """Made from the table, so that they cannot come to differ."""
    assert COMPLETION_RULES["calling.record"].judge.__doc__ == (
        "Over when its ``state`` is ``no_input``, ``finished`` or ``error``."
    )


def test_a_command_goes_on_when_its_params_say_so():
    """Whether an argument has said it, or an extra param that wins."""
    media, once, on = (
        {"type": "silence", "duration": 1},
        {"digits": {"max": 1}},
        {"digits": {"max": 1}, "continuous": True},
    )
    assert goes_on(Collect(digits={"max": 1}, continuous=True))
    assert goes_on(Collect(digits={"max": 1}, extra={"continuous": True}))
    assert goes_on(PlayAndCollect(media=media, collect=on))
    assert not goes_on(PlayAndCollect(media=media, collect=on, extra={"collect": once}))
    assert not goes_on(Collect(digits={"max": 1}))
    assert not goes_on(Play(media=media, extra={"continuous": True}))
