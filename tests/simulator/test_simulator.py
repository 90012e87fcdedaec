"""The simulator as a whole: what tests can see of it, what they can break, and that it repeats itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.runtime.clock import ManualClock
from relay_actors.simulator.lines import StoryError
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.simulator import Simulator
from tests.simulator.stage import Peer, Stage, phone_device, tts


def tell_a_story(seed: int) -> list[bytes]:
    """Let one call be answered, asked, connected and ended; return every text that crossed the wire."""
    stage = Stage(seed=seed, manners=Manners())
    peer = stage.client("support")
    call = stage.inbound(peer)
    call.do("calling.play_and_collect", control_id="c1", play=[tts("Press 1")], collect={"digits": {"max": 1}})
    call.line.hears("press 1").presses("1")
    stage.sim.phone("+15550002222").answers_after(3.0)
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])
    call.line.talks_to("+15550002222")
    call.line.hangs_up()
    stage.run(100)
    peer.acknowledge()
    return [logged.text for logged in stage.sim.frames]


def test_the_same_seed_tells_the_same_story_byte_by_byte():
    """V3: races that are found must stay found."""
    assert tell_a_story(7) == tell_a_story(7)
    assert tell_a_story(7) != tell_a_story(8)


def test_a_pace_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="pace"):
        Simulator(clock=ManualClock(), random=Random(1), pace=0)


def test_commands_are_counted_per_call_however_it_is_named(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    one.do("calling.end")
    one.ask("calling.end")

    assert stage.sim.count(one.line, "calling.end") == 2, "also those that came too late"
    assert stage.sim.count(one.call_id, "calling.end") == 2
    assert stage.sim.count(stage.sim.calls[0], "calling.end") == 2
    assert stage.sim.count(other.line, "calling.end") == 0
    assert stage.sim.count("no-such-call", "calling.end") == 0


def test_a_command_can_be_expected_and_its_absence_shows_what_came(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.expect(call.line, "calling.answer")
    with pytest.raises(StoryError, match=r"0 of 1 calling\.end came within 1 s; what came: \{'calling\.answer': 1\}"):
        stage.sim.expect(call.line, "calling.end", within=1.0)


def test_calls_that_are_up_are_those_that_have_not_ended(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    one.line.hangs_up()

    assert [snapshot.call_id for snapshot in stage.sim.calls_up()] == [other.call_id]
    assert len(stage.sim.calls) == 2


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


def test_the_wire_log_knows_both_directions_and_the_session(stage: Stage, peer: Peer):
    stage.run(2.0)
    peer.do("signalwire.ping")

    ping = stage.sim.frames.received("signalwire.ping")[0]
    assert (ping.at, ping.session) == (2.0, stage.sim.sessions[0])
    assert stage.sim.frames.sent()[-1].frame["result"] == {"timestamp": stage.clock.wall()}


def test_waiting_for_clients_says_how_many_there_are(stage: Stage, peer: Peer):
    stage.sim.wait_for_clients()
    with pytest.raises(StoryError, match="1 of 2 clients"):
        stage.sim.wait_for_clients(2, within=1.0)


def test_a_reset_leaves_nothing_but_manners_and_pings():
    stage = Stage(server_ping_s=5.0)
    peer = stage.client("support")
    stage.inbound(peer)
    stage.sim.reject_next("calling.hold")
    stage.sim.assign_number("+1", "support")
    peer.ask("calling.hold")
    stage.sim.reset()

    assert peer.closed == "broken"
    assert stage.sim.calls == ()
    assert stage.sim.sessions == ()
    assert stage.sim.violations == ()
    assert len(stage.sim.frames) == 0
    assert stage.sim.phone("+15550001111").lines == ()
    fresh = stage.client("support")
    stage.inbound(fresh).do("calling.hold")
    stage.run(5.1)
    assert "signalwire.ping" in fresh.story()


def test_the_simulator_answers_while_nothing_is_due():
    """A front asks for the next deadline all the time."""
    stage = Stage()
    assert stage.sim.next_deadline() is None
    assert stage.sim.tick(100.0) == 0
    assert stage.sim.drive is not None


def test_what_is_not_there_cannot_be_fetched(stage: Stage, peer: Peer):
    """A recording lies at its URL from its end on."""
    with pytest.raises(StoryError, match=r"no file at https://a .*: none at all"):
        stage.sim.fetch("https://a")
    call = stage.inbound(peer)
    url = call.do("calling.record", control_id="c1", record={"audio": {}})["url"]
    with pytest.raises(StoryError, match="from its end on"):
        stage.sim.fetch(url)
    assert stage.sim.files == ()
    call.line.hangs_up()
    assert stage.sim.files == (url,)
    assert stage.sim.fetch(url)[:4] == b"RIFF"
    with pytest.raises(StoryError, match="the latest: /rec/"):
        stage.sim.fetch("https://a")


def test_a_document_has_at_least_one_page(stage: Stage):
    with pytest.raises(ConfigError, match="at least one page, not 0"):
        stage.sim.has_document("https://a", pages=0)


def test_a_reset_forgets_files_streams_and_documents(stage: Stage, peer: Peer):
    stage.sim.has_document("https://a", pages=3)
    call = stage.inbound(peer)
    url = call.do("calling.record", control_id="c1", record={"audio": {}})["url"]
    call.do("calling.stream", control_id="c2", url="wss://a", status_url="https://hooks/s")
    call.do("calling.transcribe", control_id="c3", status_url="https://hooks/t")
    stage.sim.reset()

    assert stage.sim.streams == stage.sim.webhooks == ()
    assert stage.sim._world.files.pages == {}
    with pytest.raises(StoryError):
        stage.sim.fetch(url)


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


def test_failures_are_remembered_until_it_begins_anew(stage: Stage):
    error = ValueError("not well thought out")
    stage.sim.note_failure(error)
    assert stage.sim.failures == (error,)
    stage.sim.reset()
    assert stage.sim.failures == ()
