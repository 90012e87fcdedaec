"""Verbs of what is heard and understood: play, prompt, record, collect, detect. Layer: hall. Source: PROTOCOL 11."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.actions import (
    CollectAction,
    DetectAction,
    PlayAction,
    RecordAction,
    StandaloneCollectAction,
)
from relay_actors.actors.verbs.base import CallVerbs, OnCompleted
from relay_actors.protocol.commands import Collect, Detect, Play, PlayAndCollect, Record
from relay_actors.protocol.media import MediaItems, ringtone, silence, tts, typed
from relay_actors.protocol.media import audio as audio_item

__all__ = ["MediaVerbs"]


class MediaVerbs(CallVerbs):
    """Each starts a running operation and gives its handle.

    Media are dictionaries ``{"type": …, "params": {…}}`` or, flat, ``{"type": …, "text": …}``. Volumes are in dB from
    -40 to 40, times in seconds, and what is not given is left to the server.
    """

    def play(
        self,
        media: MediaItems,
        *,
        volume: float | None = None,
        direction: str | None = None,
        loop: int | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> PlayAction:
        """Play media one after the other.

        Args:
            media: what to play; one item alone needs no list.
            volume: dB.
            direction: who hears it: ``listen`` (this call), ``speak`` (its peer) or ``both``.
            loop: how often; 0 is for ever.
            control_id: chosen for you.
            on_completed: called with the event that completes it.
            kwargs: further params.
        """
        command = Play(media=media, volume=volume, direction=direction, loop=loop, control_id=control_id, extra=kwargs)
        return self._begin(PlayAction, command, on_completed)

    def play_tts(
        self,
        text: str,
        *,
        language: str | None = None,
        gender: str | None = None,
        voice: str | None = None,
        volume: float | None = None,
        on_completed: OnCompleted = None,
    ) -> PlayAction:
        """Say ``text``."""
        item = tts(text, language=language, gender=gender, voice=voice)
        return self.play([item], volume=volume, on_completed=on_completed)

    def play_audio(self, url: str, *, volume: float | None = None, on_completed: OnCompleted = None) -> PlayAction:
        """Play a file from ``url``."""
        return self.play([audio_item(url)], volume=volume, on_completed=on_completed)

    def play_silence(self, duration: float, *, on_completed: OnCompleted = None) -> PlayAction:
        """Be silent for ``duration`` seconds."""
        return self.play([silence(duration)], on_completed=on_completed)

    def play_ringtone(
        self,
        name: str,
        *,
        duration: float | None = None,
        volume: float | None = None,
        on_completed: OnCompleted = None,
    ) -> PlayAction:
        """Play the ringing tone of a country, for example ``us``, for ``duration`` seconds."""
        return self.play([ringtone(name, duration=duration)], volume=volume, on_completed=on_completed)

    def prompt_tts(
        self,
        text: str,
        collect: Mapping[str, object],
        *,
        language: str | None = None,
        gender: str | None = None,
        voice: str | None = None,
        volume: float | None = None,
        on_completed: OnCompleted = None,
    ) -> CollectAction:
        """Say ``text`` and collect the answer; see `play_and_collect`.

        Who says and presses nothing for 4 seconds after it has given no answer: add ``{"initial_timeout": 10.0}`` to
        ``collect`` for more patience.
        """
        item = tts(text, language=language, gender=gender, voice=voice)
        return self.play_and_collect([item], collect, volume=volume, on_completed=on_completed)

    def prompt_audio(
        self, url: str, collect: Mapping[str, object], *, volume: float | None = None, on_completed: OnCompleted = None
    ) -> CollectAction:
        """Play a file from ``url`` and collect the answer; see `play_and_collect`."""
        return self.play_and_collect([audio_item(url)], collect, volume=volume, on_completed=on_completed)

    def play_and_collect(
        self,
        media: MediaItems,
        collect: Mapping[str, object],
        *,
        volume: float | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> CollectAction:
        """Play media, and collect keys or speech meanwhile and after; input ends the playing.

        Args:
            media: what to play; one item alone needs no list.
            collect: what to collect: ``{"digits": {"max": 1}, "speech": {}, "initial_timeout": 5.0, …}``;
                ``initial_timeout`` is the seconds from the end of the media until ``no_input``, 4 by default.
            volume: dB.
            control_id: chosen for you.
            on_completed: called with the `CollectEvent` that completes it.
            kwargs: further params.
        """
        command = PlayAndCollect(media=media, collect=collect, volume=volume, control_id=control_id, extra=kwargs)
        return self._begin(CollectAction, command, on_completed)

    def collect(
        self,
        *,
        digits: Mapping[str, object] | None = None,
        speech: Mapping[str, object] | None = None,
        initial_timeout: float | None = None,
        partial_results: bool | None = None,
        continuous: bool | None = None,
        send_start_of_input: bool | None = None,
        start_input_timers: bool | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> StandaloneCollectAction:
        """Collect keys or speech, without a prompt. At least one of ``digits`` and ``speech`` is needed.

        Args:
            digits: ``{"max": 4, "terminators": "#", "digit_timeout": 5.0}``.
            speech: ``{"language": "en-US", "hints": […], "end_silence_timeout": 1.0}``.
            initial_timeout: seconds until ``no_input``; 4 by default, 0 waits for ever.
            partial_results: whether interim speech is reported, too; it does not complete the collection.
            continuous: whether to go on after each result.
            send_start_of_input: whether the beginning of input is reported.
            start_input_timers: whether ``initial_timeout`` starts at once.
            control_id: chosen for you.
            on_completed: called with the `CollectEvent` that completes it.
            kwargs: further params.
        """
        command = Collect(
            digits=digits,
            speech=speech,
            initial_timeout=initial_timeout,
            partial_results=partial_results,
            continuous=continuous,
            send_start_of_input=send_start_of_input,
            start_input_timers=start_input_timers,
            control_id=control_id,
            extra=kwargs,
        )
        return self._begin(StandaloneCollectAction, command, on_completed)

    def record(
        self,
        audio: Mapping[str, object] | None = None,
        *,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> RecordAction:
        """Record the call; the completing `RecordEvent` has ``url``, ``duration`` and ``size``.

        Silence ends it: 5 seconds at the beginning (``initial_timeout``), with ``no_input``, and 1 second after speech
        (``end_silence_timeout``), unless the settings say otherwise. The simulator makes a WAV file of it, whatever
        ``format`` is.

        Args:
            audio: settings: ``{"beep": True, "end_silence_timeout": 2.0, "terminators": "#"}``; all of them are those
                of `relay_actors.params.recording`.
            control_id: chosen for you.
            on_completed: called with the `RecordEvent` that completes it.
            kwargs: further params.
        """
        return self._begin(RecordAction, Record(audio=audio, control_id=control_id, extra=kwargs), on_completed)

    def detect(
        self,
        detect: Mapping[str, object],
        *,
        timeout: float | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> DetectAction:
        """Find out what is at the other end: ``{"type": "machine" | "fax" | "digit", "params": {…}}``.

        Args:
            detect: what to look for.
            timeout: seconds after which the detector closes with nothing found.
            control_id: chosen for you.
            on_completed: called with the `DetectEvent` that completes it: the first finding.
            kwargs: further params.
        """
        command = Detect(detect=detect, timeout=timeout, control_id=control_id, extra=kwargs)
        return self._begin(DetectAction, command, on_completed)

    def detect_answering_machine(
        self,
        *,
        initial_timeout: float | None = None,
        end_silence_timeout: float | None = None,
        machine_voice_threshold: float | None = None,
        machine_words_threshold: int | None = None,
        detect_interruptions: bool | None = None,
        detect_message_end: bool | None = None,
        timeout: float | None = None,
        on_completed: OnCompleted = None,
    ) -> DetectAction:
        """Find out whether a person or a machine has answered: ``HUMAN``, ``MACHINE`` or ``UNKNOWN``.

        Args:
            initial_timeout: seconds until somebody has to have spoken; 4.5 by default.
            end_silence_timeout: seconds of silence that end a greeting; 1 by default.
            machine_voice_threshold: seconds of speech without a pause that only machines speak; 1.25 by default.
            machine_words_threshold: words in one go that only machines say; 6 by default.
            detect_interruptions: whether interruptions are looked for; False by default.
            detect_message_end: whether to wait for the end of a machine's greeting; True by default.
            timeout: seconds after which the detector closes with nothing found; 30 by default.
            on_completed: called with the `DetectEvent` that completes it.
        """
        settings = typed(
            "machine",
            initial_timeout=initial_timeout,
            end_silence_timeout=end_silence_timeout,
            machine_voice_threshold=machine_voice_threshold,
            machine_words_threshold=machine_words_threshold,
            detect_interruptions=detect_interruptions,
            detect_message_end=detect_message_end,
        )
        return self.detect(settings, timeout=timeout, on_completed=on_completed)

    def detect_digit(
        self, *, digits: str | None = None, timeout: float | None = None, on_completed: OnCompleted = None
    ) -> DetectAction:
        """Listen for keys, without taking them away from others.

        Args:
            digits: which keys; all by default.
            timeout: seconds after which the detector closes with nothing found; 30 by default.
            on_completed: called with the `DetectEvent` that completes it.
        """
        return self.detect(typed("digit", digits=digits), timeout=timeout, on_completed=on_completed)

    def detect_fax(
        self, *, tone: str | None = None, timeout: float | None = None, on_completed: OnCompleted = None
    ) -> DetectAction:
        """Listen for a fax: tone ``CED`` (it answers) or ``CNG`` (it calls).

        Args:
            tone: ``CED`` by default.
            timeout: seconds after which the detector closes with nothing found; 30 by default.
            on_completed: called with the `DetectEvent` that completes it.
        """
        return self.detect(typed("fax", tone=tone), timeout=timeout, on_completed=on_completed)
