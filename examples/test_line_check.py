"""Tests of `line_check`, by callers with headsets."""

from line_check import app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_caller_checks_the_line_with_the_filter(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """The filter is on during the echo, and off after it."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="line-check")
    caller.hears("press 1").presses("1")
    caller.hears("speak now").says("One, two, three.")
    caller.hears("your line is fine").is_hung_up()
    sent = [frame.method for frame in relay_sim.frames.received()]
    order = ["calling.denoise", "calling.echo", "calling.denoise.stop"]
    assert [method for method in sent if method in order] == order


def test_a_caller_checks_the_line_as_it_is(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Nothing is filtered unasked."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="line-check")
    caller.hears("press 1").presses("2")
    caller.hears("your line is fine").is_hung_up()
    assert relay_sim.count(caller, "calling.denoise") == 0
