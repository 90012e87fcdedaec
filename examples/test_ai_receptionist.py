"""Tests of `ai_receptionist`, by guests; what the agent says is written down here."""

from ai_receptionist import KITCHEN, app, on_get_person

from relay_actors.simulator import Turn
from relay_actors.testing import AppRunner, PhoneMaker, Simulator

GUEST = "+15550001111"


def test_the_agent_knows_what_the_guest_has_booked(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """The call ends when the agent has nothing more to say."""
    relay_app(app)
    relay_sim.next_agent("How can I help?", "Done.", summary="Wants the terrace.")
    guest = phone(GUEST).dials(context="restaurant")
    guest.hears("one moment").hears("thank you for waiting").hears("how can i help").says("The terrace, please.")
    guest.hears("done").is_hung_up()
    [conversation] = relay_sim.conversations
    assert conversation.texts("system") == ["The guest has booked a table for four at eight."]
    assert conversation.global_data == {"opens": "18:00", "booking": "a table for four at eight"}


def test_an_agent_that_fails_is_replaced_by_a_person(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """No guest is left alone with a broken machine."""
    relay_app(app)
    relay_sim.next_agent("Hello.", ends="error")
    guest = phone(GUEST).dials(context="restaurant")
    guest.hears("get you somebody").talks_to(phone(KITCHEN).rings().answers())
    phone(KITCHEN).hangs_up()
    guest.is_hung_up()


def test_a_guest_who_wants_a_person_gets_one(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """No HTTP leaves the simulator: what would have been sent is handed over here, as a web server does."""
    relay_app(app)
    relay_sim.next_agent("How can I help?", Turn("One moment.", hears="person", calls="get_person"), "Hello?")
    guest = phone(GUEST).dials(context="restaurant")
    guest.hears("how can i help").says("A person, please.").hears("one moment")
    [hook] = relay_sim.webhooks
    assert on_get_person(hook.body) == {"response": "Somebody is coming."}
    guest.hears("get you somebody").talks_to(phone(KITCHEN).rings().answers())
    phone(KITCHEN).hangs_up()
    guest.is_hung_up()
    assert on_get_person({"call_id": "long-ago"}) == {"response": "The guest has hung up."}


def test_a_server_that_tells_nothing_of_the_end_is_no_trouble(
    relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator
) -> None:
    """As most are: the agent hangs up, and that is all there is to hear."""
    relay_app(app)
    relay_sim.next_agent("How can I help?", "Goodbye.", ends="hangs up")
    phone(GUEST).dials(context="restaurant").hears("how can i help").says("Never mind.").hears("goodbye").is_hung_up()
    [conversation] = relay_sim.conversations
    assert conversation.state == "hung up"
