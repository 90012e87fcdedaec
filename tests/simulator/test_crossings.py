"""How texts cross: in order, whatever holds them up. Proves SEMANTICS V4."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.links import LinkDriver
from relay_actors.transport.memory import MemoryTransport, memory_pair
from tests.simulator.stage import Peer, Stage


def ping(peer: Peer) -> dict[str, Any] | None:
    return peer.ask("signalwire.ping")


def test_frames_are_counted_over_all_connections_and_both_directions(stage: Stage, peer: Peer):
    assert stage.sim.frame_count == 2  # the log-in and its answer
    other = stage.client()
    ping(other)
    stage.inbound(peer, answered=False)
    assert stage.sim.frame_count == 7

    stage.sim.cut_at(number=8)
    ping(peer)
    assert peer.closed == "broken"
    assert peer.response("r2") is None
    assert len(stage.sim.frames.received("signalwire.ping")) == 2
    assert stage.sim.frame_count == 9, "the one that was lost has come to cross"


def test_two_holds_of_one_connection_both_have_to_end(stage: Stage, peer: Peer):
    stage.sim.stall(2.0)
    stage.sim.half_open(5.0)
    ping(peer)
    stage.run(3.0)
    assert peer.response("r2") is None
    stage.run(2.1)
    assert peer.response("r2") is not None


def test_a_hold_that_was_ended_by_hand_does_not_end_a_later_one(stage: Stage, peer: Peer):
    stage.sim.half_open(2.0)
    stage.sim.recover()
    stage.sim.half_open(10.0)
    ping(peer)
    stage.run(5.0)
    assert peer.response("r2") is None
    stage.run(6.0)
    assert peer.response("r2") is not None


def test_a_hold_that_was_ended_before_its_time_breaks_nothing_any_more(stage: Stage, peer: Peer):
    """From a recovery on everything goes well."""
    stage.sim.half_open(2.0, ends="breaks")
    stage.sim.recover()
    stage.run(3.0)
    ping(peer)
    assert peer.response("r2") is not None


def test_what_is_slow_stays_in_order_also_when_it_is_slow_no_longer(stage: Stage, peer: Peer):
    stage.sim.slow_down(2.0, direction="in", lasts=1.0)
    ping(peer)
    stage.run(1.5)
    ping(peer)
    assert len(stage.sim.frames.received("signalwire.ping")) == 0
    stage.run(0.5)

    assert [frame["id"] for frame in peer.frames] == ["r1", "r2", "r3"]


def test_the_end_of_a_client_crosses_behind_what_it_has_said(stage: Stage, peer: Peer):
    """A command that was on its way when the client gave up is carried out, late."""
    call = stage.inbound(peer)
    stage.sim.stall(5.0)
    call.ask("calling.end", reason="hangup")
    peer.gone()
    assert stage.sim.contexts == ("support",), "the server does not know yet"
    stage.run(5.1)

    assert call.line.is_over
    assert stage.sim.contexts == ()


def test_a_resume_throws_out_the_connection_of_which_the_server_does_not_know_that_it_is_gone(stage: Stage, peer: Peer):
    """What was lost in it is sent again."""
    stage.sim.half_open()
    stage.sim.phone("+15550001111").dials(context="support")
    peer.gone()
    assert stage.sim.unacknowledged != ()
    back = Peer(stage.sim)
    back.log_in(protocol=stage.sim.sessions[0])

    assert len(back.events("calling.call.receive")) == 1
    assert peer.events("calling.call.receive") == []
    assert len(stage.sim._reception.connections) == 1
    stage.sim.recover()
    assert peer.events("calling.call.receive") == []


def test_recovery_lets_cross_what_is_slow(stage: Stage, peer: Peer):
    stage.sim.slow_down(1000.0)
    ping(peer)
    stage.sim.recover()
    assert peer.response("r2") is not None


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["half_open", "stall", "slow"]), st.sampled_from(["in", "out", "both"]), st.floats(0, 5)
        ),
        max_size=5,
    ),
    st.lists(st.floats(0, 2), min_size=1, max_size=8),
)
def test_nothing_is_lost_or_overtaken_whatever_holds_it_up(troubles: list[tuple[str, Any, float]], pauses: list[float]):
    """Proves SEMANTICS V4: over TCP a connection either keeps all its frames in order, or ends."""
    stage = Stage()
    peer = stage.client()
    for pause, (name, direction, seconds) in zip(pauses, troubles, strict=False):
        match name:
            case "half_open":
                stage.sim.half_open(seconds, direction=direction)
            case "stall":
                stage.sim.stall(seconds)
            case "slow":
                stage.sim.slow_down(seconds, direction=direction, lasts=seconds)
        ping(peer)
        stage.run(pause)
    for pause in pauses:
        ping(peer)
        stage.run(pause)
    stage.run(60.0)

    asked = [frame.frame["id"] for frame in stage.sim.frames.received()]
    assert asked == [f"r{number}" for number in range(1, len(asked) + 1)]
    assert [frame["id"] for frame in peer.frames] == asked


@pytest.mark.parametrize("after", [False, True])
def test_a_cut_is_the_same_over_a_transport_in_this_process(stage: Stage, after: bool):
    near, far = memory_pair()
    LinkDriver(stage.sim, near)
    stage.sim.cut_at(method="signalwire.connect", answer=True, after=after)
    log_in(far)

    if after:
        assert len(far.receive()) == 1
    with pytest.raises(Exception, match="vanished without a goodbye"):
        far.receive()
    assert len(stage.sim.sessions) == 1


def log_in(far: MemoryTransport) -> None:
    params = {"version": {"major": 2, "minor": 0, "revision": 0}, "authentication": {"project": "p", "token": "t"}}
    far.send([json.dumps({"jsonrpc": "2.0", "id": "c", "method": "signalwire.connect", "params": params}).encode()])
