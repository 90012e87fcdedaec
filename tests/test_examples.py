"""The examples: each does what it says, in a directory of its own, as it would on a reader's machine."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.house import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
LONGEST = 150
"""Lines: a screen or two (STYLE, Examples)."""

FILES = sorted(EXAMPLES.glob("*.py"))
TESTS = [file for file in FILES if file.name.startswith("test_")]
IS_APPLICATION = re.compile(r"\b(?:app = RelayApp|client = RelayClient)\(")
APPLICATIONS = [file for file in FILES if file not in TESTS and IS_APPLICATION.search(file.read_text("utf-8"))]
SCRIPTS = [file for file in FILES if file not in TESTS and file not in APPLICATIONS]


def by_name(file: Path) -> str:
    return file.name


def names_of_tests(file: Path) -> list[str]:
    """The names of a file's test functions."""
    tree = ast.parse(file.read_text("utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]


@pytest.mark.parametrize("application", APPLICATIONS, ids=by_name)
def test_each_application_is_driven_by_people_on_the_phone(application: Path):
    """The test beside it shows a reader how to write their own."""
    test = application.with_name(f"test_{application.name}")

    assert test.is_file()
    assert names_of_tests(test)


def test_the_tests_of_the_examples_pass(pytester: pytest.Pytester):
    """Copied elsewhere, so that nothing of this repository helps them; a warning is an error there, too."""
    for file in FILES:
        shutil.copy(file, pytester.path)

    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider", "--tb=short")

    outcomes = result.parseoutcomes()
    assert set(outcomes) == {"passed"}
    assert outcomes["passed"] >= sum(len(names_of_tests(file)) for file in TESTS)


@pytest.mark.parametrize("script", SCRIPTS, ids=by_name)
def test_an_example_that_is_a_script_runs(script: Path, tmp_path: Path):
    """Alone, with no account and no telephone."""
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout


@pytest.mark.parametrize("file", FILES, ids=by_name)
def test_an_example_is_short_and_uses_what_is_public(file: Path):
    """Who copies it shall be able to read it, and not depend on what may change without a word."""
    text = file.read_text("utf-8")

    assert text.count("\n") <= LONGEST
    assert "# type: ignore" not in text
    assert "noqa" not in text
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_") or node.attr.startswith("__"), f"{file.name}:{node.lineno} {node.attr}"
