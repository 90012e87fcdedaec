"""What values must be, said in words."""

from __future__ import annotations

import math
from types import MappingProxyType

import pytest
from hypothesis import given

from relay_actors.errors import ArgumentError
from relay_actors.protocol import checks
from relay_actors.protocol.checks import Check
from tests.protocol.wire_tables import json_values

CHECKS: dict[Check, tuple[list[object], list[object]]] = {
    checks.text: (["x", " "], ["", None, 5, b"x"]),
    checks.any_text: (["x", ""], [None, 5, b"x"]),
    checks.flag: ([True, False], [0, 1, "true", None]),
    checks.number: ([0, 1.5, 2**62], [-1, 2**64, 10**400, math.nan, math.inf, True, "5", None]),
    checks.whole_number: ([0, 7], [-1, 10**400, 1.5, 2.0, True, "5"]),
    checks.seconds: ([0, 0.5], [-0.1, math.inf, False, "5"]),
    checks.volume: ([-40, 0, 40], [-40.1, 41, math.nan, True, "5"]),
    checks.keys: (["1", "0123456789*#ABCDwW"], ["", "12x4", "1 2", "1\n", 12]),
    checks.scalar: (["", 5, 25.99, True], [None, [], {}, math.nan]),
    checks.mapping: ([{}, MappingProxyType({})], ["x", [], [("a", 1)]]),
    checks.typed_mapping: ([{"type": "fax"}], [{}, {"type": ""}, {"type": 5}, "fax"]),
    checks.mappings: ([[], [{}], ({},)], [{}, "x", ["x"], [None]]),
    checks.texts: ([[], ["a"], ("a", "b")], ["ab", [""], [5], {"a": 1}]),
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_takes_and_refuses(check: Check) -> None:
    """What it says completes "… must be"."""
    taken, refused = CHECKS[check]
    assert [check(value) for value in taken] == [None] * len(taken)
    said = {check(value) for value in refused}
    assert len(said) == 1
    assert said != {None}


def test_every_check_is_tried_above() -> None:
    others = {"Check", "given", "is_list", "is_number", "required"}
    assert {check.__name__ for check in CHECKS} == set(checks.__all__) - others


@given(value=json_values)
def test_a_check_never_raises(value: object) -> None:
    """It meets whatever a script without types hands over."""
    for check in CHECKS:
        assert check(value) is None or check(value)


def test_what_is_required_comes_back_by_name_and_what_is_wrong_is_named() -> None:
    assert checks.required(checks.text, to="a", name="b") == {"to": "a", "name": "b"}
    with pytest.raises(ArgumentError, match="name must be text that is not empty, not None"):
        checks.required(checks.text, to="a", name=None)


def test_of_what_may_be_missing_only_what_is_given_is_checked_and_comes_back() -> None:
    assert checks.given(checks.seconds, timeout=5, max_duration=None) == {"timeout": 5}
    with pytest.raises(ArgumentError, match="timeout must be a number of seconds, 0 or more, not '5'"):
        checks.given(checks.seconds, timeout="5")


@pytest.mark.parametrize(("value", "is_one"), [([], True), ((), True), ("ab", False), (b"ab", False), ({}, False)])
def test_text_is_no_list(value: object, is_one: bool) -> None:
    """It would be taken letter by letter."""
    assert checks.is_list(value) is is_one
