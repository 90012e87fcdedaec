"""Digit bindings. Source: PROTOCOL 12 (bind_digit)."""

from __future__ import annotations

from typing import Any

import pytest

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
