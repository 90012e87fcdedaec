"""What a run shows is read off its frames; each sighting is proven in both directions by `test_catalogue`."""

from __future__ import annotations

from relay_actors.protocol import json_codec
from relay_actors.simulator.wire_log import LoggedFrame
from relay_actors.testing.chaos import sightings
from relay_actors.testing.chaos.moments import Crossed
from relay_actors.testing.chaos.sightings import story_of


def logged(at: float, direction: str, **frame: object) -> LoggedFrame:
    return LoggedFrame(at, 100.0 + at, direction, "session", json_codec.dumps(frame))  # type: ignore[arg-type]


def state(at: float, frame_id: str, call_state: str) -> LoggedFrame:
    params = {"event_type": "calling.call.state", "params": {"call_id": "c", "call_state": call_state}}
    return logged(at, "sent", id=frame_id, method="signalwire.event", params=params)


def test_a_story_has_frames_and_notes_in_their_order():
    """What is no frame is left out."""
    story = story_of([state(1.0, "a", "ringing"), (2.0, "hang_up"), logged(3.0, "sent"), state(3.0, "b", "ended")])
    assert [(one.at, one.kind, one.name) for one in story] == [
        (1.0, "sent", "calling.call.state"),
        (2.0, "noted", "hang_up"),
        (3.0, "sent", "calling.call.state"),
    ]


def test_the_same_end_in_one_frame_and_in_two_is_told_apart():
    """A redelivery is not a second end."""
    again = [state(1.0, "a", "ended"), state(1.0, "a", "ended")]
    twice = [state(1.0, "a", "ended"), state(1.0, "b", "ended")]
    assert not sightings.ended_twice(story_of(again))
    assert sightings.ended_twice(story_of(twice))


def test_an_event_of_a_command_is_before_its_answer_only_if_it_crossed_in_between():
    """The order of the frames decides, not their times, which are equal."""
    asked = Crossed(1.0, "received", "calling.play", "r", params={"call_id": "c", "control_id": "p"})
    playing = Crossed(1.0, "sent", "calling.call.play", "e", params={"call_id": "c", "control_id": "p"})
    other = Crossed(1.0, "sent", "calling.call.play", "e", params={"call_id": "c", "control_id": "q"})
    answer = Crossed(1.0, "answered", "calling.play", "r", code="200")
    assert sightings.event_before_response([asked, playing, answer])
    assert not sightings.event_before_response([asked, other, answer, playing])
