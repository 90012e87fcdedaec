"""Commands on the sound of a call: play, record, collect, detect, fax and so on. Layer: protocol, pure.

All of them start a running operation; the operation's own commands (stop, pause, …) are in `sub_commands`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from relay_actors.errors import ArgumentError
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import (
    AnyText,
    As,
    AudioSettings,
    CollectSettings,
    DigitSettings,
    Flag,
    Media,
    Object,
    Objects,
    Scalar,
    Seconds,
    SpeechSettings,
    Text,
    TypedObject,
    Volume,
    WholeNumber,
)
from relay_actors.protocol.commands.command import ActionCommand
from relay_actors.protocol.inputs import input_problem, misspelt_parts

__all__ = [
    "Collect",
    "Detect",
    "Pay",
    "Play",
    "PlayAndCollect",
    "ReceiveFax",
    "Record",
    "SendFax",
    "Stream",
    "Tap",
    "Transcribe",
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Play(ActionCommand):
    """Play media items one after the other. ``loop`` 0 is for ever. Source: PROTOCOL 11.1."""

    method: ClassVar[str] = "calling.play"

    media: Annotated[Media, As("play")]
    volume: Volume | None = None
    direction: AnyText | None = None
    loop: WholeNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PlayAndCollect(ActionCommand):
    """Play, and collect what the caller presses or says meanwhile and after. Source: PROTOCOL 11.4."""

    method: ClassVar[str] = "calling.play_and_collect"

    media: Annotated[Media, As("play")]
    collect: CollectSettings
    volume: Volume | None = None

    def check(self) -> None:
        """Refuse a collect in ``extra`` that waits for nothing: it would win."""
        if "collect" not in self.extra:
            return
        overriding = self.extra["collect"]
        problem = input_problem(overriding) if isinstance(overriding, Mapping) else None
        if problem is not None:
            raise self.refusal("collect", problem, overriding)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Collect(ActionCommand):
    """Collect what the caller presses (``digits``) or says (``speech``). Source: PROTOCOL 11.3, 13.4."""

    method: ClassVar[str] = "calling.collect"

    digits: DigitSettings | None = None
    speech: SpeechSettings | None = None
    initial_timeout: Seconds | None = None
    partial_results: Flag | None = None
    continuous: Flag | None = None
    send_start_of_input: Flag | None = None
    start_input_timers: Flag | None = None

    def check(self) -> None:
        """Refuse a collect that waits for nothing."""
        given = {"digits": self.digits, "speech": self.speech, **self.extra}
        if given["digits"] is None and given["speech"] is None:
            # What else it holds is the server's business; but without either of these it could only ever time out.
            misspelt = misspelt_parts(self.extra)
            raise ArgumentError(
                f'{self.method}: give "digits", "speech" or both, for example digits={{"max": 1}}{misspelt}'
            )


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Record(ActionCommand):
    """Record the call; ``audio`` holds the settings. Source: PROTOCOL 11.2, 13.3."""

    method: ClassVar[str] = "calling.record"

    audio: Annotated[AudioSettings | None, As("record", even_none=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Detect(ActionCommand):
    """Listen for a machine, a fax or keys. Source: PROTOCOL 11.5, 13.5."""

    method: ClassVar[str] = "calling.detect"

    detect: TypedObject
    timeout: Seconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SendFax(ActionCommand):
    """Send the PDF at the URL ``document``. Source: PROTOCOL 11.6."""

    method: ClassVar[str] = "calling.send_fax"

    document: Text
    identity: AnyText | None = None
    header_info: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReceiveFax(ActionCommand):
    """Receive a fax. Source: PROTOCOL 11.6."""

    method: ClassVar[str] = "calling.receive_fax"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Tap(ActionCommand):
    """Copy the media to another device. Source: PROTOCOL 11.7."""

    method: ClassVar[str] = "calling.tap"

    tap: TypedObject
    device: TypedObject


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stream(ActionCommand):
    """Stream the media to a WebSocket. Source: PROTOCOL 11.8."""

    method: ClassVar[str] = "calling.stream"

    url: Text
    name: AnyText | None = None
    codec: AnyText | None = None
    track: AnyText | None = None
    status_url: AnyText | None = None
    status_url_method: AnyText | None = None
    authorization_bearer_token: AnyText | None = None
    custom_parameters: Object | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Transcribe(ActionCommand):
    """Transcribe the call; the text comes by HTTP to ``status_url``. Source: PROTOCOL 11.9."""

    method: ClassVar[str] = "calling.transcribe"

    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pay(ActionCommand):
    """Take a payment. Every value goes out as text, ``5`` as ``"5"``. Source: PROTOCOL 11.10, 13.6."""

    method: ClassVar[str] = "calling.pay"

    payment_connector_url: Text
    input_method: Annotated[Scalar | None, As("input")] = None
    status_url: Scalar | None = None
    payment_method: Scalar | None = None
    timeout: Scalar | None = None
    max_attempts: Scalar | None = None
    security_code: Scalar | None = None
    postal_code: Scalar | None = None
    min_postal_code_length: Scalar | None = None
    token_type: Scalar | None = None
    charge_amount: Scalar | None = None
    currency: Scalar | None = None
    language: Scalar | None = None
    voice: Scalar | None = None
    description: Scalar | None = None
    valid_card_types: Scalar | None = None
    parameters: Objects | None = None
    prompts: Objects | None = None
