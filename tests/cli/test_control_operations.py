"""One operation: its path, and what is read from a query and a body."""

import pytest

from relay_actors.cli.control_operations import Operation, body_of, query_of
from relay_actors.cli.control_words import word_of
from relay_actors.errors import ConfigError


class Shelf:
    def finds(self, place: str, count: int = 1, is_new: bool = False) -> str:
        """Find it."""
        return place * count


WORD = word_of(Shelf.finds)
assert WORD is not None
OWN = Operation("GET", "/places/{place}", WORD)
OTHERS = Operation("POST", "/shelves/{name}/finds", WORD, lambda _names: Shelf())


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("places/here", {"place": "here"}),
        ("places/", None),
        ("places", None),
        ("places/here/there", None),
        ("shelves/here", None),
    ],
)
def test_a_path_fits_or_does_not(path: str, names: dict[str, str] | None):
    assert OWN.match(path.split("/")) == names


def test_the_root_is_a_path():
    root = Operation("GET", "/", WORD)
    assert root.match([""]) == {}
    assert root.match(["places"]) is None


def test_names_in_the_path_are_arguments_unless_they_lead_to_the_owner():
    assert [argument.name for argument in OWN.arguments] == ["count", "is_new"]
    assert "required" not in OWN.schema
    assert [argument.name for argument in OTHERS.arguments] == ["place", "count", "is_new"]
    assert OTHERS.schema["required"] == ["place"]


def test_a_query_has_values_of_the_types_that_are_taken():
    assert query_of(OWN, "count=2&is_new&other=%2B1+2") == {"count": 2, "is_new": True, "other": "+1+2"}
    assert query_of(OWN, "") == query_of(OWN, "&") == {}


def test_a_body_is_an_object_or_nothing():
    assert body_of(b'{"place": "here"}') == {"place": "here"}
    assert body_of(b" \n") == {}
    for body in (b"{", b"[]", b"5", b"\xff"):
        with pytest.raises(ConfigError, match="the body"):
            body_of(body)
