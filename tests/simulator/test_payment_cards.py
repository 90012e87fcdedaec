"""What a card number says by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.payment_cards import CARD_TYPES, has_right_check_digit, masked, type_of


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("4111111111111111", "visa"),
        ("4222222222222", "visa"),
        ("5555555555554444", "mastercard"),
        ("2221000000000009", "mastercard"),
        ("2720990000000007", "mastercard"),
        ("378282246310005", "amex"),
        ("30569309025904", "diners-club"),
        ("6011111111111117", "discover"),
        ("3530111333300000", "jcb"),
        ("6759649826438453", "maestro"),
    ],
)
def test_the_numbers_that_card_schemes_publish_for_tests_are_what_they_are(number: str, kind: str):
    assert type_of(number) == kind
    assert has_right_check_digit(number)
    assert len(number) in CARD_TYPES[kind].lengths


@pytest.mark.parametrize("number", ["", "9", "2220990000000000", "2721000000000000", "1234"])
def test_a_number_of_nobody_has_no_type(number: str):
    assert type_of(number) == ""


@given(st.text("0123456789", min_size=2, max_size=19), st.data())
def test_one_wrong_digit_is_always_noticed(digits: str, data: st.DataObject):
    """That is what the check digit is for."""
    right = next(number for last in "0123456789" if has_right_check_digit(number := digits + last))
    place = data.draw(st.integers(0, len(right) - 1))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != right[place]]))
    assert not has_right_check_digit(right[:place] + other + right[place + 1 :])


@pytest.mark.parametrize("number", ["4111 1111 1111 1111", "٤١١١", "x"])
def test_what_is_not_all_digits_is_no_number(number: str):
    assert not has_right_check_digit(number)


@given(st.text("0123456789", max_size=19))
def test_at_most_four_digits_can_be_seen(number: str):
    shown = masked(number)
    assert len(shown) == len(number)
    assert shown.lstrip("*") == (number[-4:] if len(number) > 8 else "")
