"""Recording what is said on a leg. Layer: simulator. Source: PROTOCOL 11.2, 13.3."""

from __future__ import annotations

from relay_actors.protocol.readers import read_flag, read_object, read_text
from relay_actors.simulator.audio import wav, wav_size
from relay_actors.simulator.operations.base import Operation, read_seconds
from relay_actors.simulator.sounds import BEEP, voice
from relay_actors.simulator.tapes import BOTH, HEARD, SAID, Clip, Take, Track
from relay_actors.simulator.timers import Timer

__all__ = ["Record"]

INITIAL_TIMEOUT_S = 5.0
END_SILENCE_S = 1.0
TERMINATORS = "#*"


class Record(Operation):
    """``calling.record``: recording, perhaps paused and recording again, then finished or no_input.

    It ends by the command, a terminator, ``max_length``, silence at the beginning (``no_input``), silence after
    speech, or with the call.

    From then on a WAV file lies at its URL, whatever ``format`` asked for: nothing here can make MP3 or MP4. It is as
    long as ``duration`` says, and ``size`` bytes large. A pause is cut out of it (``skip``) or kept as ``silence``.
    ``speak`` is what the person says, ``listen`` what the person hears; with ``stereo`` the former is on the left.
    """

    event_type = "calling.call.record"
    started_message = "Recording"
    is_listening = True

    def start(self) -> dict[str, object]:
        """Begin; the answer already names the URL."""
        record = read_object(self.params.get("record")) or {}
        audio = read_object(record.get("audio")) or {}
        self._settings: dict[str, object] = {"format": "mp3", "direction": "speak", "stereo": False, **audio}
        terminators = read_text(audio.get("terminators"))
        self._terminators = TERMINATORS if terminators is None else terminators  # an empty text for none
        self._end_silence_s = read_seconds(audio, "end_silence_timeout", END_SILENCE_S)
        self._recording_id = self.call.world.new_id()
        self._url = self.call.world.files.url(f"/rec/{self._recording_id}.wav")
        self._has_speech = False
        self._silence: Timer | None = None
        if read_flag(audio.get("beep")):
            self.call.hear(BEEP)
        self._take = Take(self.call.tape)
        self.report(state="recording", record={"audio": self._settings}, url=self._url)
        self._initial_timeout_s = read_seconds(audio, "initial_timeout", INITIAL_TIMEOUT_S)
        self._wait_for_silence(self._initial_timeout_s)
        self._longest_s = read_seconds(audio, "max_length", 0.0)
        self._limit: Timer | None = None
        self._limit_length()
        return {"url": self._url}

    def stop(self) -> None:
        """Report ``finished`` with what there is."""
        self._end("finished")

    def pause(self, behavior: str) -> None:
        """Report ``paused``, once; ``behavior`` is ``skip`` or ``silence``."""
        if self._take.is_paused:
            return
        self._take.pause(keeps_silence=behavior == "silence")
        if behavior != "silence" and self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self.report(state="paused", record={"audio": self._settings}, pause_behavior=behavior)

    def resume(self) -> None:
        """Report ``recording``, if it was paused."""
        if not self._take.is_paused:
            return
        self._take.resume()
        self._limit_length()
        self._wait_for_silence_again()
        self.report(state="recording", record={"audio": self._settings}, url=self._url)

    def digit_pressed(self, digit: str) -> bool:
        """End at a terminator."""
        if digit not in self._terminators:
            return False
        self.stop()
        return True

    def words_said(self, words: str, confidence: float) -> bool:
        """Record words; silence after their end ends the recording."""
        if self._take.is_paused:
            return False
        self._has_speech = True
        self._wait_for_silence(self._end_silence_s, after_s=voice(words).length_s)
        return True

    def _limit_length(self) -> None:
        if self._longest_s > 0 and self._limit is None:
            self._limit = self.after(self._longest_s - self._take.length_s, self.stop)

    def _wait_for_silence(self, simulated_s: float, *, after_s: float = 0.0) -> None:
        if self._silence is not None:
            self._silence.cancel()
        self._silence = None
        if simulated_s > 0:
            self._silence = self.after(after_s + simulated_s, self._silence_is_heard)

    def _wait_for_silence_again(self) -> None:
        """Count the silence from now on, if it is counted at all: who still speaks is not cut off."""
        if self._silence is None:
            return
        world = self.call.world
        silence_s = self._end_silence_s if self._has_speech else self._initial_timeout_s
        left_s = (self._silence.due - world.now()) / world.pace
        self._wait_for_silence(silence_s, after_s=max(0.0, left_s - silence_s))

    def _silence_is_heard(self) -> None:
        if self._take.is_paused:
            return  # nothing is heard; it is counted again from the end of the pause on
        self._end("finished" if self._has_speech else "no_input")

    def _end(self, state: str) -> None:
        clip = self._take.clip()
        direction = read_text(self._settings["direction"]) or "speak"
        choices: dict[str, tuple[Track, ...]] = {"listen": (HEARD,), "both": BOTH}
        tracks = choices.get(direction, (SAID,))
        is_stereo = read_flag(self._settings["stereo"]) or False
        if self.is_done:
            return
        self.call.world.files.keep(self._url, "audio/wav", lambda: _wav(clip, tracks, is_stereo=is_stereo))
        self.finish(
            state=state,
            record={"audio": self._settings},
            url=self._url,
            duration=clip.length_s,
            size=wav_size(clip.sample_count, 2 if is_stereo else 1),
            recording_id=self._recording_id,
        )


def _wav(clip: Clip, tracks: tuple[Track, ...], *, is_stereo: bool) -> bytes:
    if not is_stereo:
        return wav(clip.samples(tracks))
    return wav(*(clip.samples((side,) if side in tracks else ()) for side in BOTH))
