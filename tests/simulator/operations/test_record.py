"""Recording. Source: PROTOCOL 11.2, 13.3."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage

RECORD = "calling.call.record"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def record(call: Inbound, **audio: Any) -> dict[str, Any]:
    return call.do("calling.record", control_id="c1", record={"audio": audio})


def last(call: Inbound) -> dict[str, Any]:
    return call.peer.events(RECORD)[-1]


def test_a_stopped_recording_has_url_duration_and_size(stage: Stage, call: Inbound):
    answer = record(call, format="wav", stereo=True, initial_timeout=0)
    stage.run(12.5)
    call.do("calling.record.stop", control_id="c1")

    assert call.peer.states(RECORD) == ["recording", "finished"]
    assert last(call)["url"] == answer["url"]
    assert last(call)["url"].endswith(".wav")
    assert last(call)["duration"] == 12.5
    assert last(call)["size"] == 200_000
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
    stage.run(1.9)
    assert call.peer.states(RECORD) == ["recording"]
    stage.run(0.2)

    assert call.peer.states(RECORD) == ["recording", "finished"]


@pytest.mark.parametrize(("terminators", "key", "ends"), [(None, "#", True), (None, "5", False), ("5", "5", True)])
def test_a_terminator_ends_a_recording(call: Inbound, terminators: str | None, key: str, ends: bool):
    record(call, **({"terminators": terminators} if terminators else {}))
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


def test_a_pause_is_not_recorded(stage: Stage, call: Inbound):
    record(call, initial_timeout=0)
    stage.run(2)
    call.do("calling.record.pause", control_id="c1", behavior="silence")
    stage.run(10)
    call.do("calling.record.resume", control_id="c1")
    stage.run(3)
    call.do("calling.record.stop", control_id="c1")

    assert call.peer.states(RECORD) == ["recording", "paused", "recording", "finished"]
    assert call.peer.events(RECORD)[1]["pause_behavior"] == "silence"
    assert last(call)["duration"] == 5.0


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


def test_hanging_up_finishes_a_recording_before_the_call_ends(stage: Stage, call: Inbound):
    record(call)
    stage.run(1)
    call.line.hangs_up()

    assert call.peer.story()[-3:] == ["call.record finished", "call.state ending", "call.state ended"]
    assert last(call)["duration"] == 1.0
