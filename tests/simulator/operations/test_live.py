"""Live transcription and translation: what is told by HTTP, and what is heard. Source: PROTOCOL 12, D18."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts

HOOK, OTHER = "https://hooks.example.com/live", "https://hooks.example.com/other"
BOTH = pytest.mark.parametrize("method", ["calling.live_transcribe", "calling.live_translate"])


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def bodies(stage: Stage, event: str, url: str = HOOK) -> list[Any]:
    return [hook.body for hook in stage.sim.webhooks if hook.url == url and hook.body["event"].endswith(f".{event}")]


def transcribe(call: Inbound, action: object, **more: object) -> str:
    return call.do("calling.live_transcribe", action=action, **more)["message"]


def translate(call: Inbound, action: object, **more: object) -> str:
    return call.do("calling.live_translate", action=action, **more)["message"]


def test_what_is_said_and_heard_becomes_text_while_it_runs(stage: Stage, call: Inbound):
    call.line.says("Before")
    assert transcribe(call, {"start": {"lang": "en-GB", "webhook": HOOK}}) == "Live transcription started"
    before = len(call.peer.envelopes())
    call.do("calling.play", control_id="c1", play=[tts("How are you?"), {"type": "audio", "params": {"url": "x"}}])
    stage.run(10)
    call.line.says("Fine")
    assert call.line.timeline[-1].what == "said 'Fine'"
    assert transcribe(call, {"stop": {}}) == "Live transcription stopped"
    call.line.says("After")
    call.do("calling.play", control_id="c2", play=[tts("Afterwards")])

    utterances = bodies(stage, "utterance")
    assert [(body["role"], body["content"], body["lang"]) for body in utterances] == [
        ("local-caller", "How are you?", "en-GB"),
        ("remote-caller", "Fine", "en-GB"),
    ]
    assert {body["call_id"] for body in utterances} == {call.call_id}
    (finished,) = bodies(stage, "finished")
    assert [entry["content"] for entry in finished["log"]] == ["How are you?", "Fine"]
    assert len(call.peer.envelopes()) == before + 3  # those of the two plays


def test_one_side_can_be_enough(stage: Stage, call: Inbound):
    transcribe(call, {"start": {"direction": ["remote-caller"], "webhook": HOOK}})
    call.do("calling.play", control_id="c1", play=[tts("Hello")])
    call.line.says("Hi")
    assert [body["content"] for body in bodies(stage, "utterance")] == ["Hi"]


def test_all_can_come_at_the_end_with_a_summary(stage: Stage, call: Inbound):
    transcribe(call, {"start": {"live_events": False, "ai_summary": True, "webhook": HOOK}})
    call.line.says("One").says("Two")
    assert stage.sim.webhooks == ()
    call.line.hangs_up()

    (finished,) = bodies(stage, "finished")
    assert [entry["content"] for entry in finished["log"]] == ["One", "Two"]
    assert finished["summary"] == "remote-caller: One\nremote-caller: Two"


def test_a_summary_goes_where_it_is_asked_for(stage: Stage, call: Inbound):
    transcribe(call, {"start": {"webhook": HOOK}})
    call.line.says("One")
    transcribe(call, {"summarize": {}})
    call.line.says("Two")
    transcribe(call, {"summarize": {"webhook": OTHER}})

    assert [body["summary"] for body in bodies(stage, "summary")] == ["remote-caller: One"]
    assert [body["summary"] for body in bodies(stage, "summary", OTHER)] == ["remote-caller: One\nremote-caller: Two"]


@BOTH
@pytest.mark.parametrize(
    ("start", "stop"),
    [
        ({"start": {"status_url": HOOK}}, "stop"),
        ({"action": "start", "webhook": HOOK}, {"action": "stop"}),
        ({"start": {"webhook": HOOK}}, {"stop": None}),
    ],
)
def test_an_action_has_three_shapes(stage: Stage, call: Inbound, method: str, start: object, stop: object):
    call.do(method, action=start)
    call.do(method, action=stop)
    assert len(bodies(stage, "finished")) == 1


@BOTH
def test_it_can_be_started_once_and_stopped_once(call: Inbound, method: str):
    for action in ("stop", {"summarize": {}}, {"inject": {}}):
        assert call.code(method, action=action) == "409"
    call.do(method, action={"start": {}})
    assert call.code(method, action={"start": {}}) == "409"
    call.do(method, action="stop")
    assert call.code(method, action="stop") == "409"
    call.do(method, action={"start": {}})


@pytest.mark.parametrize("action", ["dance", {}, {"stop": {}, "summarize": {}}, {"inject": {"message": "x"}}])
def test_an_action_that_a_transcription_does_not_know_is_refused(call: Inbound, action: object):
    transcribe(call, {"start": {}})
    assert call.code("calling.live_transcribe", action=action) == "400"


def test_a_transcription_is_nobody_who_asks(call: Inbound):
    transcribe(call, {"start": {}})
    assert not call.line._call.has_listener


def test_each_side_hears_what_the_other_said_in_its_own_language(stage: Stage, call: Inbound):
    stage.sim.teach_translation("Hello", "Hola", to="es")
    desk = stage.sim.phone("+15550002222").answers()
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])
    call.line.talks_to(desk)
    translate(call, {"start": {"source": "en", "target": "es"}}, status_url=HOOK)
    call.line.says("hello")
    desk.hears("voice hello").hears("Hola")
    desk.says("Buenos días")
    call.line.hears("voice Buenos días").hears("[en] Buenos días")
    stage.run(10)

    assert [
        (body["role"], body["content"], body["translation"], body["lang"]) for body in bodies(stage, "utterance")
    ] == [
        ("remote-caller", "hello", "Hola", "en"),
        ("local-caller", "Buenos días", "[en] Buenos días", "es"),
    ]
    assert desk.line.heard[-1].language == "es"


def test_a_translation_is_not_translated_back(stage: Stage, call: Inbound):
    """Two translations on the two legs of one conversation would talk to each other for ever."""
    desk = stage.sim.phone("+15550002222").answers()
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])
    call.line.talks_to(desk)
    far = call.peer.events("calling.call.connect")[-1]["peer"]
    translate(call, {"start": {"from_lang": "en", "to_lang": "es"}})
    action = {"start": {"from_lang": "es", "to_lang": "en"}}
    call.peer.do("calling.live_translate", call_id=far["call_id"], node_id=far["node_id"], action=action)
    call.line.says("hello")
    stage.run(60)
    assert len(call.line.heard) + len(desk.line.heard) < 8


def test_a_message_can_be_let_in(stage: Stage, call: Inbound):
    stage.sim.teach_translation("One moment", "Un momento", to="es")
    translate(call, {"start": {"source": "es", "target": "en"}}, status_url=HOOK)
    assert translate(call, {"inject": {"message": "One moment"}}) == "Message injected"
    call.line.hears("Un momento")
    translate(call, {"inject": {"message": "Nobody is there", "direction": "local-caller"}})
    stage.run(5)
    assert len(call.line.heard) == 1


def test_a_translation_that_was_stopped_says_nothing_more(stage: Stage, call: Inbound):
    translate(call, {"start": {"source": "es", "target": "en"}})
    call.do("calling.play", control_id="c1", play=[tts("Hello")])
    translate(call, "stop")
    stage.run(10)
    assert [sound.text for sound in call.line.heard] == ["Hello"]
