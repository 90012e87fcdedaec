"""Transcripts. Source: PROTOCOL 11.9."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, tts

EVENT = "calling.call.transcribe"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def test_only_one_transcription_runs_on_a_call(stage: Stage, call: Inbound):
    call.do("calling.transcribe", control_id="c1")
    assert call.code("calling.transcribe", control_id="c2") == "409"
    stage.run(31.2)
    call.do("calling.transcribe.stop", control_id="c1")

    assert call.peer.states(EVENT) == ["transcribing", "finished"]
    told = call.peer.events(EVENT)[-1]
    assert told["duration"] == 31.2
    assert told["end_time"] - told["start_time"] == 31_200
    assert call.code("calling.transcribe", control_id="c2") == "200", "the first one is over"


def talk(stage: Stage, call: Inbound) -> str:
    """Have a conversation, and return what is to be read of it."""
    call.do("calling.play", control_id="p", play=[tts("How can I help?")])
    stage.run(2)
    call.line.says("My café is on fire")
    stage.run(2)
    return "heard: How can I help?\nsaid: My café is on fire\n"


def test_the_text_of_what_was_said_lies_at_the_url(stage: Stage, call: Inbound):
    call.line.says("before it began")
    stage.run(2)
    call.do("calling.transcribe", control_id="c1")
    text = talk(stage, call)
    call.do("calling.transcribe.stop", control_id="c1")
    call.line.says("after it was over")

    told = call.peer.events(EVENT)[-1]
    assert stage.sim.fetch(told["url"]).decode() == text
    assert told["size"] == len(text.encode())


def test_the_status_url_is_told_the_text(stage: Stage, call: Inbound):
    call.do("calling.transcribe", control_id="c1", status_url="https://hooks/t")
    text = talk(stage, call)
    call.line.hangs_up()

    began, hook = stage.sim.webhooks
    began_params: Any = began.body["params"]
    assert began_params == call.peer.events(EVENT)[0]
    told = call.peer.events(EVENT)[-1]
    assert hook.url == "https://hooks/t"
    params: Any = hook.body["params"]
    assert hook.body["event_type"] == EVENT
    assert params == {"text": text, **told}
    assert call.peer.story()[-3:] == ["call.transcribe finished", "call.state ending", "call.state ended"]
