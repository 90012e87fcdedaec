"""Which handle belongs to which operation, against the table of the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.protocol.catalog import SUB_COMMAND_CLASSES
from relay_actors.protocol.commands import SUB_COMMANDS
from relay_actors.protocol.completion import COMPLETION_RULES

METHODS = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))["methods"]
DOCUMENTED = {entry["method"]: entry["action_class"] for entry in METHODS if entry["action_class"]}


def test_these_are_all_operations_of_the_wire():
    assert ACTION_HANDLES.keys() == DOCUMENTED.keys()


@pytest.mark.parametrize("method", ACTION_HANDLES)
def test_an_operation_has_the_documented_handle(method: str):
    assert ACTION_HANDLES[method].__name__ == DOCUMENTED[method]
    assert issubclass(ACTION_HANDLES[method], Action)


@pytest.mark.parametrize("method", ACTION_HANDLES)
def test_a_handle_does_what_its_operation_can_and_nothing_else(method: str):
    """A method that the wire does not know would fail when somebody needs it (PROTOCOL 10.6)."""
    on_it = {name for name in SUB_COMMAND_CLASSES if hasattr(ACTION_HANDLES[method], name)}
    assert on_it == set(SUB_COMMANDS[method])


def test_every_operation_has_a_rule_that_ends_it():
    """Otherwise it would run until its call ends."""
    assert ACTION_HANDLES.keys() == COMPLETION_RULES.keys()
