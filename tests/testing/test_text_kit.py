"""One text's actor alone."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors import CallActor, MessageActor
from relay_actors.commands import Dial, Play, SendMessage
from relay_actors.errors import ConfigError
from relay_actors.events import MessageReceiveEvent
from relay_actors.testing import TextKit, no_leaks


class Echo(MessageActor):
    """Says it back."""

    def on_receive(self, message: object) -> None:
        match message:
            case MessageReceiveEvent(body="crash"):
                raise ValueError("told to")
            case MessageReceiveEvent(body="call me"):
                self.app.dial(Silent, {"type": "phone", "params": {"to_number": message.from_number}})
            case MessageReceiveEvent(body=body):
                self.reply(f"You said: {body}")


class Silent(CallActor):
    """Never speaks."""

    async def run(self) -> None:
        await self.wait_for_ended()


@no_leaks()
def test_a_text_is_answered():
    """By a text the other way round."""
    with TextKit(Echo) as kit:
        kit.arrives("Hello", from_number="+15550002222", to_number="+15559998888", context="sales")
        sent = kit.expect(SendMessage)
        assert (sent.body, sent.to_number, sent.from_number) == ("You said: Hello", "+15550002222", "+15559998888")
        assert sent.context == "sales"
        kit.expect_no_command(60.0)
        assert kit.has_stopped
        assert kit.message.body == "Hello"


def test_a_text_knows_the_time():
    """That by which its event is stamped, and not the machine's."""
    late_s: list[float] = []

    class Patient(MessageActor):
        async def on_receive(self, message: object) -> None:
            assert isinstance(message, MessageReceiveEvent)
            await self.sleep(60.0)
            late_s.append(self.now() - message.timestamp)

    with TextKit(Patient) as kit:
        kit.arrives("Hello")
        kit.advance(61.0)
    assert late_s == [pytest.approx(60.0)]


def test_what_goes_on_after_the_text_is_no_leak():
    """A call that it has dialled is stopped with the application."""
    with TextKit(Echo) as kit:
        kit.arrives("call me", media=["https://x/1.png"])
        kit.expect(Dial)
        assert kit.message.media == ["https://x/1.png"]


def test_a_crash_is_looked_at():
    """As with calls; a text is not handled twice."""
    with TextKit(Echo) as kit:
        kit.arrives("crash")
        [crash] = kit.crashes
        assert str(crash) == "told to"
        with pytest.raises(AssertionError, match="the actor has raised ValueError"):
            kit.expect(SendMessage, within=0.1)


def test_what_is_not_said_first_is_missed():
    """And there is one text for each kit."""
    with TextKit(Echo) as kit:
        with pytest.raises(ConfigError, match="no Echo has begun yet: say first what arrives"):
            _ = kit.message
        kit.arrives("Hello")
        with pytest.raises(ConfigError, match="make another kit for the next"):
            kit.arrives("Hello again")
        with pytest.raises(AssertionError, match="expected Play, but SendMessage"):
            kit.expect(Play)


@pytest.mark.parametrize("wrong", [CallActor, "Echo"])
def test_only_classes_of_texts_are_taken(wrong: Any):
    """Before anything is started."""
    with pytest.raises(ConfigError, match=r"TextKit\(.*\): give a subclass of MessageActor"):
        TextKit(wrong)
