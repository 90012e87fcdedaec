"""Which handle belongs to which operation, against the table of the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.actions import Action
from relay_actors.protocol.completion import COMPLETION_RULES

METHODS = json.loads((Path(__file__).parents[1] / "data" / "methods.json").read_text("utf-8"))["methods"]
DOCUMENTED = {entry["method"]: entry["action_class"] for entry in METHODS if entry["action_class"]}


@pytest.mark.parametrize("method", ACTION_HANDLES)
def test_an_operation_has_the_documented_handle(method: str):
    assert ACTION_HANDLES[method].__name__ == DOCUMENTED[method]
    assert issubclass(ACTION_HANDLES[method], Action)


def test_every_operation_has_a_rule_that_ends_it():
    """Otherwise it would run until its call ends."""
    assert set(ACTION_HANDLES) <= set(COMPLETION_RULES)
