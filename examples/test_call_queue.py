"""Tests of `call_queue`, by callers and an agent."""

from call_queue import DESK, QUEUE, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

ADA, BEN, AGENT = "+15550001111", "+15550002222", "+15550003333"


def test_callers_move_up_as_the_agent_takes_them(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """In the order in which they came."""
    relay_app(app)
    ada = phone(ADA).dials(context="support").hears("you are number 1")
    ben = phone(BEN).dials(context="support").hears("you are number 2")
    agent = phone(AGENT).dials(context="agents")
    agent.talks_to(ada)
    ben.hears("you are number 1").is_in_queue(QUEUE, 1)
    ada.hangs_up()
    agent.hears("that was number 1").talks_to(ben)
    agent.hangs_up()
    ben.hears("thank you").is_hung_up()


def test_a_caller_who_will_not_wait_is_called_back(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """And leaves the queue at once."""
    relay_app(app)
    ada = phone(ADA).dials(context="support").hears("you are number 1").is_asked()
    ada.presses("1").hears("we will call you back").is_hung_up()
    phone(DESK).receives_text(f"Call {ADA} back.")
    assert [queue.waiting for queue in relay_sim.queues] == [()]
