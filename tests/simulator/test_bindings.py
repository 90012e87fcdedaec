"""Digit bindings. Source: PROTOCOL 12 (bind_digit)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage, tts


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def bind(call: Inbound, digits: str = "*1", **more: Any) -> None:
    params = {"play": [tts("Help is on the way.")], "control_id": f"bound-{digits}"}
    call.do("calling.bind_digit", digits=digits, bind_method="calling.play", params=params, **more)


def plays(call: Inbound) -> int:
    return call.peer.states("calling.call.play").count("playing")


def test_the_bound_keys_run_the_command_and_its_events_carry_its_control_id(call: Inbound):
    bind(call)
    call.line.presses("5*")
    assert plays(call) == 0
    call.line.presses("1").hears("Help is on the way")

    assert call.peer.states("calling.call.play", control_id="bound-*1") == ["playing"]


def test_a_binding_triggers_only_so_often(stage: Stage, call: Inbound):
    bind(call, max_triggers=2)
    for _ in range(3):
        call.line.presses("*1")
        stage.run(10)

    assert plays(call) == 2


def test_a_cleared_realm_is_bound_no_more_and_others_are(stage: Stage, call: Inbound):
    bind(call, "1", realm="menu")
    bind(call, "2", realm="other")
    call.do("calling.clear_digit_bindings", realm="menu")
    call.line.presses("12")

    assert call.peer.states("calling.call.play", "control_id") == ["bound-2"]


def test_clearing_without_a_realm_clears_all(call: Inbound):
    bind(call, "1", realm="menu")
    bind(call, "2")
    call.do("calling.clear_digit_bindings")
    call.line.presses("12")

    assert plays(call) == 0


def test_bindings_end_with_the_call(call: Inbound):
    bind(call)
    call.line.hangs_up()

    assert call.states[-1] == "ended"


def test_a_binding_to_what_is_no_call_command_does_nothing(call: Inbound):
    call.do("calling.bind_digit", digits="1", bind_method="calling.dial")
    call.line.presses("1")

    assert call.line.state == "answered"


def bind_all(call: Inbound, *bound: str) -> None:
    for digits in bound:
        bind(call, digits)


def triggered(call: Inbound) -> list[str]:
    """The keys of what has begun to play, in order."""
    begun = [event for event in call.peer.events("calling.call.play") if event["state"] == "playing"]
    return [event["control_id"].removeprefix("bound-") for event in begun]


@pytest.mark.parametrize(
    ("bound", "pressed", "at_once", "later"),
    [
        (["1", "12"], "12", ["12"], []),
        (["1", "12"], "1", [], ["1"]),
        (["1", "12"], "13", ["1"], []),
        (["1", "123"], "12", [], ["1"]),
        (["1", "2", "123"], "129", ["1", "2"], []),
        (["1", "2", "123"], "12", [], ["1", "2"]),
        (["1", "*12"], "*1", [], ["1"]),
        (["1", "*12"], "*12", ["*12"], []),
        (["11"], "111", ["11"], []),
    ],
)
def test_of_two_bindings_that_begin_alike_the_longer_one_is_waited_for(
    stage: Stage, call: Inbound, bound: list[str], pressed: str, at_once: list[str], later: list[str]
):
    bind_all(call, *bound)
    call.line.presses(pressed)
    assert triggered(call) == at_once
    stage.run(5)

    assert triggered(call) == at_once + later


@given(st.sets(st.text("12*", min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_whoever_presses_bound_keys_and_waits_triggers_just_that(bound: set[str], data: st.DataObject):
    stage = Stage()
    call = stage.inbound(stage.client("support"))
    bind_all(call, *sorted(bound))
    pressed = data.draw(st.sampled_from(sorted(bound)))
    call.line.presses(pressed)
    stage.run(3)

    assert triggered(call) == [pressed]


def test_keys_bound_again_in_a_realm_are_bound_anew_and_other_realms_stay(stage: Stage, call: Inbound):
    for realm, control_id in (("a", "old"), ("b", "other"), ("a", "new")):
        params = {"play": [tts("x")], "control_id": control_id}
        call.do("calling.bind_digit", digits="1", bind_method="calling.play", params=params, realm=realm)
    call.line.presses("1")

    assert call.peer.states("calling.call.play", "control_id") == ["other", "new"]


def test_bindings_that_are_cleared_while_they_wait_do_nothing(stage: Stage, call: Inbound):
    bind_all(call, "1", "12")
    call.line.presses("1")
    call.do("calling.clear_digit_bindings")
    stage.run(10)

    assert plays(call) == 0


@pytest.mark.parametrize("params", [{"digits": ""}, {"digits": "call me"}, {"digits": "1", "max_triggers": -1}])
def test_a_binding_that_makes_no_sense_is_refused(call: Inbound, params: dict[str, Any]):
    assert call.code("calling.bind_digit", bind_method="calling.play", **params) == "400"


def test_a_limit_of_nought_is_none(stage: Stage, call: Inbound):
    bind(call, max_triggers=0)
    for _ in range(3):
        call.line.presses("*1")
        stage.run(10)

    assert plays(call) == 3


def test_a_bound_command_that_is_refused_is_told_by_an_error_event(call: Inbound):
    """Nobody waits for its answer. Source: PROTOCOL 12 (calling.error)."""
    call.do("calling.bind_digit", digits="1", bind_method="calling.leave_room")
    call.do("calling.bind_digit", digits="2", bind_method="calling.dial")
    call.line.presses("12")

    errors = [(event["code"], event["message"]) for event in call.peer.events("calling.error")]
    assert errors[0] == ("409", "calling.leave_room: The call is in no room")
    assert errors[1][0] == "-32601"


def test_a_bound_command_may_end_the_call(call: Inbound):
    call.do("calling.bind_digit", digits="#", bind_method="calling.end", params={"reason": "busy"})
    call.line.presses("#").is_hung_up()

    assert call.line.end_reason == "busy"


def test_a_key_that_ends_the_call_is_no_input_to_what_has_ended_with_it(stage: Stage, call: Inbound):
    """Nothing follows the end of a call, and no operation reports after its last event. Source: PROTOCOL 8.2, 10.3."""
    call.do("calling.bind_digit", digits="*", bind_method="calling.end")
    call.do("calling.collect", control_id="c1", digits={"max": 4}, partial_results=True, send_start_of_input=True)
    call.do("calling.detect", control_id="c2", detect={"type": "digit", "params": {}})
    call.line.presses("*")
    stage.run(60)

    assert call.peer.story()[-4:] == ["call.collect", "call.detect", "call.state ending", "call.state ended"]


def test_a_key_that_stops_a_payment_by_its_binding_does_not_cancel_it_as_well(stage: Stage, call: Inbound):
    call.do("calling.bind_digit", digits="*", bind_method="calling.pay.stop", params={"control_id": "c1"})
    call.do("calling.pay", control_id="c1", payment_connector_url="https://pay.example.com/connector")
    call.line.hears("card number").presses("*")

    stage.run(60)

    assert call.peer.events("calling.call.pay")[-1]["result"] == "relay-pay-stop"
    assert len(call.line.heard) == 1, "the question, and no word of a payment that was canceled"


def test_only_a_leg_with_bindings_listens(call: Inbound):
    bind(call, realm="menu")
    call.line.is_asked()
    call.do("calling.clear_digit_bindings", realm="menu")
    with pytest.raises(StoryError, match="was not asked"):
        call.line.is_asked(within=0.1)
