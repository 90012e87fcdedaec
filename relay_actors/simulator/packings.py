"""How the frames of a stream or a tap are packed: JSON texts, bare frames, RTP packets. Layer: simulator, pure."""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from relay_actors.protocol import json_codec
from relay_actors.protocol.readers import read_text
from relay_actors.simulator.audio import FRAME_SAMPLES, Samples, a_law, mu_law
from relay_actors.simulator.tapes import BOTH, HEARD, SAID, Track

__all__ = ["PCMA", "PCMU", "Codec", "FrameMessages", "Packing", "RtpPackets", "StreamMessages", "codec_named"]


@dataclass(frozen=True, slots=True)
class Codec:
    """How samples become bytes, one for each.

    Attributes:
        name: as RELAY calls it.
        encoding: as listeners of streams are told.
        payload_type: as RTP tells it. Source: RFC 3551 section 6.
        encode: does it.
    """

    name: str
    encoding: str
    payload_type: int
    encode: Callable[[Samples], bytes]


PCMU: Final = Codec("PCMU", "audio/x-mulaw", 0, mu_law)
PCMA: Final = Codec("PCMA", "audio/x-alaw", 8, a_law)


class Packing(Protocol):
    """How the frames of a feed are packed."""

    @property
    def codec(self) -> Codec:
        """How samples become bytes."""

    @property
    def channels(self) -> tuple[tuple[Track, ...], ...]:
        """What is sent: for each channel the tracks that are heard in it together."""

    def begin(self) -> list[str | bytes]:
        """Return what is sent first."""

    def frame(self, number: int, channel: int, payload: bytes) -> str | bytes:
        """Return 20 ms of one channel; the first frame is number 0."""

    def skip(self, frames: int) -> None:
        """Count so many frames that are not made, because nobody will ever see them."""

    def key(self, digit: str) -> list[str | bytes]:
        """Return what tells that the person pressed a key."""

    def end(self) -> list[str | bytes]:
        """Return what is sent last."""


class StreamMessages:
    """JSON texts, as listeners of media streams expect them: connected, start, media, dtmf, stop.

    Numbers are texts. ``timestamp`` is in milliseconds since the start, ``chunk`` counts the frames of a track from 1.
    Source: the media streams that SignalWire and Twilio describe for their XML languages.
    """

    def __init__(
        self,
        *,
        stream_id: str,
        call_id: str,
        project: str,
        tracks: tuple[Track, ...],
        custom: Mapping[str, object],
        codec: Codec = PCMU,
    ) -> None:
        self.codec = codec
        self._stream_id = stream_id
        self._ids = {"accountSid": project, "callSid": call_id}
        self._tracks = tracks
        self._custom = custom
        self._sequence = 0

    @property
    def channels(self) -> tuple[tuple[Track, ...], ...]:
        """Each track by itself."""
        return tuple((track,) for track in self._tracks)

    def begin(self) -> list[str | bytes]:
        """Return ``connected`` and ``start``."""
        start = {
            "streamSid": self._stream_id,
            **self._ids,
            "tracks": list(self._tracks),
            "customParameters": self._custom,
            "mediaFormat": {"encoding": self.codec.encoding, "sampleRate": 8000, "channels": 1},
        }
        return [_json({"event": "connected", "protocol": "Call", "version": "1.0.0"}), self._message("start", start)]

    def frame(self, number: int, channel: int, payload: bytes) -> str:
        """Return ``media``."""
        media = {
            "track": self._tracks[channel],
            "chunk": str(number + 1),
            "timestamp": str(20 * number),
            "payload": base64.b64encode(payload).decode(),
        }
        return self._message("media", media)

    def skip(self, frames: int) -> None:
        """Go on counting."""
        self._sequence += frames * len(self._tracks)

    def key(self, digit: str) -> list[str | bytes]:
        """Return ``dtmf``."""
        return [self._message("dtmf", {"track": f"{SAID}_track", "digit": digit})]

    def end(self) -> list[str | bytes]:
        """Return ``stop``."""
        return [self._message("stop", self._ids)]

    def _message(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        ids = {"sequenceNumber": str(self._sequence), "streamSid": self._stream_id}
        return _json({"event": event, **ids, event: body})


class FrameMessages:
    """Nothing but frames: 160 bytes each, the tracks of a tap mixed.

    Args:
        direction: ``speak`` (what the person says), ``listen`` (what the person hears) or ``both``.
    """

    def __init__(self, direction: str, *, codec: Codec = PCMU) -> None:
        self.codec = codec
        tracks: dict[str, tuple[Track, ...]] = {"listen": (HEARD,), "both": BOTH}
        self._channels = (tracks.get(direction, (SAID,)),)

    @property
    def channels(self) -> tuple[tuple[Track, ...], ...]:
        """One channel."""
        return self._channels

    def begin(self) -> list[str | bytes]:
        """Return nothing."""
        return []

    def frame(self, number: int, channel: int, payload: bytes) -> bytes:
        """Return the bare frame."""
        return payload

    def skip(self, frames: int) -> None:
        """Count nothing."""

    def key(self, digit: str) -> list[str | bytes]:
        """Return nothing: the key is heard."""
        return []

    def end(self) -> list[str | bytes]:
        """Return nothing."""
        return []


class RtpPackets(FrameMessages):
    """RTP packets with one frame each, the first one marked. Source: RFC 3550 section 5.1."""

    def __init__(self, direction: str, *, source_id: int, sequence: int, timestamp: int, codec: Codec = PCMU) -> None:
        super().__init__(direction, codec=codec)
        self._source_id = source_id
        self._sequence = sequence
        self._timestamp = timestamp

    def frame(self, number: int, channel: int, payload: bytes) -> bytes:
        """Return a packet."""
        sequence = self._sequence + number & 0xFFFF
        timestamp = self._timestamp + FRAME_SAMPLES * number & 0xFFFFFFFF
        marker = 0 if number else 0x80
        return (
            struct.pack("!BBHII", 0x80, marker | self.codec.payload_type, sequence, timestamp, self._source_id)
            + payload
        )


def codec_named(name: object) -> Codec:
    """Return the codec that a command asks for, by its name alone or as in ``PCMA@8000h``; PCMU for all others."""
    asked = (read_text(name) or "").partition("@")[0].upper()
    return PCMA if asked == PCMA.name else PCMU


def _json(message: Mapping[str, object]) -> str:
    return json_codec.dumps(message).decode()
