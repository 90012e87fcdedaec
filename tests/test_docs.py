"""The documentation says what is so: guarantees, variables, files and shown code are compared with the project."""

import ast
import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from relay_actors.testing import Line, Phone, Simulator, plugin
from tests.support.house import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)
CODE = r"(?:DL|[A-Z])\d{1,2}"
ROW = re.compile(rf"^\| ({CODE}) \| (.+?) \| (kept|partly|not yet)(?:: (.+?))? \| (.*?) \|$", re.MULTILINE)
SHOWN = re.compile(r"```\{literalinclude\} (\S+)\n((?::.*\n)*)")
SHOWN_OBJECT = re.compile(r"```\{literalinclude\} (\S+)\n(?::.*\n)*:pyobject: (\w+)\n")


def guarantees() -> dict[str, tuple[str, str, list[str]]]:
    """From each code of the page to its state, what is missing, and the tests that are named."""
    text = (DOCS / "reference" / "guarantees.md").read_text("utf-8")
    rows = ROW.findall(text)
    codes = [row[0] for row in rows]
    assert len(codes) == len(set(codes)), "a code has two rows"
    assert len(codes) == len(re.findall(rf"^\| {CODE} \|", text, re.MULTILINE)), "a row cannot be read"
    return {code: (state, note, re.findall(r"`([^`]+)`", tests)) for code, _, state, note, tests in rows}


@functools.cache
def docstrings() -> dict[str, str]:
    """The docstring of every test, by ``tests/journal/test_codec.py::test_name``."""
    found = {}
    for file in sorted((REPOSITORY / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                name = f"{file.relative_to(REPOSITORY).as_posix()}::{node.name}"
                found[name] = ast.get_docstring(node) or ""
    return found


def test_the_page_lists_every_promise():
    """A promise that is not on the page cannot be held against us. 163 were made; a new one changes this number."""
    assert len(guarantees()) == 163


def test_what_is_kept_is_proved_by_tests_that_say_so():
    """The state of a row is a claim: the named tests exist, and name the code as their reason."""
    tests = docstrings()
    wrong = []
    for code, (state, note, named) in guarantees().items():
        if (state == "not yet") != (not named):
            wrong.append(f"{code} is {state}, and names {len(named)} tests")
        if (state == "partly") != bool(note):
            wrong.append(f"{code} is {state}: a row that is partly kept, and no other, says which part")
        for name in named:
            if name not in tests:
                wrong.append(f"{code} names {name}, which does not exist")
            elif not re.search(rf"\b{code}\b", tests[name]):
                wrong.append(f"{code} names {name}, whose docstring does not name {code}")
    assert not wrong, "\n" + "\n".join(wrong)


def test_tests_name_only_promises_that_were_made():
    """A mistyped code would prove nothing."""
    made = guarantees()
    for name, text in docstrings().items():
        for group in re.findall(rf"SEMANTICS ({CODE}(?:, {CODE})*)", text):
            assert set(group.split(", ")) <= made.keys(), f"{name} names {group}"


def test_every_variable_is_on_its_page_and_no_other():
    """A variable that nobody can find is not a setting."""
    pattern = r"\b(?:SIGNALWIRE|RELAY)_[A-Z_]+\b"
    page = set(re.findall(pattern, (DOCS / "reference" / "environment.md").read_text("utf-8")))
    code = set(re.findall(pattern, (REPOSITORY / "relay_actors" / "config.py").read_text("utf-8")))

    assert page == code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_files_that_a_page_names_are_there(page: Path):
    """A page that sends its reader to a file that has moved costs more than none."""
    named = re.findall(r"`((?:[\w-]+/)+[\w-]+\.\w+)`", page.read_text("utf-8"))

    roots = (REPOSITORY, REPOSITORY / "relay_actors")
    assert [name for name in named if not any((root / name).is_file() for root in roots)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_every_link_leads_to_a_page(page: Path):
    """Also without Sphinx, which says the same when the pages are built."""
    links = re.findall(r"\]\(([^)#:]+\.md)", page.read_text("utf-8"))

    assert [link for link in links if not (page.parent / link).is_file()] == []


def test_what_the_page_on_testing_names_is_there():
    """It is the page of the fixtures: each of them is on it, and whatever it says of people and the server."""
    text = (DOCS / "how-to" / "test-your-application.md").read_text("utf-8")
    fixtures = [name for name in plugin.__all__ if not name.startswith("pytest_")]

    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(fixtures)
    for name in re.findall(r"\brelay_sim\.(\w+)", text):
        assert hasattr(Simulator, name) or name == "frames", name
    for name in re.findall(r"(?<![\w.])`(?:phone\(number\)\.)?(\w+)\(", text):
        assert any(hasattr(one, name) for one in (Phone, Line)) or name in fixtures, name


def shown() -> list[tuple[Path, Path, list[str]]]:
    """Each page with each file that it shows, and the markers between which it does."""
    found = []
    for page in PAGES:
        for target, options in SHOWN.findall(page.read_text("utf-8")):
            found.append(((page), (page.parent / target).resolve(), re.findall(r': "(.+?)"', options)))
    return found


def test_shown_code_is_taken_from_examples():
    """Never retyped, so it cannot be wrong where the example is right (STYLE, Docs)."""
    assert shown()
    for page, file, markers in shown():
        assert file.is_relative_to(REPOSITORY / "examples"), page
        text = file.read_text("utf-8")
        for marker in markers:
            assert text.count(marker) == 1, f"{page}: {marker} in {file}"
    for page in PAGES:
        for target, name in SHOWN_OBJECT.findall(page.read_text("utf-8")):
            text = (page.parent / target).read_text("utf-8")
            assert re.search(rf"^(?:(?:async )?def|class) {name}\b", text, re.MULTILINE), f"{page}: {name} in {target}"
    for page in PAGES:
        assert "```python" not in page.read_text("utf-8"), f"{page} shows Python that is no example's"


@pytest.mark.parametrize("name", ["surviving-a-crash", "when-an-actor-crashes"])
def test_the_tutorial_shows_what_its_example_prints(name: str):
    """The first thing a reader does is to compare."""
    page = (DOCS / "tutorial" / f"{name}.md").read_text("utf-8")
    [expected] = re.findall(r"\$ python (examples/\S+)\n((?:[^`].*\n)*)", page)
    done = subprocess.run(
        [sys.executable, str(REPOSITORY / expected[0])], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == expected[1]
