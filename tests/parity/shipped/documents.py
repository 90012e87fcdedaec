"""The Python that stands in a document: which pieces there are, and which of them can be run. Pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Snippet", "is_program", "snippets", "why_not"]

_FENCE = "```"


@dataclass(frozen=True, slots=True)
class Snippet:
    """One block of Python.

    Attributes:
        document: where it stands, relative to the distribution.
        heading: over it; of one that names a method with its arguments, only the name.
        number: which one under this heading, from 1 on.
        code: as it stands there.
    """

    document: str
    heading: str
    number: int
    code: str

    @property
    def name(self) -> str:
        """Names it in one line: ``call-methods.md, play``, and the next one there ``call-methods.md, play, 2``."""
        name = f"{self.document.rpartition('/')[2]}, {self.heading}"
        return name if self.number == 1 else f"{name}, {self.number}"


def snippets(document: str, text: str) -> Iterator[Snippet]:
    """Give every block of Python of a page, in the order in which they stand there."""
    heading, language, lines = "", "", list[str]()
    counts = dict[str, int]()
    for line in text.splitlines():
        if line.startswith(_FENCE) and language:
            if language == "python":
                counts[heading] = counts.get(heading, 0) + 1
                yield Snippet(document, heading, counts[heading], "\n".join(lines) + "\n")
            language = ""
        elif line.startswith(_FENCE):
            language, lines = line.removeprefix(_FENCE).strip() or "text", []
        elif language:
            lines.append(line)
        elif line.startswith("#"):
            heading = line.lstrip("# ").partition("(")[0].strip("` ")


def why_not(code: str) -> str:
    """Say why a piece cannot be run as it stands; empty: it can."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return "it is a signature, not a statement"
    statements = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and node.value is Ellipsis and id(node) not in statements:
            return "it has ... in the place of a value"
    return ""


def is_program(code: str) -> bool:
    """Return whether a piece runs a client until it is interrupted, so that it needs a process of its own."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "run"
        for node in ast.walk(ast.parse(code))
    )
