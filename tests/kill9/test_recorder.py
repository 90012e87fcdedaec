"""The journal says what the people have heard and done, and what went over the wire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.kill9.cast import make_cast
from tests.kill9.killer import read_records
from tests.kill9.recorder import Recorder, state_of
from tests.simulator.stage import Inbound, Stage, phone_device, tts

WHOSE = {"number": "+15550001111", "line": 0}


@pytest.fixture
def stage() -> Stage:
    return Stage()


def moments(path: Path) -> list[dict[str, Any]]:
    hidden = ("at", "call", "number", "line")
    return [
        {key: value for key, value in record.items() if key not in hidden}
        for record in read_records(path)
        if all(record.get(key) == value for key, value in WHOSE.items())
    ]


def record_one_call(stage: Stage, path: Path) -> Inbound:
    with Recorder(path, stage.sim, []):
        peer = stage.client("support")
        call = stage.inbound(peer)
        call.do("calling.play_and_collect", control_id="c1", play=[tts("Press 1 now.")], collect={"digits": {"max": 1}})
        stage.run(0.5)
        call.line.presses("1")
        call.line.presses("2").says("it's me")
        peer.acknowledge()
        call.do("calling.end")
    return call


def test_what_was_heard_and_done_is_there_in_its_order(stage: Stage, tmp_path: Path):
    record_one_call(stage, tmp_path / "journal")

    assert moments(tmp_path / "journal") == [
        {"what": "changed", "text": "dialled +15550000000 (context support)"},
        {"what": "changed", "text": "answered"},
        {"what": "heard", "kind": "tts", "text": "Press 1 now."},
        {"what": "pressed", "digit": "1", "taken": True},
        {"what": "pressed", "digit": "2", "taken": False},
        {"what": "said", "words": "it's me", "taken": False},
        {"what": "ended", "reason": "hangup", "by": "other side", "heard": [["Press 1 now.", 0.5, 0.8]]},
    ]


def test_who_has_hung_up_is_told(stage: Stage, tmp_path: Path):
    with Recorder(tmp_path / "journal", stage.sim, []):
        stage.inbound(stage.client("support")).line.hangs_up()

    assert moments(tmp_path / "journal")[-1] == {"what": "ended", "reason": "hangup", "by": "person", "heard": []}


def test_the_second_call_of_a_telephone_is_told_apart(stage: Stage, tmp_path: Path):
    with Recorder(tmp_path / "journal", stage.sim, []):
        peer = stage.client("support")
        for _ in range(2):
            stage.inbound(peer).line.hangs_up()

    lines = [record["line"] for record in read_records(tmp_path / "journal") if "line" in record]
    assert lines == sorted(lines)
    assert set(lines) == {0, 1}


def test_the_wire_is_there_without_anybodys_password(stage: Stage, tmp_path: Path):
    call = record_one_call(stage, tmp_path / "journal")
    records = list(read_records(tmp_path / "journal"))
    asked = [record for record in records if record["what"] == "received"]

    assert [record["method"] for record in asked] == [
        "signalwire.connect",
        "calling.answer",
        "calling.play_and_collect",
        "calling.end",
    ]
    assert asked[2]["params"]["control_id"] == "c1"
    assert [record["code"] for record in records if record["what"] == "answered"] == ["", "200", "200", "200"]
    sent = [record for record in records if record["what"] == "sent"]
    assert {record["params"].get("call_id") for record in sent} == {call.call_id}
    acked = {record["id"] for record in records if record["what"] == "acked"}
    assert acked < {record["id"] for record in sent}
    assert "token-1" not in (tmp_path / "journal").read_text()


def test_the_cast_and_what_was_left_up_are_there(stage: Stage, tmp_path: Path):
    cast = make_cast(3, 1, 5.0)
    with Recorder(tmp_path / "journal", stage.sim, cast) as recorder:
        call = stage.inbound(stage.client("support"))
        recorder.note_kill(1)
        recorder.note_over()
    records = list(read_records(tmp_path / "journal"))

    assert [record["person"] for record in records[: len(cast)]] == [
        {**person.to_record(), "hears": list(person.hears)} for person in cast
    ]
    assert [record for record in records if record["what"] in ("killed", "over")] == [
        {"at": 0.0, "what": "killed", "number": 1, "states": {"between two steps": 1}},
        {"at": 0.0, "what": "over", "up": [call.line.number], "legs": 1, "failures": [], "violations": 0},
    ]


def test_what_a_leg_is_doing_is_told_in_words(stage: Stage):
    peer = stage.client("support")
    calls = {number: stage.inbound(peer, number=f"+1555000111{number}") for number in range(7)}
    stage.inbound(peer, number="+15550009999", answered=False)
    calls[1].do("calling.play", control_id="c", play=[tts("x")])
    calls[2].do("calling.play_and_collect", control_id="c", play=[tts("x")], collect={"digits": {"max": 1}})
    calls[3].do("calling.record", control_id="c", record={"audio": {}})
    calls[4].do("calling.queue.enter", control_id="c", queue_name="sales")
    calls[5].do("calling.connect", devices=[[phone_device("+15550002222")]])
    stage.sim.phone("+15550003333").answers_after(0.0)
    calls[6].do("calling.connect", devices=[[phone_device("+15550003333")]])
    stage.run(0.1)

    assert [state_of(leg) for leg in stage.sim.calls_up()] == [
        "between two steps",
        "hearing a prompt",
        "asked for input",
        "being recorded",
        "in a queue",
        "between two steps",
        "bridged",
        "ringing",
        "dialling",
        "bridged",
    ]
