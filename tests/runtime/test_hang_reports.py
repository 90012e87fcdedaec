"""What is said of handlers that hold their thread, and how often."""

import traceback
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.hang_reports import (
    ReportLimit,
    TurnFacts,
    text_of_blocking,
    text_of_hang,
    text_of_return,
)


def facts(**changed: Any) -> TurnFacts:
    known: dict[str, Any] = {
        "actor": "Menu#3",
        "actor_class": "Menu",
        "label": "call-7",
        "message": "Order",
        "frames": [traceback.FrameSummary("menu.py", 12, "on_receive", line="time.sleep(5)")],
    }
    return TurnFacts(**(known | changed))


def test_a_report_names_actor_message_duration_line_and_what_to_do():
    """A16: whoever reads it at night knows where to look, and what to write instead."""
    text = text_of_blocking(facts(), seconds=0.1234, left_out=0)

    assert "actor=Menu#3 label=call-7 message=Order blocked_s=0.123" in text
    assert "self.blocking(function, ...), or" in text
    assert 'File "menu.py", line 12, in on_receive' in text
    assert "left out" not in text


def test_of_a_part_of_the_framework_it_is_not_said_to_run_it_elsewhere():
    """Nobody can."""
    text = text_of_blocking(facts(is_own=True), seconds=0.1, left_out=0)
    assert "the machine has no time for it" in text
    assert "self.blocking" not in text


def test_what_is_not_known_is_not_made_up():
    """A turn without a message is one that starts, ends or runs a hook; most actors have no name for people."""
    text = text_of_blocking(facts(label="", message="", frames=[]), seconds=1.0, left_out=3)

    assert "label" not in text
    assert "it starts, ends, or runs a hook or its flow" in text
    assert "(3 more reports of this line were left out)" in text
    assert facts(frames=[]).line == ("Menu", "", 0)


def test_a_hang_names_its_chain_and_whether_it_was_killed():
    """O5, H4: for whom it waits, and that its thread is a zombie."""
    text = text_of_hang(facts(waits="Menu#3 -> Bank#4 -> Menu#3", was_killed=True), seconds=10.04, left_out=0)

    assert "turn_s=10.0 waits=Menu#3 -> Bank#4 -> Menu#3" in text
    assert "zombie" in text
    assert "zombie" not in text_of_hang(facts(), seconds=10.0, left_out=0)
    assert text_of_return(facts(), seconds=1.5) == (
        "a turn that was reported has ended actor=Menu#3 label=call-7 message=Order turn_s=1.500"
    )


def test_one_report_of_a_line_a_minute():
    """A16: a thousand calls that block in the same line are one report, and the next one says how many there were."""
    limit = ReportLimit(quiet_s=60.0)

    assert limit.admit(("Menu", "menu.py", 12), now=0.0) == 0
    assert [limit.admit(("Menu", "menu.py", 12), now=float(second)) for second in range(1, 60)] == [None] * 59
    assert limit.admit(("Menu", "menu.py", 99), now=30.0) == 0
    assert limit.admit(("Menu", "menu.py", 12), now=60.0) == 59
    assert limit.admit(("Menu", "menu.py", 12), now=120.0) == 0


def test_what_is_remembered_of_lines_is_bounded():
    """Code that is made while it runs has new lines for ever."""
    limit = ReportLimit()
    for number in range(3000):
        assert limit.admit(number, now=0.0) == 0

    assert len(limit._since) <= 1001
    assert limit.admit(2999, now=1.0) is None


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0.0, 30.0)), max_size=60))
def test_each_one_is_let_through_or_counted(events: list[tuple[str, float]]):
    """No report vanishes: those let through and those counted as left out are all."""
    limit, now = ReportLimit(quiet_s=20.0), 0.0
    through: dict[str, int] = {}
    muted: dict[str, int] = {}
    for key, pause in events:
        now += pause
        left_out = limit.admit(key, now=now)
        if left_out is None:
            muted[key] = muted.get(key, 0) + 1
        else:
            assert left_out == muted.pop(key, 0)
            through[key] = through.get(key, 0) + 1
    assert {key for key, _ in events} == set(through)
