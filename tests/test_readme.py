"""The README is true: its code runs, its commands and files are there, and its list of what is missing is complete."""

from __future__ import annotations

import json
import re

import pytest

from relay_actors import CallHandle
from tests.support.house import REPOSITORY

README = (REPOSITORY / "README.md").read_text("utf-8")
NOT_YET = README.partition("## What is not there yet")[2].partition("\n## ")[0]
FIFTEEN = 15


def blocks() -> dict[str, str]:
    """Every block of Python, by the file name in its first line."""
    return dict(re.findall(r"^```python\n# (\S+\.py)\n(.*?)^```", README, re.MULTILINE | re.DOTALL))


def test_the_application_and_its_test_are_short():
    """Fifteen lines of code each, which is what was promised; comments and empty lines are free."""
    assert list(blocks()) == ["office.py", "test_office.py"]
    for name, text in blocks().items():
        code = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
        assert len(code) <= FIFTEEN, name


def test_the_test_passes_and_warns_of_nothing(pytester: pytest.Pytester):
    """A reader's first experience: two files in an empty directory, and ``pytest``."""
    for name, text in blocks().items():
        (pytester.path / name).write_text(text, "utf-8")

    result = pytester.runpytest_subprocess("-W", "error", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=blocks()["test_office.py"].count("def test_"))


def test_no_python_is_shown_that_is_not_run():
    """A block without a file name would be forgotten."""
    assert README.count("```python") == len(blocks())


def test_what_is_made_can_be_made():
    """The first two commands are all that a newcomer has to know."""
    targets = re.findall(r"^\$ make (\w+)", README, re.MULTILINE)

    assert targets == ["demo", "test"]
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)


def test_every_link_leads_somewhere():
    """On the first screen of all places."""
    links = re.findall(r"\]\(([^)]+)\)", README)

    assert links
    assert [link for link in links if not (REPOSITORY / link).exists()] == []


def test_every_variable_is_one_that_is_read():
    """What is exported to no effect is found out late."""
    config = (REPOSITORY / "relay_actors" / "config.py").read_text("utf-8")
    for variable in re.findall(r"SIGNALWIRE_\w+", README):
        assert f'"{variable}"' in config


def test_the_verbs_that_are_missing_are_listed_and_no_others():
    """Measured against the methods of a call in the official SDK. Whoever adds a verb crosses it out."""
    table = json.loads((REPOSITORY / "tests" / "data" / "methods.json").read_text("utf-8"))
    wanted = {method["name"] for method in table["call_methods"]}
    missing = {name for name in wanted if not hasattr(CallHandle, name)}
    are, are_not = NOT_YET.partition("There are not:")[::2]
    sentence = are_not.partition("Until then")[0]

    assert set(re.findall(r"`(\w+)`", sentence)) == missing
    assert set(re.findall(r"`(\w+)`", are)) <= wanted - missing
