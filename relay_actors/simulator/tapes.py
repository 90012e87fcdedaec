"""What was heard and said on a leg, and when: from it recordings, streams and transcripts are made. Layer: simulator.

A tape notes only which sound began when. Samples are made when somebody asks for them, so a call that nobody listens to
costs a line per sound. All times are simulated seconds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from relay_actors.simulator.audio import RATE, Samples, mix_into, samples_of, silence
from relay_actors.simulator.sounds import Sound

__all__ = ["BOTH", "HEARD", "SAID", "Clip", "Note", "Span", "Take", "Tape", "Track", "render"]

Track = Literal["inbound", "outbound"]

SAID: Final = "inbound"
"""What the person at the end of the leg says and presses. Source: PROTOCOL 11.8 (``inbound_track``)."""

HEARD: Final = "outbound"
"""What that person hears."""

BOTH: Final[tuple[Track, ...]] = (SAID, HEARD)

BOUND: Final = 10_000
"""How many sounds a tape remembers."""

_ONE_AFTER_THE_OTHER: Final = ("digits", "voice")
"""Sounds of which several may be told at one moment; nobody presses two keys, or says two things, at once."""


@dataclass(slots=True)
class Note:
    """One sound on a tape.

    Attributes:
        track: who makes it.
        sound: what it is.
        start_s: when it begins.
        end_s: when it ends, or is cut off.
        skipped_s: how much of the sound was heard before, when this is the rest of it.
        over_by_s: when this note and all before it have ended, at the latest.
    """

    track: Track
    sound: Sound
    start_s: float
    end_s: float
    skipped_s: float
    over_by_s: float

    def words(self) -> str:
        """Return what is said in it, as far as it was not cut off."""
        if self.sound.kind not in ("tts", "voice"):
            return ""
        words = self.sound.text.split()
        first, last = (
            math.ceil(len(words) * min(1.0, passed_s / self.sound.length_s) - 0.001)
            for passed_s in (self.skipped_s, self.skipped_s + self.end_s - self.start_s)
        )
        return " ".join(words[first:last])


class Tape:
    """The sounds of one leg, as far as it remembers them: the last 10,000.

    Args:
        now: returns the simulated time.
    """

    __slots__ = ("_free_s", "_notes", "now")

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self._notes: list[Note] = []
        self._free_s: dict[tuple[str, str], float] = {}

    def note(self, track: Track, sound: Sound, *, skipped_s: float = 0.0) -> None:
        """Note that a sound begins now, or (keys and voices) when the one before it is over."""
        start_s = self.now()
        if sound.kind in _ONE_AFTER_THE_OTHER:
            start_s = max(start_s, self._free_s.get((track, sound.kind), start_s))
        end_s = start_s + max(0.0, sound.length_s - skipped_s)
        if sound.kind in _ONE_AFTER_THE_OTHER:
            self._free_s[track, sound.kind] = end_s
        over_by_s = max(end_s, self._notes[-1].over_by_s) if self._notes else end_s
        self._notes.append(Note(track, sound, start_s, end_s, skipped_s, over_by_s))
        if len(self._notes) > BOUND:
            del self._notes[: BOUND // 10]

    def cut(self, sound: Sound) -> None:
        """Note that a sound that is heard breaks off now. One that is over, or never began, is left alone."""
        now = self.now()
        for note in reversed(self._notes):
            if note.over_by_s <= now:
                return
            if note.sound is sound and note.track == HEARD:
                note.end_s = max(note.start_s, min(note.end_s, now))
                return

    def heard(self) -> list[tuple[Sound, float]]:
        """Return what the person has heard, in the order in which it began, each with how long (so far)."""
        now = self.now()
        return [
            (note.sound, max(0.0, min(note.end_s, now) - note.start_s)) for note in self._notes if note.track == HEARD
        ]

    def between(self, start_s: float, end_s: float) -> list[Note]:
        """Return the notes that sound in this time, in the order in which they were noted."""
        found = []
        for note in reversed(self._notes):
            if note.over_by_s <= start_s:
                break
            if note.start_s < end_s and note.end_s > start_s:
                found.append(note)
        found.reverse()
        return found


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of time that a recording keeps, perhaps as silence."""

    start_s: float
    end_s: float
    is_silent: bool = False


class Clip:
    """A finished piece of a tape. It has its notes for itself: the tape may go on and forget.

    Args:
        tape: where the notes are.
        spans: what is kept of it, in order.
    """

    def __init__(self, tape: Tape, spans: list[Span]) -> None:
        self._spans = spans
        self._notes = tape.between(spans[0].start_s, spans[-1].end_s) if spans else []
        self.length_s = round(sum(span.end_s - span.start_s for span in spans), 3)
        """To a millisecond, which is a whole number of samples."""

    @property
    def sample_count(self) -> int:
        """How many samples each channel has."""
        return round(self.length_s * RATE)

    def samples(self, tracks: tuple[Track, ...]) -> Samples:
        """Return how these tracks sound together."""
        made = silence(0)
        passed_s = 0.0
        for span in self._spans:
            passed_s += span.end_s - span.start_s
            count = min(round(passed_s * RATE), self.sample_count) - len(made)
            made += silence(count) if span.is_silent else render(self._notes, tracks, span.start_s, count)
        return made + silence(self.sample_count - len(made))

    def words(self) -> list[tuple[Track, str]]:
        """Return what was said by whom, in order."""
        told = ((note.track, note.words()) for note in sorted(self._notes, key=lambda note: note.start_s))
        return [(track, words) for track, words in told if words]


class Take:
    """A recording in the making: from now on, with pauses that are cut out or kept as silence."""

    def __init__(self, tape: Tape) -> None:
        self._tape = tape
        self._spans: list[Span] = []
        self._since_s = tape.now()
        self._gap: Literal["", "cut", "silence"] = ""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is recorded at the moment."""
        return bool(self._gap)

    @property
    def length_s(self) -> float:
        """How long it is by now."""
        return sum(span.end_s - span.start_s for span in self._kept())

    def pause(self, *, keeps_silence: bool) -> None:
        """Record nothing from now on; the gap is kept as silence, or cut out."""
        self._turn("silence" if keeps_silence else "cut")

    def resume(self) -> None:
        """Record again."""
        self._turn("")

    def clip(self) -> Clip:
        """Return what there is by now."""
        return Clip(self._tape, self._kept())

    def _turn(self, gap: Literal["", "cut", "silence"]) -> None:
        self._spans = self._kept()
        self._since_s = self._tape.now()
        self._gap = gap

    def _kept(self) -> list[Span]:
        if self._gap == "cut":
            return self._spans
        return [*self._spans, Span(self._since_s, self._tape.now(), is_silent=self._gap == "silence")]


def render(notes: Iterable[Note], tracks: tuple[Track, ...], start_s: float, count: int) -> Samples:
    """Return ``count`` samples of these tracks together, from ``start_s`` on."""
    made = silence(count)
    for note in notes:
        if note.track not in tracks or note.sound.kind == "silence":
            continue
        begin, end = round((note.start_s - start_s) * RATE), round((note.end_s - start_s) * RATE)
        first, last = max(0, begin), min(count, end)
        if first < last:
            skipped = round(note.skipped_s * RATE) + first - begin
            mix_into(made, first, samples_of(note.sound, skipped, last - first))
    return made
