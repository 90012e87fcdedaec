"""Verbs on the sound of a call as a whole: copy, stream, transcribe, translate, clean. Layer: hall.

Source: PROTOCOL 11.7, 11.8, 11.9, 12.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay_actors.actors.actions import StreamAction, TapAction, TranscribeAction
from relay_actors.actors.verbs.base import CallVerbs, OnCompleted
from relay_actors.actors.waits import Reply
from relay_actors.protocol.commands import (
    Denoise,
    DenoiseStop,
    Echo,
    LiveTranscribe,
    LiveTranslate,
    Stream,
    Tap,
    Transcribe,
)

__all__ = ["SoundVerbs"]


class SoundVerbs(CallVerbs):
    """`tap`, `stream` and `transcribe` start an operation and give its handle; the others give a `Reply`."""

    def tap(
        self,
        tap: Mapping[str, object],
        device: Mapping[str, object],
        *,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> TapAction:
        """Copy the sound of the call to another device, until it is stopped.

        Args:
            tap: what: ``{"type": "audio", "params": {"direction": "listen" | "speak" | "both"}}``.
            device: whither: ``{"type": "rtp", "params": {"addr": …, "port": …}}`` or
                ``{"type": "ws", "params": {"uri": …}}``. The real service refuses private addresses.
            control_id: chosen for you.
            on_completed: called with the `TapEvent` that completes it.
            kwargs: further params.
        """
        command = Tap(tap=tap, device=device, control_id=control_id, extra=kwargs)
        return self._begin(TapAction, command, on_completed)

    def stream(
        self,
        url: str,
        *,
        name: str | None = None,
        codec: str | None = None,
        track: str | None = None,
        status_url: str | None = None,
        status_url_method: str | None = None,
        authorization_bearer_token: str | None = None,
        custom_parameters: Mapping[str, object] | None = None,
        control_id: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> StreamAction:
        """Stream the sound of the call to a WebSocket, until it is stopped.

        Args:
            url: ``wss://…``.
            name: of the stream.
            codec: ``PCMU``, for example.
            track: ``inbound_track``, ``outbound_track`` or ``both_tracks``.
            status_url: where the server reports to.
            status_url_method: how; POST by default.
            authorization_bearer_token: goes to ``url`` in a header; a secret.
            custom_parameters: go to ``url`` in the first message.
            control_id: chosen for you.
            on_completed: called with the `StreamEvent` that completes it.
            kwargs: further params.
        """
        command = Stream(
            url=url,
            name=name,
            codec=codec,
            track=track,
            status_url=status_url,
            status_url_method=status_url_method,
            authorization_bearer_token=authorization_bearer_token,
            custom_parameters=custom_parameters,
            control_id=control_id,
            extra=kwargs,
        )
        return self._begin(StreamAction, command, on_completed)

    def transcribe(
        self,
        *,
        control_id: str | None = None,
        status_url: str | None = None,
        on_completed: OnCompleted = None,
        **kwargs: Any,
    ) -> TranscribeAction:
        """Transcribe the call, until it is stopped; one at a time on a call.

        The completing `TranscribeEvent` has the ``url`` of the text, which also comes by HTTP to ``status_url``.

        Args:
            control_id: chosen for you.
            status_url: where the server reports to.
            on_completed: called with the `TranscribeEvent` that completes it.
            kwargs: further params.
        """
        command = Transcribe(status_url=status_url, control_id=control_id, extra=kwargs)
        return self._begin(TranscribeAction, command, on_completed)

    def live_transcribe(self, action: object, **kwargs: Any) -> Reply:
        """Transcribe while people speak; what was said comes by HTTP to the webhook that ``action`` names.

        Args:
            action: ``{"start": {…}}``, ``{"stop": {}}`` or ``{"summarize": {…}}``; sent as given (PROTOCOL D18).
            kwargs: further params.
        """
        return self.perform(LiveTranscribe(action=action, extra=kwargs))

    def live_translate(self, action: object, *, status_url: str | None = None, **kwargs: Any) -> Reply:
        """Translate while people speak; what was said comes by HTTP to the webhook that ``action`` names.

        Args:
            action: ``{"start": {…}}``, ``{"stop": {}}``, ``{"summarize": {…}}`` or ``{"inject": {…}}``; sent as given
                (PROTOCOL D18).
            status_url: where the server reports to.
            kwargs: further params.
        """
        return self.perform(LiveTranslate(action=action, status_url=status_url, extra=kwargs))

    def denoise(self) -> Reply:
        """Switch noise reduction on; `DenoiseEvent` tells when it is."""
        return self.perform(Denoise())

    def denoise_stop(self) -> Reply:
        """Switch noise reduction off; `DenoiseEvent` tells when it is."""
        return self.perform(DenoiseStop())

    def echo(self, *, timeout: float | None = None, status_url: str | None = None, **kwargs: Any) -> Reply:
        """Let the caller hear themselves. Nothing stops it but its time-out or the end of the call.

        Args:
            timeout: seconds; 0 or nothing is until the call ends. `EchoEvent` ``finished`` tells that it is over.
            status_url: where the server reports to.
            kwargs: further params.
        """
        return self.perform(Echo(timeout=timeout, status_url=status_url, extra=kwargs))
