"""One leg of a call: its states and what they tell. Source: PROTOCOL 8."""

from __future__ import annotations

import pytest

from relay_actors.simulator.calls import CallSnapshot
from tests.simulator.stage import Peer, Stage, phone_device, tts


def test_an_inbound_call_is_offered_as_created(stage: Stage, peer: Peer):
    """Source: PROTOCOL 8.3, D4."""
    stage.sim.phone("+15550001111").dials(context="support", to="+15550009999")

    (envelope,) = peer.envelopes("calling.call.receive")
    offer = envelope["params"]
    assert envelope["context"] == "support"
    assert offer["call_state"] == "created"
    assert offer["context"] == "support"
    assert offer["direction"] == "inbound"
    assert offer["segment_id"] == offer["call_id"]
    assert offer["tag"] == ""
    numbers = {"from_number": "+15550001111", "to_number": "+15550009999"}
    assert offer["device"] == {"type": "phone", "params": numbers}


def test_answering_takes_effect_after_the_response(stage: Stage, peer: Peer):
    call = stage.inbound(peer)

    assert peer.story()[-2:] == ["result", "call.state answered"]
    state = peer.events("calling.call.state")[-1]
    assert state["created_by"] == "receive"
    assert state["start_time"] <= state["answer_time"]
    assert "end_reason" not in state
    assert call.line.state == "answered"


def test_an_event_may_be_told_to_come_before_its_response():
    """Source: PROTOCOL 2.7: every client must survive it."""
    stage = Stage()
    stage.sim.manners.event_before_response = True
    peer = stage.client("support")
    stage.inbound(peer)

    assert peer.story()[-2:] == ["call.state answered", "result"]


@pytest.mark.parametrize("reason", ["hangup", "busy", "decline", "error"])
def test_ending_a_call_tells_the_reason_twice_and_hangs_up_on_the_person(stage: Stage, peer: Peer, reason: str):
    call = stage.inbound(peer)
    call.do("calling.end", reason=reason)

    assert peer.story()[-3:] == ["result", "call.state ending", "call.state ended"]
    assert [event["end_reason"] for event in peer.events("calling.call.state")[-2:]] == [reason] * 2
    assert peer.events("calling.call.state")[-1]["end_time"] > 0
    assert call.line.is_over
    assert call.line.end_reason == reason


def test_a_caller_who_gives_up_before_the_answer_abandons_the_call(stage: Stage, peer: Peer):
    call = stage.inbound(peer, answered=False)
    call.line.hangs_up()

    assert call.states == ["ending", "ended"]
    assert peer.states("calling.call.state", "end_reason") == ["abandoned"] * 2


def test_what_runs_on_a_leg_that_nobody_answers_ends_before_the_leg(stage: Stage, peer: Peer):
    """Source: PROTOCOL 19.2: terminal events for running actions first."""
    peer.do("calling.dial", tag="t", devices=[[phone_device("+15550002222")]])
    leg = {key: peer.events("calling.call.state")[-1][key] for key in ("call_id", "node_id")}
    peer.do("calling.play", **leg, control_id="c1", play=[tts("hello")])
    peer.do("calling.connect", **leg, devices=[[phone_device("+15550003333")]])
    stage.sim.phone("+15550002222").rejects()
    stage.run(20)

    assert peer.call_states(leg["call_id"]) == ["created", "ringing", "ended"]
    assert peer.story()[-4:] == ["call.play finished", "call.state ended", "call.state ended", "call.dial failed"]
    assert stage.sim.phone("+15550003333").line.end_reason == "cancel"
    assert not stage.sim.calls_up()


def test_nothing_can_be_done_with_an_ended_call(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.line.hangs_up()

    assert call.code("calling.answer") == "404"
    assert call.code("calling.play", control_id="c", play=[tts("x")]) == "404"
    assert call.states[-1] == "ended"


def test_answering_twice_reports_once(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.answer")

    assert call.states == ["answered"]


def test_a_limit_ends_the_call(stage: Stage, peer: Peer):
    """max_duration is in minutes (PROTOCOL 8.8, D9)."""
    call = stage.inbound(peer, answered=False)
    call.do("calling.answer", max_duration=2)
    stage.run(119)
    assert call.states == ["answered"]
    stage.run(2)

    assert peer.events("calling.call.state")[-1]["end_reason"] == "max_duration"


def test_an_answer_that_is_sent_again_changes_nothing(stage: Stage, peer: Peer):
    """As a client does that has not had the answer; how long the call may last counts from the first one."""
    call = stage.inbound(peer, answered=False)
    call.do("calling.answer", max_duration=2)
    stage.run(30)
    call.do("calling.answer", max_duration=1)
    stage.run(89)
    assert call.states == ["answered"]

    stage.run(2)
    assert call.states == ["answered", "ending", "ended"]
    assert stage.sim.next_deadline() is None, "nothing is left of the second one"


def test_a_snapshot_tells_what_was_asked_of_a_call(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.play", control_id="c1", play=[tts("x")])
    call.do("calling.play", control_id="c2", play=[tts("x")])

    (snapshot,) = stage.sim.calls
    assert isinstance(snapshot, CallSnapshot)
    assert snapshot.commands == {"calling.answer": 1, "calling.play": 2}
    assert (snapshot.from_number, snapshot.state, snapshot.context) == ("+15550001111", "answered", "support")


def test_a_snapshot_tells_what_runs_on_a_leg_and_to_whom_it_is_connected(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    call.do("calling.play", control_id="c1", play=[tts("x")])
    call.do("calling.queue.enter", control_id="c2", queue_name="sales")
    (waiting,) = stage.sim.calls_up()
    agent = stage.inbound(peer, number="+15550002222")
    agent.do("calling.connect", devices=[[{"type": "queue", "params": {"queue_name": "sales"}}]])
    taken, taker = stage.sim.calls_up()

    assert (waiting.running, waiting.peer_call_id) == (("Play", "Place"), "")
    assert (taken.running, taken.peer_call_id, taker.peer_call_id) == (("Play",), agent.call_id, call.call_id)


def test_a_snapshot_does_not_change_afterwards(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    (before,) = stage.sim.calls
    call.do("calling.end")

    assert before.state == "answered"
    assert "calling.end" not in before.commands


def test_a_sip_leg_is_known_by_its_address(stage: Stage, peer: Peer):
    device = {"type": "sip", "params": {"from": "sip:a@b", "to": "sip:c@d"}}
    peer.do("calling.dial", tag="t", devices=[[device]])

    (snapshot,) = stage.sim.calls
    assert (snapshot.from_number, snapshot.to_number) == ("sip:a@b", "sip:c@d")


def test_times_of_a_call_are_milliseconds_since_the_epoch(stage: Stage, peer: Peer):
    stage.sim.phone("+15550002222").answers()
    peer.do("calling.dial", tag="t", devices=[[phone_device("+15550002222")]])
    stage.run(1)

    answered = [event for event in peer.events("calling.call.state") if event["call_state"] == "answered"]
    assert answered[0]["answer_time"] - answered[0]["start_time"] == 200
    assert answered[0]["start_time"] > 1_700_000_000_000


def test_a_tape_has_what_each_side_makes(stage: Stage, peer: Peer):
    """From it recordings and streams are made. Times are simulated seconds."""
    call = stage.inbound(peer)
    call.line.says("hello").presses("1")
    call.do("calling.play", control_id="c1", play=[tts("welcome")])
    (leg,) = stage.sim._legs(call.line)
    now = leg.world.simulated_now()

    told = [(note.track, str(note.sound)) for note in leg.tape.between(now, now + 1)]
    assert told == [("inbound", "voice hello"), ("inbound", "digits 1"), ("outbound", "welcome")]
