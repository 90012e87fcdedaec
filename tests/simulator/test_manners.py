"""The switches for what RELAY leaves open; what each one does is proven where it takes effect."""

from __future__ import annotations

from relay_actors.simulator.manners import Manners
from tests.simulator.stage import Stage


def test_by_default_the_simulator_behaves_like_the_captures():
    """Response before its events, leg before dial, losers after the winner (PROTOCOL appendix)."""
    manners = Manners()
    assert not manners.event_before_response
    assert not manners.dial_event_first
    assert not manners.losers_end_first


def test_a_switch_works_at_once_also_in_the_middle_of_a_call():
    stage = Stage()
    peer = stage.client("support")
    call = stage.inbound(peer)
    stage.sim.manners.event_before_response = True
    call.do("calling.end")

    assert peer.story()[-3:] == ["call.state ending", "call.state ended", "result"]
