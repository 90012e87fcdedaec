"""The generated pages are what the code makes of them, and have everything that they promise."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay_actors.protocol.catalog import COMMANDS, EVENTS, NOT_COMMANDS
from tests.actors.verbs.uses import CALL_METHODS
from tests.protocol.wire_tables import METHODS
from tests.reference import facts
from tests.reference.markdown import slug, targets
from tests.reference.pages import REFERENCE, pages, stale
from tests.support.house import REPOSITORY

ROWS = {row["method"]: row for row in METHODS}
HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([\w.-]*)#([\w-]+)\)")


def headings(page: str) -> list[str]:
    return HEADING.findall(pages()[page])


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next one."""
    found = re.search(rf"^### {re.escape(heading)}$(.*?)(?=^#|\Z)", pages()[page], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no section {heading}"
    return found[1]


def test_the_committed_pages_are_what_the_code_makes_of_them():
    """Whoever changes a verb, an event, a command or a state changes its page in the same commit."""
    assert stale() == [], "\n".join(stale())


def test_a_stale_page_is_told_with_what_mends_it(tmp_path: Path):
    """One that is changed by hand, and one that is missing."""
    for name in pages():
        shutil.copy(REFERENCE / name, tmp_path)
    (tmp_path / "verbs.md").write_text("by hand", "utf-8")
    (tmp_path / "states.md").unlink()

    assert stale(tmp_path) == [
        "docs/reference/verbs.md is stale: run `make reference`, and commit what it has written",
        "docs/reference/states.md is stale: run `make reference`, and commit what it has written",
    ]


def test_the_command_that_a_stale_page_names_is_there():
    """It makes the pages and says so; run here with --check, which ``make docs`` does first."""
    assert re.search(r"^reference:.*\n\t.*-m tests\.reference$", (REPOSITORY / "Makefile").read_text("utf-8"), re.M)
    done = subprocess.run(
        [sys.executable, "-m", "tests.reference", "--check"],
        cwd=REPOSITORY,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", pages())
def test_every_link_leads_to_a_section(page: str):
    """Also without Sphinx, which says the same when the pages are built."""
    for target, anchor in LINK.findall(pages()[page]):
        there = target or page
        assert anchor in {slug(heading) for heading in headings(there)}, f"{there}#{anchor}"


@pytest.mark.parametrize("page", pages())
def test_no_two_sections_have_the_same_name(page: str):
    """A link would lead to the first one."""
    anchors = [slug(heading) for heading in headings(page)]
    assert len(anchors) == len(set(anchors))


def test_whatever_can_be_named_has_one_section():
    """Verbs and commands differ in case only; a name that meant two things would be linked wrongly."""
    names = [
        *(verb.name for verb in facts.verbs()),
        *(cls.__name__ for cls in [*facts.command_classes(), *facts.event_classes(), *facts.handles()]),
    ]
    assert len(names) == len(set(names))
    assert set(names) <= targets().keys()


@pytest.mark.parametrize("name", CALL_METHODS)
def test_a_verb_has_a_section_with_all_that_one_looks_up(name: str):
    """Signature, arguments, what it gives, its wire method, the events that tell of it, and its snippet."""
    entry = CALL_METHODS[name]
    text = section("verbs.md", name)
    assert re.search(rf"^{name}\(", text, re.MULTILINE)
    assert "```{literalinclude} ../../examples/verbs/" in text
    assert "* **Gives**: " in text or name == "on"
    if entry["wire_method"] is None:
        assert "On the wire**" not in text
        return
    row = ROWS[entry["wire_method"]]
    assert f"* **On the wire**: `{row['method']}`" in text
    assert "* **Errors**: [`ArgumentError`]" in text
    assert ("* **Completion**: Over when " in text or "* **Completion**: Over with " in text) == (
        row["kind"] == "action"
    )
    if row["event_type"] is not None:
        heading = facts.event_heading(row["event_type"])
        assert re.search(rf"\*\*Told by\*\*: .*\[`{re.escape(heading)}`\]", text), f"its docstring names no {heading}"


@pytest.mark.parametrize("name", CALL_METHODS)
def test_the_arguments_of_a_verb_are_on_its_page_under_the_names_of_the_wire(name: str):
    """Renamed ones are where readers of a trace are lost. What each means is said somewhere: no cell is empty."""
    [verb] = [verb for verb in facts.verbs() if verb.name == name]
    text = section("verbs.md", name)
    said = facts.argument_docs(verb)
    for one in verb.parameters:
        if one.kind is not one.VAR_KEYWORD:
            assert f"\n| `{one.name}` |" in text
            assert said.get(one.name), f"the docstring of {name} does not say what {one.name} is"
    for param in ROWS[verb.method]["params"] if verb.method and not verb.calls else ():
        argument = (param["python_arg"] or "").split(" ")[0]
        if argument in [one.name for one in verb.parameters]:
            assert re.search(rf"^\| `{argument}` \|.*\| `{param['name']}` \|$", text, re.MULTILINE)


@pytest.mark.parametrize("method", COMMANDS)
def test_every_command_is_on_its_page_with_its_params(method: str):
    """Those that a class has no argument for are named, too."""
    text = section("commands.md", COMMANDS[method].__name__)
    assert f"`{method}`" in text
    if "." not in method.removeprefix("calling."):
        own = {param["name"] for param in ROWS[method]["params"]} - {"call_id", "node_id", "control_id"}
        assert [name for name in own if f"`{name}`" not in text] == []


def test_what_has_no_command_has_its_reason():
    text = pages()["commands.md"].partition("## Methods without a command")[2]
    assert set(re.findall(r"^\| `(\S+)` \|", text, re.MULTILINE)) == set(NOT_COMMANDS)


@pytest.mark.parametrize("event_type", EVENTS)
def test_every_event_is_on_its_page_with_its_fields(event_type: str):
    text = section("events.md", facts.event_heading(event_type))
    assert f"* **Event type**: `{event_type}`" in text
    cls = EVENTS[event_type]
    for name in [] if facts.event_heading(event_type) == event_type else cls.__dataclass_fields__:
        if name not in ("event_type", "params", "call_id", "timestamp"):
            found = re.search(rf"^\| `{name}` \| .+? \| .*? \| (.*?) \|", text, re.MULTILINE)
            assert found, name
            assert found[1], f"the docstring of {cls.__name__} does not say what {name} is"
