"""Tests of `speech_menu`, by people who speak clearly, and by others."""

from speech_menu import app

from relay_actors.testing import AppRunner, Line, PhoneMaker


def caller(phone: PhoneMaker) -> Line:
    """Somebody who has heard the question."""
    return phone("+15550001111").dials(context="ferries").hears("where to")


def test_a_destination_is_understood(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """It need not be spelt as in the timetable."""
    relay_app(app)
    caller(phone).says("South Island").hears("leaves at nine").is_hung_up()


def test_a_key_does_as_well(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """In a noisy place."""
    relay_app(app)
    caller(phone).presses("3").hears("every hour").is_hung_up()


def test_what_was_hardly_understood_is_asked_back(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """A wrong island is worse than a question."""
    relay_app(app)
    someone = caller(phone).says("north island", confidence=40.0)
    someone.hears("the north island, is that right").says("Yes please")
    someone.hears("half past eight").is_hung_up()


def test_who_is_never_understood_is_let_go(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """After three attempts nobody enjoys a fourth."""
    relay_app(app)
    someone = caller(phone).presses("9")
    someone.hears("did not get that").presses("9")
    someone.hears("did not get that").presses("9")
    someone.hears("on the pier").is_hung_up()
