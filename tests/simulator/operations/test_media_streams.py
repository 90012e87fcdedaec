"""Tap, stream and transcribe. Source: PROTOCOL 11.7 to 11.9."""

from __future__ import annotations

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_a_tap_names_its_source_and_tells_its_device_as_text(call: Inbound):
    device = {"type": "rtp", "params": {"addr": "203.0.113.10", "port": 5004}}
    answer = call.do("calling.tap", control_id="c1", tap={"type": "audio", "params": {}}, device=device)
    assert answer["source_device"]["type"] == "rtp"
    call.do("calling.tap.stop", control_id="c1")

    assert call.peer.states("calling.call.tap") == ["tapping", "finished"]
    told = call.peer.events("calling.call.tap")[-1]
    assert told["device"] == {"type": "rtp", "params": {"addr": "203.0.113.10", "port": "5004"}}


def test_a_tap_to_a_websocket_has_no_source(call: Inbound):
    device = {"type": "ws", "params": {"uri": "wss://a"}}
    answer = call.do("calling.tap", control_id="c1", tap={"type": "audio", "params": {}}, device=device)
    assert "source_device" not in answer


def test_a_stream_tells_its_url_and_name(call: Inbound):
    call.do("calling.stream", control_id="c1", url="wss://a", name="ear")
    call.do("calling.stream.stop", control_id="c1")

    told = [(event["state"], event["url"], event["name"]) for event in call.peer.events("calling.call.stream")]
    assert told == [("streaming", "wss://a", "ear"), ("finished", "wss://a", "ear")]


def test_only_one_transcription_runs_on_a_call(stage: Stage, call: Inbound):
    call.do("calling.transcribe", control_id="c1")
    assert call.code("calling.transcribe", control_id="c2") == "409"
    stage.run(31.2)
    call.do("calling.transcribe.stop", control_id="c1")

    assert call.peer.states("calling.call.transcribe") == ["transcribing", "finished"]
    told = call.peer.events("calling.call.transcribe")[-1]
    assert told["duration"] == 31.2
    assert told["end_time"] - told["start_time"] == 31_200
    assert call.code("calling.transcribe", control_id="c2") == "200", "the first one is over"
