"""The pages of the reference that are written by hand name everything that is public, and nothing that is not there."""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Any

import pytest

import relay_actors
import relay_actors.params
import relay_actors.testing
from relay_actors import Action, MessageHandle, RelayApp
from relay_actors.testing import AppRunner, CallKit, Line, Phone, Simulator, SimulatorServer, TestProbe, TextKit
from tests.support.house import REPOSITORY

PAGES: dict[str, ModuleType] = {
    "application": relay_actors,
    "params": relay_actors.params,
    "test-kit": relay_actors.testing,
}
DIRECTIVE = re.compile(r"^\.\. auto\w+:: ([\w.]+)(?:\(\))?\n((?:   .*\n)*)", re.MULTILINE)

INTERNAL: dict[type, str] = {
    RelayApp: "abandon attach ending handlers is_giving_up launch overdue_s residue take_back",
    Action: "begin begun call_back complete follow judge on_begin_answered on_event on_order refuse release "
    "become_others take_callback take_deferred "
    # What every future of pykka's has, or of the framework's own.
    "add_done_callback close deadline dispatcher error filter instead_of_waiting is_deferred is_settled join let_go "
    "map open_parts reduce remove_done_callback send set set_exception settled_by settles what_is_awaited "
    "set_get_hook throw try_fail try_set",
    MessageHandle: "text",
    AppRunner: "never_up",
    Phone: "is_called is_texted",
    Line: "persona ready_in_s on_sound on_fax on_change on_handed_on note",
    Simulator: "attach receive detach turn tick next_deadline add_waker remove_waker show_outside hide_outside file_at "
    "is_accepting drive mend_lines note_failure tell_in_stories",
    SimulatorServer: "",
    CallKit: "",
    TextKit: "",
    TestProbe: "take take_down",
}
"""What these classes have for other parts of the framework: all else of them is public, and on its page."""


def text_of(page: str) -> str:
    return (REPOSITORY / "docs" / "reference" / f"{page}.md").read_text("utf-8")


def told(page: str) -> dict[str, list[str]]:
    """From each object that a page shows to the members that it shows of it."""
    found = {}
    for target, options in DIRECTIVE.findall(text_of(page)):
        members = re.search(r":members: *((?:[\w, ]+\n?)+)", options)
        found[target] = re.findall(r"\w+", members[1]) if members is not None else []
    return found


def found(target: str) -> Any:
    """Import what a directive names; a module, or something in one."""
    module, _dot, name = target.rpartition(".")
    try:
        return getattr(importlib.import_module(module), name)
    except AttributeError:
        return importlib.import_module(target)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_everything_that_is_public(page: str):
    """Who looks something up, finds it where the others are."""
    module = PAGES[page]
    named = {target.rpartition(".")[2] for target in told(page)} | set(re.findall(r"`(\w+)", text_of(page)))

    assert set(module.__all__) - named == set()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_only_what_is_there(page: str):
    """Also without Sphinx, which says the same when the pages are built."""
    shown = told(page)

    assert shown
    for target, members in shown.items():
        # A slot is an instance's, and an attribute that `__init__` sets is no class's.
        missing = [name for name in members if not hasattr(found(target), name) and name != "transferred_to"]
        assert missing == [], target


@pytest.mark.parametrize("owner", INTERNAL, ids=lambda owner: owner.__name__)
def test_a_class_is_shown_with_everything_that_users_may_call(owner: type):
    """A method that is added is on its page, or said here to be nobody's business."""
    [members] = [
        members for page in PAGES for target, members in told(page).items() if members and found(target) is owner
    ]
    public = {name for name in dir(owner) if not name.startswith("_") and hasattr(owner, name)}
    internal = set(INTERNAL[owner].split())

    assert internal <= public
    assert {name for name in members if name != "transferred_to"} == public - internal
