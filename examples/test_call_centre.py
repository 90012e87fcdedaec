"""Tests of `call_centre`, by callers and a team of two, and with a bug or two."""

from typing import Any

import pytest
from call_centre import TEAM, Serve, Waiting, app

from relay_actors import SupervisorRef
from relay_actors.testing import AppRunner, PhoneMaker

ADA, BEN, CLEO = "+15550001111", "+15550002222", "+15550003333"
ANNA, BORIS = TEAM.values()
NOBODY: Any = "no ref at all"
"""What a service crashes on."""


def test_whoever_came_first_talks_first(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Three callers, two agents."""
    relay_app(app)
    ada = phone(ADA).dials(context="service").hears("hold the line")
    anna = phone(ANNA).rings().answers()
    ben = phone(BEN).dials(context="service").hears("hold the line")
    boris = phone(BORIS).rings().answers()
    cleo = phone(CLEO).dials(context="service").hears("hold the line").hears("music.mp3")
    ada.talks_to(anna)
    ben.talks_to(boris)
    boris.hangs_up()
    ben.hears("thank you").is_hung_up()
    cleo.talks_to(phone(BORIS).rings().answers())
    cleo.hangs_up()
    ada.hangs_up()


def test_a_crash_of_the_queue_loses_nobody(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """It forgets everybody; those who watch it tell it again."""
    relay_app(app)
    talking = [phone(number).dials(context="service") for number in (ADA, BEN)]
    agents = [phone(number).rings().answers() for number in (ANNA, BORIS)]
    cleo = phone(CLEO).dials(context="service").hears("music.mp3")
    queue = app.lookup("queue")
    assert queue is not None
    queue.tell(Waiting(NOBODY))
    for agent in agents:
        agent.hangs_up()
    for caller in talking:
        caller.hears("thank you")
    cleo.talks_to(phone(ANNA).rings().answers()).hangs_up()
    assert queue.incarnation == 1


@pytest.mark.parametrize("is_talking", [False, True])
def test_a_crash_of_an_agent_harms_no_conversation(relay_app: AppRunner, phone: PhoneMaker, is_talking: bool) -> None:
    """The bridge is the server's. Whose telephone is busy after that has a break, and the caller goes to the next."""
    relay_app(app)
    team = app.lookup("team")
    assert isinstance(team, SupervisorRef)
    anna = team.child("anna")
    assert anna is not None
    if not is_talking:
        anna.tell(Serve(NOBODY))
    ada = phone(ADA).dials(context="service")
    conversation = phone(ANNA).rings().answers()
    if is_talking:
        anna.tell(Serve(NOBODY))
    ada.talks_to(conversation)
    ben = phone(BEN).dials(context="service")
    ben.talks_to(phone(BORIS).rings().answers()).hangs_up()
    conversation.hangs_up()
    ada.hears("thank you").is_hung_up()
    assert (anna.incarnation, team.count_children().running) == (1, 2)


def test_an_agent_who_does_not_answer_has_a_break(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """And the caller keeps the place."""
    relay_app(app)
    phone(ANNA).is_busy()
    ada = phone(ADA).dials(context="service").hears("music.mp3")
    ada.talks_to(phone(BORIS).rings().answers()).hangs_up()
