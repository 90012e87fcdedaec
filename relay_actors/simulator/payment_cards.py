"""What can be told from a card number alone: whose card it is, and whether the number can be right.

Layer: simulator, pure. Source: the issuer ranges of ISO/IEC 7812, as card schemes publish them; its annex B (Luhn).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["CARD_TYPES", "CardType", "has_right_check_digit", "masked", "type_of"]


@dataclass(frozen=True, slots=True)
class CardType:
    """One kind of card.

    Attributes:
        prefix: how its numbers begin.
        lengths: how many digits they have.
        code_length: how many digits its security code has.
    """

    prefix: re.Pattern[str]
    lengths: frozenset[int]
    code_length: int = 3


CARD_TYPES: Final[Mapping[str, CardType]] = {
    "visa": CardType(re.compile("4"), frozenset({13, 16})),
    "mastercard": CardType(
        re.compile("5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"),
        frozenset({16}),
    ),
    "amex": CardType(re.compile("3[47]"), frozenset({15}), code_length=4),
    "diners-club": CardType(re.compile("30[0-5]|3[689]"), frozenset({14})),
    "jcb": CardType(re.compile("35(2[89]|[3-8])"), frozenset({16})),
    "discover": CardType(re.compile("6011|64[4-9]|65"), frozenset({16})),
    "maestro": CardType(re.compile("50|5[6-9]|6"), frozenset(range(12, 20))),
}
"""By the names that ``valid_card_types`` uses; the first one that fits counts."""


def type_of(number: str) -> str:
    """Return the name of the card's type, or ``""`` for none that is known."""
    return next((name for name, kind in CARD_TYPES.items() if kind.prefix.match(number)), "")


def has_right_check_digit(number: str) -> bool:
    """Return whether the last digit is what the others demand; text that is not all digits has none."""
    if not (number.isascii() and number.isdigit()):
        return False
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in number[-2::-2])
    return (sum(map(int, number[-1::-2])) + sum(doubled)) % 10 == 0


def masked(number: str) -> str:
    """Return the number with all but its last four digits hidden; a short one shows nothing."""
    return "*" * (len(number) - 4) + number[-4:] if len(number) > 8 else "*" * len(number)
