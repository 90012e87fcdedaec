"""What counts as survived, and how it is told."""

from __future__ import annotations

import pytest

from tests.parity.mishaps.verdict import (
    Contender,
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
LATER = Outcome(True, "heard 1.0 s later")
CONTENDERS = [Contender("SDK", "SDK 1.2.3", is_ours=False), Contender("client", "client"), Contender("actors", "ours")]
ROWS = [
    Row("nothing happens", {"SDK": WELL, "client": WELL, "actors": WELL}),
    Row("socket cut", {"SDK": ILL, "client": LATER, "actors": LATER}),
    Row("killed", {"SDK": ILL, "client": ILL, "actors": ILL}, excused=("client", "actors")),
    Row("killed, with a journal", {"actors": WELL}),
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


def test_the_printed_table_has_a_column_for_each_and_the_sums():
    lines = list(table(ROWS, CONTENDERS))

    assert [line.split("  ")[0] for line in lines[:-1]] == ["scenario", *(row.scenario for row in ROWS)]
    assert lines[0].split()[-7:] == ["SDK", "1.2.3", "client", "ours", "what", "was", "seen"]
    assert lines[1].split() == ["nothing", "happens", "yes", "yes", "yes", "all:", "all", "is", "heard"]
    assert lines[2].endswith("no         yes     yes   SDK: a call is left up. client, actors: heard 1.0 s later")
    assert lines[-1] == "survived: SDK 1.2.3 1 of 3, client 2 of 3, ours 3 of 4"


def test_the_table_of_the_documentation_says_the_same():
    lines = list(markdown([*ROWS, Row("a|b", {"SDK": WELL, "client": ILL, "actors": WELL})], CONTENDERS))

    assert lines[:2] == ["| scenario | SDK 1.2.3 | client | ours | what was seen |", "|---|---|---|---|---|"]
    assert lines[4] == "| killed | no | no | no | all: a call is left up |"
    assert lines[5] == "| killed, with a journal | - | - | yes | actors: all is heard |"
    assert lines[6] == "| a\\|b | yes | no | yes | SDK, actors: all is heard. client: a call is left up |"
    assert lines[-1] == "| **survived** | 2 of 4 | 2 of 4 | 4 of 5 |  |"


def test_only_what_ours_should_have_survived_is_a_surprise():
    cut_twice = Row("cut twice", {"SDK": ILL, "client": ILL, "actors": ILL}, excused=("client",))

    assert surprises(ROWS, CONTENDERS) == []
    assert surprises([*ROWS, cut_twice], CONTENDERS) == ["actors: cut twice"]


def test_a_page_gets_the_new_table_in_the_place_of_the_old_one():
    page = "# Title\n\n<!-- measured: begin -->\n\nold\n\n<!-- measured: end -->\n\nmore\n"

    assert with_table(page, ["new"]) == page.replace("old", "new")
    with pytest.raises(ValueError, match="has no"):
        with_table("# Title\n", ["new"])
