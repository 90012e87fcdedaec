"""The page of the control API: every operation with what it takes, and every fault."""

from __future__ import annotations

import json
from collections.abc import Iterable
from random import Random

from relay_actors.cli.control_faults import list_faults
from relay_actors.cli.control_operations import Operation
from relay_actors.cli.control_table import ControlTable
from relay_actors.cli.control_words import Argument, Word
from relay_actors.runtime.clock import SystemClock
from relay_actors.simulator.simulator import Simulator
from tests.reference.docstrings import first_sentence
from tests.reference.markdown import code, join, table

INTRODUCTION = """\
What `relay-actors sim --control 8444` serves over HTTP. How a test uses it is told in [test an application in any
language](../how-to/test-an-application-in-any-language.md). `GET /` lists the same, and `GET /openapi.json` describes
it for generators of clients. It is derived from the [test kit](test-kit.md), whose methods have the same names.

A body is a JSON object of arguments, or is left out when it would be empty; a `GET` takes them in its query, where a
`+` is a plus. The answer is a JSON object:

| status | what it says |
|---|---|
| 200 | It is so. A verb answers with the person's line, or with the phone and its latest line |
| 400 | An argument is missing, unknown or not what it must be: `error`, and `takes` with those that there are |
| 401 | The token of `--control-token` is missing: `Authorization: Bearer …` |
| 403 | The request comes from a page of the web (it has an `Origin`, or a site's name as `Host`) |
| 404 | There is no such path or call: `error`, and `there is` with what there is in that place |
| 405 | The path has other methods: header `Allow` |
| 409 | The story did not go as told: `error` in one line, and `story` with what happened in its place |
| 411, 413 | The body has no `Content-Length`, or is longer than 1 MiB |

What waits does so in the request, for `within` seconds. Requests may be made at the same time. A phone exists from the
first time on that anybody names its number."""

GROUPS = {
    "The server": ("", "health", "wait", "reset", "numbers", "manners"),
    "Phones": ("phones",),
    "Lines": ("lines",),
    "Conferences, queues, rooms": ("conferences", "queues", "rooms"),
    "What is said ahead": ("scripts",),
    "Faults": ("faults", "push"),
    "Looking": (),
}
"""Headings with the first parts of the paths; the last one has all the others."""
ABOUT = {
    "Phones": "The verbs of somebody who holds a phone. Those of calls are about the latest one.",
    "Lines": "The verbs that are about one call, for a person who has several.",
    "What is said ahead": "What comes of commands of the application; unless told, everything goes well.",
    "Looking": "Lists are bounded, most of them to the latest 1000. Credentials and card data are masked.",
}


def page() -> str:
    """The whole page."""
    simulator = Simulator(clock=SystemClock(), random=Random(0))
    operations = ControlTable(simulator).operations
    named = {first for firsts in GROUPS.values() for first in firsts}
    parts = []
    for heading, firsts in GROUPS.items():
        own = [one for one in operations if _first(one) in firsts or (not firsts and _first(one) not in named)]
        parts += [f"## {heading}", ABOUT.get(heading, ""), _operations(own)]
        if heading == "Faults":
            parts += ["The faults, and what each takes beside `fault`:", _faults()]
    return join("# Control API", INTRODUCTION, *parts)


def _first(operation: Operation) -> str:
    return operation.path.split("/")[1]


def _operations(operations: Iterable[Operation]) -> str:
    rows = [(code(f"{one.method} {one.path}"), _arguments(one.arguments), _said(one.word)) for one in operations]
    return table(("Operation", "Takes", "What it does"), rows)


def _faults() -> str:
    rows = [
        (
            code(fault["fault"]),
            "; ".join(f"{code(name)}: {what}" for name, what in fault["takes"].items()),
            first_sentence(fault["what"]),
        )
        for fault in list_faults()
    ]
    return table(("Fault", "Takes", "What happens"), rows)


def _arguments(arguments: Iterable[Argument]) -> str:
    return "; ".join(map(_argument, arguments))


def _argument(argument: Argument) -> str:
    told = f"{code(argument.name)}: {str(argument).removesuffix(' (may be left out)')}"
    if argument.is_required:
        return f"{told}, required"
    default = argument.schema.get("default", "")
    return told if default == "" else f"{told}, {code(json.dumps(default))} if left out"


def _said(word: Word) -> str:
    return first_sentence(word.summary)
