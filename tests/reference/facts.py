"""What the pages tell, read from the code: verbs with their commands, handles, events and snippets."""

from __future__ import annotations

import ast
import dataclasses
import functools
import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.actors.verbs import AllVerbs
from relay_actors.app import RelayApp
from relay_actors.protocol.catalog import ACTIONS, COMMANDS, EVENTS
from relay_actors.protocol.commands import RelayCommand
from relay_actors.protocol.events import RelayEvent
from tests.reference.docstrings import Doc, doc_of
from tests.support.house import REPOSITORY

__all__ = ["EVENTS", "Snippet", "Verb", "command_classes", "event_classes", "handles", "snippets", "verbs"]

SNIPPETS = REPOSITORY / "examples" / "verbs"
NAMED = re.compile(r"(?<!`)`(\w+)`(?!`)")


@dataclass(frozen=True)
class Snippet:
    """Where the snippet of a verb stands: a class or function of a file, from one line to another."""

    file: Path
    name: str
    lines: range


@dataclass(frozen=True)
class Verb:
    """One verb of a call.

    Attributes:
        noun: the module in which it is defined.
        command: what it sends, or None.
        method: the wire method of that, or "".
        calls: the verb that it hands its arguments to, or "".
        event_types: those that tell what becomes of it.
    """

    name: str
    noun: str
    function: Callable[..., Any]
    doc: Doc
    command: type[RelayCommand] | None
    method: str
    calls: str
    event_types: tuple[str, ...]
    snippet: Snippet | None

    @property
    def parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())[1:]

    @property
    def gives(self) -> str:
        return str(self.function.__annotations__["return"])

    @property
    def handle(self) -> type[Action] | None:
        return ACTION_HANDLES.get(self.method)


def noun_classes() -> list[type]:
    """The classes of verbs, in the order in which `AllVerbs` has them."""
    return [cls for cls in AllVerbs.__bases__ if cls.__module__.startswith("relay_actors.actors.verbs.")]


def defined_in(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The public verbs of one class, in their order."""
    return ((name, made) for name, made in vars(cls).items() if inspect.isfunction(made) and not name.startswith("_"))


@functools.cache
def verbs() -> tuple[Verb, ...]:
    """Every verb, by noun."""
    return tuple(
        _verb(name, function, cls.__module__.rpartition(".")[2])
        for cls in noun_classes()
        for name, function in defined_in(cls)
    )


def _verb(name: str, function: Callable[..., Any], noun: str) -> Verb:
    doc = doc_of(function)
    method, calls = _sent_by(name)
    command = COMMANDS.get(method)
    told = list(ACTIONS[method].rule.event_types) if method in ACTIONS else []
    for named in NAMED.findall(" ".join([doc.promise, *doc.rest, *doc["Args"].values()])):
        told += [event_type for event_type, cls in EVENTS.items() if cls.__name__ == named and cls is not RelayEvent]
    return Verb(name, noun, function, doc, command, method, calls, tuple(dict.fromkeys(told)), snippets().get(name))


def _sent_by(name: str) -> tuple[str, str]:
    """The wire method of a verb, and the verb to which it hands on: from the names that its code uses."""
    function = getattr(AllVerbs, name)
    used = function.__code__.co_names
    made = [function.__globals__.get(word) for word in used]
    methods = [method for method, cls in COMMANDS.items() if cls in made]
    if methods:
        [method] = methods
        return method, ""
    others = [word for word in used if word != name and inspect.isfunction(getattr(AllVerbs, word, None))]
    calls = next((word for word in others if not word.startswith("_")), "")
    return (_sent_by(calls)[0], calls) if calls else ("", "")


def argument_docs(verb: Verb) -> dict[str, str]:
    """What each argument is: from the verb, else from the verb or the builder that it hands the argument to."""
    found: dict[str, str] = {}
    if verb.calls:
        found |= argument_docs(next(other for other in verbs() if other.name == verb.calls))
    for word in verb.function.__code__.co_names:
        builder = verb.function.__globals__.get(word)
        if inspect.isfunction(builder):
            found |= doc_of(builder)["Args"]
    return found | verb.doc["Args"]


@functools.cache
def snippets() -> dict[str, Snippet]:
    """The snippet of each verb: a class that is called at the context of its name, or a function of that name."""
    found = {}
    for file in sorted(SNIPPETS.glob("*.py")):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                name = _context(node) if isinstance(node, ast.ClassDef) else node.name
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                if name in vars_of_verbs():
                    found[name] = Snippet(file, node.name, range(first, (node.end_lineno or first) + 1))
    return found


def _context(node: ast.ClassDef) -> str:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="calls"), args=[ast.Constant(value=str(context))]):
                return context
    return ""


def vars_of_verbs() -> set[str]:
    return {name for cls in noun_classes() for name, _function in defined_in(cls)}


def command_classes() -> list[type[RelayCommand]]:
    """Every command, by the module of its kind."""
    classes = list(dict.fromkeys(COMMANDS.values()))
    modules = list(dict.fromkeys(cls.__module__ for cls in sorted(classes, key=lambda cls: cls.__module__)))
    return sorted(classes, key=lambda cls: (modules.index(cls.__module__), cls.__name__.lower()))


def said_by_the_application(command: type[RelayCommand]) -> list[str]:
    """The methods of `RelayApp` that say a command which belongs to no call."""
    methods = [(name, made) for name, made in vars(RelayApp).items() if inspect.isfunction(made)]
    return [name for name, made in methods if command.__name__ in made.__code__.co_names]


def methods_of(command: type[RelayCommand]) -> list[str]:
    return sorted(method for method, cls in COMMANDS.items() if cls is command)


def handles() -> list[type[Action]]:
    """Every kind of handle, sorted, the common one first."""
    return [Action, *sorted(set(ACTION_HANDLES.values()), key=lambda cls: cls.__name__)]


def event_classes() -> list[type[RelayEvent]]:
    """Every class of events, once, the common one first."""
    return [RelayEvent, *(cls for cls in dict.fromkeys(EVENTS.values()) if cls is not RelayEvent)]


def event_heading(event_type: str) -> str:
    """The heading of an event's section: its class, or its type when it has none of its own."""
    cls = EVENTS[event_type]
    return event_type if cls is RelayEvent else cls.__name__


def own_fields(cls: type[Any]) -> list[dataclasses.Field[Any]]:
    """The fields that a dataclass adds to those of its bases."""
    inherited = {
        each.name for base in cls.__mro__[1:] if dataclasses.is_dataclass(base) for each in dataclasses.fields(base)
    }
    return [each for each in dataclasses.fields(cls) if each.name not in inherited]


def properties(cls: type) -> list[tuple[str, property]]:
    """The public properties that a class itself defines, in their order."""
    return [(name, made) for name, made in vars(cls).items() if isinstance(made, property) and not name.startswith("_")]
