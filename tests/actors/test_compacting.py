"""Which entries of a call stay when its past is summed up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from relay_actors.actors.compacting import FRAME_IDS_KEPT, compact, spread_out, still_open
from relay_actors.actors.history import Asked, Learnt, history_of
from relay_actors.actors.leg import Leg
from relay_actors.actors.under_way import UnderWay
from relay_actors.errors import ConnectionLostError, JournalError
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import (
    CallStarted,
    CommandIntended,
    CommandSettled,
    Entry,
    EventReceived,
    Noted,
    Outcome,
    Snapshot,
)
from relay_actors.journal.memory import MemoryStore
from tests.actors.compacted_world import summed_up
from tests.actors.world import CONTEXT

CALL = "call-1"


def came(event_type: str, number: int = 0, /, **params: Any) -> EventReceived:
    payload = {"event_type": event_type, "params": {"call_id": CALL, "node_id": "node", **params}}
    return EventReceived(subject=CALL, at=1.0, frame_id=f"frame {number}" if number else None, payload=payload)


def gave(number: int, method: str, after: int, **params: object) -> CommandIntended:
    return CommandIntended(
        subject=CALL,
        at=1.0,
        request_id=f"r-{number}",
        method=method,
        params=params,
        number=number,
        after=after,
        by="call",
    )


def settled(number: int, outcome: Outcome = Outcome.OK) -> CommandSettled:
    return CommandSettled(subject=CALL, at=1.0, request_id=f"r-{number}", outcome=outcome)


def noted(after: int, *, oldest: int = 0, actions: Iterable[str] = (), what: str = "saved", **values: object) -> Noted:
    open_now = {"from": oldest, "actions": list(actions)}
    return Noted(subject=CALL, at=1.0, what=what, values={**values, "open": open_now}, after=after)


BEGUN: list[Entry] = [
    CallStarted(subject=CALL, at=1.0, actor="a:B", direction="inbound"),
    came("calling.call.receive", 1, call_state="created", context=CONTEXT),
]


def stored(*entries: Entry) -> list[Entry]:
    """Return the journal of a call that begins as every call does, and goes on so."""
    store = MemoryStore()
    store.append([*BEGUN, *entries])
    return list(store.load())


def left_of(*entries: Entry) -> list[Entry]:
    """Return what is left of it behind its beginning: the past that is summed up, and what comes after it."""
    compacted = compact(stored(*entries))
    assert compacted is not None
    past = compacted.state["past"]
    assert isinstance(past, list)
    return [*map(decode, past), *compacted.rest][len(BEGUN) :]


def in_short(entries: Iterable[Entry]) -> list[object]:
    """Return what is told in each of them, in a word."""
    words: list[object] = []
    for entry in entries:
        match entry:
            case EventReceived(payload={"params": {"state": state}}):
                words.append(state)
            case EventReceived(payload={"event_type": event_type}):
                words.append(event_type)
            case CommandIntended(number=number):
                words.append(number)
            case CommandSettled(request_id=request_id, outcome=outcome):
                words.append((int(request_id[2:]), str(outcome)))
            case Noted(what=what):
                words.append(what)
    return words


def play(state: str, number: int = 0, control_id: str = "p") -> EventReceived:
    return came("calling.call.play", number, control_id=control_id, state=state)


def test_nothing_is_summed_up_before_a_checkpoint_says_what_is_open() -> None:
    """And what was summed up is not summed up again before the next one does."""
    plain = Noted(subject=CALL, at=1.0, what="saved", values={}, after=1)
    assert compact(stored(plain)) is None
    shorter = summed_up(stored(noted(1)))
    assert shorter is not None
    assert compact(shorter) is None
    assert compact(stored(noted(1, oldest=7))) is None, "a command that the journal does not know"


def test_of_an_operation_that_runs_its_command_its_acceptance_and_its_newest_states_stay() -> None:
    """Of one that is over nothing does."""
    over = [gave(1, "calling.play", 1, control_id="q"), settled(1), play("playing", control_id="q")]
    over += [play("finished", control_id="q"), gave(2, "calling.play", 4, control_id="p"), settled(2)]
    states = [play(state) for state in ("playing", "paused", "playing", "paused", "playing")]
    assert in_short(left_of(*over, *states, noted(10, actions=["p"]))) == [2, (2, "ok"), "paused", "playing", "saved"]


def test_a_control_id_belongs_to_the_last_operation_that_had_it() -> None:
    """Who chooses ids may choose one again, when the operation before is over."""
    before = [gave(1, "calling.play", 1, control_id="p"), settled(1), play("finished")]
    again = [gave(2, "calling.play", 3, control_id="p"), settled(2)]
    left = in_short(left_of(*before, *again, noted(4, actions=["p"])))
    assert left == [2, (2, "ok"), "saved"]


@pytest.mark.parametrize("outcome", [Outcome.UNKNOWN, Outcome.REJECTED])
def test_an_operation_that_runs_was_accepted_whatever_its_answer_was(outcome: Outcome) -> None:
    """Its answer was lost, and events have shown it; or it was sent twice, and the second one was refused. J5."""
    left = left_of(gave(1, "calling.play", 1, control_id="p"), settled(1, outcome), noted(2, actions=["p"]))
    assert in_short(left) == [1, (1, "ok"), "saved"]


def test_everything_stays_from_the_first_command_without_an_answer_on() -> None:
    """Nobody knows yet what it depends on."""
    closed = [gave(1, "calling.play", 1, control_id="p"), settled(1), play("playing")]
    window = [gave(2, "calling.hold", 3), play("finished"), gave(3, "calling.unhold", 4), settled(3)]
    assert in_short(left_of(*closed, *window, noted(5, oldest=2))) == [2, "finished", 3, (3, "ok"), "saved"]


def test_what_a_call_asks_for_when_it_starts_stays_with_its_answer() -> None:
    """`on_start` is run again, and will ask for it again; unless nobody has ever known what became of it."""
    early = [gave(1, "calling.answer", 0), gave(2, "calling.play", 0, control_id="p"), gave(3, "calling.denoise", 0)]
    told = [settled(1), settled(2), settled(3, Outcome.UNKNOWN), play("playing"), play("finished")]
    now = Noted(subject=CALL, at=1.0, what="now", values={"value": 1.0}, after=0)
    compacted = compact(stored(*early, now, *told, noted(6)))
    assert compacted is not None
    kept = [decode(record) for record in compacted.state["past"]]  # type: ignore[attr-defined]
    assert in_short(kept) == [1, 2, "now", "calling.call.receive", (1, "ok"), (2, "ok"), "playing", "finished", "saved"]


def test_states_bridges_and_last_words_stay_once() -> None:
    """The newest bridge, and the newest that names the other party; each state of each leg as it came first."""
    ring = came("calling.call.state", call_state="ringing")
    states: list[dict[str, Any]] = [
        {"connect_state": "connected", "peer": {"call_id": "other"}},
        {"connect_state": "disconnected"},
    ]
    bridges = [came("calling.call.connect", 0, **state) for state in states * 2]
    said = CommandIntended(subject=CALL, at=1.0, request_id="w", method="calling.end", params={"call_id": "leg"})
    compacted = compact(stored(ring, ring, *bridges, said, noted(7)))
    assert compacted is not None
    assert compacted.count == 2 + 1 + 1 + 2 + 1
    [words] = [history_of(CALL, shorter).last_words for shorter in [summed_up(stored(said, noted(1)))] if shorter]
    assert words == {"leg": ""}


def test_only_the_newest_data_timers_and_restart_stay_of_what_was_noted() -> None:
    """Each as it was noted last, whatever has been noted after it."""
    notes = [noted(1, what="restarted", actor="a:C", data={}), noted(1, data={"a": 1}), noted(1, data={"a": 2})]
    notes += [
        noted(1, timers=[]),
        noted(1, what="told", value=1, timers={"value": []}),
        noted(1, what="timer", key=1),
        noted(1),
    ]
    left = left_of(*notes)
    assert in_short(left) == ["restarted", "saved", "saved", "saved"]
    assert [entry.values.get("data") for entry in left if isinstance(entry, Noted)] == [{}, {"a": 2}, None, None]


def test_what_the_call_has_not_lived_yet_comes_behind_in_its_order() -> None:
    """The journal is ahead of the call; what the call notes later goes where it belongs."""
    early = [gave(1, "calling.play", 1, control_id="p"), settled(1), noted(2, actions=["p"]), play("playing", 2)]
    later: list[Entry] = [play("finished", 3), Noted(subject=CALL, at=1.0, what="told", values={}, after=2)]
    later += [gave(2, "calling.hold", 3), settled(2)]
    shorter = summed_up(stored(*early))
    assert shorter is not None
    store = MemoryStore()
    [snapshot, *rest] = shorter
    assert isinstance(snapshot, Snapshot)
    store.snapshot(CALL, snapshot.state, at=1.0)
    store.append([*rest, *later])
    short, whole = history_of(CALL, store.load()), history_of(CALL, stored(*early, *later))
    assert (short.told, short.commands, short.summed_up) == (2, 1, 4)
    assert short.items == whole.items
    assert short.offer == whole.offer
    assert [item.number for item in short.items if isinstance(item, Asked)] == [1, 2]
    assert isinstance(short.items[short.checkpoint], Learnt)


def test_so_many_frame_ids_are_remembered_and_the_newest_ones() -> None:
    """They may come again soon, or never."""
    events = [play("playing", number, control_id="q") for number in range(2, 1000)]
    shorter = summed_up(stored(*events, noted(999)))
    assert shorter is not None
    known = history_of(CALL, shorter).frame_ids
    assert len(known) == FRAME_IDS_KEPT + 1
    assert {"frame 1", "frame 999", f"frame {1000 - FRAME_IDS_KEPT}"} <= {*known}


@pytest.mark.parametrize("state", [{}, {"form": 2, "past": [], "told": 0, "commands": 0, "frame_ids": []}])
def test_a_past_in_an_unknown_form_is_not_guessed_at(state: Mapping[str, object]) -> None:
    """It was summed up by a newer release; nobody knows what it says. J9."""
    with pytest.raises(JournalError, match="form that this release does not know"):
        history_of(CALL, [Snapshot(subject=CALL, at=1.0, sequence=9, state=state)])


def test_what_is_left_can_be_read_in_front_of_the_snapshot() -> None:
    """By people; one in another form is shown as it is."""
    shorter = summed_up(stored(play("playing"), noted(2)))
    assert shorter is not None
    *past, snapshot = spread_out(shorter)
    assert in_short(past) == ["calling.call.receive", "saved"]
    assert snapshot == shorter[0]
    other = Snapshot(subject=CALL, at=1.0, state={"step": 2})
    assert list(spread_out([other])) == [other]


def a_leg() -> Leg:
    leg = Leg(direction="inbound")
    leg.call_id, leg.begun = CALL, True
    return leg


def test_a_call_says_which_of_its_commands_and_operations_are_open() -> None:
    """The oldest command without an answer, and every operation that runs."""
    leg = a_leg()
    assert still_open(leg) == {"from": 0, "actions": []}
    for number in (0, 5, 4):
        known = UnderWay(0.0)
        leg.under_way = {**leg.under_way, object(): known}
        known.number = number
    leg.actions = {"p": None}  # type: ignore[dict-item]  # only its name matters
    assert still_open(leg) == {"from": 4, "actions": ["p"]}


@pytest.mark.parametrize(
    "trouble",
    [
        {"state": "ended"},
        {"is_handed_on": True},
        {"is_let_go": True},
        {"hang_up": object()},
        {"hand_on": object()},
        {"expected_end": "lost"},
        {"left_because": "hangup"},
        {"is_cut_off": True},
        {"call_id": ""},
        {"begun": False},
    ],
    ids=lambda trouble: next(iter(trouble)),
)
def test_a_call_that_is_about_to_end_or_cut_off_says_nothing(trouble: Mapping[str, object]) -> None:
    """It is soon over, or soon clear."""
    leg = a_leg()
    for name, value in trouble.items():
        setattr(leg, name, value)
    assert still_open(leg) is None


def test_a_call_with_a_command_in_doubt_says_nothing() -> None:
    """What has become of it depends on too much; it is known within seconds."""
    leg = a_leg()
    known = UnderWay(0.0)
    leg.under_way = {object(): known}
    known.number, known.repeats = 1, 1
    assert still_open(leg) is None
    known.repeats, known.error = 0, ConnectionLostError()
    assert still_open(leg) is None
