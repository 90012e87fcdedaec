"""Runs one program in this process, under one client: ``python -m tests.parity.shipped.program SIDE FILE``.

Of the program only its import line is changed, in memory. What it prints is marked (`SAID`), so that it can be told
from what is logged. Two things are done to both clients alike, from outside: a space that is written down as
``example.signalwire.com`` is taken for the one of the environment; and with what the program has ended is told (`END`).
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.parity.shipped.sources import for_side

__all__ = ["BY_ITSELF", "NOT_AT_ALL", "Marked", "aims_at", "ended", "names_of", "said"]

SAID, END = "| ", "@ ended "
EXAMPLE_SPACE = "example.signalwire.com"
BY_ITSELF, NOT_AT_ALL = "by itself", "not at all"


class Marked(io.TextIOBase):
    """A standard output that marks every line, and writes it at once and in one piece: logs go into the same pipe."""

    def __init__(self, under: Any) -> None:
        self._under = under
        self._begun = ""

    def write(self, text: str) -> int:
        """Write the lines that are whole now."""
        *lines, self._begun = (self._begun + text).split("\n")
        self._under.write("".join(f"{SAID}{line}\n" for line in lines))
        self._under.flush()
        return len(text)

    def end(self) -> None:
        """Write what has no end of a line, if there is something."""
        if self._begun:
            self.write("\n")


def said(output: str) -> list[str]:
    """Return the lines that a program has printed, of all that its process has written."""
    return [line.removeprefix(SAID) for line in output.splitlines() if line.startswith(SAID)]


def ended(output: str) -> str:
    """Return by what a program has ended: the names of an exception's classes; empty: it has not ended yet."""
    return next((line.removeprefix(END) for line in output.splitlines() if line.startswith(END)), "")


def aims_at(client: Any, space: str) -> None:
    """Let clients that are made for the documents' space find the one that there is."""
    made = client.__init__

    def make(self: Any, *arguments: Any, **named: Any) -> None:
        if named.get("host") == EXAMPLE_SPACE:
            named["host"] = space
        made(self, *arguments, **named)

    client.__init__ = make


def names_of(error: BaseException) -> str:
    """Return the names of an exception's classes, its own first."""
    return " ".join(one.__name__ for one in type(error).__mro__ if one not in (object, BaseException))


def main(arguments: Sequence[str]) -> None:
    """Run the program, as the main one of this process."""
    side, file = arguments
    aims_at(importlib.import_module(side).RelayClient, os.environ["SIGNALWIRE_SPACE"])
    out, sys.stdout = sys.stdout, (marked := Marked(sys.stdout))
    program = compile(for_side(Path(file).read_text("utf-8"), side), file, "exec")
    how = BY_ITSELF
    try:
        exec(program, {"__name__": "__main__", "__file__": file})
    except BaseException as error:
        how = names_of(error)
        raise
    finally:
        marked.end()
        out.write(f"{END}{how}\n")
        out.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
