"""Playing, as the client sees it and as the person hears it. Source: PROTOCOL 11.1."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, tts

PLAY = "calling.call.play"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def play(call: Inbound, *items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return call.do("calling.play", control_id="c1", play=list(items), **more)


def test_a_prompt_is_playing_is_heard_and_is_finished_after_its_length(stage: Stage, call: Inbound):
    result = play(call, tts("x" * 30))
    assert result == {"code": "200", "message": "Playing", "call_id": call.call_id, "control_id": "c1"}
    assert call.peer.states(PLAY) == ["playing"]
    assert call.line.heard[-1].text == "x" * 30

    stage.run(1.9)
    assert call.peer.states(PLAY) == ["playing"]
    stage.run(0.2)
    assert call.peer.states(PLAY, control_id="c1") == ["playing", "finished"]


def test_pace_makes_a_prompt_shorter():
    stage = Stage(pace=0.05)
    call = stage.inbound(stage.client("support"))
    play(call, tts("x" * 30))
    stage.run(0.11)

    assert call.peer.states(PLAY) == ["playing", "finished"]


def test_a_list_is_heard_item_by_item_and_reported_once(stage: Stage, call: Inbound):
    play(call, tts("one"), {"type": "silence", "params": {"duration": 1}}, tts("two"))
    stage.run(5)

    assert [str(sound) for sound in call.line.heard] == ["one", "silence", "two"]
    assert call.peer.states(PLAY) == ["playing", "finished"]


def test_a_paused_prompt_waits_and_then_plays_only_its_rest(stage: Stage, call: Inbound):
    play(call, tts("x" * 30))
    stage.run(1.5)
    call.do("calling.play.pause", control_id="c1")
    stage.run(60)
    call.do("calling.play.resume", control_id="c1")
    stage.run(0.4)
    assert call.peer.states(PLAY) == ["playing", "paused", "playing"]

    stage.run(0.2)
    assert call.peer.states(PLAY)[-1] == "finished"


def test_pausing_and_resuming_twice_reports_once(stage: Stage, call: Inbound):
    play(call, tts("x" * 30))
    for _ in range(2):
        call.do("calling.play.pause", control_id="c1")
    for _ in range(2):
        call.do("calling.play.resume", control_id="c1")

    assert call.peer.states(PLAY) == ["playing", "paused", "playing"]


def test_a_paused_prompt_that_is_stopped_is_finished_and_stays_silent(stage: Stage, call: Inbound):
    play(call, tts("x" * 30), tts("never"))
    call.do("calling.play.pause", control_id="c1")
    call.do("calling.play.stop", control_id="c1")
    stage.run(60)

    assert call.peer.states(PLAY) == ["playing", "paused", "finished"]
    assert [str(sound) for sound in call.line.heard] == ["x" * 30]


def test_stop_finishes_and_a_second_stop_finds_nothing(stage: Stage, call: Inbound):
    """Source: PROTOCOL 10.6: stopping what is over is answered like a call that is gone."""
    play(call, tts("x" * 300))
    assert call.do("calling.play.stop", control_id="c1")["message"] == "Stopping"
    assert call.code("calling.play.stop", control_id="c1") == "404"
    stage.run(60)

    assert call.peer.states(PLAY) == ["playing", "finished"]


def test_volume_is_accepted_and_has_no_event(call: Inbound):
    play(call, tts("x" * 300))
    call.do("calling.play.volume", control_id="c1", volume=-3.0)

    assert call.peer.states(PLAY) == ["playing"]


@pytest.mark.parametrize(("loop", "times"), [(1, 1), (3, 3)])
def test_a_loop_repeats_so_often(stage: Stage, call: Inbound, loop: int, times: int):
    play(call, tts("again"), loop=loop)
    stage.run(60)

    assert len(call.line.heard) == times
    assert call.peer.states(PLAY) == ["playing", "finished"]


def test_loop_zero_plays_until_it_is_stopped(stage: Stage, call: Inbound):
    play(call, tts("again"), loop=0)
    stage.run(60)
    assert call.peer.states(PLAY) == ["playing"]
    assert len(call.line.heard) > 100

    call.do("calling.play.stop", control_id="c1")
    assert call.peer.states(PLAY)[-1] == "finished"


def test_media_that_make_no_sense_end_in_error(call: Inbound):
    assert play(call, {"type": "video", "params": {}})["code"] == "200"
    assert call.peer.states(PLAY) == ["error"]


def test_hanging_up_finishes_a_prompt_before_the_call_ends(stage: Stage, call: Inbound):
    """Source: PROTOCOL 19.2: terminal events first."""
    play(call, tts("x" * 300))
    call.line.hangs_up()

    assert call.peer.story()[-3:] == ["call.play finished", "call.state ending", "call.state ended"]


def test_two_prompts_run_at_once_and_are_told_apart(stage: Stage, call: Inbound):
    """Source: PROTOCOL 10.3."""
    play(call, tts("x" * 30))
    call.do("calling.play", control_id="c2", play=[tts("y" * 60)])
    stage.run(60)

    assert call.peer.states(PLAY, control_id="c1") == ["playing", "finished"]
    assert call.peer.states(PLAY, control_id="c2") == ["playing", "finished"]
