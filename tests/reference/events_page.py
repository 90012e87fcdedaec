"""The page of the events: a table of all, and a section for each."""

from __future__ import annotations

from relay_actors.protocol.catalog import ACTIONS, EVENTS
from relay_actors.protocol.events import RelayEvent
from tests.reference import facts
from tests.reference.docstrings import doc_of, first_sentence
from tests.reference.markdown import code, join, link, links, prose, slug, table
from tests.reference.states_page import TABLES
from tests.reference.words import field_default, type_in_words

PAGE = "events.md"

INTRODUCTION = """\
What the server reports. Each event is an instance of a frozen class in `relay_actors.events`; in `on_receive` they
are taken apart by `match`, in `run` they come out of `self.next(…)` and of waits. An event type that nobody knows is
a `RelayEvent`, and does no harm: `params` has everything as it was received. Whatever is null, missing or of a wrong
type is the default of its field."""

UNTYPED = "It has no class of its own: it arrives as {base}, with everything in `params`."


def page() -> str:
    """The whole page."""
    parts = ["# Events", INTRODUCTION, _all_of_them()]
    parts += ["## What all of them have", _section(RelayEvent), "## Each of them"]
    for event_type, cls in EVENTS.items():
        parts.append(_untyped(event_type) if cls is RelayEvent else _section(cls))
    return join(*parts)


def _all_of_them() -> str:
    rows = []
    for event_type, cls in EVENTS.items():
        said = first_sentence(about(cls)) if cls is not RelayEvent else ""
        rows.append((code(event_type), link(facts.event_heading(event_type), PAGE), prose(said, PAGE)))
    return table(("Event type", "Class", "What it tells"), rows)


def about(cls: type[RelayEvent]) -> str:
    """The promise of an event's class, without the event type that it begins with."""
    _, colon, said = doc_of(cls).promise.partition("``: ")
    text = said if colon else doc_of(cls).promise
    return text[:1].upper() + text[1:]


def _section(cls: type[RelayEvent]) -> str:
    doc = doc_of(cls)
    types = [event_type for event_type, known in EVENTS.items() if known is cls and cls is not RelayEvent]
    return "\n\n".join(
        part
        for part in (
            f"### {cls.__name__}",
            prose(about(cls), PAGE),
            *(prose(text, PAGE) for text in doc.rest),
            "\n".join(line for event_type in types for line in _facts(event_type)),
            _fields(cls),
            _properties(cls),
        )
        if part
    )


def _untyped(event_type: str) -> str:
    parts = [f"### {event_type}", UNTYPED.format(base=link("RelayEvent", PAGE)), "\n".join(_facts(event_type))]
    return "\n\n".join(part for part in parts if part)


def _facts(event_type: str) -> list[str]:
    lines = [f"* **Event type**: {code(event_type)}"]
    if verbs := [verb.name for verb in facts.verbs() if event_type in verb.event_types]:
        lines.append(f"* **Tells of**: {links(verbs)}")
    completes = [kind.command.__name__ for kind in ACTIONS.values() if kind.rule.completing == event_type]
    if completes:
        lines.append(f"* **Completes**: {links(completes)}")
    return lines


def _fields(cls: type[RelayEvent]) -> str:
    said = doc_of(cls)["Attributes"]
    rows = []
    for each in facts.own_fields(cls):
        paths = each.metadata.get("paths") or (f"params.{each.name}",)
        path = " or ".join(code(one) for one in paths) if cls is not RelayEvent else ""
        rows.append(
            (code(each.name), type_in_words(str(each.type)), field_default(each), _meaning(each.name, said), path)
        )
    return table(("Field", "Type", "Default", "What it is", "On the wire"), rows)


def _meaning(field: str, said: dict[str, str]) -> str:
    title = next((title for title, name, _states, _moves in TABLES if name == field), "")
    if title:
        return f"one of the [states of {title.lower()}](states.md#{slug(title)})"
    known = vars(RelayEvent).get(field)  # where a class reads it by itself, all others look it up
    return prose(said.get(field) or (doc_of(known).promise if isinstance(known, property) else ""), PAGE)


def _properties(cls: type[RelayEvent]) -> str:
    rows = [
        (code(name), type_in_words(str(made.fget.__annotations__["return"])), prose(doc_of(made).promise, PAGE))
        for name, made in facts.properties(cls)
        if made.fget is not None
    ]
    return table(("Property", "Type", "What it is"), rows)
