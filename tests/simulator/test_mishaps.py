"""What can go wrong on purpose. Source: PROTOCOL 19.3."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ArgumentError, ConfigError
from tests.simulator.stage import Peer, Stage, tts


def test_dropped_sockets_leave_the_sessions(stage: Stage, peer: Peer):
    stage.inbound(peer)
    stage.sim.drop_sockets()

    assert peer.closed == "broken"
    assert len(stage.sim.calls_up()) == 1
    back = Peer(stage.sim)
    assert back.log_in(protocol=stage.sim.sessions[0])["session_restored"] is True


def test_sockets_are_down_for_so_many_seconds_and_then_taken_again(stage: Stage, peer: Peer):
    with stage.sim.socket_down(4.0, clean=True):
        assert peer.closed == "clean"
        assert not stage.sim.is_accepting
        with pytest.raises(ConnectionRefusedError):
            Peer(stage.sim)
        stage.run(1.0)

    assert stage.clock.now() == 4.0
    assert stage.sim.is_accepting


def test_sockets_are_down_for_as_long_as_the_block_lasts(stage: Stage, peer: Peer):
    with stage.sim.socket_down():
        stage.run(100)
        assert not stage.sim.is_accepting
    assert stage.sim.is_accepting


def test_sockets_come_back_even_when_the_block_fails(stage: Stage, peer: Peer):
    with pytest.raises(RuntimeError), stage.sim.socket_down():
        raise RuntimeError
    assert stage.sim.is_accepting


@pytest.mark.parametrize("restart", [False, True])
def test_an_announced_disconnect_closes_cleanly_and_a_restart_forgets_the_session(
    stage: Stage, peer: Peer, restart: bool
):
    """Source: PROTOCOL 6.1 and appendix, deployment restart."""
    name = stage.sim.sessions[0]
    stage.sim.announce_disconnect(restart=restart)
    assert peer.frames[-1]["method"] == "signalwire.disconnect"
    assert peer.frames[-1]["params"] == {"restart": restart}
    assert peer.closed is None
    stage.run(1)

    assert peer.closed == "clean"
    assert stage.sim.sessions == (() if restart else (name,))


def test_a_test_may_close_after_the_announcement_itself(stage: Stage, peer: Peer):
    stage.sim.announce_disconnect(close_after=None)
    stage.run(60)
    assert peer.closed is None


def test_calls_of_forgotten_sessions_go_on_with_no_owner(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.forget_sessions()

    assert call.code("calling.play", control_id="c", play=[tts("x")]) == "404"
    assert not call.line.is_over
    assert stage.sim.sessions == ()


def test_any_frame_can_be_pushed_to_one_or_all(stage: Stage, peer: Peer):
    other = stage.client()
    stage.sim.push({"jsonrpc": "2.0", "id": "x", "method": "signalwire.something_new", "params": {}})
    stage.sim.push('{"only": "one"}', session=stage.sim.sessions[1])

    assert peer.frames[-1]["method"] == "signalwire.something_new"
    assert other.frames[-1] == {"only": "one"}
    with pytest.raises(ConfigError, match="no session"):
        stage.sim.push("{}", session="nobody")


@pytest.mark.parametrize(
    "use",
    [
        lambda sim: sim.delay_next("calling.call.play", "x"),
        lambda sim: sim.answer_late("calling.play", seconds=-1),
        lambda sim: sim.reject_next("calling.play", times=-1),
    ],
)
def test_what_could_never_go_wrong_so_is_refused_where_it_is_said(stage: Stage, use: Any):
    with pytest.raises(ArgumentError, match="must be"):
        use(stage.sim)
