"""Hold and denoise. Source: PROTOCOL 12."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts

DESK = "+15550002222"
HOLD = "calling.call.hold"


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


@pytest.fixture
def desk(stage: Stage, call: Inbound) -> Any:
    """The line of somebody whom the caller is connected to."""
    stage.sim.phone(DESK).answers()
    call.do("calling.connect", devices=[[phone_device(DESK)]])
    stage.run(1)
    return stage.sim.phone(DESK).line


def said(line: Any) -> list[str]:
    return [sound.text for sound in line.heard if sound.kind in ("voice", "digits")]


def test_who_is_on_hold_hears_music_and_neither_hears_the_other_nor_is_heard(stage: Stage, call: Inbound, desk: Any):
    call.do("calling.hold")
    call.line.hears("music hold").says("hello?").presses("5")
    desk.says("nobody there")
    with pytest.raises(StoryError, match="does not talk"):
        call.line.talks_to(desk, within=0.1)
    assert said(desk) == said(call.line) == []

    call.do("calling.unhold")
    call.line.talks_to(desk).says("here I am")
    desk.hears("voice here I am").says("good")
    call.line.hears("voice good")
    assert call.peer.states(HOLD) == ["hold", "unhold"]


def test_the_music_goes_on_until_the_hold_is_over(stage: Stage, call: Inbound):
    call.do("calling.hold")
    stage.run(100)
    heard = len(call.line.heard)
    assert heard > 2
    call.do("calling.unhold")
    stage.run(100)

    assert len(call.line.heard) == heard


def test_the_application_itself_is_still_heard_on_hold_and_listens(stage: Stage, call: Inbound):
    """Hold is between people: a collect or a prompt is not a person."""
    call.do("calling.hold")
    call.do("calling.collect", control_id="c1", digits={"max": 1})
    call.do("calling.play", control_id="c2", play=[tts("You are next.")])
    call.line.hears("You are next").presses("1")

    assert call.peer.events("calling.call.collect")[-1]["result"]["params"]["digits"] == "1"


def test_repeating_what_is_already_so_is_answered_alike(stage: Stage, call: Inbound):
    """A command that is sent again after a crash must not fail, nor start a second music."""
    for _ in range(2):
        assert call.do("calling.hold")["message"] == "Call on hold"
    stage.run(1)
    assert [sound.kind for sound in call.line.heard] == ["music"]
    for _ in range(2):
        assert call.do("calling.unhold")["message"] == "Call off hold"

    assert call.peer.states(HOLD) == ["hold", "hold", "unhold", "unhold"]


def test_hold_shows_on_the_line_and_on_the_snapshot_and_ends_with_the_call(stage: Stage, call: Inbound):
    call.do("calling.hold")
    assert call.line.is_on_hold
    assert stage.sim.calls[-1].is_on_hold
    call.line.hangs_up()
    stage.run(100)

    assert not call.line.is_on_hold
    assert len(call.line.heard) == 1


def test_denoise_is_remembered(stage: Stage, call: Inbound):
    call.do("calling.denoise")
    assert call.line.is_denoised
    assert stage.sim.calls[-1].is_denoised
    call.do("calling.denoise.stop")

    assert not call.line.is_denoised
    assert call.peer.states("calling.call.denoise", "denoised") == [True, False]
