"""Tests of `pizza_line`, by people who are hungry."""

from pizza_line import app

from relay_actors.testing import AppRunner, PhoneMaker, RelayClock, Simulator


def test_a_caller_hears_the_hours(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And is hung up after that."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="pizza")
    caller.hears("press 1").presses("2")
    caller.hears("from five to ten").is_hung_up()


def test_a_silent_caller_is_asked_twice_and_let_go(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Nobody sits and waits for them: their silence takes no time here."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="pizza")
    caller.hears("press 1").hears("press 1").hears("when you are hungry").is_hung_up()


def test_a_pizza_takes_ten_minutes(relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock) -> None:
    """A long call is a short test."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="pizza").hears("press 1").presses("1")
    caller.hears("ten minutes")
    caller.hears("is ready", within=700).is_hung_up()
    assert 600 < relay_clock.now < 610


def test_an_order_gets_through_a_broken_connection(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """The call lives on the server; the key comes when the connection is back."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="pizza").hears("press 1")
    with relay_sim.socket_down(seconds=4):
        caller.presses("1")
    caller.hears("ten minutes")


def test_no_pizza_is_sold_twice(relay_app: AppRunner, phone: PhoneMaker, relay_clock: RelayClock) -> None:
    """Three callers press at the same moment, and there are two pizzas."""
    relay_app(app)
    callers = [phone(f"+1555000111{number}").dials(context="pizza") for number in range(3)]
    for caller in callers:
        caller.hears("press 1").presses("1")
    relay_clock.advance(10)
    answers = sorted(str(caller.heard[-1]) for caller in callers)
    assert answers == ["It takes ten minutes. Please hold.", "It takes ten minutes. Please hold.", "We are sold out."]
