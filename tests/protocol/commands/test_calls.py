"""Commands on a call itself."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import (
    Answer,
    BindDigit,
    Connect,
    Dial,
    Hangup,
    LiveTranscribe,
    Refer,
    SendDigits,
    Transfer,
    UserEvent,
)

PHONE: dict[str, Any] = {"type": "phone", "params": {"from_number": "+1", "to_number": "+2"}}


def test_a_hang_up_always_says_why() -> None:
    """PROTOCOL 8.8: the reason is always sent, and any word passes through."""
    assert Hangup().to_params() == {"reason": "hangup"}
    assert Hangup(reason="brand_new").to_params() == {"reason": "brand_new"}


def test_a_dial_needs_no_call_and_keeps_its_tag() -> None:
    """PROTOCOL 9.1: events find the dial by the tag, so it must be known before it is sent."""
    dial = Dial(devices=[[PHONE]])
    assert dial.needs_call is False
    assert dial.with_tag("t-1").to_params() == {"devices": [[PHONE]], "tag": "t-1"}
    assert dial.with_tag("t-1").with_tag("t-2").tag == "t-1"
    overridden = Dial(devices=[[PHONE]], tag="mine", extra={"tag": "theirs"})
    assert overridden.tag == overridden.to_params()["tag"] == "theirs"


class Tag(StrEnum):
    REMINDER = "reminder"


@pytest.mark.parametrize("given", [{"tag": Tag.REMINDER}, {"extra": {"tag": Tag.REMINDER}}])
def test_the_tag_of_a_dial_is_plain_text(given: dict[str, Any]) -> None:
    """The journal knows the dial by it, and holds nothing else."""
    dial = Dial(devices=[[PHONE]], **given)
    assert type(dial.tag) is str
    assert dial.tag == dial.to_params()["tag"] == "reminder"


def test_a_dial_without_limit_does_not_send_one() -> None:
    """PROTOCOL 9.1: only if given and non-zero."""
    assert "max_duration" not in Dial(devices=[[PHONE]], max_duration=0).to_params()
    assert Dial(devices=[[PHONE]], max_duration=30).to_params()["max_duration"] == 30


def test_ringback_is_media() -> None:
    """Flat items are nested here as well (PROTOCOL 12, D1)."""
    connect = Connect(devices=[[PHONE]], ringback=[{"type": "ringtone", "name": "us"}])
    assert connect.to_params()["ringback"] == [{"type": "ringtone", "params": {"name": "us"}}]


def test_devices_are_not_judged() -> None:
    """PROTOCOL 13.2: the client does not validate devices."""
    strange = {"type": "carrier-pigeon", "params": None}
    assert Connect(devices=[[strange], [{}]]).to_params()["devices"] == [[strange], [{}]]


@pytest.mark.parametrize("devices", [PHONE, [[PHONE]], {"type": "phone", **PHONE["params"]}])
def test_devices_may_be_flat_and_one_may_stand_alone(devices: Any) -> None:
    """They go out as the schema wants them (PROTOCOL 13.2)."""
    assert Connect(devices=devices).to_params() == Dial(devices=devices).to_params() == {"devices": [[PHONE]]}


@pytest.mark.parametrize(
    "make",
    [
        lambda: Hangup(reason=""),
        lambda: Answer(max_duration=-1),
        lambda: Connect(devices=[PHONE]),
        lambda: Connect(devices="+15550100101"),  # type: ignore[arg-type]
        lambda: Dial(devices=None),  # type: ignore[arg-type]
        lambda: Dial(devices=[[PHONE]], tag=""),
        lambda: Dial(devices=[[PHONE]], extra={"tag": 5}),
        lambda: SendDigits(digits="12x4"),
        lambda: SendDigits(digits=""),
        lambda: Refer(device={"params": {"to": "sip:x"}}),
        lambda: Transfer(dest=""),
    ],
)
def test_what_could_never_work_is_refused(make: Callable[[], object]) -> None:
    """Before anything is sent, at the line that is wrong."""
    with pytest.raises(ArgumentError, match=r"^calling\.\w+: \w+ must be"):
        make()


def test_renamed_and_free_arguments_reach_the_wire() -> None:
    """PROTOCOL 20: ``bind_params`` goes out as ``params``; the free keys of a user event stand beside it."""
    assert BindDigit(digits="*1", bind_method="calling.play", bind_params={"a": 1}).to_params() == {
        "digits": "*1",
        "bind_method": "calling.play",
        "params": {"a": 1},
    }
    assert UserEvent(event="order", extra={"order_id": "1"}).to_params() == {"event": "order", "order_id": "1"}
    assert UserEvent(extra={"a": 1}).to_params() == {"a": 1}
    assert LiveTranscribe(action="stop").to_params() == {"action": "stop"}


def test_a_password_in_a_device_is_not_shown() -> None:
    """Commands appear in logs and error reports."""
    refer = Refer(device={"type": "sip", "params": {"to": "sip:x", "password": "hunter2"}})
    assert "hunter2" not in repr(refer)
