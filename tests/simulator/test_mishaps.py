"""What can go wrong on purpose. Source: PROTOCOL 19.3."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.simulator.fault_table import FAULT_WORDS
from relay_actors.simulator.fault_words import Fault
from relay_actors.simulator.wire_log import LoggedFrame
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
        lambda sim: sim.damage_next("calling.call.play", field="state", becomes="numbr"),
        lambda sim: sim.cut_at(method="calling.play", direction="inbound"),
        lambda sim: sim.half_open(1.0, ends="break"),
        lambda sim: sim.half_open(1.0, direction="inbound"),
        lambda sim: sim.slow_down(1.0, what="answer"),
        lambda sim: sim.slow_down(1.0, direction="inbound"),
        lambda sim: sim.push_odd("cutshort"),
    ],
)
def test_what_could_never_go_wrong_so_is_refused_where_it_is_said(stage: Stage, use: Any):
    with pytest.raises(ArgumentError, match="must be"):
        use(stage.sim)


@pytest.mark.parametrize("method", ["signalwire.ping", "*"])
def test_a_ping_can_be_refused_like_any_request(peer: Peer, stage: Stage, method: str):
    """A client has to do without a connection on which its pings fail. Source: PROTOCOL 5.3."""
    stage.sim.reject_next(method, code=-32000, message="not now")
    stage.sim.reject_next(method, code="503")
    refusals = [peer.ask("signalwire.ping") for _ in range(2)]

    assert [refusal and refusal.get("error") for refusal in refusals] == [{"code": -32000, "message": "not now"}, None]
    assert refusals[1] is not None
    assert refusals[1]["result"]["code"] == "503"
    assert peer.do("signalwire.ping").keys() == {"timestamp"}


def test_recovery_gives_the_answers_that_are_late(stage: Stage, peer: Peer):
    """In the order in which they were due, and once; of a log-in too."""
    call = stage.inbound(peer)
    stage.sim.answer_late("calling.play", seconds=60)
    stage.sim.answer_late("signalwire.connect", seconds=1000)
    call.ask("calling.play", control_id="c", play=[tts("x")])
    stage.sim.inject("slow what=answers seconds=50")
    call.ask("calling.hold")
    other = Peer(stage.sim)
    assert other.ask("signalwire.connect", authentication={"project": "project-1", "token": "token-1"}) is None

    stage.sim.recover()
    told = [frame["result"]["message"] for frame in peer.frames if "result" in frame and "message" in frame["result"]]
    assert told == ["Answered", "Call on hold", "Playing"]
    stage.run(2000)
    assert peer.story().count("result") == 4, "the log-in among them"
    assert other.story() == ["result"]
    assert call.code("calling.unhold") == "200"


# By name.


def test_a_fault_is_injected_as_a_value_a_name_or_a_text(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    assert stage.sim.inject("reject", method="calling.play", code=503) == Fault(
        "reject", {"method": "calling.play", "code": "503"}
    )
    stage.sim.inject("reject method=calling.play code=504")
    stage.sim.inject(Fault("reject", {"code": -32000}), message="not now")

    codes = [call.code("calling.play", control_id="c", play=[tts("x")]) for _ in range(4)]
    assert codes == ["503", "504", "-32000", "200"]


def test_what_is_no_fault_is_refused_before_anything_happens(stage: Stage, peer: Peer):
    with pytest.raises(ConfigError, match="probably means 'half_open'"):
        stage.sim.inject("halfopen")
    with pytest.raises(ConfigError, match="has no argument 'second'"):
        stage.sim.inject("stall", second=1)
    assert peer.closed is None


REQUIRED = {"slow": "seconds=1", "answer_late": "seconds=1", "delay": "seconds=1"} | dict.fromkeys(
    ("missing_field", "wrong_field"), "field=call_id"
)


@pytest.mark.parametrize("name", FAULT_WORDS)
def test_every_fault_can_be_injected_and_recovered_from(stage: Stage, name: str):
    """Proves SEMANTICS V4; here from a timer, while a client is there."""
    stage.sim._world.after_real(1.0, lambda: stage.sim.inject(f"{name} {REQUIRED.get(name, '')}"))
    peer = RawPeer(stage.sim)
    peer.log_in()
    stage.run(2.0)
    peer.ask("signalwire.ping")
    stage.sim.recover()
    stage.run(2.0)
    fresh = stage.client("support")

    assert stage.inbound(fresh).code("calling.end") == "200"


class RawPeer(Peer):
    """Reads nothing."""

    def send_texts(self, texts: list[bytes]) -> None:
        super().send_texts([text for text in texts if text.startswith(b'{"jsonrpc":"2.0","id":"r')])


@pytest.mark.parametrize("name", FAULT_WORDS)
def test_every_fault_can_be_injected_by_whoever_watches_the_frames(stage: Stage, peer: Peer, name: str):
    """In the middle of a turn, with the simulator's lock held."""
    call = stage.inbound(peer)
    watched: list[str] = []

    def watch(logged: LoggedFrame) -> None:
        if logged.method == "calling.end":
            watched.append(logged.method)
            stage.sim._world.at_turn_end(lambda: stage.sim.inject(f"{name} {REQUIRED.get(name, '')}"))

    stage.sim.frames.observe(watch)
    peer.send_texts = lambda texts: None  # type: ignore[method-assign]  # it has stopped reading
    call.ask("calling.end")
    stage.run(5.0)

    assert watched == ["calling.end"]
    assert call.line.is_over


# Answers.


def test_a_number_of_requests_may_go_unanswered(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.inject("time_out method=calling.play times=1")
    stage.sim.inject("time_out method=calling.play but_do_it=yes")

    answers = [call.ask("calling.play", control_id=f"c{number}", play=[tts("x")]) for number in range(3)]
    stage.run(10.0)
    assert [answer is not None for answer in answers] == [False, False, True]
    assert [event["control_id"] for event in peer.events("calling.call.play") if event["state"] == "playing"] == [
        "c1",
        "c2",
    ]


# Sessions.


def test_a_resume_is_refused_once_and_the_session_is_forgotten(stage: Stage, peer: Peer):
    """Source: PROTOCOL 3.5."""
    name = stage.sim.sessions[0]
    stage.sim.inject("refuse_resume")
    stage.client()  # a fresh log-in is no resume
    peer.gone()
    back = Peer(stage.sim)
    for _ in range(2):
        answer = back.ask("signalwire.connect", authentication={"project": "project-1", "token": "t"}, protocol=name)
        assert answer is not None
        assert answer["error"]["code"] == -32401
    assert name not in stage.sim.sessions
    assert back.log_in()["session_restored"] is False


@pytest.mark.parametrize("closes", [True, False])
def test_expired_authorization_refuses_whatever_is_asked_until_a_fresh_log_in(stage: Stage, peer: Peer, closes: bool):
    """Source: PROTOCOL 2.5, 3.4 to 3.6."""
    call = stage.inbound(peer)
    name = stage.sim.sessions[0]
    stage.sim.inject("expire_authorization", closes=closes)
    assert peer.closed is None
    assert call.code("calling.play", control_id="c", play=[tts("x")]) == "-32401"
    assert peer.closed == ("clean" if closes else None)
    if not closes:
        answer = peer.ask("signalwire.ping")
        assert answer is not None
        assert answer["error"]["code"] == -32401
    back = Peer(stage.sim)
    answer = back.ask("signalwire.connect", authentication={"project": "project-1", "token": "t"}, protocol=name)
    assert answer is not None
    assert answer["error"]["code"] == -32401

    assert back.log_in()["session_restored"] is False
    assert back.do("signalwire.ping")


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("keeps", [True, False])
def test_a_restart_keeps_sessions_or_not_and_is_announced_or_not(
    stage: Stage, peer: Peer, announced: bool, keeps: bool
):
    """Source: PROTOCOL 6.1."""
    call = stage.inbound(peer)
    name = stage.sim.sessions[0]
    stage.sim.inject("restart", announced=announced, keeps_sessions=keeps, seconds=3.0)
    stage.run(0.1)
    told = [frame["params"] for frame in peer.frames if frame.get("method") == "signalwire.disconnect"]
    assert told == ([{"restart": not keeps}] if announced else [])
    assert peer.closed == ("clean" if announced else "broken")
    assert not stage.sim.is_accepting
    stage.run(3.0)
    assert stage.sim.is_accepting
    assert stage.sim.sessions == ((name,) if keeps else ())
    assert not call.line.is_over
