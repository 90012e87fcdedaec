"""The generated table is that of the methods."""

from __future__ import annotations

from relay_actors.protocol.schema_table import SCHEMA_TABLE
from tests.protocol.make_schema_table import HEAD, TARGET, schema_table, short


def test_the_table_is_what_its_maker_makes_of_the_methods() -> None:
    """Run ``python -m tests.protocol.make_schema_table`` when this fails, then ``ruff format``."""
    assert schema_table() == SCHEMA_TABLE
    assert TARGET.read_text(encoding="utf-8").startswith(HEAD)


def test_types_are_shortened() -> None:
    """Depth before type would read backwards."""
    assert [short(text) for text in ("string", "array<string>", "array<array<object>>", "object (see notes)")] == [
        "string",
        "string[]",
        "object[][]",
        "object",
    ]
