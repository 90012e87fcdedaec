"""Tests of `table_booking`, by guests, and a head waiter who is not always there."""

import pytest
from table_booking import TakeNext, app, desk, guests_in_line

from relay_actors.testing import AppRunner, PhoneMaker, RelayClock


@pytest.mark.parametrize(("context", "keys"), [("guests", "4#"), ("regulars", "1")])
def test_a_guest_gets_the_table_that_the_waiter_gives(
    relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock, context: str, keys: str
) -> None:
    """However long it takes him, as long as the guest is patient."""
    relay_app(app)
    caller = phone("+15550001111").dials(context=context)
    caller.hears("for how many" if context == "guests" else "usual").presses(keys)
    relay_clock.advance(15)
    assert guests_in_line() == 1
    assert desk().ask(TakeNext(table=7)) is True
    caller.hears("table 7").is_hung_up()
    assert desk().ask(TakeNext(table=8)) is False
    assert guests_in_line() == 0


@pytest.mark.parametrize(
    ("context", "keys", "hears"), [("guests", "4#", "nobody has time"), ("regulars", "1", "not today")]
)
def test_a_guest_whom_nobody_answers_is_told(
    relay_app: AppRunner, phone: PhoneMaker, context: str, keys: str, hears: str
) -> None:
    """And the desk knows that nobody waits any more."""
    relay_app(app)
    caller = phone("+15550001111").dials(context=context)
    caller.is_asked().presses(keys)
    caller.hears(hears).is_hung_up()
    assert guests_in_line() == 0


def test_a_question_may_be_refused(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """What the handler raises is raised at who asked; the desk goes on."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="guests")
    caller.hears("for how many").presses("12#")
    caller.hears("too many").is_hung_up()
    assert guests_in_line() == 0
