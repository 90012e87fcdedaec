"""The examples: each does what it says, in a directory of its own, as it would on a reader's machine.

The snippets of the reference, in ``examples/verbs/``, are tried by the people of `tests.test_snippets`; here they are
held to the same rules as the others.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relay_actors import MessageActor, RelayApp
from relay_actors.actors.verbs import AllVerbs
from relay_actors.actors.verbs.waiting import WaitingVerbs
from tests.reference.facts import snippets, verbs
from tests.support.house import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
LONGEST = 150
"""Lines: a screen or two (STYLE, Examples)."""
LONGEST_SNIPPET = 14
"""Lines, from the decorator to the end: it is read beside its verb, and the file is only where it stands."""

FILES = sorted(EXAMPLES.glob("*.py"))
TESTS = [file for file in FILES if file.name.startswith("test_")]
IS_APPLICATION = re.compile(r"\b(?:app = RelayApp|client = RelayClient)\(")
APPLICATIONS = [file for file in FILES if file not in TESTS and IS_APPLICATION.search(file.read_text("utf-8"))]
SCRIPTS = [file for file in FILES if file not in TESTS and file not in APPLICATIONS]
NO_TIME = re.compile(
    r"a handler blocks its thread .* It is a part of the framework, so the machine has no time.*\n(?: .*\n)*"
)
"""What a machine that is busy with other things has the framework say of itself."""
OF_VERBS = sorted((EXAMPLES / "verbs").glob("*.py"))

VERBS = {
    *(name for part in AllVerbs.__bases__ if part is not WaitingVerbs for name in vars(part) if name[0] != "_"),
    *(name for name in dir(RelayApp) if name in ("dial", "send_message", "receive", "unreceive")),
    *(name for name in vars(MessageActor) if name == "reply"),
}
"""What an example can show of the surface: the verbs of calls, and those of the application."""

NOT_SHOWN = {"amazon_bedrock", "detect", "play_ringtone", "play_silence", "prompt_audio"}
"""Verbs whose siblings are shown: `ai`, the three detectors by name, and the other media."""


def by_name(file: Path) -> str:
    return file.name


def names_of_tests(file: Path) -> list[str]:
    """The names of a file's test functions."""
    tree = ast.parse(file.read_text("utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


def verbs_used(file: Path) -> list[str]:
    """The verbs that a file calls, by name: on its own call, on its application, or on a handle that is named so."""
    calls = [node.func for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)]
    named = [called for called in calls if isinstance(called, ast.Attribute) and called.attr in VERBS]
    return sorted({called.attr for called in named if ast.unparse(called.value) in ("self", "app", "self.app", "call")})


@pytest.mark.parametrize("application", APPLICATIONS, ids=by_name)
def test_each_application_is_driven_by_people_on_the_phone(application: Path):
    """The test beside it shows a reader how to write their own."""
    test = application.with_name(f"test_{application.name}")

    assert test.is_file()
    assert names_of_tests(test)


def test_the_tests_of_the_examples_pass(tmp_path: Path):
    """Copied elsewhere, so that nothing of this repository helps them; a warning is an error there, too."""
    for file in [*FILES, *EXAMPLES.glob("*.jsonl")]:
        shutil.copy(file, tmp_path)

    flags = ["-W", "error", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "--tb=short"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, *(test.name for test in TESTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    text = done.stdout + done.stderr
    outcomes = pytest.RunResult.parse_summary_nouns(text.splitlines())
    assert set(outcomes) == {"passed"}, text
    assert outcomes["passed"] >= sum(len(names_of_tests(file)) for file in TESTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_an_example_that_is_a_script_runs(script: Path, tmp_path: Path):
    """Alone, with no account and no telephone."""
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert NO_TIME.sub("", done.stderr) == ""
    assert done.stdout


def test_every_example_is_looked_at():
    """A file in a folder that nobody knows would be held to nothing."""
    assert sorted([*FILES, *OF_VERBS]) == sorted(EXAMPLES.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_an_example_is_short(file: Path):
    """Who copies it shall be able to read it."""
    assert file.read_text("utf-8").count("\n") <= LONGEST


@pytest.mark.parametrize("verb", snippets())
def test_a_snippet_is_short(verb: str):
    """It shows one verb, as one would use it."""
    assert 3 <= len(snippets()[verb].lines) <= LONGEST_SNIPPET


@pytest.mark.parametrize("file", OF_VERBS, ids=by_name)
def test_snippets_stand_with_their_noun(file: Path):
    """In the file of the same name as the module of their verbs, all of them, in the same order, and nothing else."""
    here = [name for name, snippet in snippets().items() if snippet.file == file]
    assert here == [verb.name for verb in verbs() if verb.noun == file.stem]


@pytest.mark.parametrize("file", [*FILES, *OF_VERBS], ids=by_name)
def test_an_example_uses_what_is_public(file: Path):
    """Who copies it shall not depend on what may change without a word."""
    text = file.read_text("utf-8")

    assert "# type: ignore" not in text
    assert "noqa" not in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_") or node.attr.startswith("__"), f"{file.name}:{node.lineno} {node.attr}"


def test_the_table_of_the_examples_is_true():
    """Every example is in it, no other is, and each shows the verbs that the table says."""
    text = (EXAMPLES / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\((\w+\.py)\) \| .+ \| (.*) \|$", text, re.MULTILINE)
    told = {file: re.findall(r"`(\w+)`", verbs) for _name, file, verbs in rows}

    assert [f"{name}.py" for name, _file, _verbs in rows] == [file for _name, file, _verbs in rows]
    assert len(told) == len(rows)
    assert told == {file.name: verbs_used(file) for file in [*APPLICATIONS, *SCRIPTS]}


def test_the_examples_show_the_surface():
    """A verb that no application uses is one whose use nobody sees."""
    shown = {verb for file in APPLICATIONS for verb in verbs_used(file)}

    assert VERBS - shown == NOT_SHOWN
