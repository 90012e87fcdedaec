"""The command that sends a text message."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.errors import ArgumentError
from relay_actors.protocol.commands import SendMessage

NUMBERS: dict[str, Any] = {"to_number": "+1", "from_number": "+2"}


def test_a_message_is_sent_without_a_call() -> None:
    """It belongs to no call, and 404 is no call that is gone (PROTOCOL 14.1)."""
    assert SendMessage.needs_call is False


@pytest.mark.parametrize("content", [{}, {"body": ""}, {"media": []}, {"body": "", "media": []}, {"body": None}])
def test_a_message_without_content_is_refused(content: dict[str, Any]) -> None:
    """PROTOCOL 14.1: empty counts as missing; ``ValueError``, nothing sent."""
    with pytest.raises(ArgumentError, match="give body, media or both") as refusal:
        SendMessage(**NUMBERS, **content)
    assert isinstance(refusal.value, ValueError)


def test_what_is_empty_is_not_sent() -> None:
    """PROTOCOL 14.1: only if non-empty."""
    message = SendMessage(**NUMBERS, body="Hi", media=[], tags=[], region="", context="")
    assert message.to_params() == {**NUMBERS, "body": "Hi"}


def test_everything_that_was_given_is_sent() -> None:
    """Pictures alone are enough."""
    message = SendMessage(**NUMBERS, media=("https://x/a.png",), tags=["a"], region="us", context="support")
    assert message.to_params() == {
        **NUMBERS,
        "media": ["https://x/a.png"],
        "tags": ["a"],
        "region": "us",
        "context": "support",
    }


@pytest.mark.parametrize("wrong", [{"to_number": ""}, {"from_number": None}, {"media": "https://x"}, {"tags": "a"}])
def test_what_could_never_work_is_refused(wrong: dict[str, Any]) -> None:
    """A bare text in place of a list would be taken letter by letter."""
    with pytest.raises(ArgumentError, match=r"^messaging\.send: \w+ must be"):
        SendMessage(**{**NUMBERS, "body": "Hi", **wrong})
