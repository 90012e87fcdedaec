"""The text of a file: what is Python and what is not, where nodes stand, and that all else stays byte for byte."""

import ast
import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.cli.migrate_source import Edit, read_source
from relay_actors.errors import ConfigError


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_node_is_found_behind_letters_of_several_bytes(line_end: str):
    """Python counts bytes of UTF-8; edits go by characters."""
    source = read_source("x.py", line_end.join(["# ü", "été = 'ñ'; wanted = 'here'", ""]).encode())
    assign = source.tree.body[1]

    assert isinstance(assign, ast.Assign)
    assert source.text_of(assign.value) == "'here'"
    assert source.edited([Edit(*source.span(assign.value), "'there'")]) == source.text.replace("'here'", "'there'")


@pytest.mark.parametrize(
    "data",
    [
        b"# -*- coding: latin-1 -*-\nname = '\xe9'\n",
        codecs.BOM_UTF8 + "name = 'é'\n".encode(),
        b"a = 1\r\nb = 2",
        b"\tx = 1\n".lstrip() + b"\x0cy = 2\n",
        b"",
    ],
)
def test_what_is_not_edited_is_the_same_in_bytes(data: bytes):
    source = read_source("x.py", data)

    assert source.encoded(source.edited([])) == data


@given(st.text(alphabet="aé🙂 #", max_size=20), st.data())
def test_an_edit_changes_its_place_and_nothing_else(comment: str, data: st.DataObject):
    source = read_source("x.py", f"#{comment}\n".encode())
    start = data.draw(st.integers(0, len(source.text)))
    end = data.draw(st.integers(start, len(source.text)))

    assert source.edited([Edit(start, end, "!")]) == f"{source.text[:start]}!{source.text[end:]}"


def test_edits_may_be_given_in_any_order():
    source = read_source("x.py", b"one = two\n")

    assert source.edited([Edit(6, 9, "2"), Edit(0, 3, "1"), Edit(9, 9, ";")]) == "1 = 2;\n"


def test_the_lines_are_whole_and_end_as_they_did():
    source = read_source("x.py", b"a = 1\r\nb = 2\r\nc = 3")

    assert source.lines == ["a = 1\r\n", "b = 2\r\n", "c = 3"]
    assert source.line_end == "\r\n"
    assert read_source("x.py", b"a = 1").line_end == "\n"
    assert source.text[slice(*source.line_around(8))] == "b = 2\r\n"
    assert source.text[slice(*source.line_around(len(source.text)))] == "c = 3"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a = 1\ndef x(:\n", "x.py:2: this is no Python: invalid syntax"),
        (b"a = '\xff'\n", "x.py: this is no Python: "),
        (b"a = 1\x00\n", "x.py: this is no Python: source code "),
        (b"# coding: no-such-thing\n", "x.py: this is no Python: unknown encoding: no-such-thing"),
        (b"# coding: utf-7\na = '+AGE-'\n", "x.py: its encoding, utf-7, has more than one way to write this text"),
    ],
)
def test_what_is_no_python_is_told_with_its_reason(data: bytes, told: str):
    """And with its line, where there is one."""
    with pytest.raises(ConfigError) as refusal:
        read_source("x.py", data)

    assert str(refusal.value).startswith(told)


def test_what_python_thinks_of_an_escape_is_not_told():
    """It would be a warning about a program that is not even run."""
    assert read_source("x.py", b'a = "\\d"\n').text == 'a = "\\d"\n'
