"""Tests of `crashing`, by callers who press what nobody has thought of."""

from crashing import app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_crash_is_heard_as_a_question_that_comes_again(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The call stays up, and the second answer counts."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="shops")
    caller.hears("postcode").presses("99999")
    caller.hears("something went wrong").hears("postcode").presses("10115")
    caller.hears("chausseestrasse").is_hung_up()


def test_crashes_are_counted(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """A call that goes on shows none."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="shops")
    caller.hears("postcode").presses("10115")
    caller.hears("chausseestrasse").is_hung_up()
    assert app.metrics()["actors.failed"] == 0
    caller = phone("+15550002222").dials(context="shops")
    caller.hears("postcode").presses("99999")
    caller.hears("postcode").presses("10115")
    caller.hears("chausseestrasse").is_hung_up()
    assert app.metrics()["actors.failed"] == 1


def test_a_crash_loop_ends_with_one_hang_up(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Nobody is left in silence, and nobody is kept asking for ever."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="shops")
    for _crash in range(3):
        caller.hears("postcode").presses("99999")
    assert caller.is_hung_up().end_reason == "error"
    assert relay_sim.count(caller, "calling.end") == 1


def test_somebody_polite_may_take_over(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The caller hears why."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="polite-shops")
    for _crash in range(3):
        caller.hears("postcode").presses("99999")
    caller.hears("out of order").is_hung_up()


def test_another_class_may_take_over(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The caller is not only put off."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="patient-shops")
    for _crash in range(3):
        caller.hears("postcode").presses("99999")
    caller.hears("leave a message").hears("beep").says("Call me back.")
    caller.is_hung_up()


def test_a_call_may_be_handed_on(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """To others who do better; it is not hung up then."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="busy-shops")
    for _crash in range(3):
        caller.hears("postcode").presses("99999")
    caller.hears("postcode").presses("10115")
    caller.hears("chausseestrasse").is_hung_up()
    assert relay_sim.count(caller, "calling.transfer") == 1
