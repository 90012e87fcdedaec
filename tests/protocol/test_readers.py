"""Whatever the server sends becomes a value of the right type or nothing, and never an exception."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given

from relay_actors.protocol.readers import (
    read_code,
    read_flag,
    read_number,
    read_object,
    read_text,
    read_texts,
    read_whole_number,
)
from tests.protocol.wire_tables import json_values


@given(value=json_values)
def test_no_reader_ever_raises_or_returns_another_type(value: object) -> None:
    """PROTOCOL 16.4: wrong types inside events must not raise out of the dispatcher."""
    readers: list[tuple[Callable[[object], object], type]] = [
        (read_text, str),
        (read_code, str),
        (read_number, float),
        (read_whole_number, int),
        (read_flag, bool),
        (read_object, dict),
        (read_texts, list),
    ]
    for read, kind in readers:
        result = read(value)
        assert result is None or type(result) is kind


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (read_text, "x", "x"),
        (read_text, 5, None),
        (read_code, 404, "404"),
        (read_code, "404", "404"),
        (read_code, True, None),
        (read_number, 4, 4.0),
        (read_number, "12.4", 12.4),
        (read_number, "soon", None),
        (read_number, True, None),
        (read_number, math.nan, None),
        (read_number, "inf", None),
        (read_number, 10**400, None),
        (read_number, [1], None),
        (read_whole_number, "20", 20),
        (read_whole_number, 198400, 198400),
        (read_whole_number, 12.9, 12),
        (read_whole_number, False, None),
        (read_whole_number, 10**400, 10**400),
        (read_whole_number, "9" * 5000, None),
        (read_flag, True, True),
        (read_flag, "true", True),
        (read_flag, "False", False),
        (read_flag, "yes", None),
        (read_flag, 1, None),
        (read_object, {"a": 1}, {"a": 1}),
        (read_object, [], None),
        (read_texts, ["a", 1, None, "b"], ["a", "b"]),
        (read_texts, "ab", None),
    ],
)
def test_a_value_is_read_as(read: Callable[[object], object], value: object, expected: object) -> None:
    """Numbers arrive as text and booleans as words (PROTOCOL 11.6, D8); everything else is not guessed at."""
    assert read(value) == expected
