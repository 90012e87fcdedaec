"""Joining two legs. Source: PROTOCOL 8.1, 12."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, phone_device

DESK = "+15550002222"
CONNECT = "calling.call.connect"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def connect(call: Inbound, *numbers: str, **more: Any) -> None:
    call.do("calling.connect", devices=[[phone_device(number) for number in numbers]], **more)


def connected(stage: Stage, call: Inbound) -> dict[str, Any]:
    """Connect to the desk, which answers; return the peer as the event names it."""
    stage.sim.phone(DESK).answers()
    connect(call, DESK, tag="bridge-1")
    stage.run(1)
    return call.peer.events(CONNECT)[-1]["peer"]


def states(call: Inbound) -> list[Any]:
    return call.peer.states(CONNECT, "connect_state", call_id=call.call_id)


def test_two_people_are_joined_and_hear_each_other(stage: Stage, call: Inbound):
    there = connected(stage, call)

    assert states(call) == ["connecting", "connected"]
    assert there["tag"] == "bridge-1"
    assert there["device"]["params"]["to_number"] == DESK
    assert call.peer.call_states(there["call_id"]) == ["created", "ringing", "answered"]
    desk = stage.sim.phone(DESK).line
    call.line.talks_to(desk)
    desk.talks_to(call.line)
    call.line.says("hello?")
    desk.hears("voice hello?")
    desk.presses("5")
    call.line.hears("digits 5")


def test_the_events_of_the_other_leg_point_back(stage: Stage, call: Inbound):
    connected(stage, call)

    event = call.peer.events("calling.call.state")[-1]
    back = {"call_id": call.call_id, "node_id": call.node_id}
    assert event["peer"] == back
    assert event["parent"] == {"device_type": "phone", **back}
    assert event["created_by"] == "connect"
    assert event["segment_id"] == call.call_id


def test_the_caller_hears_ringing_until_somebody_answers(stage: Stage, call: Inbound):
    connect(call, DESK)
    call.line.hears("ringtone ringback")
    stage.run(10)
    heard = len(call.line.heard)
    assert heard >= 3
    stage.sim.phone(DESK).answers()
    stage.run(10)

    assert len(call.line.heard) == heard


def test_the_caller_hears_the_ringback_that_is_given(call: Inbound):
    connect(call, DESK, ringback=[{"type": "audio", "params": {"url": "https://a/wait.mp3"}}])
    call.line.hears("wait.mp3")


@pytest.mark.parametrize(
    ("how", "reason"), [("is_busy", "busy"), ("rejects", "decline"), ("never_answers", "noAnswer")]
)
def test_a_connect_that_nobody_answers_fails_with_the_reason_and_the_caller_stays(
    stage: Stage, call: Inbound, how: str, reason: str
):
    getattr(stage.sim.phone(DESK), how)()
    connect(call, DESK)
    stage.run(61)

    assert states(call) == ["connecting", "failed"]
    failed = call.peer.events(CONNECT)[-1]
    assert failed["failed_reason"] == reason
    assert "peer" not in failed
    assert call.line.state == "answered"


def test_disconnecting_parts_the_legs_and_both_live_on(stage: Stage, call: Inbound):
    there = connected(stage, call)
    call.do("calling.disconnect")

    assert states(call) == ["connecting", "connected", "disconnected"]
    assert call.peer.events(CONNECT)[-1]["peer"]["call_id"] == there["call_id"]
    assert len(stage.sim.calls_up()) == 2
    with pytest.raises(AssertionError, match="does not talk"):
        call.line.talks_to(DESK, within=0.1)


def test_the_other_leg_can_be_commanded_by_its_own_ids(stage: Stage, call: Inbound):
    there = connected(stage, call)
    call.peer.do("calling.end", call_id=there["call_id"], node_id=there["node_id"], reason="hangup")

    assert stage.sim.phone(DESK).line.is_over
    assert states(call)[-1] == "disconnected"


def test_when_the_other_party_hangs_up_the_first_lives_on(stage: Stage, call: Inbound):
    """Source: PROTOCOL appendix, inbound menu."""
    connected(stage, call)
    stage.sim.phone(DESK).hangs_up()

    assert call.peer.story()[-3:] == ["call.state ending", "call.state ended", "call.connect"]
    assert states(call)[-1] == "disconnected"
    assert call.line.state == "answered"


def test_when_the_first_party_hangs_up_the_other_is_hung_up(stage: Stage, call: Inbound):
    there = connected(stage, call)
    call.line.hangs_up()

    assert states(call)[-1] == "disconnected"
    assert call.states[-2:] == ["ending", "ended"]
    assert call.peer.call_states(there["call_id"])[-2:] == ["ending", "ended"]
    assert stage.sim.phone(DESK).line.is_over
    assert stage.sim.calls_up() == ()


def test_when_the_first_party_hangs_up_while_it_rings_the_phone_stops_ringing(stage: Stage, call: Inbound):
    connect(call, DESK)
    call.line.hangs_up()

    assert stage.sim.phone(DESK).line.end_reason == "cancel"
    assert stage.sim.calls_up() == ()


def test_a_leg_that_is_joined_or_about_to_be_cannot_be_connected_again(stage: Stage, call: Inbound):
    """Source: PROTOCOL 2.5."""
    connect(call, DESK)
    assert call.code("calling.connect", devices=[[phone_device("+15550003333")]]) == "409"


def test_after_a_failure_or_a_parting_a_leg_can_be_connected_again(stage: Stage, call: Inbound):
    stage.sim.phone(DESK).is_busy()
    connect(call, DESK)
    connected(stage, call)
    call.do("calling.disconnect")
    connect(call, "+15550003333")

    assert states(call) == ["connecting", "failed", "connecting", "connected", "disconnected", "connecting"]


def test_a_limit_ends_the_other_leg_and_the_caller_stays(stage: Stage, call: Inbound):
    """Source: PROTOCOL 12: ``max_duration`` in minutes."""
    stage.sim.phone(DESK).answers()
    connect(call, DESK, max_duration=1)
    stage.run(60)
    assert states(call) == ["connecting", "connected"]
    stage.run(1)

    assert states(call) == ["connecting", "connected", "disconnected"]
    assert stage.sim.phone(DESK).line.end_reason == "max_duration"
    assert call.line.state == "answered"


def test_a_limit_of_legs_that_have_parted_ends_nothing(stage: Stage, call: Inbound):
    stage.sim.phone(DESK).answers()
    connect(call, DESK, max_duration=1)
    stage.run(1)
    call.do("calling.disconnect")
    stage.run(120)

    assert not stage.sim.phone(DESK).line.is_over


def test_the_status_url_is_told_what_the_events_say(stage: Stage, call: Inbound):
    stage.sim.phone(DESK).answers()
    connect(call, DESK, status_url="https://app.example.com/status")
    stage.run(1)

    told = [webhook.body for webhook in stage.sim.webhooks]
    assert told == [{"event_type": CONNECT, "params": event} for event in call.peer.events(CONNECT)]
    assert len(told) == 2


def test_a_leg_that_is_not_joined_cannot_be_parted(call: Inbound):
    assert call.code("calling.disconnect") == "409"


def test_disconnecting_while_it_rings_stops_the_ringing(stage: Stage, call: Inbound):
    connect(call, DESK)
    call.do("calling.disconnect")

    assert stage.sim.phone(DESK).line.end_reason == "cancel"
    assert states(call) == ["connecting", "failed"]
    assert call.peer.events(CONNECT)[-1]["failed_reason"] == "cancel"


def test_a_connect_to_nobody_is_refused(call: Inbound):
    assert call.code("calling.connect", devices=[[]]) == "400"


def test_the_one_who_answers_first_is_connected_and_the_others_are_cancelled(stage: Stage, call: Inbound):
    stage.sim.phone("+15550003333").answers()
    connect(call, DESK, "+15550003333")
    stage.run(1)

    assert stage.sim.phone(DESK).line.end_reason == "cancel"
    call.line.talks_to("+15550003333")
