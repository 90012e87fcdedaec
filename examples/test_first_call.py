"""Tests of `first_call`, by the people who call it."""

from first_call import app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_caller_hears_the_opening_hours(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """They hear the question to its end or press at once; here at once."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="office")
    caller.hears("press 1").presses("2")
    caller.hears("nine to five")
    caller.is_hung_up()


def test_a_silent_caller_is_not_left_in_silence(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The question has a time-out of its own, four seconds unless one is given."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="office")
    caller.hears("press 1").hears("did not get that").is_hung_up()


def test_fifty_callers_are_served_at_once(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Each call has an actor of its own. A crowd does everything together."""
    relay_app(app)
    crowd = phone.many(50).dials(context="office")
    crowd.hears("press 1").presses("2")
    crowd.hears("nine to five").is_hung_up()


def test_sales_is_reached_although_the_connection_breaks(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """The call lives on the server: what is pressed meanwhile comes when the connection is back."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="office")
    caller.hears("press 1")
    with relay_sim.socket_down(seconds=4):
        caller.presses("1")
    caller.is_transferred(to="sales")
