"""Writing down what is said. Layer: simulator. Source: PROTOCOL 11.9."""

from __future__ import annotations

from typing import Final

from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.replies import Reply, refused
from relay_actors.simulator.tapes import HEARD, SAID, Clip, Take

__all__ = ["Transcribe"]

_WHO: Final = {SAID: "said", HEARD: "heard"}


class Transcribe(Operation):
    """``calling.transcribe``: transcribing, then finished with a URL; only one at a time on a leg.

    At the URL lies the text: a line ``said: …`` for what the person said, and ``heard: …`` for what the person heard;
    of what broke off as many words as were heard. ``status_url`` is told the text as well (see `Simulator.webhooks`).
    """

    event_type = "calling.call.transcribe"
    started_message = "Transcribing"

    def begin(self) -> Reply:
        """Start, unless one is running."""
        if any(isinstance(running, Transcribe) for running in self.call.running.values()):
            return refused("409", "Transcription is already running")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Begin."""
        self._take = Take(self.call.tape)
        self._since_ms = self.call.world.wall_ms()
        self.report(state="transcribing")
        return {}

    def stop(self) -> None:
        """Report ``finished`` with where the text is."""
        if self.is_done:
            return
        world = self.call.world
        clip = self._take.clip()
        text = _text(clip)
        recording_id = world.new_id()
        what: dict[str, object] = {
            "url": world.files.url(f"/tr/{recording_id}.txt"),
            "recording_id": recording_id,
            "duration": clip.length_s,
            "size": len(text.encode()),
            "start_time": self._since_ms,
            "end_time": world.wall_ms(),
        }
        world.files.keep(str(what["url"]), "text/plain; charset=utf-8", text.encode)
        self._text = text
        self.finish(state="finished", **what)

    def tell_by_http(self, **fields: object) -> None:
        """Tell the text itself, too, which no event does."""
        super().tell_by_http(**fields, **({"text": self._text} if fields["state"] == "finished" else {}))


def _text(clip: Clip) -> str:
    return "".join(f"{_WHO[track]}: {words}\n" for track, words in clip.words())
