"""Where legs are found, and by whom."""

from __future__ import annotations

import pytest

from relay_actors.simulator import exchange
from tests.simulator.stage import Peer, Stage, phone_device


def test_a_leg_is_found_by_both_its_ids_and_by_its_owner_only(stage: Stage, peer: Peer):
    """Source: PROTOCOL 19.1: calls belong to the session of their protocol."""
    call = stage.inbound(peer)
    stranger = stage.client("other")
    ids = {"call_id": call.call_id, "node_id": call.node_id}

    for asker, wrong in ((peer, {"call_id": "no"}), (peer, {"node_id": "no"}), (stranger, {})):
        response = asker.ask("calling.answer", **{**ids, **wrong})
        assert response is not None
        assert response["result"]["code"] == "404"
    assert peer.do("calling.answer", **ids)["code"] == "200"


def test_a_connected_leg_lives_on_another_node(stage: Stage, peer: Peer):
    """Source: PROTOCOL 8.1: a client must use the ids that it was given."""
    call = stage.inbound(peer)
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])

    assert {snapshot.node_id for snapshot in stage.sim.calls_up()} != {call.node_id}
    assert len(stage.sim.calls_up()) == 2


def test_an_ended_leg_is_remembered_but_not_up(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.line.hangs_up()

    assert stage.sim.calls_up() == ()
    assert [snapshot.state for snapshot in stage.sim.calls] == ["ended"]


def test_ended_legs_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(exchange, "ENDED_BOUND", 3)
    stage = Stage()
    peer = stage.client("support")
    for number in range(5):
        stage.inbound(peer, number=f"+1555000{number}").line.hangs_up()

    assert [snapshot.from_number for snapshot in stage.sim.calls] == ["+15550002", "+15550003", "+15550004"]
