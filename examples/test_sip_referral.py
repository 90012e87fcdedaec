"""Tests of `sip_referral`, by SIP phones and others."""

from sip_referral import DEPARTMENTS, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_sip_phone_is_referred(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The application is out of the conversation after that."""
    relay_app(app)
    caller = phone("sip:ann@example.com").dials(context="switchboard").hears("press 1").presses("2")
    support = phone(DEPARTMENTS["2"]).rings().answers()
    caller.talks_to(support)
    assert relay_sim.wait_until(lambda: len(relay_sim.calls_up()) == 2)
    support.hangs_up()
    caller.is_hung_up()


def test_a_department_that_is_busy_is_told_to_the_caller(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Who is still here, and can be spoken to."""
    relay_app(app)
    phone(DEPARTMENTS["1"]).is_busy()
    caller = phone("sip:ann@example.com").dials(context="switchboard").hears("press 1").presses("1")
    caller.hears("busy").is_hung_up()


def test_other_phones_are_bridged(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """They cannot be referred."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="switchboard").hears("press 1").presses("1")
    sales = phone(DEPARTMENTS["1"]).rings().answers()
    caller.talks_to(sales).hangs_up()
    sales.is_hung_up()
