"""A payment by phone. Source: PROTOCOL 11.10, 13.6."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_a_payment_asks_and_succeeds(stage: Stage, call: Inbound):
    call.do("calling.pay", control_id="c1", payment_connector_url="https://a")
    stage.run(6)

    asked = call.peer.states("calling.call.pay", "for")
    assert asked == ["payment-card-number", "payment-processing", "payment-completed"]
    assert call.peer.states("calling.call.pay", "result") == [None, None, "success"]


@pytest.mark.parametrize(("how", "result"), [("stop", "relay-pay-stop"), ("hang up", "caller-hung-up")])
def test_a_payment_that_is_broken_off_says_by_whom(call: Inbound, how: str, result: str):
    call.do("calling.pay", control_id="c1", payment_connector_url="https://a")
    if how == "stop":
        call.do("calling.pay.stop", control_id="c1")
    else:
        call.line.hangs_up()

    assert call.peer.states("calling.call.pay", "result")[-1] == result
