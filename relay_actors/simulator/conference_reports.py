"""What a conference tells by HTTP, and its recording. Layer: simulator. Source: PROTOCOL 13.7."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

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

BYTES_PER_S: Final = 8000
"""Of a recording in the telephone's own coding."""

HEADER_BYTES: Final = 44


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
                self._webhooks.send(url, {"event_type": "calling.conference", "params": body}, method=method)


class Recording:
    """The recording of one conference: how long it is, and where it will be found.

    Args:
        world: tells the time; a recording's own time is simulated seconds.
        conference_id: names the file.
    """

    def __init__(self, world: World, conference_id: str) -> None:
        self._world = world
        self._conference_id = conference_id
        self._length_s = 0.0
        self._since: float | None = world.now()

    @property
    def is_paused(self) -> bool:
        """Whether nothing is recorded for now."""
        return self._since is None

    def pause(self) -> None:
        """Record nothing until `resume`."""
        self._length_s = self.length_s
        self._since = None

    def resume(self) -> None:
        """Go on recording."""
        self._since = self._world.now()

    @property
    def length_s(self) -> float:
        """How many simulated seconds have been recorded."""
        running_s = 0.0 if self._since is None else (self._world.now() - self._since) / self._world.pace
        return self._length_s + running_s

    def described(self) -> dict[str, object]:
        """Return the fields of ``record-stop``."""
        return {
            "recording_url": f"https://files.example.com/conferences/{self._conference_id}.wav",
            "recording_duration": round(self.length_s, 3),
            "recording_file_size": HEADER_BYTES + round(BYTES_PER_S * self.length_s),
        }
