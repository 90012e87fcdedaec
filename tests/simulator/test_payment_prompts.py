"""What is heard during a payment."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator.payment_form import PaymentForm
from relay_actors.simulator.payment_prompts import PaymentPrompts
from relay_actors.simulator.sounds import Sound

CARD_NUMBER = "payment-card-number"


def prompts(*own: Any, card: str = "", **params: Any) -> PaymentPrompts:
    form = PaymentForm(params, today=0.0)
    form.enter(CARD_NUMBER, card)
    return PaymentPrompts(list(own), form)


def prompt(what: str, *phrases: str, **conditions: str) -> dict[str, Any]:
    return {"for": what, "actions": [{"type": "Say", "phrase": phrase} for phrase in phrases], **conditions}


def heard(sounds: list[Sound]) -> list[str]:
    return [str(sound) for sound in sounds]


def test_without_a_prompt_of_its_own_the_payment_asks_in_plain_words():
    (sound,) = prompts(language="en-GB", voice="man").sounds(CARD_NUMBER)
    assert "card number" in sound.text
    assert (sound.kind, sound.language, sound.voice) == ("tts", "en-GB", "man")


def test_what_was_wrong_is_said_before_the_question():
    (sound,) = prompts().sounds(CARD_NUMBER, attempt=2, error_type="invalid-card-number")
    assert sound.text.startswith("That is not a card number.")


def test_an_amount_is_said_while_it_is_charged():
    assert "25.99 usd" in str(prompts(charge_amount="25.99").sounds("payment-processing")[0])


def test_a_prompt_may_say_and_play_several_things():
    mixed = {"for": CARD_NUMBER, "actions": [{"type": "Say", "phrase": "Hi."}, {"type": "Play", "phrase": "https://a"}]}
    assert [(sound.kind, sound.text) for sound in prompts(mixed).sounds(CARD_NUMBER)] == [
        ("tts", "Hi."),
        ("audio", "https://a"),
    ]


@pytest.mark.parametrize(
    ("attempt", "error_type", "expected"),
    [(1, "", "Any"), (2, "timeout", "Slow"), (2, "invalid-card-number", "Second"), (3, "timeout", "Slow")],
)
def test_of_the_prompts_that_fit_the_one_that_says_most_about_when_is_heard(
    attempt: int, error_type: str, expected: str
):
    own = prompts(
        prompt(CARD_NUMBER, "Any"),
        prompt(CARD_NUMBER, "Second", attempt="2 3"),
        prompt(CARD_NUMBER, "Slow", attempt="2 3", error_type="timeout"),
    )
    assert heard(own.sounds(CARD_NUMBER, attempt=attempt, error_type=error_type)) == [expected]


def test_a_prompt_can_be_for_some_cards_only():
    amex = prompt("security-code", "Four digits.", card_type="amex")
    assert heard(prompts(amex, card="378282246310005").sounds("security-code")) == ["Four digits."]
    assert heard(prompts(amex, card="4111111111111111").sounds("security-code")) != ["Four digits."]


def test_a_field_that_must_match_has_a_prompt_for_the_second_time():
    own = prompts(
        prompt(CARD_NUMBER, "Number."), prompt(CARD_NUMBER, "The same again.", require_matching_inputs="true")
    )
    assert own.is_entered_twice(CARD_NUMBER)
    assert not own.is_entered_twice("postal-code")
    assert heard(own.sounds(CARD_NUMBER)) == ["Number."]
    assert heard(own.sounds(CARD_NUMBER, is_again=True)) == ["The same again."]


@pytest.mark.parametrize("broken", [None, "x", [7], [{"for": CARD_NUMBER}], [{"for": CARD_NUMBER, "actions": ["x"]}]])
def test_prompts_without_sense_are_as_none(broken: object):
    spoken = PaymentPrompts(broken, PaymentForm({}, today=0.0)).sounds(CARD_NUMBER)
    assert heard(spoken) == heard(prompts().sounds(CARD_NUMBER))
