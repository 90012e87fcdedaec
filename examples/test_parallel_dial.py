"""Tests of `parallel_dial`, by those on call."""

from parallel_dial import CHIEF, ON_CALL, app, raise_alarm

from relay_actors.testing import AppRunner, PhoneMaker


def test_the_first_one_to_answer_has_the_alarm(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """The other phone stops ringing, and the chief sleeps on."""
    relay_app(app)
    call = raise_alarm("water in the cellar")
    slow, quick = (phone(number).rings() for number in ON_CALL)
    quick.answers()
    slow.is_hung_up()
    quick.hears("water in the cellar").presses("1")
    quick.hears("it is yours").is_hung_up()
    call.wait_for_ended().get(timeout=60)
    assert call.data["taken_by"] == ON_CALL[1]
    assert phone(CHIEF).lines == ()


def test_the_chief_is_called_when_nobody_else_answers(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """But not before."""
    relay_app(app)
    for number in ON_CALL:
        phone(number).rejects()
    raise_alarm("smoke")
    phone(CHIEF).rings().answers().hears("smoke").presses("1").hears("yours").is_hung_up()


def test_an_alarm_that_nobody_takes_is_texted_to_all(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Whether nobody picks up, or somebody picks up and does not press."""
    relay_app(app)
    for number in [*ON_CALL, CHIEF]:
        phone(number).is_busy()
    raise_alarm("smoke")
    phone(ON_CALL[0]).receives_text("smoke")

    raise_alarm("water")
    phone(CHIEF).rejects()
    phone(ON_CALL[0]).rings().answers().hears("water").presses("3")
    phone(CHIEF).receives_text("water")
