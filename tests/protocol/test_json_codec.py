"""JSON is read and written strictly, and fails with one kind of error."""

from __future__ import annotations

import contextlib
import enum
import json
import math
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.protocol.json_codec import dumps, loads

_TEXT = st.text(st.characters(exclude_categories=("Cs",)))
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(_JSON)
def test_what_is_written_is_read_back(value):
    assert loads(dumps(value)) == value


@given(_JSON)
def test_every_kind_of_text_is_read_alike(value):
    """Transports hand over bytes, a buffer, or a string."""
    text = dumps(value)
    assert loads(text) == loads(bytearray(text)) == loads(memoryview(text)) == loads(text.decode())


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_a_value_error(data):
    """The receive path relies on one kind of error (PROTOCOL 16.4)."""
    with contextlib.suppress(ValueError):
        assert loads(data) == json.loads(data)


@pytest.mark.parametrize("bad", [b"", b"{", b"\xff", b"NaN", b'"\\ud800"', b"[" * 5000, "\ud800", b"\xef\xbb\xbf{}"])
def test_bad_text_is_a_value_error_that_does_not_hold_the_text(bad):
    """A frame may carry a token, and errors reach logs."""
    with pytest.raises(ValueError, match=r".+") as caught:
        loads(bad)
    assert getattr(caught.value, "doc", None) is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("bad", "part"),
    [
        ({"n": 2**64}, "64-bit"),
        ({"n": -(2**63) - 1}, "64-bit"),
        ({1: "x"}, "str"),
        ({"x": b"bytes"}, "bytes"),
        ({"x": {1, 2}}, "set"),
        ({"x": "\ud800"}, "UTF-8"),
        ({"x": math.nan}, "not finite"),
        ({"x": [1, {"y": math.inf}]}, "not finite"),
        ({"x": (None, -math.inf)}, "not finite"),
        ({"x": enum.Enum("Weight", {"UNKNOWN": math.nan}).UNKNOWN}, "not finite"),
    ],
)
def test_what_json_cannot_say_is_refused_with_the_reason(bad, part):
    """NaN would go out as null, and change what the command says without a word."""
    with pytest.raises(ValueError, match=part):
        dumps(bad)


def test_a_null_beside_finite_numbers_is_written():
    assert dumps({"a": None, "b": 1.5, "c": ["null", {"d": None}]}) == b'{"a":null,"b":1.5,"c":["null",{"d":null}]}'


def test_nesting_without_end_is_refused():
    circle: list[object] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="written as JSON"):
        dumps(circle)


def test_read_only_mappings_tuples_and_enums_are_written():
    """Commands keep their parameters frozen."""

    class State(enum.StrEnum):
        ENDED = "ended"

    frozen = types.MappingProxyType({"state": State.ENDED, "list": (1, 2)})
    assert dumps({"outer": frozen}) == b'{"outer":{"state":"ended","list":[1,2]}}'
