"""Tests of `dial_and_play`, by people who are called."""

from dial_and_play import announce, app

from relay_actors.testing import AppRunner, PhoneMaker

SOMEBODY = "+15550001111"


def test_somebody_who_answers_is_told(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The words are heard to their end, and then the call is over."""
    relay_app(app)
    phone(SOMEBODY).answers()
    assert announce(SOMEBODY, "The museum is closed tomorrow.") == "told: hangup"
    assert phone(SOMEBODY).hears("closed tomorrow").end_reason == "hangup"


def test_somebody_who_cannot_be_reached_is_told_nothing(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Whoever waits for the call learns why, and at once."""
    relay_app(app)
    phone(SOMEBODY).is_busy()
    assert announce(SOMEBODY, "The museum is closed tomorrow.") == "not reached: busy"
    phone(SOMEBODY).rejects()
    assert announce(SOMEBODY, "The museum is closed tomorrow.") == "not reached: decline"
    assert [line.heard for line in phone(SOMEBODY).lines] == [(), ()]
