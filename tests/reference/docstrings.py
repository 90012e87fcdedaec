"""Takes docstrings apart: the promise, what follows it, arguments, attributes, errors."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field

SECTIONS = ("Args", "Attributes", "Raises", "Returns")
SOURCE = re.compile(r"\s*\bSource: [^.]*(?:\.\d[^.]*)*\.\s*$")
SECTION_OF = re.compile(r"\s*\((?:PROTOCOL|SEMANTICS|DESIGN) [^)]*\)")
"""Where a sentence comes from: of use in the code, but not on a page whose readers do not have that document."""


@dataclass(frozen=True)
class Doc:
    """A docstring: texts are in one line each, with the marks of reStructuredText as they were."""

    promise: str
    rest: tuple[str, ...] = ()
    sections: dict[str, dict[str, str]] = field(default_factory=dict)

    def __getitem__(self, section: str) -> dict[str, str]:
        return self.sections.get(section, {})


def doc_of(thing: object) -> Doc:
    """The docstring of a class, function or property itself, not of what it inherits from."""
    own = thing.__dict__.get("__doc__") if isinstance(thing, type) else thing.__doc__
    return parse(own or "")


def parse(text: str) -> Doc:
    """Paragraphs before the first section; then names with their texts."""
    paragraphs: list[str] = []
    sections: dict[str, dict[str, str]] = {}
    current: dict[str, str] | None = None
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        head, _, body = block.partition("\n")
        if head.rstrip(":") in SECTIONS and head.endswith(":"):
            current = sections.setdefault(head.rstrip(":"), {})
            for entry in re.split(r"\n(?! )", inspect.cleandoc(body)):
                name, _, said = entry.partition(":")
                current[name.strip()] = one_line(said)
        elif not block.startswith("Source:"):
            paragraphs.append(SOURCE.sub("", one_line(block)))
    promise, *rest = paragraphs or [""]
    return Doc(promise, tuple(part for part in rest if part), sections)


def one_line(text: str) -> str:
    return SECTION_OF.sub("", " ".join(text.split()))


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence; colons and semicolons stay inside."""
    found = re.match(r"(.+?[.])(?:\s|$)", text)
    return found[1] if found else text
