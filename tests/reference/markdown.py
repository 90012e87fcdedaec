"""How the pages are written: tables, code, links to whatever has a section."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence

from relay_actors import errors
from tests.reference import facts


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty columns are left out, and so is a table without rows."""
    lines = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    kept = [place for place in range(len(head)) if any(line[place] for line in lines)]
    if not lines:
        return ""
    cells = [[head[place] for place in kept], ["---"] * len(kept), *([line[place] for place in kept] for line in lines)]
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def join(*parts: str) -> str:
    """Paragraphs with an empty line between them; what is empty is left out."""
    return "\n\n".join(part for part in parts if part) + "\n"


def code(text: object) -> str:
    return f"`{text}`"


def slug(heading: str) -> str:
    """The anchor that a heading gets."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower().replace(" ", "-"))


@functools.cache
def targets() -> dict[str, str]:
    """Where everything that has a section has it, by its name; verbs last: a verb and a command differ in case."""
    found = dict.fromkeys(errors.__all__, "errors.md")
    found |= {cls.__name__: f"commands.md#{slug(cls.__name__)}" for cls in facts.command_classes()}
    found |= {cls.__name__: f"verbs.md#{slug(cls.__name__)}" for cls in facts.handles()}
    found |= {name: f"verbs.md#{slug(name)}" for name in ("Reply", "Wait")}
    found |= {cls.__name__: f"events.md#{slug(cls.__name__)}" for cls in facts.event_classes()}
    found |= {event_type: f"events.md#{slug(facts.event_heading(event_type))}" for event_type in facts.EVENTS}
    found |= {verb.name: f"verbs.md#{slug(verb.name)}" for verb in facts.verbs()}
    return found


def link(name: str, page: str = "") -> str:
    """A link to the section of a verb, event, command, handle or error; its bare name when it has none.

    Args:
        name: as the code has it.
        page: on which it stands, so that a link on the same page names only the section.
    """
    target = targets().get(name)
    if target is None:
        return code(name)
    return f"[`{name}`]({target.removeprefix(page) if page and target.startswith(page + '#') else target})"


def links(names: Iterable[str], page: str = "") -> str:
    return ", ".join(link(name, page) for name in names)


def prose(text: str, page: str = "", *, here: str = "") -> str:
    """A docstring's sentence: code in single backticks, and links where a name has a section.

    Args:
        text: with code in double and names in single backticks.
        page: on which it stands.
        here: the name whose own section this is: no link leads from it to itself.
    """

    def mark(found: re.Match[str]) -> str:
        if found[1] is not None:
            return code(found[1])
        name = found[2].rpartition(".")[2]
        return link(name, page) if name in targets() and name != here else code(found[2] if name != here else name)

    return re.sub(r"``(.+?)``|`([^`]+)`", mark, text)
