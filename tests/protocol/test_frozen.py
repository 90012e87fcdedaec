"""A table that all have who have none of their own."""

from __future__ import annotations

import copy
import pickle

import pytest

from relay_actors.protocol.frozen import NOTHING


def test_a_table_that_all_have_stays_empty() -> None:
    """Else what belongs to one call would be seen by all (X19). It is read like any other, and left alone by itself."""
    nothing: dict[str, int] = NOTHING
    assert (nothing, dict(nothing), {**nothing, "a": 1}, nothing.get("a"), nothing.pop("a", 2)) == (
        {},
        {},
        {"a": 1},
        None,
        2,
    )
    assert copy.deepcopy(nothing) == pickle.loads(pickle.dumps(nothing)) == {}
    with pytest.raises(TypeError, match="replace it"):
        nothing["a"] = 1
    with pytest.raises(TypeError, match="replace it"):
        nothing.setdefault("a", 1)
    with pytest.raises(TypeError, match="replace it"):
        nothing.update(a=1)
    with pytest.raises(TypeError, match="replace it"):
        nothing |= {"a": 1}
    assert nothing == {}
