"""Tests of `meeting_room`, by two who take part."""

from meeting_room import MINUTES, ROOM, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator


def test_what_is_said_is_in_the_minutes(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Whoever leaves early gets a summary of their own words; the others go on."""
    relay_app(app)
    ada, ben = (phone(number).dials(context="meeting").is_in_room(ROOM) for number in ("+15550001111", "+15550002222"))
    ada.talks_to(ben).says("The boat is ready.")
    ben.hears("the boat is ready")
    ada.is_asked().presses("*").hears("next week").is_hung_up()
    assert ben.is_in_room(ROOM).state == "answered"
    pages = [page.body for page in relay_sim.webhooks if page.url == MINUTES]
    assert [page["content"] for page in pages if page.get("event") == "live_transcribe.utterance"] == [
        "The boat is ready."
    ]
    [summary] = [page["summary"] for page in pages if page.get("event") == "live_transcribe.summary"]
    assert "The boat is ready." in str(summary)
