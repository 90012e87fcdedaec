"""Recording what is said on a leg. Layer: simulator. Source: PROTOCOL 11.2, 13.3."""

from __future__ import annotations

from relay_actors.protocol.readers import read_flag, read_number, read_object, read_text
from relay_actors.simulator.operations.base import Operation
from relay_actors.simulator.sounds import BEEP
from relay_actors.simulator.timers import Timer

__all__ = ["Record"]

INITIAL_TIMEOUT_S = 5.0
END_SILENCE_S = 1.0
TERMINATORS = "#*"
BYTES_PER_S = 16_000


class Record(Operation):
    """``calling.record``: recording, perhaps paused and recording again, then finished or no_input.

    It ends by the command, a terminator, ``max_length``, silence at the beginning (``no_input``), silence after
    speech, or with the call.
    """

    event_type = "calling.call.record"
    started_message = "Recording"
    is_listening = True

    def start(self) -> dict[str, object]:
        """Begin; the answer already names the URL."""
        record = read_object(self.params.get("record")) or {}
        audio = read_object(record.get("audio")) or {}
        self._settings: dict[str, object] = {"format": "mp3", "direction": "speak", "stereo": False, **audio}
        self._terminators = read_text(audio.get("terminators")) or TERMINATORS
        self._end_silence_s = _seconds(audio, "end_silence_timeout", END_SILENCE_S)
        self._recording_id = self.call.world.new_id()
        self._url = f"https://files.example.com/rec/{self._recording_id}.{self._settings['format']}"
        self._recorded_s = 0.0
        self._recording_since: float | None = self.call.world.now()
        self._has_speech = False
        self._silence: Timer | None = None
        if read_flag(audio.get("beep")):
            self.call.hear(BEEP)
        self.report(state="recording", record={"audio": self._settings}, url=self._url)
        self._wait_for_silence(_seconds(audio, "initial_timeout", INITIAL_TIMEOUT_S))
        if (longest_s := _seconds(audio, "max_length", 0.0)) > 0:
            self.after(longest_s, self.stop)
        return {"url": self._url}

    def stop(self) -> None:
        """Report ``finished`` with what there is."""
        self._end("finished")

    def pause(self, behavior: str) -> None:
        """Report ``paused``, once; ``behavior`` is ``skip`` or ``silence``."""
        if self._recording_since is None:
            return
        self._recorded_s = self._length_s()
        self._recording_since = None
        self.report(state="paused", record={"audio": self._settings}, pause_behavior=behavior)

    def resume(self) -> None:
        """Report ``recording``, if it was paused."""
        if self._recording_since is not None:
            return
        self._recording_since = self.call.world.now()
        self.report(state="recording", record={"audio": self._settings}, url=self._url)

    def digit_pressed(self, digit: str) -> bool:
        """End at a terminator."""
        if digit not in self._terminators:
            return False
        self.stop()
        return True

    def words_said(self, words: str, confidence: float) -> bool:
        """Record words; silence after them ends the recording."""
        if self._recording_since is None:
            return False
        self._has_speech = True
        self._wait_for_silence(self._end_silence_s)
        return True

    def _wait_for_silence(self, simulated_s: float) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = None
        if simulated_s > 0:
            self._silence = self.after(simulated_s, self._silence_is_heard)

    def _silence_is_heard(self) -> None:
        if self._recording_since is None:
            return
        self._end("finished" if self._has_speech else "no_input")

    def _end(self, state: str) -> None:
        length_s = round(self._length_s(), 3)
        self.finish(
            state=state,
            record={"audio": self._settings},
            url=self._url,
            duration=length_s,
            size=int(length_s * BYTES_PER_S),
            recording_id=self._recording_id,
        )

    def _length_s(self) -> float:
        if self._recording_since is None:
            return self._recorded_s
        world = self.call.world
        return self._recorded_s + (world.now() - self._recording_since) / world.pace


def _seconds(settings: dict[str, object], key: str, default: float) -> float:
    value = read_number(settings.get(key))
    return default if value is None or value < 0 else value
