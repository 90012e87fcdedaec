"""Tests of `answer_and_welcome`, by people who call."""

from answer_and_welcome import app

from relay_actors.testing import AppRunner, PhoneMaker


def test_a_caller_is_welcomed(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And hung up when the words are over."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="default")
    assert caller.hears("welcome to the harbour").is_hung_up().end_reason == "hangup"


def test_callers_do_not_wait_for_each_other(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Each has an actor of their own."""
    relay_app(app)
    callers = [phone(f"+1555000111{number}").dials(context="default") for number in range(5)]
    for caller in callers:
        caller.hears("welcome")
    for caller in callers:
        caller.is_hung_up()
