"""The text of somebody's Python file, exactly as it is, and where in it the nodes of its tree stand. Layer: door."""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from collections.abc import Iterable
from typing import Final, NamedTuple

from relay_actors.errors import ConfigError

__all__ = ["Edit", "Source", "Span", "read_source"]

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


class Span(NamedTuple):
    """A piece of a text, by the places of its characters."""

    start: int
    end: int


class Edit(NamedTuple):
    """What is to stand in the place of a piece of a text; an empty piece is where it is put in."""

    start: int
    end: int
    text: str


class Source:
    """A Python file.

    Args:
        name: how the user names it.
        text: all of it, with the ends of its lines as they are.
        encoding: of the file; with ``-sig`` if it begins with a mark of its byte order.
        tree: what the text says.
    """

    def __init__(self, name: str, text: str, encoding: str, tree: ast.Module) -> None:
        self.name = name
        self.text = text
        self.encoding = encoding
        self.tree = tree
        self._lines = [Span(*found.span()) for found in _LINE.finditer(text)]

    @property
    def lines(self) -> list[str]:
        """Its lines, each with its end."""
        return [self.text[start:end] for start, end in self._lines if start < end]

    @property
    def line_end(self) -> str:
        """How its lines end: as the first one does."""
        return self.lines[0][len(self.lines[0].rstrip("\r\n")) :] or "\n" if self.text else "\n"

    def span(self, node: ast.expr | ast.stmt | ast.alias) -> Span:
        """Return where a node stands."""
        assert node.end_lineno is not None  # nodes of a parsed text know it
        assert node.end_col_offset is not None
        return Span(self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset))

    def text_of(self, node: ast.expr | ast.stmt | ast.alias) -> str:
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def line_around(self, place: int) -> Span:
        """Return the line in which a place is, with its end."""
        return next(line for line in self._lines if line.start <= place < line.end or line.end == len(self.text))

    def edited(self, edits: Iterable[Edit]) -> str:
        """Return the text with these changes; they do not overlap."""
        pieces, done = [], 0
        for start, end, text in sorted(edits):
            assert done <= start, "two edits overlap"
            pieces += [self.text[done:start], text]
            done = end
        return "".join([*pieces, self.text[done:]])

    def encoded(self, text: str) -> bytes:
        """Return a text as the bytes of this file."""
        return text.encode(self.encoding)

    def _place(self, number: int, column: int) -> int:
        line = self._lines[number - 1]
        # Python counts bytes of UTF-8, whatever the file's own encoding is.
        return line.start + len(self.text[line.start : line.end].encode()[:column].decode())


def read_source(name: str, data: bytes) -> Source:
    """Read a Python file.

    Args:
        name: how the user names it.
        data: its bytes.

    Raises:
        ConfigError: it is no Python, and why.
    """
    try:
        encoding, _lines = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
        is_the_same = text.encode(encoding) == data
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what Python thinks of somebody's escapes is not asked here
            tree = ast.parse(text)
    except SyntaxError as error:
        line = f"{name}:{error.lineno}" if error.lineno else name
        raise ConfigError(f"{line}: this is no Python: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # of bytes that are no text, and of a text that goes too deep
        raise ConfigError(f"{name}: this is no Python: {error}") from error
    if not is_the_same:
        raise ConfigError(f"{name}: its encoding, {encoding}, has more than one way to write this text; make it UTF-8")
    return Source(name, text, encoding, tree)
