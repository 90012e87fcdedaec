"""Tests of `sms_echo`, by people with telephones."""

from sms_echo import app, notify

from relay_actors.testing import AppRunner, PhoneMaker


def test_a_text_comes_back(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """To the number from which it came."""
    relay_app(app)
    sender = phone("+15550001111").texts("Hello?", context="echo")
    assert sender.receives_text().body == "You wrote: Hello?"


def test_what_became_of_a_text_is_known(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """That the server has taken it says little."""
    relay_app(app)
    assert notify("+15550001111", "Ready.") == "delivered"
    phone("+15550002222").refuses_texts()
    assert notify("+15550002222", "Ready.") == "undelivered"
