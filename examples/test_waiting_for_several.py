"""Tests of `waiting_for_several`."""

from waiting_for_several import app

from relay_actors.testing import AppRunner, PhoneMaker


def test_stock_and_price_are_told(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """One is asked of blocking code, the other of asyncio code; both are there before it is said."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="books")
    caller.hears("which book").presses("1")
    caller.hears("emma: 4 copies, 40 cents").is_hung_up()


def test_who_presses_nothing_is_asked_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The race is lost by the menu, which goes on: a key that comes later is taken."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="books")
    caller.hears("which book").hears("still there").presses("2")
    caller.hears("persuasion").is_hung_up()


def test_a_handler_waits_too(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Message style, and an answer that takes its time."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="ratings")
    caller.hears("how was it").presses("5")
    caller.hears("you said 5").is_hung_up()
