"""One person on one call: the story that tests tell, and what they read when it goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ArgumentError, ConfigError
from relay_actors.simulator.lines import Moment, StoryError
from tests.simulator.stage import Inbound, Peer, Stage, phone_device, tts


@pytest.fixture
def call(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer)


def play(call: Inbound, *items: dict[str, Any]) -> None:
    call.do("calling.play", control_id=f"c{len(call.peer.frames)}", play=list(items))


def played(call: Inbound) -> str:
    return str(call.peer.events("calling.call.play")[-1]["control_id"])


def test_hearing_waits_for_what_is_to_come_and_ignores_case(stage: Stage, call: Inbound):
    play(call, {"type": "silence", "params": {"duration": 3}}, tts("Press ONE for sales"))
    call.line.hears("press one")

    assert stage.clock.now() == 3.0


@pytest.mark.parametrize(
    ("item", "heard_as"),
    [
        ({"type": "audio", "params": {"url": "https://media.example.com/hold.wav"}}, "hold.wav"),
        ({"type": "silence", "params": {"duration": 1}}, "silence"),
        ({"type": "ringtone", "params": {"name": "us"}}, "ringtone us"),
        ({"type": "tts", "params": {"text": "Press 1 for sales."}}, "FOR SALES"),
    ],
)
def test_words_recordings_tones_and_silence_can_be_heard(call: Inbound, item: dict[str, Any], heard_as: str):
    play(call, item)
    call.line.hears(heard_as)
    with pytest.raises(StoryError):
        call.line.hears(heard_as, within=10.0)


@pytest.mark.parametrize(
    ("method", "params", "heard_as"),
    [
        ("calling.record", {"control_id": "c", "record": {"audio": {"beep": True}}}, "beep"),
        ("calling.send_digits", {"control_id": "c", "digits": "12#"}, "digits 12#"),
        ("calling.hold", {}, "music"),
        ("calling.connect", {"devices": [[phone_device("+15550002222")]]}, "ringtone"),
    ],
)
def test_what_other_commands_let_sound_can_be_heard(call: Inbound, method: str, params: dict[str, Any], heard_as: str):
    call.do(method, **params)
    call.line.hears(heard_as)


def test_another_person_can_be_heard_with_words_and_keys(stage: Stage, call: Inbound):
    stage.sim.phone("+15550002222").answers()
    call.do("calling.connect", devices=[[phone_device("+15550002222")]])
    call.line.talks_to("+15550002222")
    stage.sim.phone("+15550002222").says("Hello there").presses("5")

    call.line.hears("voice hello").hears("digits 5")


def test_nothing_is_heard_when_nothing_is_played_for_so_long(stage: Stage, call: Inbound):
    """Played silence is nothing. What sounds already may come to its end, and the time counts from there."""
    play(call, tts("Goodbye."), {"type": "silence", "params": {"duration": 1}})
    call.line.hears("goodbye").hears_nothing(for_s=3)
    assert stage.clock.now() == pytest.approx(8 / 15 + 3)
    call.line.hears_nothing(for_s=2).hears_nothing(for_s=0)
    assert stage.clock.now() == pytest.approx(8 / 15 + 5)


def test_what_is_heard_in_place_of_nothing_is_told(stage: Stage, call: Inbound):
    play(call, tts("One."), {"type": "silence", "params": {"duration": 2}}, tts("Two."), tts("Three."))
    with pytest.raises(StoryError, match=r"was to hear nothing for 3 s, and heard: 'Two\.'\n"):
        call.line.hears("one").hears_nothing(for_s=3)
    assert stage.clock.now() == pytest.approx(2.5), "at once"

    call.line.hears("two").hears("three").hears_nothing(for_s=3)


def test_the_time_of_nothing_is_simulated_and_counts_what_is_resumed():
    stage = Stage(pace=0.05)
    call = stage.inbound(stage.client("support"))
    play(call, tts("x" * 60))
    stage.run(0.05)
    call.do("calling.play.pause", control_id=played(call))
    stage.sim._world.after(2.0, lambda: call.ask("calling.play.resume", control_id=played(call)))
    call.line.hears_nothing(for_s=5)

    assert stage.clock.now() == pytest.approx((1 + 2 + 3 + 5) * 0.05)


@pytest.mark.parametrize(
    ("begins", "ends"), [("calling.hold", "calling.unhold"), ("calling.play", "calling.play.stop")]
)
def test_what_is_stopped_before_its_end_sounds_no_more(stage: Stage, call: Inbound, begins: str, ends: str):
    """The time of nothing counts from there: music on hold would have gone on for half a minute."""
    items = [{"type": "audio", "params": {"url": "https://media.example.com/long.wav"}}] * 4
    call.do(begins, **({"control_id": "c", "play": items} if begins == "calling.play" else {}))
    stage.sim._world.after(2.0, lambda: call.ask(ends, control_id="c"))
    stage.sim._world.after(6.0, lambda: call.ask("calling.play", control_id="d", play=[tts("Are you there?")]))
    call.line.hears("").hears_nothing(for_s=3)

    assert stage.clock.now() == pytest.approx(5.0)


def test_who_is_hung_up_on_does_not_hear_nothing(stage: Stage, call: Inbound):
    """A call that has gone would make every such story true."""
    stage.sim._world.after(2.0, lambda: call.ask("calling.end"))
    with pytest.raises(StoryError, match="was to hear nothing for 3 s; the call has ended"):
        call.line.hears_nothing(for_s=3)
    assert stage.clock.now() == 2.0
    with pytest.raises(StoryError, match="the call has ended"):
        call.line.hears_nothing(for_s=3)


def test_what_is_heard_is_text(call: Inbound):
    """A number would otherwise be told by an error of the insides."""
    with pytest.raises(ArgumentError, match="what must be text"):
        call.line.hears(1)  # type: ignore[arg-type]


@pytest.mark.parametrize("for_s", [-1, "5", None, float("nan")])
def test_nothing_is_heard_for_a_number_of_seconds(call: Inbound, for_s: Any):
    with pytest.raises(ArgumentError, match="for_s must be a number of seconds"):
        call.line.hears_nothing(for_s)


def test_a_story_is_told_in_its_order(stage: Stage, call: Inbound):
    """What was heard before the last match cannot be heard again."""
    play(call, tts("one"), tts("two"))
    call.line.hears("two")

    with pytest.raises(StoryError) as failure:
        call.line.hears("one", within=2.0)
    complaint = str(failure.value).splitlines()[0]
    assert "heard in its place: nothing" in complaint
    assert "'one' was heard before that" in complaint


def test_one_prompt_that_is_asked_for_twice_says_that_it_is_matched_already(stage: Stage, call: Inbound):
    """The story shows the very words that are missed: who reads it looks for a bug in the application."""
    play(call, tts("2 waiting, 1 free"))
    call.line.hears("2 waiting")
    with pytest.raises(StoryError, match=r"'2 waiting, 1 free' was heard before that: hears\(\) goes on after what"):
        call.line.hears("1 free", within=2.0)


def test_a_word_that_is_not_heard_shows_what_was_and_the_whole_line(stage: Stage, call: Inbound):
    play(call, tts("Welcome."), tts("Press 1."))
    stage.run(0.9)
    call.line.presses("7")
    with pytest.raises(StoryError) as failure:
        call.line.hears("press 2", within=5.0)

    assert str(failure.value) == (
        f"+15550001111 did not hear 'press 2' within 5 s; heard in its place: 'Welcome.', 'Press 1.'\n"
        f"+15550001111 on call {call.call_id} (answered):\n"
        "      0.000  dialled +15550000000 (context support)\n"
        "      0.000  answered\n"
        "      0.000  heard 'Welcome.'\n"
        "      0.533  heard 'Press 1.'\n"
        "      0.900  pressed 7 (nobody listened)"
    )


def test_of_a_very_long_story_the_beginning_and_the_end_are_told(stage: Stage, call: Inbound):
    """An application that says thousands of things at once would hide all that else is told of it."""
    for number in range(1000):
        play(call, tts(f"Number {number}."))
    with pytest.raises(StoryError) as failure:
        call.line.hears("goodbye", within=1.0)

    complaint, *story = str(failure.value).splitlines()
    assert complaint.startswith("+15550001111 did not hear 'goodbye' within 1 s; heard in its place: 'Number 0.', ")
    assert complaint.endswith(", 'Number 999.'")
    assert len(complaint) < 4000
    assert len(story) < 210
    assert "  … 802 more" in story  # it was also dialled and answered
    assert story[-1].endswith("heard 'Number 999.'")
    call.line.hears("number 500")  # what is not told was heard all the same


def test_a_failed_story_is_an_assertion(call: Inbound):
    """Test runners must show a failure, not an error."""
    assert issubclass(StoryError, AssertionError)


def test_waiting_ends_when_the_call_does(stage: Stage, call: Inbound):
    call.do("calling.end", reason="busy")
    with pytest.raises(StoryError, match="before the call ended") as failure:
        call.line.hears("anything", within=3600.0)

    assert stage.clock.now() == 0.0
    assert "(ended, busy)" in str(failure.value)


def test_what_was_heard_before_the_end_is_still_heard(call: Inbound):
    play(call, tts("Goodbye."))
    call.do("calling.end")

    call.line.hears("goodbye")


def test_the_story_chains(call: Inbound):
    call.do("calling.play_and_collect", control_id="c", play=[tts("Press 1")], collect={"digits": {"max": 1}})
    call.line.is_connected().is_asked().hears("press 1").presses("1").hangs_up().is_hung_up()

    assert call.line.is_over


def test_being_asked_is_more_than_hearing(stage: Stage, call: Inbound):
    play(call, tts("x" * 300))
    with pytest.raises(StoryError, match="was not asked for anything"):
        call.line.is_asked(within=1.0)
    call.do("calling.collect", control_id="c", digits={"max": 1})
    call.line.is_asked(within=1.0)


def test_a_call_that_nobody_answers_is_not_connected(stage: Stage, peer: Peer):
    call = stage.inbound(peer, answered=False)
    with pytest.raises(StoryError, match="was not answered within 1 s"):
        call.line.is_connected(within=1.0)


def test_a_call_that_was_answered_and_is_over_is_not_told_as_one_that_was_not(call: Inbound):
    """It is not connected either."""
    call.line.hangs_up()
    with pytest.raises(StoryError, match="is not connected any more: the call was answered, and has ended"):
        call.line.is_connected()


def test_a_call_that_goes_on_is_not_hung_up(call: Inbound):
    with pytest.raises(StoryError, match=r"was not hung up within 0\.5 s"):
        call.line.is_hung_up(within=0.5)


def test_a_transfer_that_did_not_come_is_told(stage: Stage, call: Inbound):
    stage.client("sales")
    call.do("calling.transfer", dest="sales")
    call.line.is_transferred("sales")
    with pytest.raises(StoryError, match="was not transferred to billing"):
        call.line.is_transferred("billing", within=0.5)


@pytest.mark.parametrize("keys", ["two", 2, "1 2", "a", None])
def test_only_keys_that_a_phone_has_can_be_pressed(call: Inbound, keys: Any):
    """A word would be pressed letter by letter, with nobody listening to any."""
    before = call.line.timeline
    with pytest.raises(ConfigError, match=r"^presses\(.*\): give the keys as text"):
        call.line.presses(keys)
    assert call.line.timeline == before
    call.line.presses("0123456789*#ABCD")


@pytest.mark.parametrize("what", ["presses", "says"])
def test_after_the_end_nothing_can_be_done(call: Inbound, what: str):
    call.line.hangs_up()
    with pytest.raises(StoryError, match="the call has ended"):
        getattr(call.line, what)("1")


def test_hanging_up_twice_is_hanging_up(call: Inbound):
    call.line.hangs_up().hangs_up()

    assert call.states == ["answered", "ending", "ended"]


def test_only_a_ringing_phone_can_be_answered_or_rejected(call: Inbound):
    with pytest.raises(StoryError, match="does not ring"):
        call.line.answers()
    with pytest.raises(StoryError, match="does not ring"):
        call.line.rejects()


def test_the_timeline_tells_when_and_what(stage: Stage, call: Inbound):
    stage.run(2.5)
    call.line.says("hello")

    assert call.line.timeline[-1] == Moment(2.5, "said 'hello' (nobody listened)")


def test_a_line_tells_for_how_long_each_sound_was_heard(stage: Stage, call: Inbound):
    """Also one that was paused, stopped, or still sounds."""
    play(call, {"type": "silence", "params": {"duration": 2}}, {"type": "silence", "params": {"duration": 4}})
    stage.run(3)
    call.do("calling.play.pause", control_id=played(call))
    assert [length for _sound, length in call.line.heard_for] == [2.0, 1.0]
    call.do("calling.play.resume", control_id=played(call))
    stage.run(1)
    assert [length for _sound, length in call.line.heard_for] == [2.0, 1.0, 1.0]
    call.do("calling.play.stop", control_id=played(call))
    stage.run(9)

    assert [(sound.kind, length) for sound, length in call.line.heard_for] == [("silence", 2.0)] + 2 * [
        ("silence", 1.0)
    ]


def test_a_line_that_is_handed_on_remembers_all_its_legs(stage: Stage, call: Inbound):
    stage.client("sales")
    call.do("calling.transfer", dest="sales")

    assert call.line.call_ids[0] == call.call_id
    assert len(call.line.call_ids) == 2
    assert stage.sim.count(call.line, "calling.transfer") == 1


def test_talking_to_nobody_is_told(call: Inbound):
    with pytest.raises(StoryError, match=r"does not talk to \+15550002222 within 1 s"):
        call.line.talks_to("+15550002222", within=1.0)


def test_a_line_may_be_asked_for_its_line_like_a_phone(stage: Stage, peer: Peer):
    """DESIGN 6 tells its story so."""
    caller = stage.sim.phone("+15550001111").dials(context="support")

    assert caller.line.transferred_to is None
    assert stage.sim.phone("+15550001111").line is caller.line
