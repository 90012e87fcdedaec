"""Keys that an application presses. Source: PROTOCOL 12."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_digits_are_heard_and_finished_when_their_time_is_over(stage: Stage, call: Inbound):
    call.do("calling.send_digits", control_id="c1", digits="1w2W3#")
    call.line.hears("digits 123#")
    stage.run(2.4)
    assert call.peer.states("calling.call.send_digits") == []
    stage.run(0.2)

    assert call.peer.states("calling.call.send_digits", control_id="c1") == ["finished"]
