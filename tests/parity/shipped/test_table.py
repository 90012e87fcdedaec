"""What the tables say, and what fails a run."""

from __future__ import annotations

from tests.parity.shipped.comparing import Run
from tests.parity.shipped.differences import DIFFERENCES
from tests.parity.shipped.frames import Frame
from tests.parity.shipped.table import Row, failures, legend, markdown, table

CONNECT, OTHER_AGENT = (Frame("signalwire.connect", {"agent": agent}) for agent in ("official", "ours"))
ANSWER, LATE = Frame("calling.answer", {}), Frame("calling.end", {}, is_late=True)
OFFICIAL = Run(ended="by itself", status=0, printed=["a"], frames={"the session": [CONNECT], "call 1": [ANSWER, LATE]})
SAME = Run(ended="by itself", status=0, printed=["a"], frames={"the session": [OTHER_AGENT], "call 1": [ANSWER, LATE]})
SHORTER = Run(ended="by itself", status=0, printed=["a"], frames={"the session": [OTHER_AGENT], "call 1": [ANSWER]})
FAILED = Run(ended="KeyError Exception", frames={"the session": [OTHER_AGENT], "call 1": [ANSWER, LATE]})

ROWS = [
    Row("docs/calls.md", "calls.md, play", OFFICIAL, SAME),
    Row("docs/calls.md", "calls.md, play|stop", OFFICIAL, SHORTER),
    Row("docs/events.md", "events.md, wait", why_not="it is a signature"),
]
SURPRISE = Row("docs/events.md", "events.md, on", OFFICIAL, FAILED)


def test_the_printed_table_says_how_both_ended_and_in_what_they_differ():
    lines = list(table([*ROWS, SURPRISE], "SDK 1", "snippet"))

    assert [line.split("  ")[0] for line in lines if not line.startswith("  ")] == [
        "snippet",
        "docs/calls.md",
        "docs/events.md",
        "4 in all: 1 the same, 1 with a difference that is meant, 1 not run, 1 NOT AS THEY SHOULD BE",
    ]
    assert [" ".join(line.split()) for line in lines if line.startswith("  ")] == [
        "play exit 0, prints 1 line exit 0, prints 1 line 3, the same",
        "play|stop exit 0, prints 1 line exit 0, prints 1 line 3 and 2 too late",
        "wait - - - not run: it is a signature",
        "on exit 0, prints 1 line KeyError 3, the same NOT MEANT",
    ]


def test_the_table_of_the_documentation_says_the_same():
    assert list(markdown(ROWS, "SDK 1", "snippet")) == [
        "| snippet | SDK 1 | relay_actors | frames | differs in |",
        "|---|---|---|---|---|",
        "| **docs/calls.md** | | | | |",
        "| play | exit 0, prints 1 line | exit 0, prints 1 line | 3, the same |  |",
        "| play\\|stop | exit 0, prints 1 line | exit 0, prints 1 line | 3 and 2 | too late |",
        "| **docs/events.md** | | | | |",
        "| wait | - | - | - | not run: it is a signature |",
    ]


def test_the_reasons_of_the_differences_that_were_seen_are_told():
    assert [line.partition(":")[0] for line in legend(ROWS)] == ["*agent* (everywhere)", "*too late*"]


def test_only_what_is_not_meant_fails_a_run():
    assert list(failures(ROWS, is_all=False)) == []
    assert list(failures([*ROWS, SURPRISE], is_all=False)) == [
        "events.md, on: ended: official by itself, ours KeyError Exception",
        "events.md, on: status: official 0, ours nothing",
        "events.md, on: printed: official a, ours nothing",
    ]


def test_a_difference_that_is_no_more_fails_a_whole_run():
    """Otherwise the list would excuse what nobody does any more, until somebody does it by mistake."""
    gone = [line for line in failures(ROWS, is_all=True) if "any more" in line]

    assert len(gone) == len(DIFFERENCES) - 2
    assert not any("too late" in line for line in gone)
