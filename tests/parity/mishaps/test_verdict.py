"""What counts as survived, and how it is told."""

from __future__ import annotations

import pytest

from tests.parity.mishaps.verdict import (
    Findings,
    Outcome,
    Row,
    heard_twice,
    judge,
    markdown,
    surprises,
    table,
    with_table,
)

WELL, ILL = Outcome(True, "all is heard"), Outcome(False, "a call is left up")
ROWS = [
    Row("nothing happens", WELL, WELL),
    Row("socket cut", ILL, Outcome(True, "heard 1.0 s later")),
    Row("killed", ILL, ILL, should_survive=False),
    Row("killed, with a journal", None, WELL),
]


def test_who_leaves_nothing_over_has_survived_and_it_is_told_what_was_seen():
    found = Findings(seen="all is heard", is_next_served=True, failures=["CallEnded: it has ended"])

    assert judge(found) == Outcome(True, "all is heard")


@pytest.mark.parametrize(
    ("found", "seen"),
    [
        (Findings(otherwise="the caller is not hung up"), "the caller is not hung up"),
        (Findings(up=1), "a call is left up"),
        (Findings(up=3), "3 calls are left up"),
        (Findings(open=["+15550001111"]), "a handler never ends"),
        (Findings(open=["a", "b"]), "2 handlers never end"),
        (Findings(twice=["Press 1."]), "heard twice: “Press 1.”"),
        (Findings(is_next_served=False), "who calls next is not answered"),
        (Findings(unacknowledged=2), "2 events are not acknowledged"),
        (Findings(violations=1), "1 commands break the schema"),
    ],
)
def test_whatever_is_left_over_is_a_failure_that_is_named(found, seen):
    assert judge(found) == Outcome(False, seen)


def test_why_a_handler_failed_is_told_before_what_came_of_it():
    found = Findings(up=1, failures=["RelayError: closed", "another one"])

    assert judge(found).seen == "the handler got “RelayError: closed”; a call is left up"


def test_a_long_reason_is_cut():
    assert "x" * 79 + "…”" in judge(Findings(up=1, failures=["x" * 200])).seen
    assert "“too late”" in judge(Findings(up=1, failures=["too late (tag=1234)"])).seen


def test_only_what_one_person_has_heard_more_than_once_was_heard_twice():
    assert heard_twice([["menu", "notice"], ["menu"]]) == []
    assert heard_twice([["menu", "notice", "menu"]]) == ["menu"]


def test_the_printed_table_has_both_columns_and_the_sums():
    lines = list(table(ROWS, "official SDK 1.2.3"))

    assert [line.split("  ")[0] for line in lines[:-1]] == ["scenario", *(row.scenario for row in ROWS)]
    assert lines[1].split() == ["nothing", "happens", "yes", "yes", "both:", "all", "is", "heard"]
    assert lines[2].endswith(
        "no                  yes           SDK: a call is left up. relay_actors: heard 1.0 s later"
    )
    assert lines[-1] == "survived: official SDK 1.2.3 1 of 3, relay_actors 3 of 4"


def test_the_table_of_the_documentation_says_the_same():
    lines = list(markdown([*ROWS, Row("a|b", WELL, WELL)], "official SDK 1.2.3"))

    assert lines[0] == "| scenario | official SDK 1.2.3 | relay_actors | what was seen |"
    assert lines[4] == "| killed | no | no | both: a call is left up |"
    assert lines[5] == "| killed, with a journal | - | yes | relay_actors: all is heard |"
    assert lines[6].startswith("| a\\|b |")
    assert lines[-1] == "| **survived** | 2 of 4 | 4 of 5 | |"


def test_only_what_ours_should_have_survived_is_a_surprise():
    assert surprises(ROWS) == []
    assert surprises([*ROWS, Row("cut twice", WELL, ILL)]) == ["cut twice"]


def test_a_page_gets_the_new_table_in_the_place_of_the_old_one():
    page = "# Title\n\n<!-- measured: begin -->\n\nold\n\n<!-- measured: end -->\n\nmore\n"

    assert with_table(page, ["new"]) == page.replace("old", "new")
    with pytest.raises(ValueError, match="has no"):
        with_table("# Title\n", ["new"])
