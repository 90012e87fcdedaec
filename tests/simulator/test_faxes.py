"""How a fax is told in the story of a line."""

from __future__ import annotations

import pytest

from relay_actors.simulator.faxes import Fax


@pytest.mark.parametrize(
    ("pages", "is_complete", "told"),
    [
        (1, True, "fax https://a (1 page)"),
        (3, True, "fax https://a (3 pages)"),
        (2, False, "fax https://a (2 pages, not complete)"),
    ],
)
def test_a_fax_tells_its_pages_and_whether_they_are_all(pages: int, is_complete: bool, told: str):
    assert str(Fax("https://a", pages, is_complete, "", "")) == told
