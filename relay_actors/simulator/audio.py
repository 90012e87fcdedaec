"""What sounds are like: samples, WAV files and G.711 frames. Layer: simulator, pure.

Nobody records speech here: words are a voice that hums in syllables, so that a listener finds sound where somebody
spoke, silence where nobody did, and real tone pairs where keys were pressed. All is 16-bit linear at 8 kHz, as on a
telephone line. Every kind of sound repeats one short pattern, so that minutes of it cost little.
"""

from __future__ import annotations

import io
import math
import sys
import wave
from array import array
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final, TypeAlias

from relay_actors.simulator.sounds import Sound

__all__ = [
    "FRAME_S",
    "FRAME_SAMPLES",
    "RATE",
    "Samples",
    "a_law",
    "mix_into",
    "mu_law",
    "samples_of",
    "silence",
    "wav",
    "wav_size",
]

Samples: TypeAlias = "array[int]"
"""16-bit samples (type code ``h``)."""

RATE: Final = 8000
"""Samples in a second. Source: G.711."""

FRAME_S: Final = 0.02
"""How much one packet of a phone call carries. Source: RFC 3551 section 4.2."""

FRAME_SAMPLES: Final = 160

WAV_HEADER: Final = 44
"""Bytes before the samples of a file that `wave` writes."""

LOUDNESS: Final = 8000
"""The highest sample of any sound: a quarter of all there is, so that four can sound together without distortion."""

KEY_TONE: Final = 0.6
"""How much of a key's time is tone and not the pause after it. Source: ITU-T Q.24 (40 ms are enough for either)."""

_ROWS_HZ: Final = (697, 770, 852, 941)
_COLUMNS_HZ: Final = (1209, 1336, 1477, 1633)
_KEYS: Final = {key: (_ROWS_HZ[place // 4], _COLUMNS_HZ[place % 4]) for place, key in enumerate("123A456B789C*0#D")}
"""The two tones of each key. Source: ITU-T Q.23."""

_BIAS: Final = 132
_CLIP: Final = 32635


def silence(count: int) -> Samples:
    """Return so many samples of nothing."""
    return array("h", bytes(2 * count))


def samples_of(sound: Sound, start: int, count: int) -> Samples:
    """Return ``count`` samples of a sound, from its sample ``start`` on. It knows no end: the caller does."""
    pattern = _pattern(sound.kind, sound.text if sound.kind == "digits" else "", sound.length_s)
    place = start % len(pattern)
    times = -(-(place + count) // len(pattern))
    return (pattern * times if times != 1 else pattern)[place : place + count]


def mix_into(track: Samples, at: int, more: Samples) -> None:
    """Add samples to what sounds on ``track`` from sample ``at`` on; what is too loud is clipped."""
    end = at + len(more)
    if not any(track[at:end]):
        track[at:end] = more
        return
    for place, sample in enumerate(more, start=at):
        track[place] = max(-32768, min(32767, track[place] + sample))


def wav(*channels: Samples) -> bytes:
    """Return a WAV file of one channel, or of several of the same length."""
    if len(channels) == 1:
        frames = channels[0]
    else:
        frames = silence(len(channels) * len(channels[0]))
        for place, channel in enumerate(channels):
            frames[place :: len(channels)] = channel
    if sys.byteorder == "big":
        frames = frames[:]
        frames.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(len(channels))
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(frames.tobytes())
    return file.getvalue()


def wav_size(count: int, channels: int) -> int:
    """Return how many bytes `wav` makes of so many samples on each channel."""
    return WAV_HEADER + 2 * count * channels


def mu_law(samples: Samples) -> bytes:
    """Return samples in G.711 mu-law, one byte each."""
    codes = _codes(_mu_law_code)
    return bytes([codes[sample] for sample in samples])


def a_law(samples: Samples) -> bytes:
    """Return samples in G.711 A-law, one byte each."""
    codes = _codes(_a_law_code)
    return bytes([codes[sample] for sample in samples])


@cache
def _codes(code_of: Callable[[int], int]) -> bytes:
    """Return the code of each sample; Python counts negative ones from the end, which is where they stand."""
    return bytes([code_of(sample) for sample in (*range(32768), *range(-32768, 0))])


def _mu_law_code(sample: int) -> int:
    """Code one sample: sign, three bits of exponent and four of mantissa, all inverted. Source: ITU-T G.711."""
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | magnitude >> exponent + 3 & 0x0F) & 0xFF


def _a_law_code(sample: int) -> int:
    """Code one sample: the same fields, every second bit inverted. Source: ITU-T G.711."""
    sign = 0 if sample < 0 else 0x80
    magnitude = ~sample if sample < 0 else sample
    exponent = max(0, magnitude.bit_length() - 8)
    return (sign | exponent << 4 | magnitude >> max(4, exponent + 3) & 0x0F) ^ 0x55


@lru_cache(maxsize=256)
def _pattern(kind: str, text: str, length_s: float) -> Samples:
    """Return what a kind of sound repeats; only keys depend on their text and length."""
    match kind:
        case "tts":
            return _syllables(250)
        case "voice":
            return _syllables(150)
        case "audio":
            return _tones(0.2, 400, 500) + _tones(0.2, 450, 600)
        case "ringtone":
            # Source: Bell System ringing tone, 440 and 480 Hz, two seconds of six.
            return _tones(2.0, 440, 480) + silence(4 * RATE)
        case "beep":
            return _tones(0.02, 1000)
        case "digits" if text:
            return _keys(text, length_s)
    return silence(FRAME_SAMPLES)


def _syllables(pitch_hz: int) -> Samples:
    return _tones(0.16, pitch_hz, 2 * pitch_hz) + silence(3 * FRAME_SAMPLES)


def _keys(keys: str, length_s: float) -> Samples:
    each = max(1, round(length_s * RATE / len(keys)))
    sounding = round(KEY_TONE * each)
    made = silence(0)
    for key in keys:
        tones = _KEYS.get(key.upper())
        made += _tones(sounding / RATE, *tones) if tones else silence(sounding)
        made += silence(each - sounding)
    return made


@lru_cache(maxsize=64)
def _tones(length_s: float, *pitches_hz: int) -> Samples:
    share = LOUDNESS / len(pitches_hz)
    turns = [2 * math.pi * pitch_hz / RATE for pitch_hz in pitches_hz]
    return array(
        "h", [round(share * sum(math.sin(turn * place) for turn in turns)) for place in range(round(length_s * RATE))]
    )
