"""Tests of `answering_machine`, by people and their machines."""

from answering_machine import app, remind

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

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


def test_a_machine_is_spoken_to_after_its_beep(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """What is said during its greeting would be lost."""
    relay_app(app)
    phone(READER).is_answering_machine()
    call = remind(READER, "Moby Dick")
    call.wait_for_ended().get(timeout=60)
    assert call.data["reached"] == "MACHINE"
    [message] = phone(READER).line.heard
    assert "Moby Dick" in str(message)
    words = [(frame.method, b"READY" in frame.text) for frame in relay_sim.frames]
    ready = next(place for place, (_method, is_ready) in enumerate(words) if is_ready)
    assert ready < words.index(("calling.play", False))
