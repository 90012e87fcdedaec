"""Digits and fax. Source: PROTOCOL 11.6, 12."""

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


@pytest.mark.parametrize(("method", "direction"), [("calling.send_fax", "send"), ("calling.receive_fax", "receive")])
def test_a_fax_has_a_page_and_an_end(stage: Stage, call: Inbound, method: str, direction: str):
    """Its events have no state field (PROTOCOL D11)."""
    call.do(method, control_id="c1", **({"document": "https://a/b.pdf"} if direction == "send" else {}))
    stage.run(10)

    page, end = [event["fax"] for event in call.peer.events("calling.call.fax")]
    assert page == {"type": "page", "params": {"direction": direction, "number": "1"}}
    assert (end["type"], end["params"]["success"], end["params"]["pages"]) == ("finished", True, "1")


def test_a_stopped_fax_is_finished_without_success(call: Inbound):
    call.do("calling.send_fax", control_id="c1", document="https://a/b.pdf")
    call.do("calling.send_fax.stop", control_id="c1")

    (end,) = [event["fax"] for event in call.peer.events("calling.call.fax")]
    assert end["params"]["success"] is False
