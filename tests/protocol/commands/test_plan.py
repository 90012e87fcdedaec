"""Code that is made for a class of commands does what its arguments say."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from relay_actors.protocol import checks
from relay_actors.protocol.commands.plan import Slot, plan_for


@dataclass(frozen=True, slots=True)
class Order:
    """Not even a command: a plan looks at fields alone."""

    song: object = None
    times: object = None
    loud: object = None
    note: str = "not sent"


SLOTS = (
    Slot("song", "title", False, False, checks.text, None),
    Slot("times", "times", True, False, checks.whole_number, lambda value: value or None),
    Slot("loud", 'it\'s \\ "loud"', True, True, checks.flag, str),
)
PLAN = plan_for(Order, ["song", "times", "loud", "note"], SLOTS)


@pytest.mark.parametrize(
    ("order", "problem"),
    [
        (Order("La"), None),
        (Order("La", 0, False), None),
        (Order(), ("song", "text that is not empty", None)),
        (Order("", -1), ("song", "text that is not empty", "")),
        (Order("La", -1, 5), ("times", "a whole number, 0 or more", -1)),
        (Order("La", None, 5), ("loud", "True or False", 5)),
    ],
)
def test_the_first_argument_that_is_wrong_is_told(order: Order, problem: object) -> None:
    """In the order of the params; what is optional may be None."""
    assert PLAN.first_problem(order) == problem


@pytest.mark.parametrize(
    ("order", "params"),
    [
        (Order("La"), {"title": "La", 'it\'s \\ "loud"': "None"}),
        (Order("La", 2, True), {"title": "La", "times": 2, 'it\'s \\ "loud"': "True"}),
        (Order("La", 0), {"title": "La", 'it\'s \\ "loud"': "None"}),
    ],
)
def test_arguments_are_named_as_on_the_wire_and_converted(order: Order, params: dict[str, object]) -> None:
    """What is None, or becomes it, is left out; a key may hold anything that a string can."""
    assert PLAN.name_in(order, {}) == params
    assert list(PLAN.name_in(order, {})) == list(params)


def test_a_copy_is_equal_and_has_every_field() -> None:
    """Also those that are not sent."""
    order = Order("La", 2, True, "mine")
    copy = PLAN.copied(order)
    assert (copy, type(copy)) == (order, Order)
    assert copy is not order


def test_a_class_without_arguments_has_a_plan_too() -> None:
    plan = plan_for(Order, [], ())
    assert (plan.first_problem(Order()), plan.name_in(Order(), {})) == (None, {})
