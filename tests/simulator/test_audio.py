"""Samples, WAV files and G.711. Source: ITU-T G.711, Q.23."""

from __future__ import annotations

import io
import math
import wave
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.audio import (
    FRAME_SAMPLES,
    RATE,
    a_law,
    mix_into,
    mu_law,
    samples_of,
    silence,
    wav,
    wav_size,
)
from relay_actors.simulator.sounds import BEEP, Sound, digit_tones, voice

SAMPLES = st.integers(-32768, 32767)
KEYS = {"1": (697, 1209), "5": (770, 1336), "9": (852, 1477), "0": (941, 1336), "#": (941, 1477), "D": (941, 1633)}


def decode(code: int) -> int:
    """Return what a receiver makes of a code: the inverse as G.711 defines it, written apart from the encoder."""
    code = ~code & 0xFF
    value = (((code & 0x0F) << 3) + 0x84 << (code >> 4 & 0x07)) - 0x84
    return -value if code & 0x80 else value


def decode_a_law(code: int) -> int:
    """Do the same for A-law."""
    code ^= 0x55
    exponent, value = code >> 4 & 0x07, (code & 0x0F) << 4
    value = value + 8 if exponent == 0 else value + 0x108 << exponent - 1
    return value if code & 0x80 else -value


def strength(samples: array[int], pitch_hz: float) -> float:
    """Return how loud one pitch is."""
    turn = 2 * math.pi * pitch_hz / RATE
    real = sum(sample * math.cos(turn * place) for place, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * place) for place, sample in enumerate(samples))
    return 2 * math.hypot(real, imaginary) / len(samples)


@pytest.mark.parametrize(
    ("sample", "code"), [(0, 0xFF), (-1, 0x7F), (32767, 0x80), (-32768, 0x00), (32124, 0x80), (8, 0xFE), (1000, 0xCE)]
)
def test_mu_law_codes_are_those_of_the_standard(sample: int, code: int):
    assert mu_law(array("h", [sample])) == bytes([code])


@given(SAMPLES)
def test_a_sample_comes_back_within_half_a_step(sample: int):
    """Steps double with each of eight segments; what is louder than the last one is clipped."""
    loudest = 32124
    heard = decode(mu_law(array("h", [sample]))[0])
    segment = (min(abs(sample), 32635) + 132).bit_length() - 8
    if abs(sample) > loudest:
        assert heard == math.copysign(loudest, sample)
    else:
        assert abs(heard - sample) <= 1 << segment + 2


@given(st.integers(0, 255).filter(lambda code: code != 0x7F))
def test_a_code_that_is_decoded_is_coded_as_it_was(code: int):
    """Of the two zeros the positive one is meant."""
    assert mu_law(array("h", [decode(code)])) == bytes([code])


@given(SAMPLES, SAMPLES)
def test_what_is_louder_stays_louder(one: int, other: int):
    quiet, loud = sorted((one, other))
    assert decode(mu_law(array("h", [quiet]))[0]) <= decode(mu_law(array("h", [loud]))[0])


@pytest.mark.parametrize("key", KEYS)
def test_a_key_is_its_two_tones_and_no_others(key: str):
    samples = samples_of(digit_tones(key), 0, 1000)
    loud = {
        pitch for pitch in (697, 770, 852, 941, 1209, 1336, 1477, 1633) if strength(samples, pitch) > 2000
    }  # fmt: skip
    assert loud == set(KEYS[key])


def test_keys_follow_each_other_with_a_pause_after_each():
    samples = samples_of(digit_tones("12"), 0, 4000)
    assert strength(samples[0:1000], 697) > 2000
    assert not any(samples[1200:2000])
    assert strength(samples[2000:3000], 1336) > 2000
    assert not any(samples[3200:])


def test_a_letter_that_is_no_key_is_silent():
    assert not any(samples_of(Sound("digits", "x", 0.1), 0, 800))


@pytest.mark.parametrize("sound", [voice("hello"), Sound("tts", "hello", 1.0), Sound("audio", "https://a", 3.0), BEEP])
def test_what_is_heard_is_loud_and_not_too_loud(sound: Sound):
    samples = samples_of(sound, 0, 1600)
    assert 4000 < max(samples) <= 8000


def test_a_ringing_tone_rings_two_seconds_of_six():
    samples = samples_of(Sound("ringtone", "us", 12.0), 0, 6 * RATE)
    assert strength(samples[:RATE], 440) > 3000
    assert strength(samples[:RATE], 480) > 3000
    assert not any(samples[2 * RATE :])


@given(st.sampled_from(["tts", "voice", "audio", "ringtone", "beep", "silence"]), st.integers(0, 60_000))
def test_a_sound_can_be_cut_anywhere_and_goes_on_without_a_seam(kind: str, cut: int):
    sound = Sound(kind, "x", 10.0)
    whole = samples_of(sound, 0, cut + 500)
    assert whole[:cut] + samples_of(sound, cut, 500) == whole
    assert len(whole) == cut + 500


def test_sounds_add_up_and_are_clipped():
    track = silence(4)
    mix_into(track, 1, array("h", [30_000, -30_000]))
    mix_into(track, 0, array("h", [1, 5_000, -5_000, 2]))
    assert list(track) == [1, 32_767, -32_768, 2]


@given(st.lists(SAMPLES, max_size=300), st.integers(1, 2))
def test_a_wav_file_holds_its_samples(samples: list[int], channels: int):
    other = array("h", reversed(samples))
    made = wav(*[array("h", samples), other][:channels])
    with wave.open(io.BytesIO(made)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (channels, 2, 8000)
        frames = array("h", file.readframes(file.getnframes()))
    assert frames[::channels] == array("h", samples)
    assert channels == 1 or frames[1::2] == other
    assert len(made) == wav_size(len(samples), channels)


@pytest.mark.parametrize(("sample", "code"), [(0, 0xD5), (-1, 0x55), (32767, 0xAA), (-32768, 0x2A), (1000, 0xFA)])
def test_a_law_codes_are_those_of_the_standard(sample: int, code: int):
    assert a_law(array("h", [sample])) == bytes([code])


@given(SAMPLES)
def test_an_a_law_sample_comes_back_within_half_a_step(sample: int):
    """Steps are alike in the first two segments and double with each later one; nothing is clipped."""
    segment = max(1, min(abs(sample), 32767).bit_length() - 8)
    assert abs(decode_a_law(a_law(array("h", [sample]))[0]) - sample) <= 1 << segment + 2


@given(st.integers(0, 255))
def test_an_a_law_code_that_is_decoded_is_coded_as_it_was(code: int):
    assert a_law(array("h", [decode_a_law(code)])) == bytes([code])


def test_a_frame_of_silence_is_one_byte_over_and_over():
    assert mu_law(silence(FRAME_SAMPLES)) == b"\xff" * 160
