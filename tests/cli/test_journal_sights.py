"""What a person reads of a journal: which call, how it stands, and what happened, without anybody's number."""

import dataclasses
from typing import Any

import pytest

from relay_actors.actors.compacting import compact
from relay_actors.actors.journaling import SESSION
from relay_actors.cli.journal_sights import clock_time, printable, sight_of, tags_of, timeline
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Snapshot,
    SubjectEnded,
)

DEVICE = {"type": "phone", "params": {"from_number": "+15550100123", "to_number": "15550100200"}}


def event(event_type: str, at: float = 1.0, subject: str = "c-1", **params: Any) -> EventReceived:
    return EventReceived(subject=subject, at=at, payload={"event_type": event_type, "params": params})


def intent(method: str, at: float = 2.0, subject: str = "c-1", by: str = "call", **params: Any) -> CommandIntended:
    return CommandIntended(subject=subject, at=at, request_id=method, method=method, params=params, number=1, by=by)


def settled(method: str, outcome: Outcome, at: float = 3.0, **more: Any) -> CommandSettled:
    return CommandSettled(subject="c-1", at=at, request_id=method, outcome=outcome, **more)


def numbered(*entries: Entry) -> list[Entry]:
    """As a store gives them back."""
    return [dataclasses.replace(entry, epoch=1, sequence=number) for number, entry in enumerate(entries, start=1)]


def details(*entries: Entry, is_unmasked: bool = False) -> list[str]:
    return [f"{line.what} {line.detail}".strip() for line in timeline(numbered(*entries), is_unmasked=is_unmasked)]


def test_a_call_is_told_by_who_handles_it_how_it_stands_and_what_is_open():
    sight = sight_of(
        numbered(
            event("calling.call.receive", 10.0, call_state="created", direction="inbound"),
            CallStarted(subject="c-1", at=10.1, actor="shop:Clerk", direction="inbound"),
            intent("calling.answer", 10.2),
            settled("calling.answer", Outcome.OK, 10.3),
            event("calling.call.state", 10.4, call_state="answered"),
            intent("calling.play", 10.5),
            event("calling.call.play", 10.6, state="playing"),
        )
    )

    assert (sight.id, sight.kind, sight.direction, sight.actor) == ("c-1", "call", "inbound", "shop:Clerk")
    assert (sight.state, sight.since, sight.entries) == ("answered", 10.0, 7)
    assert [one.method for one in sight.pending] == ["calling.play"]
    assert sight.as_dict()["pending"] == [
        {"method": "calling.play", "request_id": "calling.play", "at": 10.5, "number": 1}
    ]


@pytest.mark.parametrize(
    ("entries", "kind", "direction", "state"),
    [
        ([intent("calling.dial"), event("calling.call.dial", dial_state="dialing")], "dial", "outbound", "dialing"),
        ([event("messaging.receive", direction="inbound", message_state="received")], "text", "inbound", "received"),
        ([intent("messaging.send")], "text", "outbound", ""),
        ([event("queuing.relay.tasks", subject=SESSION)], "other", "", ""),
        ([event("calling.call.state", call_state="ended"), SubjectEnded(subject="c-1", at=2.0)], "call", "", "ended"),
    ],
)  # fmt: skip
def test_dials_and_texts_are_told_apart_from_calls(entries: list[Entry], kind: str, direction: str, state: str):
    sight = sight_of(numbered(*entries))

    assert (sight.kind, sight.direction, sight.state) == (kind, direction, state)


def test_what_cannot_be_replayed_is_told_and_is_no_exception():
    """The other calls of the list are still to be seen."""
    first, _, third = numbered(event("a"), event("b"), event("c"))

    assert "has a gap: entry 1 is followed by 3" in sight_of([first, third]).fault


def test_a_call_whose_past_was_summed_up_is_told_by_what_is_left_of_it():
    entries = numbered(
        event("calling.call.receive", 10.0, call_state="created", direction="inbound"),
        CallStarted(subject="c-1", at=10.1, actor="shop:Clerk", direction="inbound", settings={"tag": "t-1"}),
        event("calling.call.state", 10.4, call_state="answered"),
        *(event("calling.call.play", 11.0, state="playing", control_id="p") for _ in range(5)),
        Noted(subject="c-1", at=12.0, what="saved", values={"open": {"from": 0, "actions": []}}, after=7),
    )
    compacted = compact(entries)
    assert compacted is not None
    summed_up = numbered(Snapshot(subject="c-1", at=13.0, state=compacted.state), event("calling.call.play", 14.0))

    sight = sight_of(summed_up)
    assert (sight.direction, sight.actor, sight.state) == ("inbound", "shop:Clerk", "answered")
    assert (sight.since, sight.entries) == (10.1, 2)
    assert details(*summed_up) == [
        "began shop:Clerk inbound",
        "came calling.call.receive created direction=inbound",
        "came calling.call.state answered",
        "noted saved open",
        "summed up form, told, commands",
        "came calling.call.play",
    ]
    assert "t-1" in tags_of(summed_up)


def test_a_timeline_tells_each_entry_in_its_words():
    """What came, what was sent, how it ended and after how long, what was noted."""
    assert details(
        event("calling.call.receive", call_state="created", direction="inbound"),
        CallStarted(subject="c-1", at=1.0, actor="shop:Clerk", direction="inbound", settings={"seed": 7}),
        intent("calling.play", 2.0, control_id="0123456789abcdef"),
        settled("calling.play", Outcome.OK, 2.25),
        event("calling.call.play", state="playing", control_id="0123456789abcdef"),
        Noted(subject="c-1", at=3.0, what="saved", values={"language": "en", "step": 2}),
        intent("calling.end", 4.0, by="other"),
        settled("calling.end", Outcome.REJECTED, 4.5, code=404),
        settled("long ago and gone", Outcome.UNKNOWN),
        Snapshot(subject="c-1", at=5.0, state={"step": 2}, pending=(intent("calling.tap"),)),
        settled("calling.tap", Outcome.NOT_SENT, 5.0),
        SubjectEnded(subject="c-1", at=6.0, reason="hangup"),
        EventReceived(subject="c-1", at=7.0, payload={}),
    ) == [
        "came calling.call.receive created direction=inbound",
        "began shop:Clerk inbound",
        "sent calling.play (01234567)",
        "done calling.play ok after 0.250 s",
        "came calling.call.play playing (01234567)",
        "noted saved language, step",
        "sent calling.end by other",
        "done calling.end rejected (404) after 0.500 s",
        "done request long ago unknown",
        "summed up step 1 pending",
        "done calling.tap not_sent after 3.000 s",
        "ended hangup",
        "came an event",
    ]


def test_times_are_told_and_trouble_is_marked():
    lines = list(timeline(numbered(intent("calling.play", 100.0), settled("calling.play", Outcome.UNKNOWN, 107.5))))

    assert [(line.at, line.elapsed, line.is_trouble) for line in lines] == [(100.0, 0.0, False), (107.5, 7.5, True)]
    assert lines[1].as_dict()["elapsed"] == 7.5
    assert clock_time(100.0426) == "00:01:40.042"
    assert clock_time(100.0, with_date=True) == "1970-01-01 00:01:40.000"


def test_numbers_and_contents_are_not_shown():
    """As in the log (SEMANTICS O6); with or without a plus, in events, and in ids that are made of them."""
    shown = "\n".join(
        details(
            event("calling.call.receive", device=DEVICE),
            event("messaging.receive", from_number="+15550100123", to_number="+15550100200", body="I am ill"),
            event("calling.call.collect", result={"type": "digit", "params": {"digits": "4711"}}),
            intent("calling.play", play=[{"type": "tts", "params": {"text": "Your balance is 7."}}]),
            settled("calling.play", Outcome.OK, result={"message": "secret"}),
            Noted(subject="c-1", at=1.0, what="saved", values={"pin": "4711"}),
            CallStarted(subject="c-1", at=1.0, actor="a:B", direction="inbound", data={"name": "Ada"}),
        )
    )

    assert "from +***23 to +***00" in shown
    for private in ("01001", "01002", "ill", "4711", "balance", "secret", "Ada"):
        assert private not in shown
    assert "result=digit" in shown


def test_all_of_it_is_shown_when_it_is_asked_for():
    """By who may read the file anyhow."""
    [came, sent] = details(
        event("calling.call.collect", result={"type": "digit", "params": {"digits": "4711"}}, device=DEVICE),
        intent("calling.play", play=["grüße"]),
        is_unmasked=True,
    )

    assert "+15550100123" in came
    assert '"digits": "4711"' in came
    assert sent == 'sent calling.play {"play": ["grüße"]}'


def test_a_terminal_is_not_led_astray():
    """Ids and reasons come from a server, and from who has called it."""
    assert printable("c\x1b[2J-\n1") == "c?[2J-?1"
    assert details(event("odd\x1b[0m", call_state="\x07")) == ["came odd?[0m ?"]


def test_the_tags_of_a_call_are_found():
    """In its events, in its command, and in what it was started with."""
    entries = [
        event("calling.call.state", tag="t-1"),
        intent("calling.dial", tag="t-2"),
        CallStarted(subject="c-1", at=1.0, actor="a:B", direction="outbound", settings={"tag": "t-3"}),
        event("calling.call.state", tag=7),
    ]

    assert tags_of(entries) == {"t-1", "t-2", "t-3"}
