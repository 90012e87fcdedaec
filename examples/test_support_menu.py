"""Tests of `support_menu`, by a caller and a desk."""

from support_menu import DESK, app

from relay_actors.testing import AppRunner, PhoneMaker


def test_support_is_not_there(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The goodbye is heard to its end."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="support")
    caller.hears("press 1").presses("2")
    assert caller.hears("nobody is there").is_hung_up().end_reason == "hangup"


def test_the_caller_talks_to_the_desk(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """A transfer leads from one actor to another, and a connection from the caller to a telephone."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="support")
    caller.hears("press 1").presses("1")
    caller.hears("order number").presses("4711#")
    desk = phone(DESK).rings().answers()
    caller.talks_to(desk)
    desk.hangs_up()
    caller.hears("number 4711").is_hung_up()


def test_a_busy_desk_is_not_the_end(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The caller hears the order number all the same."""
    relay_app(app)
    phone(DESK).is_busy()
    caller = phone("+15550001111").dials(context="sales")
    caller.hears("order number").presses("12#")
    caller.hears("number 12").is_hung_up()
