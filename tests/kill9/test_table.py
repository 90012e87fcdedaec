"""What is printed: the table, and the stories of those to whom a promise was not kept."""

from __future__ import annotations

from tests.kill9.cast import make_cast
from tests.kill9.journals import good_journal, good_story
from tests.kill9.judge import judge
from tests.kill9.table import MOST_FAULTS, faults_of, table, timeline, worth_telling

CAST = make_cast(10, seed=3, spread_s=5.0)
KILLED = {"at": 5.4, "what": "killed", "number": 1, "states": {"bridged": 2, "ringing": 30}}


def test_the_table_says_what_was_counted_and_whether_it_is_right():
    lines = list(table(judge([*good_journal(CAST), KILLED])))

    assert lines[0] == "killed for the 1. time with 32 legs up: 30 ringing, 2 bridged"
    words = [" ".join(line.split()) for line in lines]
    assert "calls that completed their script 13 13 ok" in words
    assert "prompts heard twice 0 0 ok" in words
    assert "callers 10" in words


def test_a_wrong_figure_stands_out():
    records = good_journal(CAST)
    records += good_story(CAST[0])[1:2]

    assert "prompts heard twice 1 0 WRONG" in [" ".join(line.split()) for line in table(judge(records))]


def test_each_fault_is_told_but_not_hundreds_of_them():
    records = good_journal(make_cast(500, 1, 5.0))
    silent = [record for record in records if record["what"] != "ended"]
    lines = list(faults_of(judge(silent)))

    assert lines[0] == "call 1: calls whose script was not completed: the call has not ended"
    assert len(lines) == MOST_FAULTS + 1
    assert lines[-1] == f"and {650 - MOST_FAULTS} more"


def test_one_story_is_told_for_each_kind_of_fault():
    records = good_journal(CAST)
    ivr, *others = [person for person in CAST if person.kind in ("ivr", "voicemail", "waiting")]
    for person in others:
        records += good_story(person)[1:2]
    records = [record for record in records if (record.get("number"), record["what"]) != (ivr.number, "ended")]

    assert worth_telling(judge(records)) == [ivr.label, others[0].label]


def test_a_story_has_what_was_heard_and_what_went_over_the_wire():
    person = CAST[0]
    story = good_story(person)
    call = {"call_id": story[0]["call"]}
    wire = [
        {"at": 2.0, "what": "received", "id": "r", "method": "calling.play", "params": {**call, "control_id": "c1"}},
        {"at": 2.1, "what": "sent", "id": "e", "event": "calling.call.play", "params": {**call, "state": "playing"}},
        {"at": 2.1, "what": "sent", "id": "e", "event": "calling.call.play", "params": {"call_id": "another"}},
        {"at": 2.2, "what": "acked", "id": "e"},
    ]
    lines = list(timeline([*story[:2], *wire, KILLED, *good_story(CAST[1])], person.label))

    assert [line.split(None, 1)[1] for line in lines] == [
        "answered",
        'heard {"kind": "tts", "text": "menu1 1: - welcome to the harbour museum, please key in your number of four '
        'digits now"}',
        '>> calling.play {"control_id": "c1"}',
        '<< calling.call.play {"state": "playing"}',
        "-- the application was killed",
    ]
