"""What is known of a text. How it comes to be known is tested with its actor."""

from __future__ import annotations

import enum

import pytest

from relay_actors.actors.message_handle import TextMessage
from relay_actors.events import MessageStateEvent
from relay_actors.protocol.commands import SendMessage

TO, FROM = "+14045550123", "+14045550199"


class Ours(str, enum.Enum):  # noqa: UP042  # people have such ones, and a `StrEnum` writes itself otherwise
    """What an application always sends."""

    NUMBER = FROM
    CONFIRMATION = "hi"


def state(message_state: str, **more: object) -> MessageStateEvent:
    params = {"message_state": message_state, "from_number": FROM, "to_number": TO, "body": "hi", **more}
    return MessageStateEvent.from_payload({"event_type": "messaging.state", "params": params})


def text(**more: object) -> TextMessage:
    return TextMessage(direction="outbound", from_number=FROM, to_number=TO, body="hi", **more)  # type: ignore[arg-type]


def test_a_text_only_moves_forward_and_keeps_what_it_knows() -> None:
    """PROTOCOL 14.2: a state that comes late is no news."""
    message = text(state="queued")
    assert message.moved(state("sent", segments=2))
    assert not message.moved(state("initiated"))
    assert message.moved(state("undelivered", reason="Unreachable"))
    assert (message.state, message.segments, message.reason) == ("undelivered", 2, "Unreachable")


def test_an_event_tells_of_a_text_that_says_the_same() -> None:
    """Of a text of unknown outcome nothing else is known (SEMANTICS J5)."""
    message = text(media=["https://example.com/a.png"], tags=["auto"])
    assert message.is_told_of_by(state("queued", media=["https://example.com/a.png"], tags=["auto"]))


@pytest.mark.parametrize(
    "other", [{"body": "ho"}, {"to_number": FROM}, {"from_number": TO}, {"tags": ["x"]}, {"media": ["x"]}]
)
def test_an_event_that_differs_in_anything_tells_of_another_text(other: dict[str, object]) -> None:
    """Rather unknown than wrong."""
    assert not text().is_told_of_by(state("queued", **other))


def test_a_text_is_made_of_what_the_members_of_an_enum_stand_for() -> None:
    """That is what goes over the wire, and what its events say again: by its name none would be told of it."""
    sent = SendMessage(to_number=TO, from_number=Ours.NUMBER, body=Ours.CONFIRMATION)
    kept = TextMessage.to_send(sent.to_params())
    assert (kept.from_number, f"{kept.body}") == (FROM, "hi")
    assert kept.is_told_of_by(state("queued"))
