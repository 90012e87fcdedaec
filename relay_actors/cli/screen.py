"""What people see: lines and tables, in colour on a terminal, plain everywhere else. Layer: door.

The only file that knows ``rich``. Colour is for terminals: a pipe, a file, ``NO_COLOR`` and ``TERM=dumb`` get plain
text, without a single escape sequence.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["Screen", "Styled"]

Styled = str | tuple[str, str]
"""A text, or a text with its style: ``("lost", "bold red")``."""

PLAIN_WIDTH: Final = 160
"""How wide a table may become where nobody knows the width."""

_NEEDED: Final = "✓✗·…"


class Screen:
    """Writes to a stream, one whole line at a time, from any thread.

    When the reader of a pipe goes away, the rest is dropped: what the program does is not its output.

    Args:
        stream: standard output by default.
        environ: where ``NO_COLOR`` and ``TERM`` are looked up; the process's own by default.
    """

    def __init__(self, stream: TextIO | None = None, environ: Mapping[str, str] | None = None) -> None:
        stream = sys.stdout if stream is None else stream
        environ = os.environ if environ is None else environ
        self.is_plain = not stream.isatty() or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._console = _QuietConsole(
            file=stream,
            force_terminal=not self.is_plain,
            color_system=None if self.is_plain else "auto",
            no_color=self.is_plain,
            width=None if stream.isatty() else PLAIN_WIDTH,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._encoding = getattr(stream, "encoding", None) or "utf-8"
        self._is_unicode = _can_encode(self._encoding)
        self._is_gone = False
        self._lock = threading.Lock()  # lines come from several threads, and must not be mixed

    @property
    def width(self) -> int:
        """How many characters fit into a line."""
        return self._console.width

    @property
    def height(self) -> int:
        """How many lines fit onto a terminal; 0 elsewhere, where there is no end."""
        return 0 if self.is_plain else self._console.height

    @property
    def is_gone(self) -> bool:
        """Whether the reader of a pipe has gone away: nobody sees what is written."""
        return self._is_gone

    def clear(self) -> None:
        """Begin a new page, where there are pages; elsewhere nothing."""
        if not self.is_plain:
            with self._lock:
                self._console.clear()

    def say(self, *parts: Styled) -> None:
        """Write one line."""
        line = Text()
        for part in parts:
            text, style = part if isinstance(part, tuple) else (part, "")
            line.append(self._writable(text), style)
        self._print(line)

    def columns(self, *cells: tuple[Styled, int]) -> None:
        """Write one line of cells, each filled up to its width; what is too long is cut, except in the last cell."""
        parts: list[Styled] = []
        for place, (cell, width) in enumerate(cells):
            text, style = cell if isinstance(cell, tuple) else (cell, "")
            is_last = place == len(cells) - 1
            parts.append((text if is_last else f"{_shortened(text, width)} ".ljust(width + 1), style))
        while parts and not parts[-1][0].strip():
            parts.pop()
        self.say(*parts)

    def table(self, heads: Sequence[str], rows: Sequence[Sequence[Styled]], *, is_cut: bool = False) -> None:
        """Write a table; its second and third column hold numbers.

        Args:
            heads: of the columns.
            rows: may be shorter than the heads.
            is_cut: whether each row is one line, cut where there is no room, rather than wrapped.
        """
        table = Table(box=box.SIMPLE_HEAD if self._is_unicode else box.ASCII2)
        for place, head in enumerate(heads):
            table.add_column(head, justify="right" if place in (1, 2) else "left", no_wrap=is_cut)
        for row in rows:
            table.add_row(*(Text(self._writable(text), style) for text, style in map(_with_style, row)))
        self._print(table)

    def mark(self, is_right: bool | None) -> Styled:
        """Return the mark of something right, wrong, or (None) not looked at."""
        if is_right is None:
            return ("·" if self._is_unicode else "--", "dim")
        if self._is_unicode:
            return ("✓", "bold green") if is_right else ("✗", "bold red")
        return ("ok", "bold green") if is_right else ("NO", "bold red")

    def _print(self, what: Text | Table) -> None:
        with self._lock:
            if self._is_gone:
                return
            try:
                self._console.print(what, soft_wrap=isinstance(what, Text))
            except BrokenPipeError:
                self._is_gone = True

    def _writable(self, text: str) -> str:
        # Also where there is all of Unicode: the names of files may hold bytes that are no text.
        return text if text.isascii() else text.encode(self._encoding, "replace").decode(self._encoding)


class _QuietConsole(Console):
    """A console that leaves a broken pipe to its owner: rich's own would end the program."""

    def on_broken_pipe(self) -> None:
        """Raise what has happened."""
        raise BrokenPipeError


def _with_style(cell: Styled) -> tuple[str, str]:
    return cell if isinstance(cell, tuple) else (cell, "")


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _can_encode(encoding: str) -> bool:
    try:
        _NEEDED.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
