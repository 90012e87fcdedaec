"""Tests of `one_touch_recording`, by a caller and an agent."""

from one_touch_recording import AGENT, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_a_conversation_is_recorded_on_request(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """The agent gets it as a text when all is over."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="helpline")
    agent = phone(AGENT).rings().answers()
    caller.talks_to(agent).presses("*1").says("My printer is on fire.")
    agent.hears("printer").hangs_up()
    caller.is_hung_up()
    phone(AGENT).receives_text("recorded: http")
    assert relay_sim.count(caller, "calling.record") == 0  # the server has done it


def test_nothing_is_recorded_that_nobody_asked_for(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """One of the two keys is not enough."""
    relay_app(app)
    caller = phone("+15550001111").dials(context="helpline")
    agent = phone(AGENT).rings().answers()
    caller.talks_to(agent).presses("1").hangs_up()
    agent.is_hung_up()
    assert phone(AGENT).inbox == ()
