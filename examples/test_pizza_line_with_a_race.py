"""Tests of `pizza_line_with_a_race`, by callers who come one after the other: so nothing is found."""

from pizza_line_with_a_race import app

from relay_actors.testing import AppRunner, PhoneMaker


def test_two_callers_get_a_pizza_and_the_third_gets_none(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """With three callers at the same moment, as `test_pizza_line` has them, there are orders in which this is wrong."""
    relay_app(app)
    for number in range(2):
        phone(f"+1555000111{number}").dials(context="pizza").hears("press 1").presses("1").hears("ten minutes")
    phone("+15550002222").dials(context="pizza").hears("press 1").presses("1").hears("sold out").is_hung_up()
