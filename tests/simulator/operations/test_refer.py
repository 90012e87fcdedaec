"""Asking a SIP phone to call elsewhere. Source: PROTOCOL 12."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_only_a_sip_call_can_be_referred(call: Inbound):
    call.do("calling.refer", device={"type": "sip", "params": {"to": "sip:a@b"}})
    assert call.peer.states("calling.call.refer") == ["error"]


def test_a_sip_call_is_referred(stage: Stage, peer: Peer):
    stage.sim.phone("sip:bob@example.org").answers()
    peer.do(
        "calling.dial", tag="t", devices=[[{"type": "sip", "params": {"from": "sip:a@b", "to": "sip:bob@example.org"}}]]
    )
    stage.run(1)
    winner = peer.events("calling.call.dial")[-1]["call"]
    device = {"type": "sip", "params": {"to": "sip:sales@example.org"}}
    peer.do("calling.refer", call_id=winner["call_id"], node_id=winner["node_id"], device=device)
    stage.run(2)

    assert peer.states("calling.call.refer") == ["inProgress", "success"]
    assert peer.events("calling.call.refer")[-1]["sip_notify_response_code"] == "200"
