"""Answering machines: what they say, and what they keep of what is said to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ArgumentError
from relay_actors.simulator.lines import Line, StoryError
from relay_actors.simulator.phones import Phone
from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts

HOME = "+15550002222"
GREETING = "You have reached the Grays."
GREETING_S = 1.8
READY_S = 0.2 + 0.3 + GREETING_S + 0.4
"""When it records: after picking up, a breath, the greeting and the beep."""


@pytest.fixture
def home(stage: Stage) -> Phone:
    return stage.sim.phone(HOME).is_answering_machine(GREETING)


def reach(stage: Stage, peer: Peer, *, at_s: float = 1.0) -> Inbound:
    """Dial the machine, and return its call so long afterwards; it has picked up after 0.2 s."""
    began_s = stage.clock.now()
    peer.do("calling.dial", tag="t", devices=[[phone_device(HOME)]])
    stage.run(0.2)
    winner = peer.events("calling.call.dial")[-1]["call"]
    stage.run(began_s + at_s - stage.clock.now())
    return Inbound(peer, stage.sim.phone(HOME).line, winner["call_id"], winner["node_id"])


def play(call: Inbound, *items: dict[str, Any]) -> None:
    call.do("calling.play", control_id=f"c{len(call.peer.frames)}", play=list(items))


def told(line: Line) -> list[tuple[float, str]]:
    return [(round(moment.at_s, 3), moment.what) for moment in line.timeline]


def test_a_machine_picks_up_greets_beeps_and_records(stage: Stage, peer: Peer, home: Phone):
    call = reach(stage, peer, at_s=READY_S)
    play(call, tts("Your book is due."), {"type": "audio", "params": {"url": "https://a/jingle.mp3"}})
    stage.run(10)
    call.do("calling.end")

    assert told(home.line) == [
        (0.0, "called by +15559990000"),
        (0.0, "ringing"),
        (0.2, "picked up"),
        (0.2, "answered"),
        (0.5, "said 'You have reached the Grays.'"),
        (2.3, "beeped"),
        (2.7, "heard 'Your book is due.'"),
        (3.833, "heard 'audio https://a/jingle.mp3'"),
        (12.7, "ended (hangup)"),
        (12.7, "recorded 'Your book is due. https://a/jingle.mp3'"),
    ]
    assert home.voicemails == ("Your book is due. https://a/jingle.mp3",)
    assert home.receives_voicemail("BOOK IS DUE") == home.voicemails[0]


def test_what_is_said_into_the_greeting_is_lost(stage: Stage, peer: Peer, home: Phone):
    """Of what goes on when the beep is over, the rest is there: as little as a real machine has of it."""
    call = reach(stage, peer, at_s=READY_S - 2.0)
    play(call, tts("one two three four five six seven eight nine ten eleven twelve."))
    stage.run(2.0)
    assert call.line.message == ""
    stage.run(10)

    assert call.line.message == "seven eight nine ten eleven twelve."


def test_a_message_ends_where_the_call_does(stage: Stage, peer: Peer, home: Phone):
    call = reach(stage, peer, at_s=READY_S)
    play(call, tts("one two three four five six seven eight nine ten eleven twelve."))
    stage.run(2.0)
    call.do("calling.end")
    stage.run(60)

    assert home.voicemails == ("one two three four five six",)


def test_tones_and_music_are_no_message(stage: Stage, peer: Peer, home: Phone):
    call = reach(stage, peer, at_s=READY_S)
    play(call, {"type": "ringtone", "params": {"name": "us"}}, {"type": "silence", "params": {"duration": 1}})
    stage.run(3)
    call.do("calling.end")

    assert home.voicemails == ()
    with pytest.raises(StoryError, match=rf"\{HOME} recorded no message with 'book' within 1 s") as failure:
        home.receives_voicemail("book", within=1.0)
    assert "heard 'ringtone us'" in str(failure.value)


def test_each_message_is_returned_once_in_any_order(stage: Stage, peer: Peer, home: Phone):
    for words in ("first", "second"):
        call = reach(stage, peer, at_s=READY_S)
        play(call, tts(words))
        stage.run(1)
        call.do("calling.end")

    assert home.receives_voicemail("second") == "second"
    assert home.receives_voicemail() == "first"
    with pytest.raises(StoryError):
        home.receives_voicemail(within=0.1)
    assert home.voicemails == ("first", "second")


def test_who_is_connected_to_a_machine_hears_it_and_can_leave_a_message(stage: Stage, peer: Peer, home: Phone):
    call = stage.inbound(peer)
    call.do("calling.connect", devices=[[phone_device(HOME)]])
    call.line.hears(f"voice {GREETING}").hears("beep")
    stage.run(0.4)
    call.line.says("Please call me back.")
    stage.run(3)
    call.line.hangs_up()

    assert home.receives_voicemail() == "Please call me back."


def test_a_greeting_is_speech_to_whatever_listens(stage: Stage, peer: Peer, home: Phone):
    call = reach(stage, peer, at_s=0.3)
    call.do("calling.record", control_id="r", record={"audio": {"direction": "speak", "end_silence_timeout": 2.0}})
    call.do("calling.collect", control_id="c", speech={})
    stage.run(6)

    [collected] = peer.events("calling.call.collect")
    assert collected["result"]["params"]["text"] == GREETING
    recorded = peer.events("calling.call.record")[-1]
    assert (recorded["state"], recorded["duration"]) == ("finished", pytest.approx(4.0, abs=0.01)), "0.2 + 1.8 + 2.0"


@pytest.mark.parametrize(
    ("how", "ready_s"),
    [
        ({}, READY_S),
        ({"beep": False}, READY_S - 0.4),
        ({"greeting_s": 9.0}, 0.2 + 0.3 + 9.0 + 0.4),
        ({"greeting_s": 5.0, "beep": False}, 0.2 + 0.3 + 5.0),
        ({"greeting": ""}, 0.2 + 0.3 + 0.4),
        ({"greeting": "", "beep": False}, 0.2 + 0.3),
    ],
)
def test_a_detector_is_told_when_the_machine_records(
    stage: Stage, peer: Peer, home: Phone, how: dict[str, Any], ready_s: float
):
    """What is played at that moment is recorded from its first word on. Source: PROTOCOL 13.5."""
    home.is_answering_machine(**{"greeting": GREETING, **how})
    call = reach(stage, peer, at_s=0.2)
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}})
    finished = lambda: peer.events("calling.call.detect")[-1:][0]["detect"]["params"]["event"] == "finished"  # noqa: E731
    stage.run(1.6)
    assert stage.sim.wait_until(finished, within=20.0)
    # A verdict takes 1.5 s, and silence is believed after another one.
    assert stage.clock.now() == pytest.approx(max(ready_s, 0.2 + 1.5 + 1.0))
    play(call, tts("Every word."))
    stage.run(5)

    ready = peer.events("calling.call.detect")[-2]["detect"]["params"]
    assert ready == {"event": "READY", **({"beep": True} if how.get("beep", True) else {})}
    assert call.line.message == "Every word."


def test_a_detector_that_comes_late_finds_the_machine_ready(stage: Stage, peer: Peer, home: Phone):
    """It cannot tell any more how long the greeting was."""
    call = reach(stage, peer, at_s=30.0)
    call.do("calling.detect", control_id="c1", detect={"type": "machine", "params": {}})
    stage.run(2.6)

    events = [event["detect"]["params"]["event"] for event in peer.events("calling.call.detect")]
    assert events == ["MACHINE", "NOT_READY", "READY", "finished"]


def test_a_machine_that_was_hung_up_on_says_no_more(stage: Stage, peer: Peer, home: Phone):
    call = reach(stage, peer, at_s=0.4)
    call.do("calling.end")
    stage.run(20)

    assert told(home.line)[-1] == (0.4, "ended (hangup)")


def test_a_person_records_nothing(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    play(call, tts("Hello."))
    call.line.hangs_up()

    assert call.line.message == ""
    assert stage.sim.phone(call.line.number).voicemails == ()


@given(said_at_s=st.floats(0.2, 12.0), ends_after_s=st.floats(0.0, 12.0), pace=st.sampled_from([0.05, 1.0]))
def test_a_message_is_the_piece_of_a_prompt_between_the_beep_and_the_end(
    said_at_s: float, ends_after_s: float, pace: float
):
    """A law: whenever the application speaks, no word is invented, repeated or put elsewhere."""
    stage = Stage(pace=pace)
    home = stage.sim.phone(HOME).is_answering_machine(GREETING)
    peer = stage.client("support")
    peer.do("calling.dial", tag="t", devices=[[phone_device(HOME)]])
    stage.run(said_at_s * pace + 1e-6)
    winner = peer.events("calling.call.dial")[-1]["call"]
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    call = Inbound(peer, home.line, winner["call_id"], winner["node_id"])
    play(call, tts(" ".join(words)))
    stage.run(ends_after_s * pace)
    call.do("calling.end")

    kept = home.voicemails[0].split() if home.voicemails else []
    start = words.index(kept[0]) if kept else 0
    assert kept == words[start : start + len(kept)]
    if said_at_s > READY_S:
        assert kept == words[: len(kept)]
    if said_at_s + ends_after_s < READY_S - 0.01:
        assert kept == []


@pytest.mark.parametrize(
    ("how", "names"),
    [({"greeting": 5}, "greeting must be"), ({"greeting_s": -1}, "greeting_s must be"), ({"greeting_s": "5"}, "greet")],
)
def test_a_machine_that_could_not_be_is_refused(stage: Stage, how: dict[str, Any], names: str):
    with pytest.raises(ArgumentError, match=names):
        stage.sim.phone(HOME).is_answering_machine(**how)
