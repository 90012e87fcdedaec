"""Tests of `ivr_connect`, by callers and an agent."""

import pytest
from ivr_connect import AGENT, app

from relay_actors.testing import AppRunner, PhoneMaker

CALLER = "+15550001111"


@pytest.mark.parametrize(("key", "answer"), [("1", "from nine to five"), ("7", "none of our")])
def test_each_key_has_its_answer(relay_app: AppRunner, phone: PhoneMaker, key: str, answer: str) -> None:
    """Also the keys that nobody was told of."""
    relay_app(app)
    caller = phone(CALLER).dials(context="default")
    caller.hears("harbour boats").presses(key)
    caller.hears(answer).is_hung_up()


def test_the_zero_leads_to_somebody(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Until one of the two hangs up."""
    relay_app(app)
    caller = phone(CALLER).dials(context="default")
    caller.hears("press 0").presses("0")
    caller.hears("calling our agent")
    agent = phone(AGENT).rings().answers()
    caller.talks_to(agent)
    agent.hangs_up()
    caller.is_hung_up()


def test_an_agent_who_is_busy_is_no_dead_end(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The caller is told."""
    relay_app(app)
    phone(AGENT).is_busy()
    caller = phone(CALLER).dials(context="default")
    caller.hears("press 0").presses("0")
    caller.hears("nobody is there").is_hung_up()
