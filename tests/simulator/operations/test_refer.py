"""Asking a SIP phone to call elsewhere. Source: PROTOCOL 12."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage

ANN, SALES = "sip:ann@example.org", "sip:sales@pbx.example.org"
HOOK = "https://hooks.example.com/refer"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer, number=ANN)


def refer(call: Inbound) -> dict[str, Any]:
    return call.do("calling.refer", device={"type": "sip", "params": {"to": SALES}}, status_url=HOOK)


def test_a_person_who_is_referred_talks_to_somebody_else_and_the_old_leg_ends(stage: Stage, call: Inbound):
    desk = stage.sim.phone(SALES)
    assert refer(call) == {"code": "200", "message": "Starting SIP REFER", "call_id": call.call_id}
    assert call.peer.states("calling.call.refer") == ["inProgress"]
    desk.rings().answers()

    assert call.peer.events("calling.call.refer")[-1] == {
        "state": "success",
        "sip_refer_to": SALES,
        "sip_refer_response_code": "202",
        "sip_notify_response_code": "200",
        "call_id": call.call_id,
        "node_id": call.node_id,
    }
    assert call.states[-2:] == ["ending", "ended"]
    assert call.line.transferred_to == SALES
    call.line.talks_to(desk).says("Hello?")
    desk.hears("Hello?").hangs_up()
    call.line.is_hung_up()
    assert call.line.call_id != call.call_id


def test_either_of_the_two_can_end_what_follows(stage: Stage, call: Inbound):
    desk = stage.sim.phone(SALES).answers()
    refer(call)
    stage.run(1)
    call.line.hangs_up()
    desk.is_hung_up()
    assert stage.sim.calls_up() == ()


@pytest.mark.parametrize(
    ("does", "state", "code"),
    [("is_busy", "busy", "486"), ("rejects", "error", "603"), ("never_answers", "noAnswer", "480")],
)
def test_the_phone_at_the_address_decides(stage: Stage, call: Inbound, does: str, state: str, code: str):
    """Whoever is not reached leaves the person where it was."""
    getattr(stage.sim.phone(SALES), does)()
    refer(call)
    stage.run(stage.sim.manners.ring_s + 1)

    assert call.peer.states("calling.call.refer") == ["inProgress", state]
    assert call.peer.events("calling.call.refer")[-1]["sip_notify_response_code"] == code
    assert call.line.state == "answered"
    call.do("calling.play", control_id="c1", play=[{"type": "tts", "params": {"text": "Sorry."}}])
    call.line.hears("Sorry.")


def test_each_event_is_told_by_http_too(stage: Stage, call: Inbound):
    stage.sim.phone(SALES).is_busy()
    refer(call)
    assert {hook.url for hook in stage.sim.webhooks} == {HOOK}
    assert [hook.body["params"] for hook in stage.sim.webhooks] == call.peer.events("calling.call.refer")
    assert call.peer.states("calling.call.refer") == ["inProgress", "busy"]


def test_who_hangs_up_meanwhile_is_not_called_any_more(stage: Stage, call: Inbound):
    desk = stage.sim.phone(SALES)
    refer(call)
    ringing = desk.rings()
    call.line.hangs_up()
    assert call.peer.states("calling.call.refer") == ["inProgress", "cancel"]
    assert (ringing.state, ringing.end_reason) == ("ended", "cancel")


def test_a_sip_phone_that_was_dialled_can_be_referred(stage: Stage, peer: Peer):
    bob = stage.sim.phone("sip:bob@example.org").answers()
    device = {"type": "sip", "params": {"from": "sip:a@b", "to": "sip:bob@example.org"}}
    peer.do("calling.dial", tag="t", devices=[[device]])
    stage.run(1)
    stage.sim.phone(SALES).answers()
    winner = peer.events("calling.call.dial")[-1]["call"]
    refer(Inbound(peer, bob.line, winner["call_id"], winner["node_id"]))
    stage.run(1)

    assert peer.states("calling.call.refer") == ["inProgress", "success"]
    bob.talks_to(stage.sim.phone(SALES))
    assert stage.sim.phone(SALES).line.timeline[0].what == "called by sip:bob@example.org"


def test_only_a_sip_call_can_be_referred(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    refer(call)
    (event,) = call.peer.events("calling.call.refer")
    assert (event["state"], event["sip_refer_response_code"]) == ("error", "501")


def test_a_refer_to_nowhere_and_a_second_one_are_refused(call: Inbound):
    assert call.code("calling.refer", device={"type": "sip", "params": {"to": ""}}) == "400"
    refer(call)
    assert call.code("calling.refer", device={"type": "sip", "params": {"to": SALES}}) == "409"
