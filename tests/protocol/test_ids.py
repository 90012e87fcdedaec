"""Ids cost nothing at run time and keep the type checker from mixing them up."""

from __future__ import annotations

import pytest

from relay_actors.protocol import ids


@pytest.mark.parametrize("name", sorted(set(ids.__all__) - {"IdMaker"}))
def test_an_id_is_the_string_of_the_wire_itself(name: str) -> None:
    """Ids are opaque: they are sent back exactly as they came."""
    text = "e2f41b07-5c7d-4a8e-b0d9-3f6a1c2d4e58@us-east"
    assert getattr(ids, name)(text) is text


def test_every_id_is_a_type_of_its_own() -> None:
    """A call id passed where a control id belongs is a mistake that the type checker finds."""
    kinds = [getattr(ids, name) for name in ids.__all__ if name != "IdMaker"]
    assert {kind.__supertype__ for kind in kinds} == {str}
    assert len({kind.__name__ for kind in kinds}) == len(kinds) == 10
