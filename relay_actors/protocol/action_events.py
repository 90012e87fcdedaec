"""Events about running operations: play, record, collect, detect, fax and so on. Layer: protocol, pure.

Attributes are the wire's own names unless said otherwise. A null, missing or unusable value is the field's default.
Whether an event ends its operation is not decided here but in `relay_actors.protocol.completion`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.readers import read_flag, read_number, read_object, read_text, read_whole_number
from relay_actors.protocol.relay_event import RelayEvent, wire

__all__ = [
    "CollectEvent",
    "DetectEvent",
    "FaxEvent",
    "PayEvent",
    "PlayEvent",
    "RecordEvent",
    "StreamEvent",
    "TapEvent",
    "TranscribeEvent",
]

_STATES_THAT_ARE_RESULTS: Final = frozenset({"finished", "error", "no_input", "no_match"})


@dataclass(frozen=True, slots=True)
class PlayEvent(RelayEvent):
    """``calling.call.play``: how far a play is. A resumed play says ``playing`` again. Source: PROTOCOL 11.1."""

    control_id: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RecordEvent(RelayEvent):
    """``calling.call.record``: how far a recording is; seconds and bytes. Source: PROTOCOL 11.2, D7."""

    control_id: str = ""
    state: str = ""
    url: str = wire("", "params.record.url", "params.url")
    duration: float = wire(0.0, "params.record.duration", "params.duration")
    size: int = wire(0, "params.record.size", "params.size")
    record: JsonObject = field(default_factory=dict)

    @property
    def recording_id(self) -> str:
        """The server's id of the recording, or ``""``."""
        return self._text("recording_id")

    @property
    def pause_behavior(self) -> str:
        """``skip`` or ``silence``; only on ``paused``."""
        return self._text("pause_behavior")


@dataclass(frozen=True, slots=True)
class CollectEvent(RelayEvent):
    """``calling.call.collect``: what the caller pressed or said.

    ``final`` is None on ordinary collects; with partial results False on an interim one and True on the last.

    Source: PROTOCOL 11.3, D2, D12.
    """

    control_id: str = ""
    state: str = ""
    result: JsonObject = field(default_factory=dict)
    final: bool | None = None

    @property
    def kind(self) -> str:
        """``digit``, ``speech``, ``no_input``, ``no_match``, ``error``, ``start_of_input``, ``finished``, or ``""``."""
        said = read_text(self.result.get("type"))
        if said is not None:
            return said
        return self.state if self.state in _STATES_THAT_ARE_RESULTS else ""

    @property
    def digits(self) -> str:
        """The keys that were pressed, without the terminator; ``""`` when none were."""
        return self._result_text("digits")

    @property
    def terminator(self) -> str:
        """The key that ended the input, or ``""``."""
        return self._result_text("terminator")

    @property
    def speech(self) -> str:
        """What was said, or ``""``."""
        return self._result_text("text")

    @property
    def confidence(self) -> float:
        """How sure the recognition of speech is, 0 to 100; 0.0 when not said."""
        return read_number(self._result_params().get("confidence")) or 0.0

    def _result_params(self) -> JsonObject:
        return read_object(self.result.get("params")) or {}

    def _result_text(self, key: str) -> str:
        return read_text(self._result_params().get(key)) or read_text(self.result.get(key)) or ""


@dataclass(frozen=True, slots=True)
class DetectEvent(RelayEvent):
    """``calling.call.detect``: what a detector heard. Source: PROTOCOL 11.5."""

    control_id: str = ""
    detect: JsonObject = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The kind of detector: ``machine``, ``fax`` or ``digit``."""
        return read_text(self.detect.get("type")) or ""

    @property
    def verdict(self) -> str:
        """What it heard: ``HUMAN``, ``MACHINE``, ``CED``, ``1#``, …; ``finished`` or ``error`` when it has closed."""
        return read_text(self._detect_params().get("event")) or ""

    @property
    def beep(self) -> bool:
        """Whether a beep was heard."""
        return read_flag(self._detect_params().get("beep")) or False

    def _detect_params(self) -> JsonObject:
        return read_object(self.detect.get("params")) or {}


@dataclass(frozen=True, slots=True)
class FaxEvent(RelayEvent):
    """``calling.call.fax``: how far a fax is. ``success`` false is still ``finished``. Source: PROTOCOL 11.6."""

    control_id: str = ""
    fax: JsonObject = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``page``, ``finished`` or ``error``."""
        return read_text(self.fax.get("type")) or ""

    @property
    def success(self) -> bool:
        """Whether a finished fax got through."""
        return read_flag(self._fax_params().get("success")) or False

    @property
    def document(self) -> str:
        """Where a finished fax lies, or ``""``."""
        return read_text(self._fax_params().get("document")) or ""

    @property
    def pages(self) -> int:
        """How many pages a finished fax has, or which page was just done; 0 when not said."""
        params = self._fax_params()
        return read_whole_number(params.get("pages")) or read_whole_number(params.get("number")) or 0

    def _fax_params(self) -> JsonObject:
        return read_object(self.fax.get("params")) or {}


@dataclass(frozen=True, slots=True)
class TapEvent(RelayEvent):
    """``calling.call.tap``: the media is copied elsewhere. Numbers in ``device`` may be text. Source: PROTOCOL 11.7."""

    control_id: str = ""
    state: str = ""
    tap: JsonObject = field(default_factory=dict)
    device: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StreamEvent(RelayEvent):
    """``calling.call.stream``: the media is streamed to a WebSocket. Source: PROTOCOL 11.8."""

    control_id: str = ""
    state: str = ""
    url: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PayEvent(RelayEvent):
    """``calling.call.pay``: how far a payment is. ``params`` holds card data: never log it. Source: PROTOCOL 11.10."""

    control_id: str = ""
    state: str = ""

    @property
    def step(self) -> str:
        """What is being asked, or how it came out: the wire's ``for``, for example ``payment-card-number``."""
        return self._text("for")

    @property
    def result(self) -> str:
        """How it came out, for example ``success``; only on the final event."""
        return self._text("result")

    @property
    def error_type(self) -> str:
        """What was wrong with the input, or ``""``."""
        return self._text("error_type")

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1; 0 when not said."""
        return self._whole_number("attempt")


@dataclass(frozen=True, slots=True)
class TranscribeEvent(RelayEvent):
    """``calling.call.transcribe``: how far a transcription is; seconds and bytes. Source: PROTOCOL 11.9."""

    control_id: str = ""
    state: str = ""
    url: str = ""
    recording_id: str = ""
    duration: float = 0.0
    size: int = 0
