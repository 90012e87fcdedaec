"""What the journal knows of one call, in the order in which its actor has lived it (SEMANTICS J3, J4)."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.history import (
    Answered,
    Asked,
    History,
    Item,
    Learnt,
    Told,
    history_of,
    item_of,
    kept_apart,
)
from relay_actors.errors import CommandRejectedError, ConnectionLostError, NotSentError, RequestTimeoutError
from relay_actors.events import CallReceiveEvent, CollectEvent
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
)
from relay_actors.protocol.events import parse_event

CALL: dict[str, Any] = {"subject": "c1"}


def told(event_type: str = "calling.call.state", at: float = 1.0, frame: str | None = None, **params: Any) -> Entry:
    payload = {"event_type": event_type, "timestamp": at, "params": {"call_id": "c1", "node_id": "n1", **params}}
    return EventReceived(**CALL, at=at, frame_id=frame, payload=payload)


def offered(at: float = 1.0) -> Entry:
    return told("calling.call.receive", at, call_state="created", direction="inbound")


def asked(number: int, after: int, method: str = "calling.play", by: str = "call", **params: Any) -> Entry:
    request_id = f"request-{number}"
    return CommandIntended(
        **CALL, at=1.0, request_id=request_id, method=method, params=params, number=number, after=after, by=by
    )


def settled(number: int, outcome: Outcome = Outcome.OK, code: int = 0, **result: Any) -> Entry:
    return CommandSettled(
        **CALL, at=2.0, request_id=f"request-{number}", outcome=outcome, code=code, result=result or {"code": "200"}
    )


def noted(what: str, after: int, **values: Any) -> Entry:
    return Noted(**CALL, at=1.5, what=what, values=values, after=after)


def names(history: History) -> list[str]:
    """Return the items, as short names."""
    return [_name(item) for item in history.items]


def _name(item: Item) -> str:
    match item:
        case Told(event=CallReceiveEvent()):
            return "offer"
        case Told(event=event):
            return f"told {event.params['tag']}"
        case Answered(number=number):
            return f"answer {number}"
        case Asked(number=number):
            return f"ask {number}"
        case Learnt(what=what):
            return what


# -- the order ---------------------------------------------------------------------------------------------------------


@st.composite
def lives(draw: st.DrawFn) -> list[Entry]:
    """A life in the order in which it was lived; what the wire does not tell says after how many that are told."""
    lived: list[Entry] = [offered()]
    count, number, open_numbers = 1, 0, []
    for step in range(draw(st.integers(0, 12))):
        kind = draw(st.sampled_from(["told", "ask", "answer", "note"]))
        if kind == "told":
            lived.append(told(tag=f"{step}"))
            count += 1
        elif kind == "ask":
            number += 1
            open_numbers.append(number)
            lived.append(asked(number, count))
        elif kind == "note":
            lived.append(noted(f"note {step}", count))
        elif open_numbers:
            lived.append(settled(open_numbers.pop(draw(st.integers(0, len(open_numbers) - 1)))))
            count += 1
    return lived


def _is_beside(entry: Entry) -> bool:
    return isinstance(entry, CommandIntended | Noted)


@st.composite
def written(draw: st.DrawFn, lived: Sequence[Entry]) -> list[Entry]:
    """The same life as it may stand in the journal: what is not of the wire comes later there, as late as may be."""
    journal: list[Entry] = []
    waiting: list[Entry] = []
    for entry in lived:
        if _is_beside(entry):
            waiting.append(entry)
            continue
        if isinstance(entry, CommandSettled):  # nothing is answered that has not left
            while any(getattr(one, "request_id", "") == entry.request_id for one in waiting):
                journal.append(waiting.pop(0))
        for _ in range(draw(st.integers(0, len(waiting)))):
            journal.append(waiting.pop(0))
        journal.append(entry)
    return [*journal, *waiting]


@given(st.data())
def test_whatever_comes_late_into_the_journal_is_put_where_it_was_lived(data: st.DataObject) -> None:
    """J4."""
    lived = data.draw(lives())
    journal = data.draw(written(lived))
    assert names(history_of("c1", journal)) == names(history_of("c1", lived)) == _straight(lived)


def _straight(lived: Sequence[Entry]) -> list[str]:
    return [name for entry in lived for name in names(history_of("c1", _with_its_ask(entry)))[-1:]]


def _with_its_ask(entry: Entry) -> list[Entry]:
    if isinstance(entry, CommandSettled):
        number = int(entry.request_id.removeprefix("request-"))
        return [asked(number, 0), entry]
    return [entry]


@given(st.data())
def test_a_journal_that_is_cut_gives_a_part_of_the_life_in_its_order_and_no_error(data: st.DataObject) -> None:
    """Of what the wire has told it is the beginning; of what was asked and noted, what was written by then. J4."""
    lived = data.draw(lives())
    journal = data.draw(written(lived))
    whole = names(history_of("c1", journal))
    for end in range(len(journal) + 1):
        cut = names(history_of("c1", journal[:end]))
        rest = iter(whole)
        assert all(name in rest for name in cut), f"{cut} is not in the order of {whole}"
        wire = [name for name in whole if name.split()[0] in ("offer", "told", "answer")]
        wire_of_cut = [name for name in cut if name.split()[0] in ("offer", "told", "answer")]
        assert wire_of_cut == wire[: len(wire_of_cut)]


def test_what_came_before_the_offer_was_told_after_it() -> None:
    """K4."""
    journal = [told(tag="early"), told(tag="too"), offered(), asked(1, 3), told(tag="late")]
    assert names(history_of("c1", journal)) == ["offer", "told early", "told too", "ask 1", "told late"]


def test_what_was_noted_after_more_than_the_journal_has_comes_last() -> None:
    """A damaged end takes nothing else with it."""
    journal = [offered(), noted("second", 7), noted("first", 5), noted("now", 1, value=1.0)]
    assert names(history_of("c1", journal)) == ["offer", "now", "first", "second"]


# -- what it knows -----------------------------------------------------------------------------------------------------


def test_an_empty_journal_knows_nothing() -> None:
    history = history_of("c1", [])
    assert (history.items, history.started, history.offer, history.dial, history.legs) == ((), None, None, None, [])
    assert not history.has_ended
    assert history.checkpoint == -1


def test_who_has_it_is_the_first_that_was_given_it() -> None:
    first = CallStarted(**CALL, at=1.0, actor="app:First", direction="inbound")
    second = CallStarted(**CALL, at=2.0, actor="app:Second", direction="inbound")
    assert history_of("c1", [offered(), first, second]).started == first


def test_the_legs_of_a_call_are_all_those_that_were_told_of() -> None:
    other = EventReceived(
        **CALL,
        at=1.0,
        payload={"event_type": "calling.call.state", "params": {"call_id": "c2", "node_id": "n2", "tag": "t"}},
    )
    last_word = CommandIntended(
        **CALL, at=1.0, request_id="r", method="calling.end", params={"call_id": "c3", "node_id": "n3"}
    )
    legs = history_of("c1", [offered(), other, last_word]).legs
    assert sorted((leg["call_id"], leg["node_id"]) for leg in legs) == [("c1", "n1"), ("c2", "n2"), ("c3", "n3")]


def test_the_end_of_a_call_is_known_by_its_state() -> None:
    assert not history_of("c1", [offered(), told(call_state="ending", tag="")]).has_ended
    assert history_of("c1", [offered(), told(call_state="ended", tag="")]).has_ended


def test_the_newest_time_and_the_ids_of_frames_are_known() -> None:
    history = history_of(
        "c1", [told(at=3.0, frame="f1", tag="a"), told(at=9.0, tag="b"), told(at=4.0, frame="f2", tag="c")]
    )
    assert history.last_at == 9.0
    assert history.frame_ids == ("f1", "f2")


def test_the_last_checkpoint_counts() -> None:
    journal = [offered(), noted("saved", 1), told(tag="a"), noted("restarted", 2), told(tag="b")]
    history = history_of("c1", journal)
    assert isinstance(history.items[history.checkpoint], Learnt)
    assert names(history)[history.checkpoint] == "restarted"


@pytest.mark.parametrize(
    ("outcome", "result", "error"),
    [
        (Outcome.REJECTED, {"message": "busy"}, CommandRejectedError),
        (Outcome.NOT_SENT, {"message": "was not sent"}, NotSentError),
        (Outcome.UNKNOWN, {"message": "", "error": "RequestTimeoutError"}, RequestTimeoutError),
        (Outcome.UNKNOWN, {"message": "closed", "error": "ConnectionLostError"}, ConnectionLostError),
        (Outcome.UNKNOWN, {"message": "?", "error": "of a newer release"}, ConnectionLostError),
    ],
)
def test_how_a_command_has_failed_is_told_again(outcome: Outcome, result: dict[str, str], error: type) -> None:
    journal = [offered(), asked(1, 1), settled(1, outcome, 409, **result)]
    answered = history_of("c1", journal).items[-1]
    assert isinstance(answered, Answered)
    assert type(answered.error) is error
    assert answered.result is None
    if isinstance(answered.error, CommandRejectedError):
        assert (answered.error.code, answered.error.message) == (409, "busy")


def test_an_answer_to_what_was_not_asked_by_the_call_is_nobodys() -> None:
    turned_away = CommandIntended(**CALL, at=1.0, request_id="request-9", method="calling.pass", params={})
    assert names(history_of("c1", [offered(), turned_away, settled(9), settled(8)])) == ["offer"]


def test_a_journal_of_version_1_has_events_and_no_commands_of_anybody() -> None:
    """It did not say which command of its call an intent was: none can be told from another."""
    old = CommandIntended(**CALL, at=1.0, request_id="request-1", method="calling.answer", params={}, after=-1)
    history = history_of("c1", [offered(), old, settled(1), told(call_state="answered", tag="x")])
    assert history.started is None
    assert names(history) == ["offer", "told x"]


def test_an_end_of_the_last_word_does_not_make_it_a_command_of_the_call() -> None:
    history = history_of(
        "c1",
        [
            CommandIntended(
                **CALL, at=1.0, request_id="r", method="calling.end", params={"call_id": "c1", "node_id": "n1"}
            )
        ],
    )
    assert history.items == ()
    assert history.last_words == {"c1": "n1"}


def test_what_the_code_asks_for_at_that_moment_is_the_time_only() -> None:
    assert Learnt("now", {"value": 1.0}, 1.0).is_asked_for
    assert not Learnt("timer", {"key": 1}, 1.0).is_asked_for


# -- what is kept of an item, in memory --------------------------------------------------------------------------------


@pytest.mark.parametrize("was_read", [True, False])
def test_what_is_kept_of_an_item_is_nobody_elses(was_read: bool):
    """A flow may change in place what it is given, and what it has sent; what is run again is what was then."""
    params: dict[str, Any] = {"call_id": "c", "result": {"type": "digit", "params": {"digits": "1"}}}
    result: dict[str, Any] = {"code": "200", "more": [1]}
    sent: dict[str, Any] = {"play": [{"type": "tts"}]}
    items: list[Item] = [
        Told(parse_event({"event_type": "calling.call.collect", "params": params}, was_read), 1.5),
        Answered(1, result, None, 2.5),
        Answered(2, None, NotSentError("not sent"), 2.75),
        Asked(3, "calling.play", sent, True, 3.5, "a name"),
        Learnt("began", {}, 4.5),
    ]
    as_they_were = copy.deepcopy(items)
    kept = [kept_apart(item) for item in items]
    params["result"]["type"] = "changed"
    result["more"].append(2)
    sent["play"].clear()

    first, second = ([item_of(one) for one in kept] for _ in range(2))
    assert first == second
    assert [repr(item) for item in first] == [repr(item) for item in as_they_were], "an error is equal to itself only"
    for one, other in zip(first, second, strict=True):
        if isinstance(one, Told) and isinstance(other, Told):
            assert type(one.event) is CollectEvent
            assert one.event.params is not other.event.params
        if isinstance(one, Asked) and isinstance(other, Asked):
            assert one.params is not other.params


def test_params_that_hold_themselves_are_kept_as_they_are():
    """They are refused when they are to be written, and not by whoever remembers what was asked for."""
    params: dict[str, Any] = {"play": [(1, {"tts"})]}
    params["collect"] = params
    kept = item_of(kept_apart(Asked(1, "calling.play", params, True, 1.5)))
    assert isinstance(kept, Asked)
    assert kept.params["play"] == [(1, {"tts"})]
    assert kept.params["collect"]["collect"] is kept.params["collect"]
    assert kept.params["collect"] is not params
