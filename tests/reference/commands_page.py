"""The page of the commands: a table of all, a section for each, and what has none."""

from __future__ import annotations

import sys
from typing import get_type_hints

from relay_actors.protocol.catalog import ACTIONS, NOT_COMMANDS, SUB_COMMAND_CLASSES
from relay_actors.protocol.commands import SUB_COMMANDS, RelayCommand, SubCommand
from relay_actors.protocol.schema import params_of
from tests.reference import facts
from tests.reference.docstrings import doc_of, first_sentence, one_line, parse
from tests.reference.markdown import code, join, link, links, prose, table
from tests.reference.verbs_page import completion
from tests.reference.words import field_default, json_type, type_in_words

PAGE = "commands.md"

INTRODUCTION = """\
Every request on calls and texts is a frozen class in `relay_actors.commands`. Any actor can say one to a call, and
the call's actor sends it: `ref.tell(Play(media=[…]))`; `ref.ask(…)` gives what the [verb](verbs.md) gives. All
arguments are keywords. They are checked when the command is made, so what cannot be sent is an
[`ArgumentError`](errors.md) at your line; what was not given is left out of the params. The ids of the call are added
for you, and `extra` takes further params, which win over the arguments; of one that is probably misspelt the log warns
once."""

OPERATIONS = (
    "Those that start an operation take a `control_id`, by which its events are told apart; one is chosen for you."
)


def page() -> str:
    """The whole page."""
    parts = ["# Commands", INTRODUCTION, _all_of_them()]
    module = ""
    for cls in facts.command_classes():
        if cls.__module__ != module:
            module = cls.__module__
            parts += [f"## {module.rpartition('.')[2].capitalize().replace('_', ' ')}", _about(module)]
        parts.append(section(cls))
    parts += ["## Sub-commands by operation", OPERATIONS, _sub_commands()]
    reasons = [(code(method), prose(one_line(reason))) for method, reason in sorted(NOT_COMMANDS.items())]
    parts += ["## Methods without a command", table(("Wire method", "Why"), reasons)]
    return join(*parts)


def _all_of_them() -> str:
    rows = []
    for cls in facts.command_classes():
        methods = facts.methods_of(cls)
        method = code(methods[0]) if not issubclass(cls, SubCommand) else f"one for each operation ({len(methods)})"
        rows.append((link(cls.__name__, PAGE), prose(first_sentence(doc_of(cls).promise), PAGE), method, _verbs(cls)))
    return table(("Command", "What it asks for", "Wire method", "Said by"), rows)


def _verbs(cls: type[RelayCommand]) -> str:
    if issubclass(cls, SubCommand):
        return f"{code(cls.name)} of a [handle](verbs.md#handles)"
    verbs = links(verb.name for verb in facts.verbs() if verb.command is cls and not verb.calls)
    return verbs or ", ".join(code(f"app.{name}") for name in facts.said_by_the_application(cls))


def _about(module: str) -> str:
    return prose(parse((sys.modules[module].__doc__ or "").replace(" Layer: protocol, pure.", "")).promise, PAGE)


def section(cls: type[RelayCommand]) -> str:
    """What there is to say about one command."""
    doc = doc_of(cls)
    methods = facts.methods_of(cls)
    lines = [f"* **On the wire**: {', '.join(code(method) for method in methods)}"]
    said_by = _verbs(cls)
    if said_by:
        lines.append(f"* **Said by**: {said_by}")
    for method in methods:
        if method in ACTIONS:
            able = ACTIONS[method].sub_commands
            lines.append(f"* **Sub-commands**: {', '.join(link(made.__name__, PAGE) for made in able.values())}")
            lines.append(f"* **Completion**: {completion(method)}")
    if not issubclass(cls, SubCommand) and (further := _further(cls, methods[0])):
        lines.append(f"* **Further params** that the server knows, for `extra`: {further}")
    return "\n\n".join(
        part
        for part in (
            f"### {cls.__name__}",
            prose(doc.promise, PAGE, here=cls.__name__),
            *(prose(text, PAGE, here=cls.__name__) for text in doc.rest),
            "\n".join(lines),
            _arguments(cls, methods[0]),
        )
        if part
    )


def _arguments(cls: type[RelayCommand], method: str) -> str:
    keys = cls.wire_names()
    params = params_of(method) or {}
    hints = get_type_hints(cls)
    said = doc_of(cls)["Attributes"]
    rows = []
    for each in facts.own_fields(cls):
        key = keys.get(each.name, "")
        param = params.get(key)
        rows.append(
            (
                code(each.name),
                type_in_words(hints[each.name]),
                field_default(each),
                prose(said.get(each.name, ""), PAGE),
                code(key) if key else "",
                json_type(param) if param is not None else "",
            )
        )
    return table(("Argument", "Type", "Default", "What it is", "Param", "Type on the wire"), rows)


def _further(cls: type[RelayCommand], method: str) -> str:
    ids = {"call_id", "node_id"} if cls.needs_call else set()
    known = params_of(method) or {}
    return ", ".join(code(name) for name in known if name not in ids | set(cls.wire_names().values()))


def _sub_commands() -> str:
    rows = [
        (code(method), *(code(able[name]) if name in able else "" for name in SUB_COMMAND_CLASSES))
        for method, able in sorted(SUB_COMMANDS.items())
    ]
    names = [link(cls.__name__, PAGE) for cls in SUB_COMMAND_CLASSES.values()]
    return table(("Operation", *names), rows)
