"""Docstrings are taken apart, and written for people: the small parts of the generator."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pytest

from tests.reference.docstrings import first_sentence, parse
from tests.reference.markdown import prose, slug, table
from tests.reference.words import signature, type_in_words

TEXT = """Do it, now.

    It takes ``5`` seconds (PROTOCOL 12.3), or
    more. Source: PROTOCOL 8.7, D2.

    Args:
        what: the thing; its
            name.
        how: ``fast: yes`` or not.

    Raises:
        ValueError: it cannot be done.

    Source: PROTOCOL 1.
    """


def test_a_docstring_has_a_promise_paragraphs_and_sections():
    """Where a sentence comes from is of no use to somebody without that document."""
    doc = parse(TEXT)
    assert doc.promise == "Do it, now."
    assert doc.rest == ("It takes ``5`` seconds, or more.",)
    assert doc["Args"] == {"what": "the thing; its name.", "how": "``fast: yes`` or not."}
    assert doc["Raises"] == {"ValueError": "it cannot be done."}
    assert doc["Attributes"] == {}
    assert parse("").promise == ""


def test_a_sentence_ends_at_a_full_stop_with_something_behind_it():
    assert first_sentence("Speak RELAY 2.1 now. Or later.") == "Speak RELAY 2.1 now."
    assert first_sentence("without an end") == "without an end"


def test_names_become_links_and_code_stays_code():
    text = prose("``5`` from `play` to `MediaVerbs.collect`, `PlayEvent` or `app.nobody`", "verbs.md", here="collect")
    assert text == "`5` from [`play`](#play) to `collect`, [`PlayEvent`](events.md#playevent) or `app.nobody`"


def test_a_table_leaves_out_what_is_empty():
    assert (
        table(("A", "B", "C"), [("1", "", "a|b"), ("2", "", "")]) == "| A | C |\n| --- | --- |\n| 1 | a\\|b |\n| 2 |  |"
    )
    assert table(("A",), []) == ""


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [("play_tts", "play_tts"), ("calling.call.ai", "callingcallai"), ("What they give", "what-they-give")],
)
def test_an_anchor_is_made_as_the_builder_makes_it(heading: str, anchor: str):
    assert slug(heading) == anchor


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        ("str | None", "text"),
        ("Sequence[Mapping[str, object]] | None", "list of dictionaries"),
        ("str | float | bool | None", "text, number or flag"),
        ("bool | None", "flag"),
        (Annotated[Mapping[str, object], "checked"] | None, "dictionary"),
        (Sequence[str], "list of texts"),
        ("OnCompleted", "function"),
    ],
)
def test_types_are_told_in_words(annotation: Any, words: str):
    assert type_in_words(annotation) == words


def test_a_long_signature_is_broken_between_arguments():
    def verb(self: Any, first: str, *, second: int | None = None, **kwargs: Any) -> None: ...

    parameters = list(inspect.signature(verb).parameters.values())[1:]
    assert signature("verb", parameters, "Reply") == "verb(first, *, second=None, **kwargs) -> Reply"
    assert signature("verb", parameters, "Reply", width=30) == "verb(first, *, second=None,\n    **kwargs) -> Reply"
    assert signature("verb", [], "Reply") == "verb() -> Reply"
