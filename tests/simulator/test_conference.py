"""What happens in a conference: who hears whom, and what is told. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator import StoryError
from tests.simulator.stage import Inbound, Peer, Stage

EVENT = "calling.conference"
NUMBERS = ["+15550001111", "+15550002222", "+15550003333"]
URL = "https://example.com/conference"
FRAMES = Path(__file__).parent.parent / "data" / "frames.jsonl"


@pytest.fixture
def calls(stage: Stage, peer: Peer) -> list[Inbound]:
    return [stage.inbound(peer, number=number) for number in NUMBERS]


def join(call: Inbound, **more: object) -> str:
    return call.do("calling.join_conference", name="weekly", **more)["conference_id"]


def told(call: Inbound, *keys: str) -> list[Any]:
    """What the actor of a call hears: statuses, or some fields."""
    events = [event for event in call.peer.events(EVENT) if event.get("call_id") == call.call_id]
    return [tuple(event.get(key) for key in keys) if keys else event["status"] for event in events]


def heard(call: Inbound) -> list[str]:
    return [str(sound) for sound in call.line.heard]


def frame(name: str) -> set[str]:
    rows = (json.loads(line) for line in FRAMES.read_text().splitlines())
    (params,) = (row["frame"]["params"]["params"] for row in rows if row["name"] == f"conference.event.{name}")
    return set(params)


# Coming and going.


def test_members_hear_each_other_come_and_go_each_on_its_own_leg(calls: list[Inbound]):
    one, other, _third = calls
    conference_id = join(one)
    join(other)
    other.do("calling.leave_conference", conference_id=conference_id)
    one.line.hangs_up()

    who = ("status", "participant_call_id", "size")
    assert told(one, *who) == [
        ("conference-start", None, None),
        ("participant-join", one.call_id, 1),
        ("participant-join", other.call_id, 2),
        ("participant-leave", other.call_id, 1),
        ("participant-leave", one.call_id, 0),
        ("conference-end", None, None),
    ]
    assert told(other, *who) == [("participant-join", other.call_id, 2), ("participant-leave", other.call_id, 1)]
    assert one.peer.story()[-2:] == ["call.state ending", "call.state ended"], "leaving comes first"


def test_members_of_two_applications_hear_each_other(stage: Stage):
    first = stage.client("support")
    one = stage.inbound(first, number=NUMBERS[0])
    join(one)
    first.do("signalwire.unreceive", contexts=["support"])
    second = stage.client("support")
    other = stage.inbound(second, number=NUMBERS[1])
    join(other)

    assert told(one, "status", "participant_call_id")[-1] == ("participant-join", other.call_id)
    assert told(other) == ["participant-join"]


def test_only_the_one_it_is_about_is_told_if_the_manners_say_so(stage: Stage, calls: list[Inbound]):
    """In just the words of the known frames."""
    stage.sim.manners.conference_events = "participant"
    one, other, _third = calls
    join(one)
    join(other)
    one.line.hangs_up()
    other.line.hangs_up()

    assert told(one) == ["conference-start", "participant-join", "participant-leave"]
    events = {event["status"]: event for event in one.peer.events(EVENT)}
    for status, name in (
        ("conference-start", "start"),
        ("participant-join", "participant_join"),
        ("conference-end", "end"),
    ):
        assert set(events[status]) == frame(name)


@pytest.mark.parametrize(
    ("beep", "at_entry", "at_exit"),
    [
        (None, ["beep"], ["beep"]),
        ("true", ["beep"], ["beep"]),
        ("false", [], []),
        ("onEnter", ["beep"], []),
        ("onExit", [], ["beep"]),
    ],
)
def test_the_others_hear_a_beep_as_each_member_asks_for_it(
    calls: list[Inbound], beep: str | None, at_entry: list[str], at_exit: list[str]
):
    one, other, _third = calls
    join(one)
    conference_id = join(other, **({} if beep is None else {"beep": beep}))
    assert heard(one) == at_entry
    other.do("calling.leave_conference", conference_id=conference_id)

    assert heard(one) == at_entry + at_exit
    assert heard(other) == [], "nobody hears their own beep"


def test_who_waits_hears_music_until_somebody_starts_the_conference(stage: Stage, calls: list[Inbound]):
    one, other, host = calls
    join(one, start_on_enter=False)
    join(other, start_on_enter=False, wait_url="https://a/wait.mp3")
    one.line.hears("music conference").says("anybody?")
    other.line.hears("wait.mp3")
    assert told(one) == ["participant-join", "participant-join"]
    assert not stage.sim.conferences[0].is_started
    with pytest.raises(StoryError, match="does not talk"):
        one.line.talks_to(other.line, within=0.1)
    join(host)
    stage.run(100)

    assert told(one)[2:] == told(host) == ["conference-start", "participant-join"]
    assert heard(one) == ["music conference", "beep"]
    one.line.talks_to(other.line).talks_to(host.line)


def test_the_music_ends_with_the_waiting(stage: Stage, calls: list[Inbound]):
    conference_id = join(calls[0], start_on_enter=False)
    calls[0].do("calling.leave_conference", conference_id=conference_id)
    stage.run(100)

    assert heard(calls[0]) == ["music conference"]
    assert told(calls[0])[-1] == "conference-end", "one that never started ends, too"


@pytest.mark.parametrize(
    ("end_on_exit", "reason"),
    [(True, "participant-with-end-conference-on-exit-left"), (False, "last-participant-left")],
)
def test_how_it_ended_is_told_to_everybody_who_was_in(calls: list[Inbound], end_on_exit: bool, reason: str):
    host, guest, _third = calls
    conference_id = join(host, end_on_exit=end_on_exit)
    join(guest)
    host.line.hangs_up()
    if not end_on_exit:
        guest.do("calling.leave_conference", conference_id=conference_id)

    last = host if end_on_exit else guest
    how = ("status", "reason_ended", "call_id_ending_conf")
    assert told(guest, *how)[-1] == ("conference-end", reason, last.call_id)
    assert told(host)[-1] == ("conference-end" if end_on_exit else "participant-leave")
    assert guest.line.state == "answered"


# Who hears whom.


def test_what_a_member_says_and_presses_is_heard_by_all_others(calls: list[Inbound]):
    for call in calls:
        join(call, beep="false")
    calls[0].line.says("hello all").presses("3")

    assert heard(calls[0]) == []
    assert heard(calls[1]) == heard(calls[2]) == ["voice hello all", "digits 3"]


def test_who_is_muted_hears_and_is_not_heard(calls: list[Inbound]):
    one, other, _third = calls
    join(one)
    join(other, muted=True, beep="false")
    other.line.says("hello?")
    one.line.says("welcome")

    assert heard(one) == []
    assert heard(other) == ["voice welcome"]
    assert ("participant-join", True) in told(one, "status", "muted")


def test_a_coach_is_heard_by_the_coached_alone(calls: list[Inbound]):
    agent, customer, coach = calls
    join(agent, beep="false")
    join(customer, beep="false")
    join(coach, beep="false", coach=agent.call_id)
    coach.line.says("offer a discount")
    customer.line.says("too expensive")

    assert heard(agent) == ["voice offer a discount", "voice too expensive"]
    assert heard(customer) == []
    assert heard(coach) == ["voice too expensive"]
    assert ("participant-join", True) in told(agent, "status", "coaching")
    agent.line.talks_to(coach.line)


def test_a_leg_on_hold_neither_hears_nor_is_heard_and_the_others_are_told(stage: Stage, calls: list[Inbound]):
    one, other, third = calls
    join(one, beep="false")
    join(other, beep="false")
    other.do("calling.hold")
    join(third)
    one.line.says("are you there?")
    other.line.says("no")
    other.do("calling.unhold")

    assert heard(other) == ["music hold"]
    assert "voice no" not in heard(one)
    holds = [event for event in told(one, "status", "participant_call_id", "hold") if "hold" in event[0]]
    assert holds == [("participant-hold", other.call_id, True), ("participant-unhold", other.call_id, False)]


def test_who_speaks_is_told_from_beginning_to_end(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    join(one)
    join(other)
    other.line.says("a" * 30)
    stage.run(1)
    other.line.says("a" * 30)
    stage.run(1.9)
    speech = ("status", "participant_call_id")
    assert told(one, *speech)[-1] == ("participant-speech-start", other.call_id)
    stage.run(0.2)

    assert told(one, *speech)[-2:] == [
        ("participant-speech-start", other.call_id),
        ("participant-speech-stop", other.call_id),
    ]


@pytest.mark.parametrize("how", ["muted", "waits"])
def test_speech_that_nobody_can_hear_is_not_told(calls: list[Inbound], how: str):
    join(calls[0], muted=how == "muted", start_on_enter=how != "waits")
    calls[0].line.says("hello?")

    assert "participant-speech-start" not in told(calls[0])


def test_who_hangs_up_in_the_middle_of_a_word_has_stopped_speaking(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    join(one)
    join(other)
    other.line.says("a" * 300).hangs_up()
    stage.run(100)

    assert told(one)[-3:] == ["participant-speech-start", "participant-speech-stop", "participant-leave"]


# Recordings and webhooks.


def test_a_recording_runs_from_start_to_end(stage: Stage, calls: list[Inbound]):
    early, host, _third = calls
    join(early, start_on_enter=False, record="record-from-start", recording_status_callback=URL)
    stage.run(5)
    assert "record-start" not in told(early)
    join(host, end_on_exit=True)
    assert stage.sim.conferences[0].is_recording
    stage.run(10)
    early.line.says("x" * 30)
    stage.run(10)
    host.line.hangs_up()

    assert told(early)[-2:] == ["record-stop", "conference-end"]
    stop = next(event for event in early.peer.events(EVENT) if event["status"] == "record-stop")
    assert stop["recording_url"].startswith("https://files.example.com/")
    assert (stop["recording_duration"], stop["recording_file_size"]) == (20.0, 320_044)
    recorded = stage.sim.fetch(stop["recording_url"])
    assert len(recorded) == 320_044
    assert [any(recorded[44 + second * 16_000 :][:16_000]) for second in (9, 10, 11, 12)] == [False, True, True, False]
    assert [webhook.body["params"]["status"] for webhook in stage.sim.webhooks] == ["record-start", "record-stop"]


def test_the_status_callback_hears_what_it_asked_for(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    join(one, status_callback=URL, status_callback_event="join leave", status_callback_method="GET")
    join(other, status_callback=URL)
    for call in (other, one):
        call.line.hangs_up()

    webhooks = stage.sim.webhooks
    assert {(webhook.url, webhook.method) for webhook in webhooks} == {(URL, "GET")}
    bodies = [webhook.body["params"] for webhook in webhooks]
    assert [(body["status"], body["call_id"]) for body in bodies] == [
        ("participant-join", one.call_id),
        ("participant-join", other.call_id),
        ("participant-leave", other.call_id),
        ("participant-leave", one.call_id),
    ]


# The law.


@given(
    st.lists(
        st.fixed_dictionaries({"muted": st.booleans(), "start_on_enter": st.booleans(), "hold": st.booleans()}),
        min_size=2,
        max_size=5,
    )
)
def test_everybody_hears_exactly_the_others_who_can_be_heard(ways: list[dict[str, bool]]):
    """Whatever the members are like: who is heard, and who hears, follows from three flags and the start."""
    stage = Stage()
    peer = stage.client("support")
    calls = [stage.inbound(peer, number=f"+1555000{place:04}") for place in range(len(ways))]
    for call, way in zip(calls, ways, strict=True):
        join(call, muted=way["muted"], start_on_enter=way["start_on_enter"], beep="false")
        if way["hold"]:
            call.do("calling.hold")
    for place, call in enumerate(calls):
        call.line.says(f"I am {place}")

    is_started = any(way["start_on_enter"] for way in ways)
    for place, call in enumerate(calls):
        voices = [sound.text for sound in call.line.heard if sound.kind == "voice"]
        hears = is_started and not ways[place]["hold"]
        expected = [
            f"I am {other}"
            for other, way in enumerate(ways)
            if hears and other != place and not way["muted"] and not way["hold"]
        ]
        assert voices == expected


@pytest.mark.parametrize(
    ("more", "is_recorded"), [({}, True), ({"muted": True}, False), ({"coach": "the host"}, False)]
)
def test_only_what_all_could_hear_is_recorded(
    stage: Stage, calls: list[Inbound], more: dict[str, Any], is_recorded: bool
):
    host, other, _third = calls
    join(host, record="record-from-start", end_on_exit=True, beep="false")
    join(other, **({"coach": host.call_id} if "coach" in more else more))
    other.line.says("hello").presses("1")
    stage.run(1)
    host.line.hangs_up()

    stop = next(event for event in host.peer.events(EVENT) if event["status"] == "record-stop")
    assert any(stage.sim.fetch(stop["recording_url"])[44:]) is is_recorded
