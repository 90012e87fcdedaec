"""Tests of `advice_line`, by a caller and an adviser."""

from advice_line import ADVISER, FREE_S, app

from relay_actors.testing import AppRunner, PhoneMaker


def test_the_caller_votes_after_the_conversation(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """It is over when the adviser hangs up."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="advice").hears("waiting.mp3")
    adviser = phone(ADVISER).rings().answers()
    caller.talks_to(adviser)
    adviser.hangs_up()
    caller.hears("how was it").presses("5").hears("thank you").is_hung_up()


def test_the_time_is_limited(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Ten minutes, in which a test only looks. The adviser is not hung up: somebody else may want advice."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="advice")
    adviser = phone(ADVISER).rings().answers()
    caller.talks_to(adviser)
    caller.hears("how was it", within=FREE_S + 10).presses("2").hears("thank you").is_hung_up()
    assert adviser.state == "answered"
    adviser.hangs_up()


def test_advisers_may_be_busy(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Then the caller is told, and not asked how it was."""
    relay_app(app)
    phone(ADVISER).is_busy()
    phone("+15550001111").dials(context="advice").hears("advisers are busy").is_hung_up()
