"""A sequence chart is read by people."""

from __future__ import annotations

from relay_actors.testing.chart import Row, chart, in_words
from relay_actors.testing.said import ANSWER, COMMAND, EVENT, REFUSAL, Said

EVENTS = [Row(float(at), Said(at, EVENT, "calling.call.state", {"call_state": f"state{at}"})) for at in range(30)]


def test_server_and_application_stand_in_columns_with_arrows_between():
    """And what is wrong has a mark and a remark."""
    command = Said(1.0, COMMAND, "calling.play", {"call_id": "call-1", "play": [{"params": {"text": "Hello."}}]}, 1)
    lines = chart([EVENTS[0], Row(1.0, command, is_marked=True, remark="one\ntwo")]).splitlines()
    assert lines[0].split() == ["at", "server", "application"]
    assert lines[1].startswith("      0.000   calling.call.state state0 ")
    assert lines[1].endswith("-->")
    assert lines[2].startswith(">     1.000 ")
    assert lines[2].endswith('<-- calling.play call-1 "Hello."')
    assert [line.split() for line in lines[3:]] == [[">", "one"], [">", "two"]]
    assert lines[0].index("application") == lines[2].index("calling.play")


def test_of_a_long_one_only_what_is_near_is_shown():
    """And how much is not."""
    lines = chart(EVENTS, around=15).splitlines()
    assert lines[1].split() == ["…", "7", "before"]
    assert lines[-1].split() == ["…", "9", "after"]
    assert len(lines) == 1 + 1 + 14 + 1
    assert len(chart(EVENTS).splitlines()) == 31


def test_what_was_said_is_told_in_a_few_words():
    """States first; ids that nobody reads not at all."""
    body = {"node_id": "n", "call_id": "c", "to_number": "+15550100001", "state": "playing", "start_time": 5, "x": ""}
    assert in_words(Said(0, EVENT, "e", body)) == "e c playing to=+15550100001"
    assert in_words(Said(0, ANSWER, "", {"code": "200", "message": "OK", "control_id": "k"}, 3)) == "200 to command 3 k"
    assert in_words(Said(0, REFUSAL, "", {"code": 404}, 3)) == "refused command 3 with 404"
    assert len(in_words(Said(0, COMMAND, "m", {"text": "x" * 500, "url": "y" * 500}))) < 80


def test_nothing_in_it_can_move_a_cursor():
    """Texts come from others."""
    assert "\x1b" not in in_words(Said(0, COMMAND, "m", {"url": "\x1b[2J", "text": "\x1b[2J", "state": "\x1b"}))
