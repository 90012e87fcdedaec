"""What counts as an answer to the questions of a payment, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.payment_form import PaymentForm

NEW_YEAR_2026 = 1_767_225_600.0
CARD, AMEX = "4111111111111111", "378282246310005"


def form(**params: Any) -> PaymentForm:
    return PaymentForm({"payment_connector_url": "https://pay.example.com", **params}, today=NEW_YEAR_2026)


@pytest.mark.parametrize(
    ("params", "fields"),
    [
        ({}, ("payment-card-number", "expiration-date", "security-code", "postal-code")),
        ({"security_code": "false"}, ("payment-card-number", "expiration-date", "postal-code")),
        ({"postal_code": "false"}, ("payment-card-number", "expiration-date", "security-code")),
        ({"postal_code": "90210"}, ("payment-card-number", "expiration-date", "security-code")),
        ({"payment_method": "ach-debit"}, ("bank-routing-number", "bank-account-number")),
    ],
)
def test_only_what_is_wanted_and_not_known_is_asked(params: dict[str, Any], fields: tuple[str, ...]):
    assert form(**params).fields == fields


@pytest.mark.parametrize(
    ("field", "keys", "error_type"),
    [
        ("payment-card-number", CARD, ""),
        ("payment-card-number", CARD[:-1] + "2", "invalid-card-number"),
        ("payment-card-number", CARD[:-1], "invalid-card-number"),
        ("payment-card-number", "41111111111116", "invalid-card-number"),  # right check digit, wrong length
        ("payment-card-number", "9999999999999995", "invalid-card-type"),
        ("expiration-date", "0126", ""),
        ("expiration-date", "1225", "invalid-date"),
        ("expiration-date", "1326", "invalid-date"),
        ("expiration-date", "0026", "invalid-date"),
        ("expiration-date", "126", "invalid-date"),
        ("security-code", "123", ""),
        ("security-code", "12", "invalid-security-code"),
        ("postal-code", "1", ""),
        ("bank-routing-number", "021000021", ""),
        ("bank-routing-number", "021000022", "invalid-bank-routing-number"),
        ("bank-routing-number", "02100002", "invalid-bank-routing-number"),
        ("bank-account-number", "1234", ""),
        ("bank-account-number", "12", "invalid-bank-account-number"),
    ],
)
def test_each_field_knows_what_is_wrong(field: str, keys: str, error_type: str):
    """A card is good to the end of its month: 0126 on the first of January 2026."""
    assert form().complaint(field, keys) == error_type


def test_the_code_of_an_american_express_card_has_four_digits():
    amex = form()
    amex.enter("payment-card-number", AMEX)
    assert amex.complaint("security-code", "123") == "invalid-security-code"
    assert amex.complaint("security-code", "1234") == ""
    assert not amex.is_full("security-code", "123")
    assert amex.is_full("payment-card-number", AMEX)


@pytest.mark.parametrize("listed", ["visa mastercard", "visa,mastercard", "visa, mastercard"])
def test_card_types_may_be_separated_by_spaces_or_commas(listed: str):
    """Source: PROTOCOL D22."""
    assert form(valid_card_types=listed).complaint("payment-card-number", CARD) == ""
    assert form(valid_card_types=listed).complaint("payment-card-number", AMEX) == "invalid-card-type"


def test_a_postal_code_can_have_to_be_of_some_length():
    assert form(min_postal_code_length="5").complaint("postal-code", "1234") == "invalid-postal-code"


@pytest.mark.parametrize(
    ("params", "word"),
    [
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": "0"}, "timeout"),
        ({"max_attempts": "none"}, "max_attempts"),
        ({"max_attempts": "0"}, "max_attempts"),
        ({"charge_amount": "much"}, "charge_amount"),
        ({"charge_amount": "-1"}, "charge_amount"),
    ],
)
def test_settings_without_sense_are_named(params: dict[str, Any], word: str):
    assert word in form(**params).problem
    assert form(charge_amount="0", timeout="2.5", max_attempts="3").problem == ""


def test_the_connector_is_told_the_order():
    order = form(
        charge_amount="25.99", currency="eur", description="Order A-17", token_type="one-time", postal_code="90210",
        parameters=[{"name": "order", "value": "A-17"}],
    )  # fmt: skip
    for field, keys in (("payment-card-number", CARD), ("expiration-date", "1230"), ("security-code", "123")):
        order.enter(field, keys)
    assert order.order("t-1") == {
        "transaction_id": "t-1",
        "method": "credit-card",
        "description": "Order A-17",
        "chargeAmount": "25.99",
        "token_type": "one-time",
        "currency_code": "eur",
        "parameters": [{"name": "order", "value": "A-17"}],
        "cardnumber": "************1111",
        "cvv": "***",
        "postal_code": "90210",
        "expiry_month": "12",
        "expiry_year": "30",
    }


@given(st.sampled_from(["credit-card", "ach-debit"]), st.text("0123456789", min_size=9, max_size=19))
def test_nothing_that_is_shown_is_enough_to_pay_with(method: str, number: str):
    paying = form(payment_method=method)
    for field in ("payment-card-number", "bank-account-number", "bank-routing-number"):
        paying.enter(field, number)
    paying.enter("security-code", "987")
    for shown in (paying.status(), paying.outcome(), paying.order("t")):
        assert number not in str(shown)
        assert "987" not in shown.values()
