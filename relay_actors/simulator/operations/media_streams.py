"""Operations that carry the audio of a leg elsewhere: tap, stream, transcribe. Layer: simulator.

Source: PROTOCOL 11.7, 11.8, 11.9.
"""

from __future__ import annotations

from relay_actors.protocol.readers import read_object
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.replies import Reply, refused

__all__ = ["Stream", "Tap", "Transcribe"]


class Tap(Operation):
    """``calling.tap``: tapping, then finished; the answer tells where the media come from."""

    event_type = "calling.call.tap"
    started_message = "Tapping"

    def start(self) -> dict[str, object]:
        """Begin."""
        device = read_object(self.params.get("device")) or {}
        # Numbers of the device come back as text, as they do from the real server.
        params = {key: str(value) for key, value in (read_object(device.get("params")) or {}).items()}
        self._what = {"tap": self.params.get("tap"), "device": {"type": device.get("type"), "params": params}}
        self.report(state="tapping", **self._what)
        source = {"addr": "198.51.100.7", "port": 31002, "codec": "PCMU", "ptime": 20, "rate": 8000}
        return {"source_device": {"type": "rtp", "params": source}} if device.get("type") == "rtp" else {}

    def stop(self) -> None:
        """Report ``finished``."""
        self.finish(state="finished", **self._what)


class Stream(Operation):
    """``calling.stream``: streaming, then finished. Nothing is connected to the URL."""

    event_type = "calling.call.stream"
    started_message = "Streaming"

    def start(self) -> dict[str, object]:
        """Begin."""
        self._what = {"url": self.params.get("url"), "name": self.params.get("name", "")}
        self.report(state="streaming", **self._what)
        return {}

    def stop(self) -> None:
        """Report ``finished``."""
        self.finish(state="finished", **self._what)


class Transcribe(Operation):
    """``calling.transcribe``: transcribing, then finished with a URL; only one at a time on a leg."""

    event_type = "calling.call.transcribe"
    started_message = "Transcribing"

    def begin(self) -> Reply:
        """Start, unless one is running."""
        if any(isinstance(running, Transcribe) for running in self.call.running.values()):
            return refused("409", "Transcription is already running")
        return super().begin()

    def start(self) -> dict[str, object]:
        """Begin."""
        self._since = self.call.world.now()
        self._since_ms = self.call.world.wall_ms()
        self.report(state="transcribing")
        return {}

    def stop(self) -> None:
        """Report ``finished`` with where the text would be."""
        world = self.call.world
        recording_id = world.new_id()
        length_s = round((world.now() - self._since) / world.pace, 3)
        self.finish(
            state="finished",
            url=f"https://files.example.com/tr/{recording_id}.txt",
            recording_id=recording_id,
            duration=length_s,
            size=int(length_s * 16_000),
            start_time=self._since_ms,
            end_time=world.wall_ms(),
        )
