"""The simulator as a whole: what tests can see of it, what they can break, and that it repeats itself."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from relay_actors.errors import ConfigError
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


@pytest.mark.parametrize(
    ("wait", "complaint"),
    [
        (lambda stage, line: line.hears("x"), "did not hear 'x'"),
        (lambda stage, line: line.is_connected(), "was not answered"),
        (lambda stage, line: line.is_asked(), "was not asked for anything"),
        (lambda stage, line: line.is_hung_up(), "was not hung up"),
        (lambda stage, line: line.is_transferred("x"), "was not transferred to x"),
        (lambda stage, line: line.talks_to("x"), "does not talk to x"),
        (lambda stage, line: line.is_in_room("x"), "is not in room x"),
        (lambda stage, line: stage.sim.phone(line.number).rings(), "did not ring"),
        (lambda stage, line: stage.sim.phone(line.number).receives_text("x"), "got no text with 'x'"),
        (lambda stage, line: stage.sim.expect(line, "calling.end"), r"0 of 1 calling\.end came"),
        (lambda stage, line: stage.sim.wait_for_clients(2), "1 of 2 clients were logged in"),
    ],
)
def test_whoever_waits_has_the_patience_of_the_simulator(stage: Stage, peer: Peer, wait: Any, complaint: str):
    """Waits cost nothing in virtual time, so that they may be longer there; what is read on failure tells how long."""
    line = stage.inbound(peer, answered=False).line
    assert stage.sim.patience_s == 5.0
    for patience_s in (5.0, 0.5):
        stage.sim.patience_s = patience_s
        with pytest.raises(StoryError, match=rf"{complaint} within {patience_s:g} s"):
            wait(stage, line)

    assert stage.clock.now() == 5.5


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan")])
def test_nobody_has_no_patience_at_all(stage: Stage, seconds: float):
    with pytest.raises(ConfigError, match="patience_s must be above 0"):
        stage.sim.patience_s = seconds


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


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), "5", True])
def test_pings_without_a_pause_between_them_are_refused(stage: Stage, peer: Peer, seconds: Any):
    """They would never end: the next one would be due at once, and nothing else would ever have its turn."""
    stage.sim.ping_every(5.0)
    with pytest.raises(ConfigError, match="a number of seconds above 0, or None for no pings"):
        stage.sim.ping_every(seconds)
    with pytest.raises(ConfigError, match="above 0"):
        Stage(server_ping_s=seconds)
    stage.run(5.1)

    assert peer.story().count("signalwire.ping") == 1, "those of before go on"


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


def test_failures_are_remembered_until_it_begins_anew(stage: Stage):
    error = ValueError("not well thought out")
    stage.sim.note_failure(error)
    assert stage.sim.failures == (error,)
    stage.sim.reset()
    assert stage.sim.failures == ()
