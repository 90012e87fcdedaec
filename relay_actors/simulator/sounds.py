"""What can be heard on a line, and for how long. Layer: simulator, pure.

Source: PROTOCOL 13.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from relay_actors.protocol.readers import read_number, read_object, read_text

__all__ = [
    "AUDIO_S",
    "BEEP",
    "SHORTEST_S",
    "Sound",
    "UnplayableError",
    "digit_tones",
    "music",
    "sounds_of",
    "spoken",
    "voice",
]

LETTERS_PER_S: Final = 15.0
"""How fast a prompt is read aloud: about 150 words a minute."""

SHORTEST_S: Final = 0.05
"""Nothing is shorter, so that an endless loop of nothing cannot stop the clock."""

AUDIO_S: Final = 3.0
"""How long a recording of unknown length plays: the simulator fetches no URL."""

LONGEST_S: Final = 86_400.0
"""Nothing is longer: a day of it is a mistake."""

RINGTONE_S: Final = 4.0

MUSIC_S: Final = 30.0
"""How long a piece of waiting music is; it is played again and again."""


class UnplayableError(Exception):
    """Media that no server could play; the play ends with state ``error``."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Something that is heard.

    Attributes:
        kind: ``tts``, ``audio``, ``silence``, ``ringtone``, ``beep``, ``digits``, ``music`` (while one waits) or
            ``voice`` (another person).
        text: what is said, the URL, the name of the tone, or the digits.
        length_s: simulated seconds.
        language: of what is read aloud, as the command named it; empty if it did not.
        voice: who reads it aloud, as the command named it; empty if it did not.
    """

    kind: str
    text: str
    length_s: float
    language: str = ""
    voice: str = ""

    def __str__(self) -> str:
        return self.text if self.kind == "tts" else f"{self.kind} {self.text}".strip()


BEEP: Final = Sound("beep", "", 0.4)


def music(occasion: str, url: object = None) -> Sound:
    """Return what somebody hears who waits: the audio at ``url`` if that is text, or else music."""
    if isinstance(url, str) and url:
        return Sound("audio", url, AUDIO_S)
    return Sound("music", occasion, MUSIC_S)


def voice(words: str) -> Sound:
    """Return what somebody says."""
    return Sound("voice", words, _reading_s(words))


def spoken(words: str, *, language: str = "", voice: str = "") -> Sound:
    """Return what the server reads aloud."""
    return Sound("tts", words, _reading_s(words), language, voice)


def digit_tones(digits: str) -> Sound:
    """Return tones as they are sent: ``w`` waits half a second, ``W`` a whole one. Source: PROTOCOL 12."""
    pauses = 0.5 * digits.count("w") + 1.0 * digits.count("W")
    tones = digits.replace("w", "").replace("W", "")
    return Sound("digits", tones, max(SHORTEST_S, 0.25 * len(tones) + pauses))


def sounds_of(items: object) -> list[Sound]:
    """Return what a list of media items sounds like.

    Raises:
        UnplayableError: it is no list, is empty, or holds an item that is unknown or lacks what it needs.
    """
    if not isinstance(items, list) or not items:
        raise UnplayableError("there is nothing to play")
    return [_sound_of(item) for item in items]


def _sound_of(item: object) -> Sound:
    body = read_object(item) or {}
    kind = read_text(body.get("type"))
    params = read_object(body.get("params")) or {}
    match kind:
        case "tts" if words := read_text(params.get("text")):
            language, gender = read_text(params.get("language")), read_text(params.get("gender"))
            return spoken(words, language=language or "", voice=read_text(params.get("voice")) or gender or "")
        case "audio" if url := read_text(params.get("url")):
            return Sound("audio", url, AUDIO_S)
        case "silence" if (length := read_number(params.get("duration"))) is not None:
            return Sound("silence", "", min(LONGEST_S, max(SHORTEST_S, length)))
        case "ringtone" if name := read_text(params.get("name")):
            length = read_number(params.get("duration")) or RINGTONE_S
            return Sound("ringtone", name, min(LONGEST_S, max(SHORTEST_S, length)))
    raise UnplayableError(f"a media item of type {kind!r} that cannot be played")


def _reading_s(words: str) -> float:
    return max(0.5, len(words) / LETTERS_PER_S)
