"""Rooms. Source: PROTOCOL 12."""

from __future__ import annotations

import pytest

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage, tts

NUMBERS = ["+15550001111", "+15550002222", "+15550003333"]
URL = "https://example.com/rooms"


@pytest.fixture
def calls(stage: Stage, peer: Peer) -> list[Inbound]:
    return [stage.inbound(peer, number=number) for number in NUMBERS]


def join(call: Inbound, name: str = "standup", **more: object) -> None:
    assert call.do("calling.join_room", name=name, **more)["message"] == "Joining room"


def test_everybody_in_a_room_hears_everybody_else(calls: list[Inbound]):
    one, other, third = calls
    for call in calls:
        join(call)
    one.line.is_in_room("standup").says("morning")
    other.line.hears("voice morning").talks_to(third.line)
    third.line.hears("voice morning").presses("1")
    one.line.hears("digits 1")

    assert one.line.heard[0].kind == "digits", "nobody hears their own voice"


def test_two_rooms_do_not_hear_each_other(calls: list[Inbound]):
    one, other, _third = calls
    join(one)
    join(other, "retro")
    one.line.says("morning")

    assert other.line.heard == ()
    with pytest.raises(StoryError, match="is not in room standup"):
        other.line.is_in_room("standup", within=0.1)


def test_no_event_tells_of_it_but_the_status_url_hears_every_state(stage: Stage, peer: Peer, calls: list[Inbound]):
    events = len(peer.envelopes())
    join(calls[0], status_url=URL)
    join(calls[1])
    calls[0].do("calling.leave_room")

    assert len(peer.envelopes()) == events
    told = [webhook.body["params"] for webhook in stage.sim.webhooks if webhook.url == URL]
    assert [(params["state"], params["size"]) for params in told] == [
        ("joining", 0),
        ("join", 1),
        ("leaving", 2),
        ("leave", 1),
    ]
    assert {(params["name"], params["call_id"]) for params in told} == {("standup", calls[0].call_id)}


def test_hanging_up_is_leaving(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    join(one, status_url=URL)
    join(other)
    (room,) = stage.sim.rooms
    assert room.members == (NUMBERS[0], NUMBERS[1])
    one.line.hangs_up()
    assert stage.sim.rooms[0].members == (NUMBERS[1],)
    assert stage.sim.webhooks[-1].body["params"]["state"] == "leave"
    other.line.hangs_up()

    assert stage.sim.rooms == ()


def test_a_call_is_in_one_room_at_most(calls: list[Inbound]):
    call = calls[0]
    assert call.code("calling.leave_room") == "409"
    join(call)
    assert call.code("calling.join_room", name="standup") == "409"
    assert call.code("calling.join_room", name="retro") == "409"
    assert call.do("calling.leave_room")["message"] == "Leaving room"
    assert call.code("calling.leave_room") == "409"
    join(call, "retro")

    call.line.is_in_room("retro")


def test_a_room_without_a_name_is_refused(calls: list[Inbound]):
    assert calls[0].code("calling.join_room", name="") == "400"


def test_the_story_of_a_line_tells_of_the_room(calls: list[Inbound]):
    join(calls[0])
    calls[0].do("calling.leave_room")

    assert [moment.what for moment in calls[0].line.timeline][-2:] == ["joined room standup", "left room standup"]


@pytest.mark.parametrize("name", ["in a room", "on hold", "digit bindings", "live_transcribe", "conference"])
def test_a_control_id_can_be_any_text(stage: Stage, peer: Peer, name: str):
    """Also one that this server might use itself."""
    call = stage.inbound(peer)
    call.do("calling.play", control_id=name, play=[tts("A long story. " * 20)])
    call.do("calling.join_room", name="lobby")
    call.do("calling.hold")
    call.do("calling.unhold")
    call.do("calling.bind_digit", digits="1", bind_method="calling.denoise")
    call.do("calling.live_transcribe", action={"start": {}})
    call.do("calling.end")

    assert peer.states("calling.call.play") == ["playing", "finished"]
    assert peer.story()[-2:] == ["call.state ending", "call.state ended"]
