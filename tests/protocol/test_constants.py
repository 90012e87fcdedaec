"""The constants are those that applications know: exact names, values and types."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.protocol import constants
from tests.protocol.wire_tables import CONSTANTS

PYTHON_TYPES = {"str": str, "float": float, "dict": dict, "tuple": tuple}


@pytest.mark.parametrize("row", CONSTANTS["module_constants"], ids=lambda row: str(row["name"]))
def test_a_constant_has_the_value_and_type_of_the_table(row: dict[str, Any]) -> None:
    """Applications written for the reference client compare with these."""
    python_type = PYTHON_TYPES[row["python_type"]]
    value = getattr(constants, row["name"])
    assert type(value) is python_type
    assert value == python_type(row["value"])


def test_there_are_exactly_the_constants_of_the_table_and_the_one_the_reference_adds() -> None:
    """A constant that no table knows would be ours alone, and break code that moves to or from us."""
    known = {row["name"] for row in CONSTANTS["module_constants"]} | set(CONSTANTS["extra_in_reference_sdk"])
    assert set(constants.__all__) == known
    assert len(constants.__all__) == CONSTANTS["module_constants_count"] + 1 == 78
    assert {name for name in vars(constants) if name.isupper()} == known


def test_log_in_is_refused_three_times_before_it_stops() -> None:
    """The one constant that the seed lacks (PROTOCOL 6.6)."""
    assert CONSTANTS["extra_in_reference_sdk"]["RECONNECT_MAX_AUTH_ATTEMPTS"] == constants.RECONNECT_MAX_AUTH_ATTEMPTS


@pytest.mark.parametrize("name", CONSTANTS["missing_on_purpose"])
def test_what_is_missing_on_purpose_stays_missing(name: str) -> None:
    """These names look as if they should exist; code that finds them would not run on the reference client."""
    assert not hasattr(constants, name.split(" ")[0])
