"""An AI agent on the line. Source: PROTOCOL 11.11, 12."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_an_ai_that_is_stopped_is_finished(call: Inbound):
    call.do("calling.ai", control_id="c1", prompt={"text": "Be kind."})
    assert call.peer.states("calling.call.ai") == []
    call.do("calling.ai.stop", control_id="c1")

    assert call.peer.states("calling.call.ai") == ["finished"]
