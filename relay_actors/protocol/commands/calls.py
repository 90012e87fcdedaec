"""Commands on a call itself: answer, hang up, bridge, dial, transfer, digits and so on. Layer: protocol, pure.

Their answers are all there is to wait for; what comes of them later is told by events. Source: PROTOCOL 8.8, 9.1, 12.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar, Self

from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands.arguments import (
    AnyText,
    Anything,
    As,
    DeviceLists,
    Digits,
    LiveAction,
    Media,
    Number,
    Object,
    Seconds,
    Text,
    TypedObject,
    WholeNumber,
    ZeroIsNone,
)
from relay_actors.protocol.commands.command import ControlCommand, RelayCommand

__all__ = [
    "Answer",
    "BindDigit",
    "ClearDigitBindings",
    "Connect",
    "Denoise",
    "DenoiseStop",
    "Dial",
    "Disconnect",
    "Echo",
    "Hangup",
    "Hold",
    "LiveTranscribe",
    "LiveTranslate",
    "Pass",
    "Refer",
    "SendDigits",
    "Transfer",
    "Unhold",
    "UserEvent",
]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Answer(RelayCommand):
    """Answer an inbound call. ``max_duration`` is in minutes (PROTOCOL D9)."""

    method: ClassVar[str] = "calling.answer"

    max_duration: WholeNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Hangup(RelayCommand):
    """End the call: ``hangup``, ``cancel``, ``busy``, ``noAnswer``, ``decline`` or ``error``."""

    method: ClassVar[str] = "calling.end"

    reason: Text = "hangup"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Pass(RelayCommand):
    """Give an unanswered inbound call back to routing."""

    method: ClassVar[str] = "calling.pass"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Connect(RelayCommand):
    """Bridge the call to others. ``max_duration`` is in minutes (PROTOCOL D9)."""

    method: ClassVar[str] = "calling.connect"

    devices: DeviceLists
    ringback: Media | None = None
    tag: AnyText | None = None
    max_duration: WholeNumber | None = None
    max_price_per_minute: Number | None = None
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Disconnect(RelayCommand):
    """Take the bridge away; both legs live on."""

    method: ClassVar[str] = "calling.disconnect"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Dial(RelayCommand):
    """Call out. The answer names no call: events find the dial by its ``tag``. Source: PROTOCOL 9.1.

    Attributes:
        tag: chosen by the caller, or by `with_tag` before it is sent. One in ``extra`` wins, here and on the wire.
        max_duration: minutes (PROTOCOL D9); 0 is not sent.
    """

    method: ClassVar[str] = "calling.dial"
    needs_call: ClassVar[bool] = False

    devices: DeviceLists
    tag: Text | None = None
    max_duration: ZeroIsNone | None = None
    region: AnyText | None = None
    max_price_per_minute: Number | None = None

    def check(self) -> None:
        """Let a tag in ``extra`` win."""
        tag = self.tag
        overriding = self.extra.get("tag")
        if overriding is not None:
            if not isinstance(overriding, str) or not overriding:
                raise self.refusal("tag", "text that is not empty", overriding)
            tag = overriding
        if tag is not None:
            # A member of a `StrEnum` is a text, too, but none under which the journal takes anything.
            object.__setattr__(self, "tag", str.__str__(tag))

    def with_tag(self, tag: str) -> Self:
        """Return the same dial under ``tag``, or this one if it has chosen its own."""
        return self if self.tag else dataclasses.replace(self, tag=tag)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SendDigits(ControlCommand):
    """Press keys: ``0-9 * # A-D``, ``w`` and ``W`` for pauses. Wait for the event if the tones must be over."""

    method: ClassVar[str] = "calling.send_digits"

    digits: Digits


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Refer(RelayCommand):
    """Send a SIP call elsewhere: ``{"type": "sip", "params": {"to": …}}``."""

    method: ClassVar[str] = "calling.refer"

    device: TypedObject
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Transfer(RelayCommand):
    """Hand the call to an SWML URL, SWML text, or another application such as ``context:sales``."""

    method: ClassVar[str] = "calling.transfer"

    dest: Text


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Hold(RelayCommand):
    """Put the call on hold. Some servers refuse it."""

    method: ClassVar[str] = "calling.hold"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Unhold(RelayCommand):
    """Take the call off hold. Some servers refuse it."""

    method: ClassVar[str] = "calling.unhold"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Denoise(RelayCommand):
    """Switch noise reduction on."""

    method: ClassVar[str] = "calling.denoise"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class DenoiseStop(RelayCommand):
    """Switch noise reduction off."""

    method: ClassVar[str] = "calling.denoise.stop"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Echo(RelayCommand):
    """Let callers hear themselves for ``timeout`` seconds; 0 or nothing is until the call ends."""

    method: ClassVar[str] = "calling.echo"

    timeout: Seconds | None = None
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class BindDigit(RelayCommand):
    """Have the server run ``bind_method`` with ``bind_params`` whenever ``digits`` are pressed."""

    method: ClassVar[str] = "calling.bind_digit"

    digits: Text
    bind_method: Text
    bind_params: Annotated[Object | None, As("params")] = None
    realm: AnyText | None = None
    max_triggers: WholeNumber | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ClearDigitBindings(RelayCommand):
    """Forget the bindings of ``realm``, or all of them."""

    method: ClassVar[str] = "calling.clear_digit_bindings"

    realm: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LiveTranscribe(RelayCommand):
    """Start, stop or summarise a live transcription; ``action`` is sent as given (PROTOCOL D18)."""

    method: ClassVar[str] = "calling.live_transcribe"

    action: LiveAction


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class LiveTranslate(RelayCommand):
    """Start, stop or feed a live translation; ``action`` is sent as given (PROTOCOL D18)."""

    method: ClassVar[str] = "calling.live_translate"

    action: LiveAction
    status_url: AnyText | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class UserEvent(RelayCommand):
    """Tell the call's other applications something; ``event`` and ``extra`` are sent as given (PROTOCOL D17)."""

    method: ClassVar[str] = "calling.user_event"
    takes_anything: ClassVar[bool] = True

    event: Anything = None
