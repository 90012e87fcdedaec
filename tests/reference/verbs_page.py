"""The page of the verbs: a table of all, and a section for each."""

from __future__ import annotations

import inspect
import sys

from relay_actors.actors.actions import Action
from relay_actors.actors.waits import Reply, Wait
from relay_actors.protocol.catalog import ACTIONS, SUB_COMMAND_CLASSES
from relay_actors.protocol.commands import SUB_COMMANDS
from tests.reference import facts
from tests.reference.docstrings import doc_of, first_sentence, parse
from tests.reference.facts import Verb
from tests.reference.markdown import code, join, link, links, prose, table
from tests.reference.words import default_of, signature, type_in_words

PAGE = "verbs.md"

INTRODUCTION = """\
Everything that can be done on a call. All callers have the same verbs: a `CallActor` in its own turn (`self.play(…)`),
any thread by a `CallHandle`, which `app.dial` and `app.call` give, and asyncio by the calls of a `RelayClient`. Other
actors say them as [commands](commands.md): `ref.tell(Play(…))`.

A verb takes effect when it is called, awaited or not. Arguments that are not given are left to the server, and never
sent as null. Where `**kwargs` are taken they become further params of the request, under their own names.
One that is probably misspelt, or belongs elsewhere, is sent all the same, and the log warns of it once."""

HOW_TO_RUN = """\
The snippets are applications, one for each noun: `relay-actors run examples.verbs.media:app`. A class is called at the
context of its verb's name; a function calls out, and uses the verb on the handle of the call. The suite runs them
all."""

GIFTS = """\
Only `on` gives nothing. Whatever runs for a while gives a handle: see [handles](#handles). The others give one of
these."""

FURTHER = "further params."

ERRORS = {
    "Reply": "at once when an argument cannot be sent; {relay} or {ended} in the reply.",
    "Action": "at once when an argument cannot be sent; {relay} or {ended} in the handle and in its `wait`.",
}


def page() -> str:
    """The whole page."""
    parts = ["# Verbs", INTRODUCTION, HOW_TO_RUN, _all_of_them(), "## What they give", *_gifts()]
    noun = ""
    for verb in facts.verbs():
        if verb.noun != noun:
            noun = verb.noun
            parts += [f"## {noun.capitalize()}", _about(noun)]
        parts.append(section(verb))
    parts += ["## Handles", "What an operation gives, to watch it and to act on it while it runs."]
    parts += [_handle(cls) for cls in facts.handles()]
    return join(*parts)


def _all_of_them() -> str:
    rows = [
        (
            link(verb.name, PAGE),
            _promise(verb),
            link(verb.gives.partition("[")[0], PAGE),
            code(verb.method) * bool(verb.method),
        )
        for verb in facts.verbs()
    ]
    return table(("Verb", "What it does", "Gives", "Wire method"), rows)


def _promise(verb: Verb) -> str:
    return prose(first_sentence(verb.doc.promise), PAGE, here=verb.name)


def _gifts() -> list[str]:
    found = [GIFTS]
    for cls in (Reply, Wait):
        doc = doc_of(cls)
        found += [f"### {cls.__name__}", prose(doc.promise, PAGE), *(prose(text, PAGE) for text in doc.rest)]
        found.append(
            table(
                ("Attribute", "What it is"),
                [(code(name), prose(said, PAGE)) for name, said in doc["Attributes"].items()],
            )
        )
    return found


def _about(noun: str) -> str:
    [cls] = [cls for cls in facts.noun_classes() if cls.__module__.endswith(f".{noun}")]
    module = parse((sys.modules[cls.__module__].__doc__ or "").partition("Layer:")[0])
    doc = doc_of(cls)
    return "\n".join(prose(text, PAGE) for text in (module.promise, doc.promise, *doc.rest))


def section(verb: Verb) -> str:
    """What there is to say about one verb."""
    parts = [
        f"### {verb.name}",
        prose(verb.doc.promise, PAGE, here=verb.name),
        *(prose(text, PAGE, here=verb.name) for text in verb.doc.rest),
        "```text\n" + signature(verb.name, verb.parameters, verb.gives) + "\n```",
        _arguments(verb),
        _facts(verb),
        _snippet(verb),
    ]
    return "\n\n".join(part for part in parts if part)


def _arguments(verb: Verb) -> str:
    names = verb.command.wire_names() if verb.command is not None else {}
    docs = facts.argument_docs(verb)
    rows = []
    for one in verb.parameters:
        is_rest = one.kind is inspect.Parameter.VAR_KEYWORD
        key = names.get(one.name, "")
        rows.append(
            (
                code(("**" if is_rest else "") + one.name),
                "" if is_rest else type_in_words(str(one.annotation)),
                default_of(one),
                prose(docs.get(one.name, FURTHER if is_rest else ""), PAGE, here=verb.name),
                code(key) if key else "",
            )
        )
    return table(("Argument", "Type", "Default", "What it is", "On the wire"), rows)


def _facts(verb: Verb) -> str:
    lines = [("Gives", _gives(verb))]
    if verb.command is not None:
        lines.append(("On the wire", f"`{verb.method}`, as a message {link(verb.command.__name__)}"))
    if verb.method in ACTIONS:
        lines.append(("Completion", completion(verb.method, PAGE)))
    lines.append(("Told by", links((facts.event_heading(each) for each in verb.event_types), PAGE)))
    lines.append(("Errors", errors(verb)))
    return "\n".join(f"* **{what}**: {said}" for what, said in lines if said)


def _gives(verb: Verb) -> str:
    kind, _, inner = verb.gives.partition("[")
    text = link(kind, PAGE) + (f" of a {link(inner.rstrip(']'))}" if inner else "")
    able = SUB_COMMANDS.get(verb.method, {})
    return text + (f", with {', '.join(code(name) for name in able)}" if able else "")


def completion(method: str, page_name: str = "") -> str:
    """When an operation is over, in the words of its rule."""
    said = parse(ACTIONS[method].rule.judge.__doc__ or "")
    text = " ".join(prose(part, page_name) for part in (said.promise, *said.rest))
    return f"{text} At the latest when the call ends."


def errors(verb: Verb) -> str:
    """What it raises, and what comes in what it gives."""
    relay, ended, argument = link("RelayError"), link("CallEnded"), link("ArgumentError")
    said = [f"{link(name)}: {prose(text, PAGE)}" for name, text in verb.doc["Raises"].items()]
    if verb.gives.startswith("Wait"):
        said.append(f"`TimeoutError` or {ended} in the wait.")
    elif verb.command is not None:
        said.append(f"{argument} {ERRORS['Action' if verb.handle else 'Reply'].format(relay=relay, ended=ended)}")
    return " ".join(said)


def _snippet(verb: Verb) -> str:
    if verb.snippet is None:
        return ""
    path = f"../../examples/verbs/{verb.snippet.file.name}"
    return f"```{{literalinclude}} {path}\n:pyobject: {verb.snippet.name}\n```"


def _handle(cls: type[Action]) -> str:
    doc = doc_of(cls)
    rows = [(code(name), prose(doc_of(made).promise, PAGE)) for name, made in _methods(cls)]
    starts = [verb.name for verb in facts.verbs() if verb.handle is cls]
    return "\n\n".join(
        part
        for part in (
            f"### {cls.__name__}",
            prose(" ".join((doc.promise, *doc.rest)), PAGE, here=cls.__name__),
            f"Given by {links(starts, PAGE)}." if starts else "",
            table(("Attribute", "What it is"), [(code(name), prose(said)) for name, said in doc["Attributes"].items()]),
            table(("Method", "What it does"), rows),
        )
        if part
    )


def _methods(cls: type[Action]) -> list[tuple[str, object]]:
    """What a handle offers: the common one all that is public, the others what they can do to their operation."""
    if cls is Action:
        for_people = ("get", "state", "is_done", "completed", "wait", "on_done", "stop")
        return [(name, vars(cls)[name]) for name in for_people]
    return [(name, getattr(cls, name)) for name in SUB_COMMAND_CLASSES if hasattr(cls, name)]
