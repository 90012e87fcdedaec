"""Presiding over a conference from outside. Source: PROTOCOL 13.7."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage

NUMBERS = ["+15550001111", "+15550002222", "+15550003333"]
EVENT = "calling.conference"


@pytest.fixture
def calls(stage: Stage, peer: Peer) -> list[Inbound]:
    made = [stage.inbound(peer, number=number) for number in NUMBERS]
    for call in made:
        call.do("calling.join_conference", name="weekly", beep="false")
    return made


def told(call: Inbound, *keys: str) -> list[Any]:
    """What the actor of a call was told since all were in."""
    events = [event for event in call.peer.events(EVENT) if event["call_id"] == call.call_id]
    fresh = [event for event in events if event["status"] not in ("conference-start", "participant-join")]
    return [tuple(event.get(key) for key in keys) for event in fresh]


def test_who_is_muted_from_outside_is_not_heard_until_unmuted(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    chair = stage.sim.conference("weekly")
    chair.mute(other.line).mute(NUMBERS[1])
    other.line.says("hello?")
    chair.unmute(stage.sim.phone(NUMBERS[1]))
    other.line.presses("1")

    assert [str(sound) for sound in one.line.heard] == ["digits 1"]
    who = ("status", "participant_call_id", "muted")
    assert told(one, *who) == [
        ("participant-mute", other.call_id, True),
        ("participant-unmute", other.call_id, False),
    ]


def test_who_is_held_from_outside_hears_music_until_taken_back(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    chair = stage.sim.conference("weekly")
    chair.hold(NUMBERS[1])
    other.line.hears("music hold").says("hello?")
    one.line.says("gone")
    assert other.line.is_on_hold
    chair.unhold(NUMBERS[1])
    stage.run(100)
    other.line.talks_to(one.line)

    assert [sound.kind for sound in other.line.heard] == ["music"]
    assert one.line.heard == ()
    assert told(one, "status", "hold")[:2] == [("participant-hold", True), ("participant-speech-start", False)]
    assert ("participant-unhold", False) in told(other, "status", "hold")


def test_who_is_held_twice_is_told_of_once(stage: Stage, calls: list[Inbound]):
    """By the moderator and by the application: it is on hold until both have taken it back."""
    one, other, _third = calls
    chair = stage.sim.conference("weekly")
    chair.hold(NUMBERS[1]).hold(NUMBERS[1])
    other.do("calling.hold")
    chair.unhold(NUMBERS[1])
    assert told(one, "status") == [("participant-hold",)]
    other.do("calling.unhold")

    assert told(one, "status") == [("participant-hold",), ("participant-unhold",)]


def test_leaving_ends_a_hold_from_outside(stage: Stage, calls: list[Inbound]):
    chair = stage.sim.conference("weekly")
    chair.hold(NUMBERS[1]).kick(NUMBERS[1])
    stage.run(100)

    assert len(calls[1].line.heard) == 1
    assert not calls[1].line.is_on_hold


def test_who_is_kicked_is_out_and_the_call_goes_on(stage: Stage, calls: list[Inbound]):
    stage.sim.conference("weekly").kick(NUMBERS[1])

    assert told(calls[0], "status", "participant_call_id", "size") == [("participant-leave", calls[1].call_id, 2)]
    assert calls[1].line.state == "answered"
    assert [member.number for member in stage.sim.conferences[0].members] == [NUMBERS[0], NUMBERS[2]]


@pytest.mark.parametrize(
    ("end_on_exit", "reason"),
    [(True, "participant-with-end-conference-on-exit-kicked"), (False, "last-participant-kicked")],
)
def test_a_conference_can_end_by_kicking(stage: Stage, calls: list[Inbound], end_on_exit: bool, reason: str):
    chair = stage.sim.conference("weekly")
    chair.modify(NUMBERS[0], end_on_exit=end_on_exit)
    for number in NUMBERS[:1] if end_on_exit else NUMBERS:
        chair.kick(number)

    assert told(calls[2], "status", "reason_ended")[-1] == ("conference-end", reason)


def test_the_end_puts_everybody_out(stage: Stage, calls: list[Inbound]):
    stage.sim.conference("weekly").end()

    for call in calls:
        assert told(call, "reason_ended", "call_id_ending_conf")[-1] == ("conference-ended-via-api", None)
        assert call.line.state == "answered"
    assert stage.sim.conferences == ()


def test_a_changed_member_is_told_of_and_takes_part_in_the_new_way(stage: Stage, calls: list[Inbound]):
    agent, customer, coach = calls
    chair = stage.sim.conference("weekly")
    chair.modify(coach.line, beep="onExit", coach=agent.line)
    coach.line.says("slowly")
    assert customer.line.heard == ()
    chair.modify(coach.line, stop_coaching=True)
    coach.line.says("hello")
    chair.kick(coach.line)

    assert [str(sound) for sound in customer.line.heard] == ["voice hello", "beep"]
    modified = [event for event in told(customer, "status", "coaching") if event[0] == "participant-modify"]
    assert modified == [("participant-modify", True), ("participant-modify", False)]


def test_a_recording_is_paused_and_resumed(stage: Stage, peer: Peer, calls: list[Inbound]):
    chair = stage.sim.conference("weekly")
    with pytest.raises(StoryError, match="weekly is not being recorded"):
        chair.pause_recording()
    recorded = stage.inbound(peer)
    recorded.do("calling.join_conference", name="weekly", record="record-from-start")
    stage.run(10)
    chair.pause_recording()
    stage.run(10)
    assert not stage.sim.conferences[0].is_recording
    with pytest.raises(StoryError, match="not being recorded"):
        chair.pause_recording()
    chair.resume_recording()
    with pytest.raises(StoryError, match="no paused recording"):
        chair.resume_recording()
    stage.run(5)
    chair.end()

    told_of = [event for event in told(recorded, "status", "recording_duration") if "record" in event[0]]
    assert told_of == [("record-start", None), ("record-pause", None), ("record-resume", None), ("record-stop", 15.0)]


def test_who_is_not_there_says_so(stage: Stage, calls: list[Inbound]):
    with pytest.raises(StoryError, match=r"\+1999 is not in conference weekly; its members: \+15550001111, "):
        stage.sim.conference("weekly").mute("+1999")
    with pytest.raises(StoryError, match="nobody is in conference monthly; conferences that somebody is in: weekly"):
        stage.sim.conference("monthly").end()
