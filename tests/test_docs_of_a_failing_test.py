"""The failing report of `docs/how-to/test-a-call.md` is a real one: its steps are taken here as a reader takes them."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.support.house import REPOSITORY

EXAMPLES = REPOSITORY / "examples"
PAGE = (REPOSITORY / "docs" / "how-to" / "test-a-call.md").read_text("utf-8")


@pytest.fixture
def reader(pytester: pytest.Pytester) -> pytest.Pytester:
    """In an empty folder, with the two files of the page."""
    pytester.makeini("[pytest]\naddopts = -p no:hypothesispytest -p no:cacheprovider\n")
    for name in ("pizza_line.py", "test_pizza_line.py"):
        shutil.copy(EXAMPLES / name, pytester.path)
    return pytester


def plain(text: str) -> str:
    """The text without what depends on the draw: which seed, which of the callers, and which of their operations."""
    return re.sub(r"\b(seed[ =]?|PizzaLine#)\d+", r"\1N", text)


def test_no_seed_finds_a_mistake_where_there_is_none(reader: pytest.Pytester):
    """The page says that they pass."""
    result = reader.runpytest_inprocess("-q", "--relay-seeds=10")

    result.assert_outcomes(passed=50)


def test_the_report_that_is_shown_is_that_of_a_failing_seed(reader: pytest.Pytester):
    """Line by line, in the same order; a line may be cut off at its end."""
    [shown] = re.findall(r"^```text\n\$ pytest (.*)\n((?:.*\n)*?)```", PAGE, re.MULTILINE)
    shutil.copy(EXAMPLES / "pizza_line_with_a_race.py", reader.path / "pizza_line.py")

    text = reader.runpytest_inprocess(*shown[0].split()).stdout.str()

    reports = re.split(r"^_+ test_no_pizza_is_sold_twice\[seedN\] _+$", plain(text), flags=re.MULTILINE)[1:]
    assert reports
    wanted = re.compile(r".*\n(?:.*\n)*?".join(map(re.escape, plain(shown[1]).splitlines())))
    assert any(wanted.search(report) for report in reports), reports[-1]
