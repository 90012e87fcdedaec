"""What a payment asks a person for, what counts as an answer, and what may be shown of it. Layer: simulator, pure.

Source: PROTOCOL 11.10, 13.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from relay_actors.protocol.readers import read_number, read_text, read_whole_number
from relay_actors.simulator.payment_cards import CARD_TYPES, has_right_check_digit, masked, type_of

__all__ = ["BANK_METHODS", "PaymentForm"]

BANK_METHODS: Final = frozenset({"ach", "ach-debit", "bank", "bank-account"})
"""Values of ``payment_method`` that ask for a bank account; any other one asks for a card."""

TIMEOUT_S: Final = 5.0
LONGEST: Final = 19
"""No card number has more digits, and no account number that is asked for here."""
ROUTING_WEIGHTS: Final = (3, 7, 1, 3, 7, 1, 3, 7, 1)
"""Source: the check digit of the American Bankers Association."""


class PaymentForm:
    """The fields of one payment and what has been entered. It knows nothing of prompts and of time but the date.

    Args:
        params: of ``calling.pay``.
        today: seconds since the epoch: cards that have expired by then are no good.
    """

    def __init__(self, params: Mapping[str, object], *, today: float) -> None:
        def text(key: str, default: str = "") -> str:
            return read_text(params.get(key)) or default

        self.method = text("payment_method", "credit-card")
        self.connector_url = text("payment_connector_url")
        self.language = text("language", "en-US")
        self.voice = text("voice", "woman")
        self.currency = text("currency", "usd")
        self.charge_amount = text("charge_amount", "0")
        self.token_type = text("token_type", "reusable")
        timeout_s = read_number(params.get("timeout", TIMEOUT_S))
        self.timeout_s = -1.0 if timeout_s is None else timeout_s  # which is refused
        self.max_attempts = read_whole_number(params.get("max_attempts", 1)) or 0
        self._description = text("description")
        self._account_type = text("bank_account_type")
        self._parameters = params.get("parameters")
        self._valid_types = text("valid_card_types").replace(",", " ").split() or list(CARD_TYPES)
        self._shortest_postal_code = max(1, read_whole_number(params.get("min_postal_code_length")) or 0)
        self._today = today
        self._entered: dict[str, str] = {}
        self.fields = self._fields_to_ask(text("security_code", "true"), text("postal_code", "true"))

    @property
    def is_bank(self) -> bool:
        """Whether a bank account pays, and not a card."""
        return self.method in BANK_METHODS

    @property
    def is_charge(self) -> bool:
        """Whether money is taken now; otherwise the connector only makes a token."""
        return (read_number(self.charge_amount) or 0.0) > 0

    @property
    def card_type(self) -> str:
        """The type of the card, once its number is known."""
        return type_of(self._entered.get("payment-card-number", ""))

    @property
    def problem(self) -> str:
        """What makes the command senseless, or an empty text."""
        if self.timeout_s <= 0:
            return "timeout must be a number of seconds above 0"
        if self.max_attempts < 1:
            return "max_attempts must be a whole number above 0"
        amount = read_number(self.charge_amount)
        if amount is None or amount < 0:
            return "charge_amount must be a number that is not below 0"
        return ""

    def is_full(self, field: str, keys: str) -> bool:
        """Whether nothing can follow these keys, so that nobody has to press ``#``."""
        match field:
            case "payment-card-number":
                kind = CARD_TYPES.get(type_of(keys))
                return len(keys) >= (max(kind.lengths) if kind else LONGEST)
            case "expiration-date":
                return len(keys) >= 4
            case "security-code":
                return len(keys) >= self._code_length
            case "bank-routing-number":
                return len(keys) >= len(ROUTING_WEIGHTS)
            case _:
                return len(keys) >= LONGEST

    def complaint(self, field: str, keys: str) -> str:
        """Return the ``error_type`` of these keys, or an empty text when they will do."""
        match field:
            case "payment-card-number":
                return self._complaint_about_card(keys)
            case "expiration-date":
                return "" if self._is_in_future(keys) else "invalid-date"
            case "security-code":
                return "" if len(keys) == self._code_length else "invalid-security-code"
            case "postal-code":
                return "" if len(keys) >= self._shortest_postal_code else "invalid-postal-code"
            case "bank-routing-number":
                return "" if _is_routing_number(keys) else "invalid-bank-routing-number"
            case _:
                return "" if len(keys) >= 4 else "invalid-bank-account-number"

    def enter(self, field: str, keys: str) -> None:
        """Keep what was entered."""
        self._entered[field] = keys

    def status(self) -> dict[str, object]:
        """Return what an event on the way shows of what was entered: never enough to pay with."""
        if self.is_bank:
            return self._account()
        return {
            "payment_card_number": self._masked("payment-card-number"),
            "payment_card_type": self.card_type,
            "security_code": "*" * len(self._entered.get("security-code", "")),
            "expiration_date": self._entered.get("expiration-date", ""),
            "payment_card_postal_code": self._entered.get("postal-code", ""),
        }

    def outcome(self) -> dict[str, object]:
        """Return what the last event shows of what was entered: never enough to pay with."""
        if self.is_bank:
            return self._account()
        return {
            "payment_card_number": self._masked("payment-card-number"),
            "payment_card_type": self.card_type,
            "payment_card_postal_code": self._entered.get("postal-code", ""),
            "payment_card_security_code": "*" * len(self._entered.get("security-code", "")),
            "payment_card_expiration_date": self._entered.get("expiration-date", ""),
        }

    def order(self, transaction_id: str) -> dict[str, object]:
        """Return what the connector is told, masked as all that the simulator shows."""
        order: dict[str, object] = {
            "transaction_id": transaction_id,
            "method": self.method,
            "description": self._description,
            "chargeAmount": self.charge_amount,
            "token_type": self.token_type,
            "currency_code": self.currency,
        }
        if self._parameters is not None:
            order["parameters"] = self._parameters
        if self.is_bank:
            return order | self._account()
        expires = self._entered.get("expiration-date", "")
        return order | {
            "cardnumber": self._masked("payment-card-number"),
            "cvv": "*" * len(self._entered.get("security-code", "")),
            "postal_code": self._entered.get("postal-code", ""),
            "expiry_month": expires[:2],
            "expiry_year": expires[2:],
        }

    def _fields_to_ask(self, security_code: str, postal_code: str) -> tuple[str, ...]:
        if self.is_bank:
            return ("bank-routing-number", "bank-account-number")
        fields = ["payment-card-number", "expiration-date"]
        if security_code.lower() != "false":
            fields.append("security-code")
        if postal_code.lower() == "true":
            fields.append("postal-code")
        elif postal_code.lower() != "false":
            self._entered["postal-code"] = postal_code
        return tuple(fields)

    @property
    def _code_length(self) -> int:
        kind = CARD_TYPES.get(self.card_type)
        return kind.code_length if kind else 3

    def _complaint_about_card(self, number: str) -> str:
        name = type_of(number)
        if not has_right_check_digit(number) or (name and len(number) not in CARD_TYPES[name].lengths):
            return "invalid-card-number"
        return "" if name in self._valid_types else "invalid-card-type"

    def _is_in_future(self, date: str) -> bool:
        """Whether a card with this ``MMYY`` is still good: to the end of its month, in universal time."""
        if len(date) != 4 or not 1 <= int(date[:2]) <= 12:
            return False
        today = datetime.fromtimestamp(self._today, UTC)
        return (2000 + int(date[2:]), int(date[:2])) >= (today.year, today.month)

    def _masked(self, field: str) -> str:
        return masked(self._entered.get(field, ""))

    def _account(self) -> dict[str, object]:
        account: dict[str, object] = {
            "bank_routing_number": self._masked("bank-routing-number"),
            "bank_account_number": self._masked("bank-account-number"),
        }
        return account | ({"bank_account_type": self._account_type} if self._account_type else {})


def _is_routing_number(digits: str) -> bool:
    is_long_enough = len(digits) == len(ROUTING_WEIGHTS)
    return is_long_enough and sum(int(d) * w for d, w in zip(digits, ROUTING_WEIGHTS, strict=True)) % 10 == 0
