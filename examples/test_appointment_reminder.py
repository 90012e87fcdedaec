"""Tests of `appointment_reminder`, by patients and their machines."""

import pytest
from appointment_reminder import app, remind

from relay_actors.errors import DialFailedError
from relay_actors.testing import AppRunner, PhoneMaker

PATIENT = "+15550003333"


def test_a_patient_says_yes(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """What the actor has noted can be read from outside."""
    relay_app(app)
    call = remind(PATIENT, "nine thirty")
    phone(PATIENT).rings().answers().hears("nine thirty").presses("1").hears("thank you").is_hung_up()
    call.wait_for_ended().get(timeout=60)
    assert call.data["comes"]


def test_a_machine_is_not_asked_to_press_anything(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """It is left a message when its greeting is over."""
    relay_app(app)
    phone(PATIENT).is_answering_machine()
    call = remind(PATIENT, "nine thirty")
    call.wait_for_ended().get(timeout=60)
    assert phone(PATIENT).voicemails == (
        "This is the practice of Doctor Gray. Your appointment is at nine thirty. Goodbye.",
    )


def test_a_patient_who_does_not_answer_gets_a_text(relay_app: AppRunner, phone: PhoneMaker) -> None:
    """Whoever waits for the call learns why there is none."""
    relay_app(app)
    phone(PATIENT).never_answers()
    call = remind(PATIENT, "nine thirty")
    phone(PATIENT).receives_text("nine thirty")
    with pytest.raises(DialFailedError):
        call.wait_for_ended().get(timeout=60)
