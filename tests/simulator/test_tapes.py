"""What a tape remembers, and what is made of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.audio import RATE
from relay_actors.simulator.sounds import Sound, voice
from relay_actors.simulator.tapes import BOTH, BOUND, HEARD, SAID, Take, Tape, render


class Hand:
    """A tape, and a clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.tape = Tape(lambda: self.now)

    def run(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


SONG = Sound("audio", "https://a", 3.0)


def told(hand: Hand, start_s: float, end_s: float) -> list[tuple[str, float, float]]:
    notes = hand.tape.between(1000 + start_s, 1000 + end_s)
    return [(note.sound.kind, note.start_s - 1000, note.end_s - 1000) for note in notes]


def test_a_tape_gives_what_sounds_in_a_time(hand: Hand):
    hand.tape.note(HEARD, SONG)
    hand.run(5)
    hand.tape.note(HEARD, Sound("tts", "hello", 1.0))

    assert told(hand, 0, 9) == [("audio", 0, 3), ("tts", 5, 6)]
    assert told(hand, 2, 5) == [("audio", 0, 3)]
    assert told(hand, 3, 5) == []
    assert told(hand, 5.5, 5.6) == [("tts", 5, 6)]


def test_a_long_sound_is_found_behind_short_ones(hand: Hand):
    hand.tape.note(HEARD, Sound("audio", "https://long", 60.0))
    for _ in range(20):
        hand.run(1)
        hand.tape.note(SAID, Sound("digits", "1", 0.1))

    assert [kind for kind, _start, _end in told(hand, 50, 51)] == ["audio"]


def test_keys_that_are_pressed_at_once_sound_one_after_the_other(hand: Hand):
    for key in "12":
        hand.tape.note(SAID, Sound("digits", key, 0.1))

    assert [start for _kind, start, _end in told(hand, 0, 1)] == pytest.approx([0, 0.1])


def test_sounds_of_an_application_overlap(hand: Hand):
    hand.tape.note(HEARD, SONG)
    hand.tape.note(HEARD, SONG)

    assert told(hand, 0, 1) == [("audio", 0, 3), ("audio", 0, 3)]


def test_a_sound_that_is_cut_ends_there(hand: Hand):
    hand.tape.note(HEARD, SONG)
    hand.run(1)
    hand.tape.cut(SONG)
    hand.run(9)
    hand.tape.cut(SONG)

    assert told(hand, 0, 9) == [("audio", 0, 1)]


def test_only_the_last_sounds_are_remembered(hand: Hand):
    for _ in range(BOUND + 1):
        hand.tape.note(HEARD, SONG)

    assert len(told(hand, 0, 1)) == BOUND + 1 - BOUND // 10


def test_samples_stand_where_the_sound_was(hand: Hand):
    hand.run(1)
    hand.tape.note(SAID, Sound("beep", "", 0.5))
    samples = render(hand.tape.between(1000, 1003), (SAID,), 1000, 3 * RATE)

    assert not any(samples[:RATE])
    assert any(samples[RATE : RATE + 20])
    assert any(samples[RATE + 3980 : RATE + 4000])
    assert not any(samples[RATE + 4000 :])


def test_the_rest_of_a_paused_sound_goes_on_where_it_broke_off(hand: Hand):
    hand.tape.note(HEARD, SONG)
    whole = render(hand.tape.between(1000, 1003), (HEARD,), 1000, 3 * RATE)
    hand.run(1.23)
    hand.tape.cut(SONG)
    hand.tape.note(HEARD, SONG, skipped_s=1.23)

    assert render(hand.tape.between(1000, 1003), (HEARD,), 1000, 3 * RATE) == whole


@given(st.integers(0, 2 * RATE), st.integers(0, RATE))
def test_a_window_of_a_tape_is_a_piece_of_the_whole(first: int, count: int):
    """Frame by frame a stream carries what a recording has."""
    hand = Hand()
    hand.tape.note(HEARD, SONG)
    hand.run(0.5)
    hand.tape.note(SAID, voice("good morning"))
    notes = hand.tape.between(1000, 1003)
    whole = render(notes, BOTH, 1000, 3 * RATE)

    assert render(notes, BOTH, 1000 + first / RATE, count) == whole[first : first + count]


def test_a_take_knows_its_length_and_cuts_gaps_out(hand: Hand):
    take = Take(hand.tape)
    hand.run(2)
    take.pause(keeps_silence=False)
    hand.tape.note(SAID, voice("nobody hears this"))
    hand.run(10)
    take.resume()
    hand.run(3)

    assert take.length_s == 5
    assert len(take.clip().samples(BOTH)) == 5 * RATE
    assert not any(take.clip().samples(BOTH))


def test_a_take_may_keep_a_gap_as_silence(hand: Hand):
    take = Take(hand.tape)
    hand.tape.note(HEARD, SONG)
    hand.run(1)
    take.pause(keeps_silence=True)
    hand.run(1)
    assert take.is_paused
    take.resume()
    hand.run(1)
    samples = take.clip().samples(BOTH)

    assert len(samples) == 3 * RATE
    assert any(samples[:RATE])
    assert not any(samples[RATE : 2 * RATE])
    assert any(samples[2 * RATE :])


@given(st.lists(st.tuples(st.floats(0, 3), st.sampled_from(["cut", "silence", "on"])), max_size=8))
def test_a_clip_is_exactly_as_long_as_it_says(steps: list[tuple[float, str]]):
    """Whatever fractions of a sample its pieces have."""
    hand = Hand()
    take = Take(hand.tape)
    for seconds, what in steps:
        hand.run(seconds)
        if what == "on":
            take.resume()
        else:
            take.pause(keeps_silence=what == "silence")
    clip = take.clip()

    assert len(clip.samples(BOTH)) == clip.sample_count == round(clip.length_s * RATE)
    assert clip.length_s == pytest.approx(take.length_s, abs=0.001)


def test_a_clip_does_not_change_when_the_tape_goes_on(hand: Hand):
    take = Take(hand.tape)
    hand.run(1)
    clip = take.clip()
    hand.tape.note(SAID, voice("later"))
    hand.run(9)

    assert clip.length_s == 1
    assert clip.words() == []


def test_words_are_told_in_order_by_whom_and_as_far_as_they_came(hand: Hand):
    take = Take(hand.tape)
    prompt = Sound("tts", "one two three four", 4.0)
    hand.tape.note(HEARD, prompt)
    hand.run(1.9)
    hand.tape.cut(prompt)
    hand.tape.note(SAID, voice("stop it"))
    hand.tape.note(HEARD, Sound("audio", "https://a", 1.0))
    hand.run(2)

    assert take.clip().words() == [(HEARD, "one two"), (SAID, "stop it")]


def test_a_prompt_that_was_paused_is_written_down_once(hand: Hand):
    take = Take(hand.tape)
    prompt = Sound("tts", "one two three four", 4.0)
    hand.tape.note(HEARD, prompt)
    hand.run(2.5)
    hand.tape.cut(prompt)
    hand.tape.note(HEARD, prompt, skipped_s=2.5)
    hand.run(2)

    assert " ".join(words for _track, words in take.clip().words()) == "one two three four"


def test_a_sound_that_is_over_is_not_made_longer_by_a_late_cut(hand: Hand):
    """Also while a longer one still sounds."""
    short, long = Sound("audio", "https://a", 1.0), Sound("audio", "https://b", 9.0)
    hand.tape.note(HEARD, short)
    hand.tape.note(HEARD, long)
    hand.run(5)
    hand.tape.cut(short)

    assert told(hand, 0, 9) == [("audio", 0, 1), ("audio", 0, 9)]


def test_a_tape_tells_for_how_long_each_sound_was_heard(hand: Hand):
    """What the person said is not heard; what sounds now counts so far."""
    hand.tape.note(HEARD, SONG)
    hand.tape.note(SAID, voice("hello"))
    hand.run(1)
    hand.tape.cut(SONG)
    hand.tape.note(HEARD, Sound("audio", "https://b", 9.0))
    hand.run(2)

    assert [(sound.text, length) for sound, length in hand.tape.heard()] == [("https://a", 1.0), ("https://b", 2.0)]


def test_a_silence_of_any_length_can_be_listened_to(hand: Hand):
    """Whatever an agent was told about how long to wait."""
    hand.tape.note(HEARD, Sound("silence", "", 1e308))
    samples = render(hand.tape.between(1000, 1001), BOTH, 1000, 80)
    assert set(samples) == {0}
