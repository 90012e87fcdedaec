"""Every method of the wire is there in full, from the command to the reference; the failure says what is missing.

This is the list that is worked through when RELAY has a new method: its row goes into ``tests/data/methods.json``, and
this test names the places, one after the other, until there are none.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.call import CallActor
from relay_actors.actors.verbs import AllVerbs
from relay_actors.protocol import commands
from relay_actors.protocol.catalog import COMMANDS, EVENTS, NOT_COMMANDS
from relay_actors.protocol.commands import SUB_COMMANDS, RelayCommand
from relay_actors.protocol.completion import COMPLETION_RULES
from relay_actors.protocol.schema_table import SCHEMA_TABLE
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.simulator.simulator import Simulator
from tests.actors.verbs.uses import CALL_METHODS, METHODS, OURS, parameters_in
from tests.reference.facts import snippets
from tests.reference.pages import REFERENCE
from tests.test_snippets import PEOPLE

Row = Mapping[str, Any]

NOT_SIMULATED = {
    "calling.play_and_collect.pause": "no schema has it: expect a server to refuse it (PROTOCOL D30)",
    "calling.play_and_collect.resume": "no schema has it: expect a server to refuse it (PROTOCOL D30)",
}
"""From each command that the simulator refuses to the reason."""


@dataclass(frozen=True)
class House:
    """What there is, place by place; each is what the code itself has, unless a test takes something away.

    Attributes:
        classes: the wire methods that a command class says.
        handles: from each operation to what can be done to its handle.
        verbs: from each verb to its parameters.
        simulated: the wire methods that the simulator carries out.
        sections: the headings of the verbs' page, and the wire methods on that of the commands.
    """

    classes: Collection[str]
    commands: Collection[str]
    reasons: Collection[str]
    sub_commands: Mapping[str, Collection[str]]
    schema: Collection[str]
    events: Collection[str]
    rules: Mapping[str, str]
    handles: Mapping[str, Collection[str]]
    verbs: Mapping[str, list[tuple[str, str, str]]]
    simulated: Collection[str]
    snippets: Collection[str]
    people: Collection[str]
    sections: Collection[str]

    @classmethod
    def as_it_is(cls) -> House:
        simulator = Simulator(clock=SystemClock(), random=Random(0))
        verbs = {name: getattr(CallActor, name) for name in dir(AllVerbs) if not name.startswith("_")}
        return cls(
            classes={said for said in (getattr(commands, name) for name in commands.__all__) for said in said_by(said)},
            commands=COMMANDS,
            reasons=NOT_COMMANDS,
            sub_commands=SUB_COMMANDS,
            schema=SCHEMA_TABLE,
            events=EVENTS,
            rules={method: rule.completing for method, rule in COMPLETION_RULES.items()},
            handles={method: dir(handle) for method, handle in ACTION_HANDLES.items()},
            verbs={name: parameters_of(made) for name, made in verbs.items() if inspect.isfunction(made)},
            simulated={row["method"] for row in METHODS["methods"] if simulator._commands.is_known(row["method"])},
            snippets=snippets(),
            people=PEOPLE,
            sections=[
                *re.findall(r"^### (\w+)$", (REFERENCE / "verbs.md").read_text("utf-8"), re.MULTILINE),
                *re.findall(r"`(\w+(?:\.\w+)+)`", (REFERENCE / "commands.md").read_text("utf-8")),
            ],
        )


def said_by(thing: object) -> list[str]:
    """The wire method that a command class says."""
    method = getattr(thing, "method", None)
    is_command = isinstance(thing, type) and issubclass(thing, RelayCommand)
    return [method] if is_command and isinstance(method, str) else []


def parameters_of(made: Any) -> list[tuple[str, str, str]]:
    found = list(inspect.signature(made).parameters.values())[1:]
    return [
        (one.name, one.kind.name, "required" if one.default is inspect.Parameter.empty else repr(one.default))
        for one in found
    ]


def missing(row: Row, house: House, signatures: Mapping[str, str]) -> str:
    """Say everything that a method of the wire lacks, in one text; empty when it lacks nothing.

    Args:
        row: as the table of methods has it.
        house: what there is.
        signatures: of all verbs, by name, as the table has them.
    """
    lacks = [*_on_the_wire(row, house), *_to_the_user(row, house, signatures)]
    return "\n  - ".join([f"{row['method']} lacks", *lacks]) if lacks else ""


def _on_the_wire(row: Row, house: House) -> Iterator[str]:
    method = row["method"]
    if method not in house.schema:
        yield "its params in SCHEMA_TABLE: run `python -m tests.protocol.make_schema_table`, then `ruff format`"
    if row["event_type"] is not None and row["event_type"] not in house.events:
        yield f"a class for {row['event_type']} in EVENT_CLASS_MAP of relay_actors/protocol/events.py"
    if method in house.reasons:
        return
    for owner in row["sub_command_of"]:
        if owner["name"] not in house.sub_commands.get(owner["method"], ()):
            yield f"the line {owner['name']!r} of {owner['method']} in SUB_COMMANDS of commands/sub_commands.py"
    if not row["sub_command_of"] and method not in house.classes:
        yield f"a command: a frozen class with `method = {method!r}` in relay_actors/protocol/commands/"
    if method not in house.commands:
        yield "its line in COMMANDS of relay_actors/protocol/catalog.py (or its reason in NOT_COMMANDS)"
    if row["kind"] == "action" and house.rules.get(method) != row["event_type"]:
        yield f"a rule in COMPLETION_RULES of relay_actors/protocol/completion.py that {row['event_type']} completes"
    if method not in house.simulated and method not in NOT_SIMULATED:
        yield "somebody who does it in the simulator: relay_actors/simulator/commands.py"


def _to_the_user(row: Row, house: House, signatures: Mapping[str, str]) -> Iterator[str]:
    if row["kind"] == "action" and row["method"] not in house.handles:
        yield f"a handle, {row['action_class']}, in ACTION_HANDLES of relay_actors/actors/action_kinds.py"
    for owner in row["sub_command_of"]:
        if owner["name"] not in house.handles.get(owner["method"], ()):
            yield f"the method {owner['name']} on {owner['action_class']} in relay_actors/actors/actions.py"
    for verb in filter(None, [row["call_method"], *row["convenience_methods"]]):
        wanted = parameters_in(signatures[verb]) + OURS.get(verb, [])
        if verb not in house.verbs:
            yield f"a verb in relay_actors/actors/verbs/: {signatures[verb]}"
        elif house.verbs[verb] != wanted:
            yield f"the right parameters of its verb: {signatures[verb]}"
        if verb not in house.snippets:
            yield f"a snippet of {verb} in examples/verbs/"
        if verb not in house.people:
            yield f"a person who tries the snippet of {verb} in tests/test_snippets.py"
        if verb not in house.sections:
            yield f"the section of {verb} in docs/reference/verbs.md: run `make reference`"
    if row["method"] not in house.sections:
        yield "its place in docs/reference/commands.md: run `make reference`"


SIGNATURES = {name: entry["python_signature"] for name, entry in CALL_METHODS.items()}


@pytest.fixture(scope="module")
def house() -> House:
    return House.as_it_is()


def test_every_method_of_the_wire_is_there_in_full(house: House):
    """From the command to the reference."""
    texts = [missing(row, house, SIGNATURES) for row in METHODS["methods"]]
    assert not any(texts), "\n\n" + "\n\n".join(filter(None, texts))
    assert len(texts) == 74
    assert len(SIGNATURES) == 55


def test_nothing_is_there_that_the_wire_does_not_have(house: House):
    """What is invented would be refused by every server."""
    methods = {row["method"] for row in METHODS["methods"]}
    for place in (house.classes, house.commands, house.reasons, house.schema, house.rules, house.handles):
        assert set(place) - methods == set()
    assert set(house.verbs) - {"perform", "control_action", "follow_action", "give_up_after"} == set(SIGNATURES)
    assert not set(house.commands) & set(house.reasons)
    assert NOT_SIMULATED.keys() - house.simulated == NOT_SIMULATED.keys()


# That it speaks: a method that nobody has heard of, and one that loses each of its parts in turn.

SING: Row = {
    "method": "calling.sing",
    "kind": "action",
    "call_method": "sing",
    "convenience_methods": ["sing_aloud"],
    "action_class": "SingAction",
    "event_type": "calling.call.sing",
    "sub_command_of": [],
}
STOP_SINGING: Row = {
    "method": "calling.sing.stop",
    "kind": "simple",
    "call_method": None,
    "convenience_methods": [],
    "action_class": None,
    "event_type": None,
    "sub_command_of": [{"action_class": "SingAction", "name": "stop", "method": "calling.sing"}],
}


def test_a_new_operation_is_told_all_that_it_needs(house: House):
    """Nothing is left to be found out by the next failure."""
    signatures = {"sing": "sing(song, *, key=None, **kwargs)", "sing_aloud": "sing_aloud(song)"}

    assert missing(SING, house, signatures).splitlines() == [
        "calling.sing lacks",
        "  - its params in SCHEMA_TABLE: run `python -m tests.protocol.make_schema_table`, then `ruff format`",
        "  - a class for calling.call.sing in EVENT_CLASS_MAP of relay_actors/protocol/events.py",
        "  - a command: a frozen class with `method = 'calling.sing'` in relay_actors/protocol/commands/",
        "  - its line in COMMANDS of relay_actors/protocol/catalog.py (or its reason in NOT_COMMANDS)",
        "  - a rule in COMPLETION_RULES of relay_actors/protocol/completion.py that calling.call.sing completes",
        "  - somebody who does it in the simulator: relay_actors/simulator/commands.py",
        "  - a handle, SingAction, in ACTION_HANDLES of relay_actors/actors/action_kinds.py",
        "  - a verb in relay_actors/actors/verbs/: sing(song, *, key=None, **kwargs)",
        "  - a snippet of sing in examples/verbs/",
        "  - a person who tries the snippet of sing in tests/test_snippets.py",
        "  - the section of sing in docs/reference/verbs.md: run `make reference`",
        "  - a verb in relay_actors/actors/verbs/: sing_aloud(song)",
        "  - a snippet of sing_aloud in examples/verbs/",
        "  - a person who tries the snippet of sing_aloud in tests/test_snippets.py",
        "  - the section of sing_aloud in docs/reference/verbs.md: run `make reference`",
        "  - its place in docs/reference/commands.md: run `make reference`",
    ]


def test_a_new_sub_command_is_told_all_that_it_needs(house: House):
    """It belongs to an operation, so it is a line there and a method of the handle."""
    assert missing(STOP_SINGING, house, {}).splitlines() == [
        "calling.sing.stop lacks",
        "  - its params in SCHEMA_TABLE: run `python -m tests.protocol.make_schema_table`, then `ruff format`",
        "  - the line 'stop' of calling.sing in SUB_COMMANDS of commands/sub_commands.py",
        "  - its line in COMMANDS of relay_actors/protocol/catalog.py (or its reason in NOT_COMMANDS)",
        "  - somebody who does it in the simulator: relay_actors/simulator/commands.py",
        "  - the method stop on SingAction in relay_actors/actors/actions.py",
        "  - its place in docs/reference/commands.md: run `make reference`",
    ]


@pytest.mark.parametrize(
    ("place", "gone", "told"),
    [
        ("schema", "calling.play", "its params in SCHEMA_TABLE"),
        ("events", "calling.call.play", "a class for calling.call.play"),
        ("classes", "calling.play", "a command: a frozen class"),
        ("commands", "calling.play", "its line in COMMANDS"),
        ("rules", "calling.play", "a rule in COMPLETION_RULES"),
        ("simulated", "calling.play", "somebody who does it in the simulator"),
        ("handles", "calling.play", "a handle, PlayAction"),
        ("verbs", "play_tts", "a verb in relay_actors/actors/verbs/: play_tts(text"),
        ("snippets", "play_tts", "a snippet of play_tts"),
        ("people", "play_tts", "a person who tries the snippet of play_tts"),
        ("sections", "play_tts", "the section of play_tts"),
        ("sections", "calling.play", "its place in docs/reference/commands.md"),
    ],
)
def test_each_part_that_goes_is_told_alone(house: House, place: str, gone: str, told: str):
    """So no part of the list only ever follows from another."""
    [row] = [row for row in METHODS["methods"] if row["method"] == "calling.play"]
    there = getattr(house, place)
    left = {name: there[name] for name in there if name != gone} if isinstance(there, Mapping) else set(there) - {gone}
    head, line = missing(row, dataclasses.replace(house, **{place: left}), SIGNATURES).splitlines()
    assert head == "calling.play lacks"
    assert line.startswith(f"  - {told}")


def test_a_verb_with_other_parameters_is_told(house: House):
    """Defaults and kinds count as much as names."""
    [row] = [row for row in METHODS["methods"] if row["method"] == "calling.hold"]
    changed = dataclasses.replace(house, verbs={**house.verbs, "hold": [("music", "KEYWORD_ONLY", "None")]})
    assert missing(row, changed, SIGNATURES) == "calling.hold lacks\n  - the right parameters of its verb: hold()"
