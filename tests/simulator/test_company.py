"""With whom people are. The waits that need a conference, a queue or a room are in the tests of these."""

from __future__ import annotations

import pytest

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage, phone_device

HERE, THERE = "+15550001111", "+15550002222"


@pytest.fixture
def calls(stage: Stage, peer: Peer) -> list[Inbound]:
    return [stage.inbound(peer, number=number) for number in (HERE, THERE)]


@pytest.mark.parametrize("place", ["conference", "room"])
def test_people_talk_wherever_they_meet_until_one_leaves(stage: Stage, calls: list[Inbound], place: str):
    one, other = calls
    for call in calls:
        call.do(f"calling.join_{place}", name="lobby")
    one.line.talks_to(other.line).talks_to(THERE)
    stage.sim.phone(THERE).talks_to(stage.sim.phone(HERE))
    which = {"conference_id": stage.sim.conferences[0].conference_id} if place == "conference" else {}
    one.do(f"calling.leave_{place}", **which)

    with pytest.raises(StoryError, match=r"does not talk to \+15550002222"):
        one.line.talks_to(other.line, within=0.1)


def test_who_meets_somebody_in_two_places_hears_them_once(calls: list[Inbound]):
    one, other = calls
    for call in calls:
        call.do("calling.join_room", name="b")
        call.do("calling.join_conference", name="a", beep="false")
    one.line.says("hello")

    assert [str(sound) for sound in other.line.heard] == ["voice hello"]


def test_a_story_waits_for_what_has_not_happened_yet(stage: Stage, calls: list[Inbound]):
    stage.sim.phone("+15550003333").answers_after(3.0)
    calls[0].do("calling.connect", devices=[[phone_device("+15550003333")]])

    calls[0].line.talks_to("+15550003333", within=4.0)


@pytest.mark.parametrize(
    ("wait", "complaint"),
    [
        ("is_in_conference", "is not in conference lobby within 0.1 s"),
        ("is_in_room", "is not in room lobby within 0.1 s"),
        ("is_in_queue", "is not in queue lobby within 0.1 s"),
    ],
)
def test_who_is_not_there_says_so(stage: Stage, calls: list[Inbound], wait: str, complaint: str):
    for person in (calls[0].line, stage.sim.phone(HERE)):
        with pytest.raises(StoryError, match=complaint):
            getattr(person, wait)("lobby", within=0.1)
