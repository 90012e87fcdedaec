"""The judge finds each fault, in journals that are made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.kill9.cast import make_cast
from tests.kill9.journals import Records, good_journal
from tests.kill9.judge import (
    CUT_SHORT,
    DIGITS_LOST,
    HEARD_TWICE,
    LEFT_UP,
    NOT_COMPLETED,
    OFF_SCRIPT,
    RECORDED_TWICE,
    RUNG_TWICE,
    WORDS_LOST,
    Verdict,
    judge,
)
from tests.kill9.scripts import KINDS, label_of, say

CAST = make_cast(10, seed=3, spread_s=5.0)
IVR, DESK, VOICEMAIL, WAITING, _, AGENT, CALLBACK = (str(place) for place in range(1, 8))


def of(records: Records, label: str, what: str = "") -> Records:
    """Return the records of one person."""
    return [record for record in records if what in ("", record["what"]) and label_of_record(record) == label]


def label_of_record(record: dict[str, Any]) -> str:
    return label_of(record["number"]) if "number" in record else ""


def prompt(records: Records, label: str, step: str) -> dict[str, Any]:
    (found,) = (record for record in of(records, label, "heard") if record["text"].startswith(f"{step} {label}:"))
    return found


def found(verdict: Verdict) -> set[tuple[str, str]]:
    return {(fault.label, fault.what) for fault in verdict.faults}


def figure(verdict: Verdict, name: str) -> int:
    (counted,) = (figure.counted for figure in verdict.figures if figure.name == name)
    return counted


def test_a_journal_in_which_nothing_goes_wrong_is_good():
    verdict = judge(good_journal(CAST))

    assert {person.kind for person in CAST} == {*KINDS, "called", "at the desk"}
    assert verdict.faults == ()
    assert verdict.is_good
    assert figure(verdict, "callers") == 10
    assert figure(verdict, "calls that completed their script") == len(CAST) == 13


def test_a_journal_is_judged_the_same_after_it_was_written_down():
    written = [json.loads(json.dumps(record)) for record in good_journal(CAST)]

    assert judge(written).is_good


def repeats(label: str, step: str) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        again = prompt(records, label, step)
        records.insert(records.index(again) + 1, dict(again))

    return spoil


def leaves_out(label: str, what: str, **fields: Any) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        for record in of(records, label, what):
            if all(record[key] == value for key, value in fields.items()):
                records.remove(record)
                return

    return spoil


def changes(label: str, what: str, **fields: Any) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        of(records, label, what)[0].update(fields)

    return spoil


def falls_silent_after(label: str, step: str) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        last = records.index(prompt(records, label, step))
        for record in of(records[last + 1 :], label):
            records.remove(record)

    return spoil


def tells(label: str, step: str, told: str) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        prompt(records, label, step)["text"] = say(step, label, told)

    return spoil


def hears(label: str, **fields: Any) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        last = of(records, label)[-1]
        records.insert(records.index(last), {**last, "what": "heard", **fields})

    return spoil


def is_cut(label: str, place: int) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        (ended,) = of(records, label, "ended")
        ended["heard"][place] = (ended["heard"][place][0], 2.0, 5.0)

    return spoil


def is_up(label: str) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        (ended,) = of(records, label, "ended")
        records.remove(ended)
        records[-1].update(up=[ended["number"]], legs=1)

    return spoil


def calls_again(label: str) -> Callable[[Records], None]:
    def spoil(records: Records) -> None:
        last = of(records, label)[-1]
        records.insert(records.index(last), {**last, "what": "changed", "text": "ringing", "line": 1})

    return spoil


@pytest.mark.parametrize(
    ("spoil", "faults"),
    [
        (repeats(IVR, "keyed1"), {(IVR, HEARD_TWICE)}),
        (repeats(IVR, "done"), {(IVR, HEARD_TWICE)}),
        (falls_silent_after(DESK, "greet"), {(DESK, NOT_COMPLETED)}),
        (falls_silent_after(IVR, "menu2"), {(IVR, NOT_COMPLETED)}),
        (changes(CALLBACK, "ended", reason="noAnswer"), {(CALLBACK, NOT_COMPLETED)}),
        (changes(CALLBACK, "ended", by="person"), {(CALLBACK, NOT_COMPLETED)}),
        (changes("2d", "ended", by="other side"), {("2d", NOT_COMPLETED)}),
        (leaves_out(DESK, "heard", kind="voice"), {(DESK, NOT_COMPLETED)}),
        (leaves_out(VOICEMAIL, "heard", kind="beep"), {(VOICEMAIL, NOT_COMPLETED)}),
        (leaves_out("7b", "heard", text=say("done", "7b")), {("7b", NOT_COMPLETED)}),
        (leaves_out(WAITING, "ended"), {(WAITING, NOT_COMPLETED)}),
        (tells(IVR, "keyed2", "12"), {(IVR, DIGITS_LOST)}),
        (tells(IVR, "keyed2", ""), {(IVR, DIGITS_LOST)}),
        (tells(AGENT, "keyed", "12"), {(AGENT, DIGITS_LOST)}),
        (changes(AGENT, "pressed", taken=False), {(AGENT, DIGITS_LOST)}),
        (tells(IVR, "named", "grey"), {(IVR, WORDS_LOST)}),
        (changes(IVR, "said", taken=False), {(IVR, WORDS_LOST)}),
        (is_cut(IVR, 1), {(IVR, CUT_SHORT)}),
        (is_cut(IVR, 0), set()),  # the answer ends the question
        (hears(VOICEMAIL, kind="beep", text=""), {(VOICEMAIL, RECORDED_TWICE)}),
        (hears(DESK, kind="beep", text=""), {(DESK, RECORDED_TWICE)}),
        (hears(DESK, kind="tts", text="An error has occurred."), {(DESK, OFF_SCRIPT)}),
        (hears(DESK, kind="tts", text=say("done", "9")), {(DESK, OFF_SCRIPT)}),
        (hears(DESK, kind="tts", text=say("menu1", DESK)), {(DESK, OFF_SCRIPT)}),
        (hears(WAITING, kind="music", text="queue"), set()),
        (calls_again("2d"), {("2d", RUNG_TWICE)}),
        (calls_again("7b"), {("7b", RUNG_TWICE)}),
        (is_up("2d"), {("2d", LEFT_UP), ("2d", NOT_COMPLETED)}),
    ],
)
def test_each_fault_is_found_and_nothing_else(spoil: Callable[[Records], None], faults: set[tuple[str, str]]):
    records = good_journal(CAST)
    spoil(records)
    verdict = judge(records)

    assert {(fault.label, fault.what) for fault in verdict.faults if fault.what not in _follows(faults)} == faults
    assert verdict.is_good == (not faults)


def _follows(faults: set[tuple[str, str]]) -> set[str]:
    """Who hears no more of a script is told nothing either, and says nothing more."""
    is_broken_off = any(what == NOT_COMPLETED for _label, what in faults)
    return {DIGITS_LOST, WORDS_LOST} if is_broken_off else set()


def test_the_digits_of_a_call_that_falls_silent_count_as_lost():
    """Somebody has pressed them, and was told nothing."""
    records = good_journal(CAST)
    after = of(records, IVR, "pressed")[3]
    for record in of(records[records.index(after) + 1 :], IVR):
        records.remove(record)
    verdict = judge(records)

    assert found(verdict) == {(IVR, NOT_COMPLETED), (IVR, DIGITS_LOST)}
    assert figure(verdict, DIGITS_LOST) == 4


def test_prompts_in_another_order_complete_no_script():
    records = good_journal(CAST)
    first, second = prompt(records, DESK, "greet"), prompt(records, DESK, "done")
    first["text"], second["text"] = second["text"], first["text"]

    assert found(judge(records)) == {(DESK, NOT_COMPLETED)}


def test_somebody_who_was_never_called_is_missed():
    records = [record for record in good_journal(CAST) if label_of_record(record) != "7b"]

    assert found(judge(records)) == {("7b", NOT_COMPLETED)}


def test_a_leg_that_belongs_to_nobody_is_left_up_too():
    records = good_journal(CAST)
    records[-1]["legs"] = 1

    assert not judge(records).is_good
    assert figure(judge(records), LEFT_UP) == 1


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"failures": ["StoryError('x')"]}, "failures of the simulator itself"),
        ({"violations": 2}, "commands that break the schema"),
    ],
)
def test_what_goes_wrong_beside_the_calls_is_no_good_run(fields: dict[str, Any], name: str):
    records = good_journal(CAST)
    records[-1].update(fields)

    assert not judge(records).is_good
    assert figure(judge(records), name) > 0


def test_a_journal_that_breaks_off_proves_nothing():
    assert not judge(good_journal(CAST)[:-1]).is_good


def test_the_wire_is_counted():
    """An event may be sent again, and is acknowledged once; a command sent again has its control id from before."""
    play = {"what": "received", "method": "calling.play", "params": {"control_id": "c1", "call_id": "call-1"}}
    stop = {"what": "received", "method": "calling.play.stop", "params": {"control_id": "c1"}}
    records: Records = [
        {"at": 0.1, "what": "received", "id": "r0", "method": "signalwire.connect", "params": {}},
        *({"at": 1.0, "id": f"r{number}", **play} for number in (1, 2)),
        {"at": 1.5, "id": "r3", **stop},
        *({"at": 2.0, "what": "sent", "id": "e1", "event": "calling.call.play", "params": {}} for _ in range(2)),
        {"at": 2.0, "what": "sent", "id": "e2", "event": "calling.call.play", "params": {}},
        {"at": 3.0, "what": "acked", "id": "e1"},
        {"at": 3.0, "what": "killed", "number": 1, "states": {"bridged": 2}},
    ]
    verdict = judge([*records, *good_journal(CAST)])

    assert figure(verdict, "log-ins") == 1
    assert figure(verdict, "commands received") == 4
    assert figure(verdict, "commands sent again, with the same control id") == 1
    assert figure(verdict, "events sent") == 2
    assert figure(verdict, "events never acknowledged") == 1
    assert not verdict.is_good
    assert verdict.kills == ({"bridged": 2},)
