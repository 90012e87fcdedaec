"""What all operations promise. Source: PROTOCOL 10."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, tts

RUNNING: list[tuple[str, dict[str, Any], str]] = [
    ("calling.play", {"play": [tts("x" * 3000)]}, "calling.call.play"),
    ("calling.play_and_collect", {"play": [tts("x")], "collect": {"digits": {"max": 1}}}, "calling.call.collect"),
    ("calling.collect", {"digits": {"max": 1}}, "calling.call.collect"),
    ("calling.record", {"record": {"audio": {}}}, "calling.call.record"),
    ("calling.detect", {"detect": {"type": "machine", "params": {}}}, "calling.call.detect"),
    ("calling.send_fax", {"document": "https://a/b.pdf"}, "calling.call.fax"),
    ("calling.receive_fax", {}, "calling.call.fax"),
    ("calling.tap", {"tap": {"type": "audio"}, "device": {"type": "rtp", "params": {}}}, "calling.call.tap"),
    ("calling.stream", {"url": "wss://a"}, "calling.call.stream"),
    ("calling.transcribe", {}, "calling.call.transcribe"),
    ("calling.pay", {"payment_connector_url": "https://a"}, "calling.call.pay"),
    ("calling.ai", {}, "calling.call.ai"),
]

ids = [method for method, _, _ in RUNNING]


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


@pytest.mark.parametrize(("method", "params", "event_type"), RUNNING, ids=ids)
def test_every_operation_can_be_stopped_and_ends_once(
    stage: Stage, call: Inbound, method: str, params: dict[str, Any], event_type: str
):
    started = call.do(method, control_id="c1", **params)
    assert started["control_id"] == "c1"
    assert started["call_id"] == call.call_id
    call.do(f"{method}.stop", control_id="c1")
    ended = len(call.peer.events(event_type))
    assert ended, "the terminal event goes out"
    stage.run(120)

    assert len(call.peer.events(event_type)) == ended, "nothing follows it"
    assert call.code(f"{method}.stop", control_id="c1") == "404"


@pytest.mark.parametrize(("method", "params", "event_type"), RUNNING, ids=ids)
def test_nothing_of_an_operation_follows_the_end_of_its_call(
    stage: Stage, call: Inbound, method: str, params: dict[str, Any], event_type: str
):
    """Source: PROTOCOL 8.5, 19.2."""
    call.do(method, control_id="c1", **params)
    call.line.hangs_up()
    stage.run(120)

    assert call.peer.story()[-2:] == ["call.state ending", "call.state ended"]
    if method != "calling.ai":  # the AI never tells of its end when the call ends
        assert call.peer.events(event_type)


def test_a_control_id_in_use_is_a_conflict(call: Inbound):
    call.do("calling.play", control_id="c1", play=[tts("x" * 300)])
    assert call.code("calling.play", control_id="c1", play=[tts("y")]) == "409"
    assert call.peer.states("calling.call.play") == ["playing"]


@pytest.mark.parametrize("after_s", [0.0, 1.0], ids=["while it runs", "when it is over"])
def test_a_command_that_comes_twice_is_carried_out_once(stage: Stage, call: Inbound, after_s: float):
    """A client that has lost the answer sends it again under the same control_id, and nothing is played twice."""
    call.do("calling.play", control_id="c1", play=[tts("x")])
    stage.run(after_s)
    assert call.code("calling.play", control_id="c1", play=[tts("x")]) == "409"
    stage.run(1)
    assert call.peer.states("calling.call.play") == ["playing", "finished"]


def test_a_control_id_that_was_refused_may_be_tried_again(stage: Stage, call: Inbound):
    """Nothing has run under it."""
    stage.sim.reject_next("calling.play", code="500")
    assert call.code("calling.play", control_id="c1", play=[tts("x")]) == "500"
    call.do("calling.play", control_id="c1", play=[tts("x")])
    assert call.peer.states("calling.call.play") == ["playing"]


def test_a_digit_binding_plays_as_often_as_the_digits_are_pressed(stage: Stage, call: Inbound):
    """The server runs it by itself, each time under the control_id that the binding names (PROTOCOL 12)."""
    bound = {"control_id": "c1", "play": [tts("x")]}
    call.do("calling.bind_digit", digits="1", bind_method="calling.play", params=bound)
    for _ in range(2):
        call.line.presses("1")
        stage.run(1)
    assert call.peer.states("calling.call.play") == ["playing", "finished"] * 2


def test_a_sub_command_for_another_kind_of_operation_finds_nothing(call: Inbound):
    call.do("calling.play", control_id="c1", play=[tts("x" * 300)])
    assert call.code("calling.record.stop", control_id="c1") == "404"
    assert call.code("calling.collect.start_input_timers", control_id="c1") == "404"
    assert call.code("calling.play_and_collect.volume", control_id="c1", volume=1.0) == "404"


def test_every_event_is_told_by_http_too(stage: Stage, peer: Peer):
    """Whatever the operation, to the URL that its command names, and by the method that it names."""
    call = stage.inbound(peer)
    hook = "https://hooks.example.com/play"
    call.do("calling.play", control_id="c1", play=[tts("Hello.")], status_url=hook, status_url_method="GET")
    call.do("calling.play", control_id="c2", play=[tts("Nobody hears of this one.")])
    stage.run(30)

    told = peer.events("calling.call.play")
    assert [(one.url, one.method) for one in stage.sim.webhooks] == [(hook, "GET")] * 2
    assert [one.body for one in stage.sim.webhooks] == [
        {"event_type": "calling.call.play", "params": event} for event in told if event["control_id"] == "c1"
    ]
