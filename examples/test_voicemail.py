"""Tests of `voicemail`, by a caller and the owner."""

from voicemail import OWNER, app

from relay_actors.testing import AppRunner, PhoneMaker, Simulator

CALLER = "+15550001111"


def test_the_owner_is_told_of_a_message(relay_app: AppRunner, phone: PhoneMaker, relay_sim: Simulator) -> None:
    """Two seconds of silence end it, the caller is thanked, and the owner can listen to it."""
    relay_app(app)
    caller = phone(CALLER).dials(context="voicemail")
    caller.hears("beep").says("Please call me back.")
    caller.hears("thank you").is_hung_up()
    url = phone(OWNER).receives_text(f"{CALLER} left a message").body.split()[-1]
    assert relay_sim.fetch(url).startswith(b"RIFF")


def test_a_caller_who_just_hangs_up_has_left_a_message_too(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The recording is complete before the call has ended, so the flow still gets it."""
    relay_app(app)
    phone(CALLER).dials(context="voicemail").hears("beep").says("It is me.").hangs_up()
    phone(OWNER).receives_text(f"{CALLER} left a message")


def test_the_owner_is_not_told_of_silence(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Nothing was left."""
    relay_app(app)
    phone(CALLER).dials(context="voicemail").hears("beep").hears("thank you").is_hung_up()
    assert phone(OWNER).inbox == ()
