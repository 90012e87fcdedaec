"""How events leave: their envelope, their order, and what faults do to it. Source: PROTOCOL 7.1, 2.7, 19.3."""

from __future__ import annotations

from tests.simulator.stage import Peer, Stage, tts


def test_the_envelope_tells_session_time_project_and_context(stage: Stage, peer: Peer):
    stage.run(1.5)
    stage.inbound(peer)

    offer, state = peer.envelopes("calling.call.receive")[0], peer.envelopes("calling.call.state")[0]
    assert offer["event_channel"] == stage.sim.sessions[0]
    assert offer["timestamp"] == stage.clock.wall()
    assert offer["project_id"] == "project-1"
    assert offer["context"] == "support"
    assert "context" not in state
    assert "timestamp" not in offer["params"], "it is outside the inner params"


def test_a_doubled_event_comes_twice_under_one_id(stage: Stage, peer: Peer):
    stage.sim.duplicate_next("calling.call.state")
    call = stage.inbound(peer)
    call.do("calling.end")

    frames = [f for f in peer.frames if f.get("params", {}).get("event_type") == "calling.call.state"]
    assert [frame["params"]["params"]["call_state"] for frame in frames] == ["answered", "answered", "ending", "ended"]
    assert frames[0]["id"] == frames[1]["id"]


def test_a_delayed_event_is_overtaken_by_later_ones(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.delay_next("calling.call.play", 3.0)
    call.do("calling.play", control_id="c1", play=[tts("x")])
    stage.run(2.9)
    assert peer.states("calling.call.play") == ["finished"]
    stage.run(0.2)

    assert peer.states("calling.call.play") == ["finished", "playing"]


def test_an_event_that_is_delayed_over_the_loss_of_a_socket_waits_for_the_next_one(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.delay_next("calling.call.play", 1.0)
    call.do("calling.play", control_id="c1", play=[tts("x" * 300)])
    name = stage.sim.sessions[0]
    peer.gone()
    stage.run(2)
    back = Peer(stage.sim)
    back.log_in(protocol=name)

    assert back.states("calling.call.play") == ["playing"]


def test_what_a_command_inside_a_command_causes_comes_after_the_response(stage: Stage, peer: Peer):
    """A transfer offers a call to the same client: the offer must not overtake the response."""
    peer.do("signalwire.receive", contexts=["sales"])
    call = stage.inbound(peer)
    call.do("calling.transfer", dest="sales")

    assert peer.story()[-2:] == ["result", "call.receive created"]
