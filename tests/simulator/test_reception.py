"""Logging in, resuming, pings, and answers that go wrong. Source: PROTOCOL 3, 5, 19.1, 19.3."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from relay_actors.simulator.manners import Manners
from tests.simulator.stage import Peer, Stage, tts

ROWS = [json.loads(line) for line in (Path(__file__).parent.parent / "data" / "frames.jsonl").read_text().splitlines()]
FROM_CLIENT = [row for row in ROWS if row["direction"] == "client->server"]


def refusal(peer: Peer, **params: Any) -> dict[str, Any]:
    authentication = params.pop("authentication", {"project": "p", "token": "t"})
    version = {"major": 2, "minor": 0, "revision": 0}
    response = peer.ask("signalwire.connect", version=version, authentication=authentication, **params)
    assert response is not None
    return response["error"]


def test_a_log_in_answers_what_both_generations_of_servers_do(stage: Stage):
    result = Peer(stage.sim).log_in("support")

    assert result["protocol"].startswith("signalwire_")
    assert result["session_restored"] is False
    assert result["identity"]
    assert result["sessionid"]
    assert result["nodeid"].endswith("@us-east")
    assert result["authorization"]["project"] == "project-1"
    assert result["authorization"]["signature"] == result["protocol"].split("_")[1]
    assert "code" not in result, "a log-in has none (PROTOCOL 3.2)"


def test_wrong_credentials_are_refused_in_the_shape_that_was_chosen():
    stage = Stage(project="p", token="right")
    stage_peer = Peer(stage.sim)
    assert refusal(stage_peer)["code"] == -32401
    assert refusal(stage_peer)["data"] == {"signalwire_error_code": "AUTH_REQUIRED"}
    stage.sim.manners.refusal = "unauthorized"

    assert refusal(stage_peer)["code"] == -32002
    assert stage.sim.sessions == ()


def test_a_jwt_takes_the_place_of_project_and_token(stage: Stage):
    assert Peer(stage.sim).log_in(authentication={"jwt_token": "j"})["protocol"]


def test_the_authorization_state_follows_the_log_in_bare():
    """Source: PROTOCOL 3.6: it has no channel and no time stamp."""
    stage = Stage(manners=Manners())
    peer = stage.client()

    (envelope,) = peer.envelopes()
    assert envelope.keys() == {"event_type", "params"}
    assert envelope["event_type"] == "signalwire.authorization.state"
    assert peer.story()[0] == "result"


def test_a_resumed_session_keeps_its_calls_and_gets_what_it_missed(stage: Stage):
    """Source: PROTOCOL appendix, loss and resume."""
    peer = Peer(stage.sim)
    welcome = peer.log_in("support")
    call = stage.inbound(peer)
    call.do("calling.play", control_id="c9", play=[tts("x" * 30)])
    peer.acknowledge()
    peer.gone()
    stage.run(10)

    back = Peer(stage.sim)
    again = back.log_in("support", protocol=welcome["protocol"])
    assert again["session_restored"] is True
    assert again["protocol"] == welcome["protocol"]
    assert back.states("calling.call.play", control_id="c9") == ["finished"]
    assert back.do("calling.end", call_id=call.call_id, node_id=call.node_id)["code"] == "200"
    assert back.call_states(call.call_id) == ["ending", "ended"]


def test_what_was_not_acknowledged_is_sent_again_under_its_id(stage: Stage, peer: Peer):
    """Source: PROTOCOL 7.2."""
    call = stage.inbound(peer)
    peer.acknowledge()
    call.do("calling.play", control_id="c1", play=[tts("x" * 300)])
    assert len(stage.sim.unacknowledged) == 1
    lost = peer.frames[-1]
    name = stage.sim.sessions[0]
    peer.gone()
    back = Peer(stage.sim)
    back.log_in(protocol=name)
    assert back.frames[-1] == lost
    back.acknowledge()

    assert stage.sim.unacknowledged == ()


def test_a_client_that_does_not_acknowledge_owes_nothing(stage: Stage):
    peer = Peer(stage.sim)
    peer.log_in("support", event_acks=False)
    stage.inbound(peer)

    assert stage.sim.unacknowledged == ()


@pytest.mark.parametrize("how", ["unknown", "other project", "forgotten"])
def test_a_session_that_is_not_known_cannot_be_resumed(stage: Stage, peer: Peer, how: str):
    """Source: PROTOCOL 19.1."""
    name = "signalwire_unknown" if how == "unknown" else stage.sim.sessions[0]
    if how == "forgotten":
        stage.sim.forget_sessions()
    project = "other" if how == "other project" else "project-1"

    error = refusal(Peer(stage.sim), protocol=name, authentication={"project": project, "token": "t"})
    assert error["data"]["signalwire_error_code"] == "AUTH_REQUIRED"


def test_a_client_that_comes_back_before_its_old_socket_is_known_to_be_dead_takes_over(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    back = Peer(stage.sim)
    back.log_in(protocol=stage.sim.sessions[0])
    call.line.hangs_up()

    assert peer.closed == "broken"
    assert back.call_states(call.call_id)[-1] == "ended"
    peer.gone()
    stage.sim.phone("+15550003333").dials(context="support")
    assert len(back.events("calling.call.receive")) == 2, "the late news of the old socket changes nothing"


def test_contexts_of_a_resume_are_subscribed(stage: Stage, peer: Peer):
    """Source: PROTOCOL 3.5."""
    name = stage.sim.sessions[0]
    peer.gone()
    back = Peer(stage.sim)
    back.log_in("sales", protocol=name)
    stage.sim.phone("+15550001111").dials(context="sales")

    assert len(back.events("calling.call.receive")) == 1


def test_a_ping_is_answered_with_the_time(stage: Stage, peer: Peer):
    assert peer.do("signalwire.ping") == {"timestamp": stage.clock.wall()}


def test_the_server_pings_when_it_is_told_to(stage: Stage, peer: Peer):
    """Source: PROTOCOL 5.1, 19.1: off by default."""
    stage.run(60)
    assert "signalwire.ping" not in peer.story()
    stage.sim.ping_every(5.0)
    stage.run(15.1)
    assert peer.story().count("signalwire.ping") == 3
    stage.sim.ping_every(None)
    stage.run(60)

    assert peer.story().count("signalwire.ping") == 3


def test_a_violation_is_recorded_and_answered_as_chosen(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    assert call.code("calling.play", control_id="c1") == "-32602"
    stage.sim.manners.violation_answer = "400"
    assert call.code("calling.send_digits", control_id="c1", digits="12x4") == "400"

    first, second = stage.sim.violations
    assert first.method == "calling.play"
    assert first.problems == ("play is required",)
    assert second.params["digits"] == "12x4"


def test_a_command_on_a_call_that_is_gone_is_404_even_if_it_breaks_the_schema(stage: Stage, peer: Peer):
    """The call is looked at first (PROTOCOL 19.1), and the violation recorded all the same."""
    call = stage.inbound(peer)
    call.line.hangs_up()

    assert call.code("calling.play") == "404"
    assert [violation.method for violation in stage.sim.violations] == ["calling.play"]


def test_a_silenced_method_is_neither_answered_nor_done(stage: Stage, peer: Peer):
    call = stage.inbound(peer, answered=False)
    stage.sim.stop_answering("calling.answer")
    assert call.ask("calling.answer") is None
    assert call.states == []
    stage.sim.resume_answering("calling.answer")

    assert call.do("calling.answer")["code"] == "200"


def test_a_silenced_method_may_be_done_all_the_same(stage: Stage, peer: Peer):
    """The worst case for a client: the outcome is unknown, and it was yes (PROTOCOL 6.3)."""
    call = stage.inbound(peer, answered=False)
    stage.sim.stop_answering("calling.answer", but_do_it=True)

    assert call.ask("calling.answer") is None
    assert call.states == ["answered"]


@pytest.mark.parametrize("method", ["signalwire.ping", "signalwire.connect"])
def test_pings_and_log_ins_can_be_silenced_too(stage: Stage, peer: Peer, method: str):
    stage.sim.stop_answering()
    fresh = Peer(stage.sim)
    asker = peer if method == "signalwire.ping" else fresh

    assert asker.ask(method, authentication={"project": "p", "token": "t"}) is None


def test_a_log_in_may_be_done_though_it_is_not_answered(stage: Stage):
    """There is a session, and nobody who knows of it: what it is told waits, as for a client that is away."""
    stage.sim.manners.sends_authorization_state = True
    stage.sim.stop_answering("signalwire.connect", but_do_it=True, times=1)
    fresh = Peer(stage.sim)
    authentication = {"project": "project-1", "token": "token-1"}
    assert fresh.ask("signalwire.connect", authentication=authentication, contexts=["support"]) is None
    [name] = stage.sim.sessions
    line = stage.sim.phone("+15550001111").dials(context="support")
    assert fresh.frames == [], "nothing comes before the answer"

    other = Peer(stage.sim)
    assert other.log_in("support")["protocol"] != name, "a client that was not answered begins anew"
    assert other.events("calling.call.receive") == []
    back = Peer(stage.sim)
    assert back.log_in(protocol=name)["session_restored"] is True
    assert [event["call_id"] for event in back.events("calling.call.receive")] == [line.call_id]


def test_a_resume_may_be_done_though_it_is_not_answered(stage: Stage, peer: Peer):
    """The session lets go of its old socket, and waits for the next one."""
    call = stage.inbound(peer)
    peer.acknowledge()
    [name] = stage.sim.sessions
    stage.sim.stop_answering("signalwire.connect", but_do_it=True, times=1)
    unheard = Peer(stage.sim)
    assert unheard.ask("signalwire.connect", authentication={"project": "p", "token": "t"}, protocol=name) is None
    assert peer.closed is None, "another project may not have it"
    params = {"authentication": {"project": "project-1", "token": "token-1"}, "protocol": name}
    stage.sim.stop_answering("signalwire.connect", but_do_it=True, times=1)
    unheard = Peer(stage.sim)
    assert unheard.ask("signalwire.connect", **params) is None
    assert peer.closed == "broken"
    stage.sim.phone(call.line.number).hangs_up()
    assert unheard.frames == []

    back = Peer(stage.sim)
    assert back.log_in(protocol=name)["session_restored"] is True
    assert back.call_states(call.call_id) == ["ending", "ended"]


def test_rejections_come_as_often_as_ordered_and_in_their_shape(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.reject_next("calling.hold", code="409", message="Busy", times=2)
    stage.sim.reject_next("calling.hold", code=-32000, message="Timeout")

    assert [call.code("calling.hold") for _ in range(4)] == ["409", "409", "-32000", "200"]
    assert peer.states("calling.call.hold") == ["hold"], "a rejected command is not done"


@pytest.mark.parametrize(("code", "told"), [(-32000, -32000), ("402", 402), ("no number", -32002)])
def test_a_log_in_can_be_rejected_and_only_by_an_error(stage: Stage, code: str | int, told: int):
    stage.sim.reject_next("signalwire.connect", code=code, message="Not now")
    peer = Peer(stage.sim)
    assert refusal(peer) == {"code": told, "message": "Not now"}

    assert peer.log_in()["protocol"]


def test_a_late_answer_comes_later(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.answer_late("calling.hold", seconds=11.0)
    assert call.ask("calling.hold") is None
    assert peer.states("calling.call.hold") == ["hold"], "its event did not wait"
    stage.run(11.1)

    assert peer.frames[-1]["result"]["message"] == "Call on hold"


def test_a_late_answer_to_a_socket_that_is_gone_is_lost(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    stage.sim.answer_late("calling.hold", seconds=1.0)
    call.ask("calling.hold")
    peer.gone()
    before = len(peer.frames)
    stage.run(2)

    assert len(peer.frames) == before


@pytest.mark.parametrize("fault", ["answer_late method=signalwire.connect seconds=3", "slow what=answers seconds=3"])
def test_the_answer_to_a_log_in_may_come_late_and_nothing_comes_before_it(stage: Stage, fault: str):
    stage.sim.manners.sends_authorization_state = True
    stage.sim.inject(fault)
    peer = Peer(stage.sim)
    assert peer.ask("signalwire.connect", authentication={"project": "p", "token": "t"}, contexts=["support"]) is None
    stage.sim.phone("+15550001111").dials(context="support")
    stage.run(2.9)
    assert peer.frames == []
    stage.run(0.2)

    assert peer.story() == ["result", "signalwire.authorization.state", "call.receive created"]


def test_a_late_answer_to_a_log_in_on_a_socket_that_is_gone_opens_no_session(stage: Stage):
    stage.sim.answer_late("signalwire.connect", seconds=3)
    peer = Peer(stage.sim)
    peer.ask("signalwire.connect", authentication={"project": "p", "token": "t"})
    peer.gone()
    stage.run(4)

    assert stage.sim.sessions == ()


def test_the_answer_to_a_log_in_may_come_twice(stage: Stage):
    stage.sim.answer_twice("signalwire.connect")
    peer = Peer(stage.sim)
    peer.log_in()

    assert peer.story() == ["result", "result"]
    assert peer.frames[0] == peer.frames[1]


def test_an_answer_may_come_twice(stage: Stage, peer: Peer):
    stage.sim.answer_twice("signalwire.ping")
    peer.do("signalwire.ping")

    assert peer.frames[-1] == peer.frames[-2]


@pytest.mark.parametrize("row", FROM_CLIENT, ids=lambda row: row["name"])
def test_every_known_frame_of_a_client_gets_an_answer_of_its_id_and_breaks_nothing(row: dict[str, Any]):
    """The frames were not made by this package: it cannot merely agree with itself."""
    stage = Stage()
    frame = row["frame"]
    is_log_in = frame.get("method") == "signalwire.connect"
    peer = Peer(stage.sim) if is_log_in else stage.client()
    before = len(peer.frames)
    peer.send(frame)

    if "method" in frame and "id" in frame:
        answers = peer.frames[before:]
        assert [answer["id"] for answer in answers if "method" not in answer] == [frame["id"]]
    if not is_log_in:
        assert peer.do("signalwire.ping")


@pytest.mark.parametrize("manner", ["error", "400"])
def test_what_breaks_the_schema_is_told_what_is_wrong_in_the_text_of_the_answer(stage: Stage, peer: Peer, manner: Any):
    """The text is what a developer's log shows."""
    stage.sim.manners.violation_answer = manner
    response = stage.inbound(peer).ask("calling.play", control_id="c", play=[{"type": "tts"}], volume="loud")

    assert response is not None
    answer = response["error"] if manner == "error" else response["result"]
    assert answer["message"].endswith(": play[0].params is required; volume must be number, not string")


def test_only_frames_that_were_meant_to_be_wrong_break_the_schema():
    """All others are requests that the real server takes."""
    stage = Stage()
    peer = stage.client()
    for row in FROM_CLIENT:
        if row["frame"].get("method") not in (None, "signalwire.connect"):
            peer.send(row["frame"])

    wrong = {row["name"] for row in FROM_CLIENT if row["name"].startswith(("error.bad_params", "error.invalid_params"))}
    assert wrong
    assert {violation.method for violation in stage.sim.violations} == {"calling.play", "calling.send_digits"}
