"""What a person hears during a payment: the command's own prompts, or else plain English. Layer: simulator, pure.

Source: PROTOCOL 11.10, 13.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from relay_actors.protocol.readers import read_flag, read_object, read_text
from relay_actors.simulator.payment_form import PaymentForm
from relay_actors.simulator.sounds import AUDIO_S, Sound, spoken

__all__ = ["PaymentPrompts"]

_WORDING: Final[Mapping[str, str]] = {
    "payment-card-number": "Please enter your card number, then press pound.",
    "expiration-date": "Please enter the date on which your card expires: two digits for the month, two for the year.",
    "security-code": "Please enter the security code of your card.",
    "postal-code": "Please enter your postal code, then press pound.",
    "bank-routing-number": "Please enter the nine digits of your bank's routing number.",
    "bank-account-number": "Please enter the number of your bank account, then press pound.",
    "payment-processing": "One moment please: your payment is being processed.",
    "payment-completed": "Thank you. Your payment has been completed.",
    "payment-failed": "We are sorry: your payment has failed.",
    "payment-canceled": "Your payment has been canceled.",
}
_COMPLAINTS: Final[Mapping[str, str]] = {
    "timeout": "We did not hear any key.",
    "invalid-card-number": "That is not a card number.",
    "invalid-card-type": "We cannot take this kind of card.",
    "invalid-date": "That date is in the past, or is none.",
    "invalid-security-code": "That is not a security code of this card.",
    "invalid-postal-code": "That postal code is too short.",
    "invalid-bank-routing-number": "That is not a routing number.",
    "invalid-bank-account-number": "That is not an account number.",
    "input-matching-failed": "That was not the same as before.",
}


class PaymentPrompts:
    """Chooses what is heard.

    Args:
        prompts: the command's ``prompts``, as they came; what is no prompt is left out.
        form: the payment: its language, voice and amount.
    """

    def __init__(self, prompts: object, form: PaymentForm) -> None:
        items = prompts if isinstance(prompts, list) else []
        self._prompts = [prompt for prompt in map(read_object, items) if prompt is not None]
        self._form = form

    def is_entered_twice(self, field: str) -> bool:
        """Whether the field must be entered a second time, in the same way."""
        return any(prompt.get("for") == field and _asks_again(prompt) for prompt in self._prompts)

    def sounds(self, what: str, *, attempt: int = 1, error_type: str = "", is_again: bool = False) -> list[Sound]:
        """Return what is heard: of the command's prompts that fit, the one that says most about when it does.

        Args:
            what: a field, or how far the payment is: the wire's ``for``.
            attempt: which attempt at the field it is.
            error_type: what was wrong with the one before.
            is_again: the field is asked for a second time, to see whether the same comes.
        """
        conditions = {"attempt": str(attempt), "card_type": self._form.card_type, "error_type": error_type}
        best: list[Sound] = []
        best_count = -1
        for prompt in self._prompts:
            if prompt.get("for") != what or (_asks_again(prompt) and not is_again):
                continue
            named = {key: read_text(prompt.get(key)) or "" for key in conditions}
            if any(words and conditions[key] not in words.split() for key, words in named.items()):
                continue
            count = sum(map(bool, named.values())) + _asks_again(prompt)
            if count > best_count and (sounds := self._played(prompt.get("actions"))):
                best, best_count = sounds, count
        return best or [self._say(self._wording(what, error_type, is_again=is_again))]

    def _played(self, actions: object) -> list[Sound]:
        found = []
        for action in actions if isinstance(actions, list) else []:
            body = read_object(action) or {}
            phrase = read_text(body.get("phrase"))
            if phrase and body.get("type") == "Say":
                found.append(self._say(phrase))
            elif phrase and body.get("type") == "Play":
                found.append(Sound("audio", phrase, AUDIO_S))
        return found

    def _wording(self, what: str, error_type: str, *, is_again: bool) -> str:
        words = _WORDING.get(what, "")
        if what == "payment-processing" and self._form.is_charge:
            words = words.replace("payment", f"payment of {self._form.charge_amount} {self._form.currency}")
        if is_again:
            words = f"Once more, to be sure. {words}"
        return f"{_COMPLAINTS[error_type]} {words}" if error_type in _COMPLAINTS else words

    def _say(self, words: str) -> Sound:
        return spoken(words, language=self._form.language, voice=self._form.voice)


def _asks_again(prompt: Mapping[str, object]) -> bool:
    return read_flag(prompt.get("require_matching_inputs")) or False
