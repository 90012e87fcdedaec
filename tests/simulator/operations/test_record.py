"""Recording. Source: PROTOCOL 11.2, 13.3."""

from __future__ import annotations

import io
import wave
from array import array
from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts

RECORD = "calling.call.record"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def record(call: Inbound, **audio: Any) -> dict[str, Any]:
    return call.do("calling.record", control_id="c1", record={"audio": audio})


def last(call: Inbound) -> dict[str, Any]:
    return call.peer.events(RECORD)[-1]


def listen(stage: Stage, call: Inbound) -> list[array[int]]:
    """Fetch the file, see that it is what the last event says, and return its channels."""
    content = stage.sim.fetch(last(call)["url"])
    assert len(content) == last(call)["size"]
    with wave.open(io.BytesIO(content)) as file:
        assert (file.getsampwidth(), file.getframerate()) == (2, 8000)
        assert file.getnframes() / 8000 == last(call)["duration"]
        frames = array("h", file.readframes(file.getnframes()))
        return [frames[channel :: file.getnchannels()] for channel in range(file.getnchannels())]


def sounding(channel: array[int]) -> list[bool]:
    """Tell of each second whether anything is heard in it."""
    return [any(channel[start : start + 8000]) for start in range(0, len(channel), 8000)]


def test_a_stopped_recording_has_url_duration_and_size(stage: Stage, call: Inbound):
    answer = record(call, format="wav", stereo=True, initial_timeout=0)
    stage.run(12.5)
    call.do("calling.record.stop", control_id="c1")

    assert call.peer.states(RECORD) == ["recording", "finished"]
    assert last(call)["url"] == answer["url"]
    assert last(call)["url"].endswith(".wav")
    assert last(call)["duration"] == 12.5
    assert last(call)["size"] == 400_044
    assert last(call)["record"]["audio"]["stereo"] is True


def test_durations_are_simulated_seconds():
    """X12 measures by what the platform says; a fast simulator must not say less."""
    stage = Stage(pace=0.1)
    call = stage.inbound(stage.client("support"))
    record(call, initial_timeout=0)
    stage.run(1.0)
    call.do("calling.record.stop", control_id="c1")

    assert last(call)["duration"] == pytest.approx(10.0)


def test_a_silent_caller_gives_no_input_with_the_same_fields(stage: Stage, call: Inbound):
    record(call)
    stage.run(5.1)

    assert last(call)["state"] == "no_input"
    assert {"url", "duration", "size"} <= last(call).keys()


def test_silence_after_speech_ends_a_recording(stage: Stage, call: Inbound):
    record(call, end_silence_timeout=2.0)
    stage.run(3)
    call.line.says("my name is")
    stage.run(1.9)
    call.line.says("Ada")
    stage.run(2.4)
    assert call.peer.states(RECORD) == ["recording"]
    stage.run(0.2)

    assert call.peer.states(RECORD) == ["recording", "finished"]


def test_nobody_is_cut_off_in_the_middle_of_a_long_sentence(stage: Stage, call: Inbound):
    """Silence begins when the words end, not when they begin."""
    record(call, end_silence_timeout=1.0)
    call.line.says("x" * 60)
    stage.run(4.9)
    assert call.peer.states(RECORD) == ["recording"]
    stage.run(0.2)

    assert last(call)["duration"] == 5.0
    assert sounding(listen(stage, call)[0]) == [True] * 4 + [False]


@pytest.mark.parametrize(
    ("terminators", "key", "ends"),
    [(None, "#", True), (None, "5", False), ("5", "5", True), ("5", "#", False), ("", "#", False), ("", "*", False)],
)
def test_a_terminator_ends_a_recording(call: Inbound, terminators: str | None, key: str, ends: bool):
    record(call, **({} if terminators is None else {"terminators": terminators}))
    call.line.presses(key)

    assert (call.peer.states(RECORD)[-1] == "finished") is ends


def test_the_longest_length_ends_a_recording(stage: Stage, call: Inbound):
    record(call, max_length=3, initial_timeout=0)
    stage.run(3.1)

    assert last(call)["state"] == "finished"
    assert last(call)["duration"] == 3.0


def test_a_beep_is_heard(call: Inbound):
    record(call, beep=True)
    call.line.hears("beep")


@pytest.mark.parametrize(("behavior", "heard"), [("skip", [1, 1, 1]), ("silence", [1, 0, 0, 1, 1])])
def test_a_pause_is_cut_out_or_kept_as_silence(stage: Stage, call: Inbound, behavior: str, heard: list[int]):
    """Source: PROTOCOL 11.2."""
    record(call, initial_timeout=0, direction="listen")
    call.do("calling.play", control_id="p", play=[{"type": "audio", "params": {"url": "https://a"}}], loop=0)
    stage.run(1)
    call.do("calling.record.pause", control_id="c1", behavior=behavior)
    stage.run(2)
    call.do("calling.record.resume", control_id="c1")
    stage.run(2)
    call.do("calling.record.stop", control_id="c1")

    assert call.peer.states(RECORD) == ["recording", "paused", "recording", "finished"]
    assert call.peer.events(RECORD)[1]["pause_behavior"] == behavior
    assert last(call)["duration"] == len(heard)
    assert sounding(listen(stage, call)[0]) == [bool(each) for each in heard]


@pytest.mark.parametrize(("behavior", "ends_after_s"), [("skip", 2.0), ("silence", 1.0)])
def test_the_longest_length_is_that_of_the_recording(stage: Stage, call: Inbound, behavior: str, ends_after_s: float):
    """What is cut out does not count; silence does."""
    record(call, max_length=3, initial_timeout=0)
    stage.run(1)
    call.do("calling.record.pause", control_id="c1", behavior=behavior)
    stage.run(1)
    call.do("calling.record.resume", control_id="c1")
    stage.run(ends_after_s - 0.1)
    assert call.peer.states(RECORD)[-1] == "recording"
    stage.run(0.2)

    assert last(call)["state"] == "finished"
    assert last(call)["duration"] == 3.0


@pytest.mark.parametrize(
    ("audio", "heard"),
    [
        ({}, [[0, 1, 0]]),
        ({"direction": "listen"}, [[1, 0, 0]]),
        ({"direction": "both"}, [[1, 1, 0]]),
        ({"direction": "both", "stereo": True}, [[0, 1, 0], [1, 0, 0]]),
        ({"stereo": True}, [[0, 1, 0], [0, 0, 0]]),
    ],
)
def test_a_recording_has_the_sides_that_were_asked_for(
    stage: Stage, call: Inbound, audio: dict[str, Any], heard: list[list[int]]
):
    """Both sides can be told apart: the person is on the left. Source: PROTOCOL 13.3."""
    record(call, initial_timeout=0, end_silence_timeout=0, **audio)
    call.do("calling.play", control_id="p", play=[tts("hello you")])
    stage.run(1)
    call.line.says("good day")
    stage.run(2)
    call.do("calling.record.stop", control_id="c1")

    assert [sounding(channel) for channel in listen(stage, call)] == [[bool(each) for each in side] for side in heard]


def test_the_other_person_of_a_bridge_is_heard_in_a_recording(stage: Stage, call: Inbound):
    stage.sim.phone("+15550002222").answers()
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])
    stage.run(1)
    record(call, direction="listen", initial_timeout=0)
    stage.sim.phone("+15550002222").says("hello there")
    stage.run(1)
    call.do("calling.record.stop", control_id="c1")

    assert sounding(listen(stage, call)[0]) == [True]


def test_a_prompt_that_is_stopped_is_not_heard_to_its_end(stage: Stage, call: Inbound):
    record(call, direction="listen", initial_timeout=0)
    call.do("calling.play", control_id="p", play=[tts("x" * 150)])
    stage.run(2)
    call.do("calling.play.pause", control_id="p")
    stage.run(1)
    call.do("calling.play.resume", control_id="p")
    stage.run(1)
    call.do("calling.play.stop", control_id="p")
    stage.run(1)
    call.do("calling.record.stop", control_id="c1")

    assert sounding(listen(stage, call)[0]) == [True, True, False, True, False]


@pytest.mark.parametrize("audio_format", ["mp3", "mp4", "wav"])
def test_whatever_is_asked_for_is_a_wav_file(stage: Stage, call: Inbound, audio_format: str):
    record(call, format=audio_format, initial_timeout=0)
    stage.run(0.5)
    call.do("calling.record.stop", control_id="c1")

    assert last(call)["url"].endswith(".wav")
    assert len(listen(stage, call)[0]) == 4000


def test_a_fast_recording_is_as_long_as_it_says():
    stage = Stage(pace=0.05)
    call = stage.inbound(stage.client("support"))
    record(call, initial_timeout=0, end_silence_timeout=0)
    call.line.says("x" * 30)
    stage.run(0.2)
    call.do("calling.record.stop", control_id="c1")

    assert last(call)["duration"] == 4.0
    assert sounding(listen(stage, call)[0]) == [True, True, False, False]


def test_pausing_twice_reports_once_and_skips_by_default(stage: Stage, call: Inbound):
    record(call, initial_timeout=0)
    for _ in range(2):
        call.do("calling.record.pause", control_id="c1")
    for _ in range(2):
        call.do("calling.record.resume", control_id="c1")

    assert call.peer.states(RECORD) == ["recording", "paused", "recording"]
    assert call.peer.events(RECORD)[1]["pause_behavior"] == "skip"


def test_silence_does_not_end_a_paused_recording(stage: Stage, call: Inbound):
    record(call)
    call.do("calling.record.pause", control_id="c1")
    stage.run(60)
    call.line.says("nobody hears this")

    assert call.peer.states(RECORD) == ["recording", "paused"]


@pytest.mark.parametrize(("is_spoken", "ends_after_s", "state"), [(False, 3.0, "no_input"), (True, 1.5, "finished")])
def test_silence_after_a_long_pause_ends_a_recording(
    stage: Stage, call: Inbound, is_spoken: bool, ends_after_s: float, state: str
):
    record(call, initial_timeout=3.0, end_silence_timeout=1.5)
    if is_spoken:
        call.line.says("hello there")
    call.do("calling.record.pause", control_id="c1")
    stage.run(60)
    call.do("calling.record.resume", control_id="c1")
    stage.run(ends_after_s - 0.1)
    assert call.peer.states(RECORD) == ["recording", "paused", "recording"]
    stage.run(0.2)

    assert call.peer.states(RECORD)[-1] == state


def test_who_speaks_on_over_a_pause_is_not_cut_off(stage: Stage, call: Inbound):
    record(call, end_silence_timeout=1.0)
    call.line.says("x" * 150)  # ten seconds
    call.do("calling.record.pause", control_id="c1")
    stage.run(2)
    call.do("calling.record.resume", control_id="c1")
    stage.run(8.9)
    assert call.peer.states(RECORD) == ["recording", "paused", "recording"]
    stage.run(0.2)

    assert call.peer.states(RECORD)[-1] == "finished"


def test_hanging_up_finishes_a_recording_before_the_call_ends(stage: Stage, call: Inbound):
    record(call)
    stage.run(1)
    call.line.hangs_up()

    assert call.peer.story()[-3:] == ["call.record finished", "call.state ending", "call.state ended"]
    assert last(call)["duration"] == 1.0
