"""Hearing oneself. Source: PROTOCOL 12."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage

EVENT = "calling.call.echo"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_an_echo_ends_at_its_time_out_and_has_no_control_id(stage: Stage, call: Inbound):
    assert call.do("calling.echo", timeout=30.0) == {"code": "200", "message": "Echo started", "call_id": call.call_id}
    stage.run(31)

    assert call.peer.states("calling.call.echo") == ["echoing", "finished"]
    assert "control_id" not in call.peer.events("calling.call.echo")[0]


def test_an_echo_without_a_time_out_ends_with_the_call(stage: Stage, call: Inbound):
    call.do("calling.echo")
    stage.run(3600)
    assert call.peer.states("calling.call.echo") == ["echoing"]
    call.line.hangs_up()

    assert call.peer.states("calling.call.echo") == ["echoing", "finished"]


def test_the_person_hears_what_they_say_and_press_while_it_runs(stage: Stage, call: Inbound):
    call.line.says("before")
    call.do("calling.echo", timeout=5.0)
    call.line.says("can you hear me?").hears("voice can you hear me?")
    call.line.presses("7").hears("digits 7")
    stage.run(6)
    call.line.says("after")

    assert [str(sound) for sound in call.line.heard] == ["voice can you hear me?", "digits 7"]


def test_nobody_hears_an_echo_on_hold(call: Inbound):
    call.do("calling.echo")
    call.do("calling.hold")
    call.line.says("hello?")

    assert [sound.kind for sound in call.line.heard] == ["music"]


def test_its_status_url_is_told_both_ends(stage: Stage, call: Inbound):
    call.do("calling.echo", timeout=5.0, status_url="https://a/echo")
    stage.run(6)

    told = [webhook.body["params"] for webhook in stage.sim.webhooks]
    assert [params["state"] for params in told] == ["echoing", "finished"]
    assert {params["call_id"] for params in told} == {call.call_id}
