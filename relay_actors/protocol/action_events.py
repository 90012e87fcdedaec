"""Events about running operations: play, record, collect, detect, fax and so on. Layer: protocol, pure.

Attributes are the wire's own names unless said otherwise. A null, missing or unusable value is the field's default.
Whether an event ends its operation is not decided here but in `relay_actors.protocol.completion`.
"""

from __future__ import annotations

from dataclasses import field
from typing import Final

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.base import JsonObject
from relay_actors.protocol.readers import read_code, read_flag, read_number, read_object, read_text, read_whole_number
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
    """``calling.call.play``: how far a play is. A resumed play says ``playing`` again.

    Attributes:
        state: ``playing``, ``paused``, ``finished`` or ``error``.

    Source: PROTOCOL 11.1.
    """

    control_id: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class RecordEvent(RelayEvent):
    """``calling.call.record``: how far a recording is; seconds and bytes.

    Attributes:
        state: ``recording``, ``paused``, ``finished``, ``no_input`` or ``error``.
        url: where it lies; at the end.
        duration: seconds; at the end.
        size: bytes; at the end.
        record: all that is said of the recording.

    Source: PROTOCOL 11.2, D7.
    """

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

    @property
    def start_time_ms(self) -> int:
        """When the recording began, in milliseconds since the epoch; 0 when not said."""
        return self._whole_number("start_time")

    @property
    def end_time_ms(self) -> int:
        """When the recording ended, in milliseconds since the epoch; 0 when not said."""
        return self._whole_number("end_time")


@dataclass(frozen=True, slots=True)
class CollectEvent(RelayEvent):
    """``calling.call.collect``: what the caller pressed or said.

    Attributes:
        state: ``collecting`` in between; most servers say nothing here.
        result: ``{type, params}``; the properties take it apart.
        final: None on ordinary collects; with partial results False on an interim one and True on the last.

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
    """``calling.call.detect``: what a detector heard.

    Attributes:
        detect: ``{type, params}``; the properties take it apart.

    Source: PROTOCOL 11.5.
    """

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
    def state(self) -> str:
        """``finished`` or ``error``, from servers that say it here; otherwise ``""``."""
        return self._text("state")

    @property
    def beep(self) -> bool:
        """Whether a beep was heard."""
        return read_flag(self._detect_params().get("beep")) or False

    def _detect_params(self) -> JsonObject:
        return read_object(self.detect.get("params")) or {}


@dataclass(frozen=True, slots=True)
class FaxEvent(RelayEvent):
    """``calling.call.fax``: how far a fax is. ``success`` false is still ``finished``.

    Attributes:
        fax: ``{type, params}``; the properties take it apart.

    Source: PROTOCOL 11.6.
    """

    control_id: str = ""
    fax: JsonObject = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """``page``, ``finished`` or ``error``."""
        return read_text(self.fax.get("type")) or ""

    @property
    def state(self) -> str:
        """``finished`` or ``error``, from servers that say it here; otherwise ``""``."""
        return self._text("state")

    @property
    def success(self) -> bool:
        """Whether a finished fax got through."""
        return read_flag(self._fax_params().get("success")) or False

    @property
    def document(self) -> str:
        """Where a finished fax lies, or ``""``."""
        return self._fax_text("document")

    @property
    def pages(self) -> int:
        """How many pages a finished fax has, or which page was just done; 0 when not said."""
        params = self._fax_params()
        return read_whole_number(params.get("pages")) or read_whole_number(params.get("number")) or 0

    @property
    def direction(self) -> str:
        """``send`` or ``receive``."""
        return self._fax_text("direction")

    @property
    def identity(self) -> str:
        """Our own identity, as the other machine was told it, or ``""``."""
        return self._fax_text("identity")

    @property
    def remote_identity(self) -> str:
        """How the other machine calls itself, or ``""``."""
        return self._fax_text("remote_identity")

    @property
    def result(self) -> str:
        """The code with which a finished fax ended, as text; ``0`` is good."""
        return read_code(self._fax_params().get("result")) or ""

    @property
    def result_text(self) -> str:
        """What that code means, or ``""``."""
        return self._fax_text("result_text")

    @property
    def format(self) -> str:
        """What the document of a finished fax is, for example ``pdf``."""
        return self._fax_text("format")

    @property
    def description(self) -> str:
        """What went wrong; only on ``error``."""
        return self._fax_text("description")

    def _fax_params(self) -> JsonObject:
        return read_object(self.fax.get("params")) or {}

    def _fax_text(self, key: str) -> str:
        return read_text(self._fax_params().get(key)) or ""


@dataclass(frozen=True, slots=True)
class TapEvent(RelayEvent):
    """``calling.call.tap``: the media is copied elsewhere. Numbers in ``device`` may be text.

    Attributes:
        state: ``tapping`` or ``finished``.
        tap: what is copied, as it was asked for.
        device: whither; its numbers may be text.

    Source: PROTOCOL 11.7.
    """

    control_id: str = ""
    state: str = ""
    tap: JsonObject = field(default_factory=dict)
    device: JsonObject = field(default_factory=dict)

    @property
    def direction(self) -> str:
        """Whose voice is copied: ``listen``, ``speak`` or ``both``."""
        return read_text((read_object(self.tap.get("params")) or {}).get("direction")) or ""

    @property
    def destination(self) -> str:
        """Where the media goes: the ``uri`` of a WebSocket, or ``address:port`` of an RTP receiver; or ``""``."""
        params = read_object(self.device.get("params")) or {}
        addr, port = read_text(params.get("addr")), read_whole_number(params.get("port"))
        return read_text(params.get("uri")) or (f"{addr}:{port}" if addr and port else addr or "")

    @property
    def codec(self) -> str:
        """How the media is encoded, for example ``PCMU``, or ``""``."""
        return read_text((read_object(self.device.get("params")) or {}).get("codec")) or ""


@dataclass(frozen=True, slots=True)
class StreamEvent(RelayEvent):
    """``calling.call.stream``: the media is streamed to a WebSocket.

    Attributes:
        state: ``streaming`` or ``finished``.
        url: whither.
        name: as it was asked for.

    Source: PROTOCOL 11.8.
    """

    control_id: str = ""
    state: str = ""
    url: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class PayEvent(RelayEvent):
    """``calling.call.pay``: how far a payment is. ``params`` holds card data: never log it.

    Attributes:
        state: ``finished`` or ``error`` from some servers; the others only say ``for`` and ``result``.

    Source: PROTOCOL 11.10.
    """

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

    @property
    def payment_method(self) -> str:
        """How it is paid, for example ``credit-card``."""
        return self._text("payment_method")

    @property
    def payment_card_number(self) -> str:
        """The number of the card, masked; ``""`` until it was given."""
        return self._text("payment_card_number")

    @property
    def payment_card_type(self) -> str:
        """Whose card it is, for example ``visa``."""
        return self._text("payment_card_type")

    @property
    def payment_card_postal_code(self) -> str:
        """The postal code that was given, or ``""``."""
        return self._text("payment_card_postal_code")

    @property
    def security_code(self) -> str:
        """The security code, masked; ``""`` until it was given. The last event has it under another name."""
        return self._text("security_code") or self._text("payment_card_security_code")

    @property
    def expiration_date(self) -> str:
        """Until when the card is good, for example ``1230``. The last event has it under another name."""
        return self._text("expiration_date") or self._text("payment_card_expiration_date")

    @property
    def payment_token(self) -> str:
        """What stands for the card from now on; only on the final event."""
        return self._text("payment_token")

    @property
    def payment_confirmation_code(self) -> str:
        """The connector's word that it is paid; only on the final event."""
        return self._text("payment_confirmation_code")

    @property
    def payment_error(self) -> str:
        """Why it could not be paid, or ``""``."""
        return self._text("payment_error")

    @property
    def payment_error_code(self) -> str:
        """The code of that, as text, or ``""``."""
        return read_code(self.params.get("payment_error_code")) or ""

    @property
    def connector_error(self) -> JsonObject:
        """What the payment connector complained of: ``{code, message}``, or empty."""
        return self._object("connector_error")


@dataclass(frozen=True, slots=True)
class TranscribeEvent(RelayEvent):
    """``calling.call.transcribe``: how far a transcription is; seconds and bytes.

    Attributes:
        state: ``transcribing`` or ``finished``.
        url: where the text lies; at the end.
        recording_id: the server's id of what was transcribed.
        duration: seconds; at the end.
        size: bytes; at the end.

    Source: PROTOCOL 11.9.
    """

    control_id: str = ""
    state: str = ""
    url: str = ""
    recording_id: str = ""
    duration: float = 0.0
    size: int = 0

    @property
    def start_time_ms(self) -> int:
        """When the transcription began, in milliseconds since the epoch; 0 when not said."""
        return self._whole_number("start_time")

    @property
    def end_time_ms(self) -> int:
        """When the transcription ended, in milliseconds since the epoch; 0 when not said."""
        return self._whole_number("end_time")

    @property
    def status_url(self) -> str:
        """Where the text will be delivered, or ``""``."""
        return self._text("status_url")
