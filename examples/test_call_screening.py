"""Tests of `call_screening`, by all sorts of callers."""

from call_screening import app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_blocked_number_always_finds_the_line_busy(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """It never learns more than that."""
    relay_app(app)
    pest = phone("+15550100666").dials(context="home")
    assert pest.is_hung_up().end_reason == "busy"
    assert pest.heard == ()


def test_the_family_is_left_to_the_server(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Nobody answers here, and nobody hangs up."""
    relay_app(app)
    mother = phone("+15550100301").dials(context="home")
    relay_sim.expect(mother, "calling.pass")
    assert mother.hangs_up().end_reason == "abandoned"
    assert relay_sim.count(mother, "calling.end") == 0


def test_others_are_asked_who_they_are(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Their name is told to whoever else attends to the call."""
    relay_app(app)
    caller = phone("anonymous").dials(context="home")
    caller.hears("who is calling").says("Ishmael")
    caller.hears("thank you, ishmael").is_hung_up()
    assert relay_sim.count(caller, "calling.user_event") == 1


def test_who_says_nothing_is_not_waited_for(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """As robots do."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="home")
    assert len(caller.hears("who is calling").is_hung_up().heard) == 1
