"""Tests of `answering_machine`, by people and their machines."""

from answering_machine import app, remind

from relay_actors.testing import AppRunner, PhoneMaker

READER = "+15550001111"


def test_a_reader_keeps_the_book(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """They are asked when it is certain that somebody is there to press a key."""
    relay_app(app)
    phone(READER).answers()
    call = remind(READER, "Moby Dick")
    phone(READER).rings()
    phone(READER).hears("moby dick").presses("1").hears("thank you").is_hung_up()
    call.wait_for_ended().get(timeout=60)
    assert (call.data["reached"], call.data["keeps"]) == ("HUMAN", True)


def test_a_machine_is_spoken_to_after_its_beep(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """What is said during its greeting would be lost; it keeps every word."""
    relay_app(app)
    phone(READER).is_answering_machine(greeting="You have reached the Ahabs. We are at sea.")
    call = remind(READER, "Moby Dick")
    assert phone(READER).receives_voicemail() == "The library wants Moby Dick back. Thank you."
    call.wait_for_ended().get(timeout=60)
    assert call.data["reached"] == "MACHINE"
