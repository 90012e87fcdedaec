"""Tests of `warm_transfer`, by a caller and a colleague."""

from collections.abc import Callable

import pytest
from warm_transfer import COLLEAGUE, app

from relay_actors.testing import AppRunner, Line, PhoneMaker

CALLER = "+15550001111"


def asks(phone: PhoneMaker) -> Line:
    """A caller who has said what it is about."""
    return phone(CALLER).dials(context="helpdesk").hears("what is it about").says("my invoice")


def test_the_colleague_knows_what_it_is_about(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Before they say a word to the caller, who hears music meanwhile."""
    relay_app(app)
    caller = asks(phone)
    colleague = phone(COLLEAGUE).rings().answers().hears("my invoice")
    assert caller.is_on_hold
    colleague.presses("1").talks_to(caller).says("Hello, about your invoice:")
    caller.hears("about your invoice").hangs_up()
    colleague.is_hung_up()


@pytest.mark.parametrize(
    "does",
    [
        lambda line: line.rejects(),
        lambda line: line.answers().hangs_up(),
        lambda line: line.answers().is_asked().presses("2"),
    ],
)
def test_a_colleague_who_does_not_take_it_is_not_the_end(
    relay_app: AppRunner, phone: PhoneMaker, does: Callable[[Line], object]
) -> None:
    """However they show it."""
    relay_app(app)
    caller = asks(phone)
    colleague = phone(COLLEAGUE).rings()
    does(colleague)
    caller.hears("we will write").is_hung_up()


def test_a_caller_who_gives_up_leaves_nobody_ringing(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The colleague's actor watches the caller's."""
    relay_app(app)
    caller = asks(phone)
    colleague = phone(COLLEAGUE).rings()
    caller.hangs_up()
    assert colleague.is_hung_up().end_reason == "cancel"
