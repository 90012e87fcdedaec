"""What media items sound like."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.sounds import BEEP, Sound, UnplayableError, digit_tones, music, sounds_of, voice
from tests.simulator.stage import tts


@pytest.mark.parametrize(
    ("item", "sound"),
    [
        (tts("x" * 30), Sound("tts", "x" * 30, 2.0)),
        (tts("Hi"), Sound("tts", "Hi", 0.5)),
        (
            {"type": "tts", "params": {"text": "Hola", "language": "es-MX", "gender": "male"}},
            Sound("tts", "Hola", 0.5, language="es-MX", voice="male"),
        ),
        (
            {"type": "tts", "params": {"text": "Hola", "voice": "polly.Mia", "gender": "female"}},
            Sound("tts", "Hola", 0.5, voice="polly.Mia"),
        ),
        ({"type": "audio", "params": {"url": "https://a/b.wav"}}, Sound("audio", "https://a/b.wav", 3.0)),
        ({"type": "silence", "params": {"duration": 1.5}}, Sound("silence", "", 1.5)),
        ({"type": "ringtone", "params": {"name": "us", "duration": 2}}, Sound("ringtone", "us", 2.0)),
        ({"type": "ringtone", "params": {"name": "us"}}, Sound("ringtone", "us", 4.0)),
    ],
)
def test_each_kind_of_media_has_words_and_a_length(item: dict[str, object], sound: Sound):
    """Source: PROTOCOL 13.1."""
    assert sounds_of([item]) == [sound]


@pytest.mark.parametrize(
    "items",
    [
        None,
        [],
        "text",
        [7],
        [{"type": "tts", "text": "flat"}],
        [{"type": "tts", "params": {}}],
        [{"type": "video", "params": {"url": "x"}}],
        [{"type": "silence", "params": {"duration": "soon"}}],
    ],
)
def test_what_no_server_could_play_is_refused(items: object):
    """The flat form of an item is among them: the wire schema rejects it (PROTOCOL D1)."""
    with pytest.raises(UnplayableError):
        sounds_of(items)


def test_pauses_between_digits_take_time_and_make_no_tone():
    """Source: PROTOCOL 12: w is half a second, W a whole one."""
    assert digit_tones("1w2W3#") == Sound("digits", "123#", 2.5)


def test_a_sound_is_told_in_a_few_words():
    told = [str(sound) for sound in (*sounds_of([tts("Hello")]), BEEP, voice("yes"), digit_tones("12"))]
    assert told == ["Hello", "beep", "voice yes", "digits 12"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_nothing_is_shorter_than_a_moment(duration: float):
    """An endless loop of nothing would stop the clock."""
    (sound,) = sounds_of([{"type": "silence", "params": {"duration": duration}}])
    assert sound.length_s >= 0.05


@pytest.mark.parametrize("url", [None, "", 7])
def test_waiting_music_is_what_is_wished_or_else_the_house_s(url: object):
    assert music("queue", "https://a/b.mp3") == Sound("audio", "https://a/b.mp3", 3.0)
    assert str(music("queue", url)) == "music queue"


@pytest.mark.parametrize("duration", [86_401, 1e308])
def test_nothing_lasts_for_more_than_a_day(duration: float):
    """What comes of it must still be a time that can be reckoned with."""
    items = [{"type": "silence", "params": {"duration": duration}}, {"type": "ringtone", "params": {"name": "us"}}]
    items[1]["params"]["duration"] = duration
    assert [sound.length_s for sound in sounds_of(items)] == [86_400, 86_400]
