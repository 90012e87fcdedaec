"""What a conference tells by HTTP, and its recording. Layer: simulator. Source: PROTOCOL 13.7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.simulator.audio import wav, wav_size
from relay_actors.simulator.sounds import Sound
from relay_actors.simulator.tapes import SAID, Take, Tape
from relay_actors.simulator.webhooks import Webhooks
from relay_actors.simulator.world import World

__all__ = ["RECORDING_WORDS", "STATUS_WORDS", "Callbacks", "Recording"]

STATUS_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "start": ("conference-start",),
    "end": ("conference-end",),
    "join": ("participant-join",),
    "leave": ("participant-leave",),
    "mute": ("participant-mute", "participant-unmute"),
    "hold": ("participant-hold", "participant-unhold"),
    "modify": ("participant-modify",),
    "speaker": ("participant-speech-start", "participant-speech-stop"),
}
"""The short words that ``status_callback_event`` may also be made of. RELAY does not list them; these are TwiML's."""

RECORDING_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "in-progress": ("record-start", "record-pause", "record-resume"),
    "completed": ("record-stop",),
}
"""The same for ``recording_status_callback_event``."""


class Callbacks:
    """The URLs that members named, and which happenings each of them wants; every URL is told once.

    Args:
        webhooks: where the reports go.
        words: short words for happenings.
    """

    def __init__(self, webhooks: Webhooks, words: Mapping[str, tuple[str, ...]]) -> None:
        self._webhooks = webhooks
        self._words = words
        self._by_url: dict[str, tuple[frozenset[str], object]] = {}

    def add(self, url: object, wanted: object, method: object) -> None:
        """Tell a URL too; who names it first decides what it wants.

        Args:
            url: as the command gave it; nothing is told to what is no text.
            wanted: words separated by spaces or commas: the ``status`` of an event, or a short word; all if there
                are none.
            method: the HTTP method.
        """
        if not isinstance(url, str) or not url or url in self._by_url:
            return
        words = wanted.replace(",", " ").split() if isinstance(wanted, str) else []
        statuses = frozenset(status for word in words for status in self._words.get(word, (word,)))
        self._by_url[url] = (statuses, method)

    def report(self, body: Mapping[str, object]) -> None:
        """Tell every URL that wants this happening."""
        for url, (statuses, method) in self._by_url.items():
            if not statuses or body["status"] in statuses:
                self._webhooks.report(url, "calling.conference", body, method=method)


class Recording:
    """The recording of one conference: all members in one channel. What a coach says to one of them is not in it.

    Args:
        world: tells the time, and keeps the file.
        conference_id: names the file.
    """

    def __init__(self, world: World, conference_id: str) -> None:
        self._files = world.files
        self._url = world.files.url(f"/conferences/{conference_id}.wav")
        self._tape = Tape(world.simulated_now)
        self._take = Take(self._tape)

    @property
    def is_paused(self) -> bool:
        """Whether nothing is recorded for now."""
        return self._take.is_paused

    def pause(self) -> None:
        """Record nothing until `resume`; the gap is cut out."""
        self._take.pause(keeps_silence=False)

    def resume(self) -> None:
        """Go on recording."""
        self._take.resume()

    def hear(self, sound: Sound) -> None:
        """Record what a member says or presses."""
        self._tape.note(SAID, sound)

    def finish(self) -> dict[str, object]:
        """Keep the file, and return the fields of ``record-stop``."""
        clip = self._take.clip()
        self._files.keep(self._url, "audio/wav", lambda: wav(clip.samples((SAID,))))
        return {
            "recording_url": self._url,
            "recording_duration": clip.length_s,
            "recording_file_size": wav_size(clip.sample_count, 1),
        }
