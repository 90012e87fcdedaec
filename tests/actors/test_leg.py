"""What is known of a leg: states, who waits and who listens, and what it owes when it is closed."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.dialling import Dialling
from relay_actors.actors.kept_as_text import message_of
from relay_actors.actors.leg import Leg, StateWait
from relay_actors.actors.waits import Reply, Wait
from relay_actors.errors import CallEnded, DialFailedError
from relay_actors.protocol.commands import Answer, Dial, Hangup
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, DialEvent, RelayEvent, parse_event
from relay_actors.protocol.states import CallState
from tests.actors.world import Witness, World, device

DEADLINE_S = 10.0
STATES = ["created", "ringing", "answered", "ending", "ended"]


def event(call_state: str, **more: Any) -> CallStateEvent:
    parsed = parse_event(
        {"event_type": "calling.call.state", "params": {"call_id": "c", "call_state": call_state, **more}}
    )
    assert isinstance(parsed, CallStateEvent)
    return parsed


def new_leg(state: str = "") -> Leg:
    leg = Leg(direction="inbound")
    leg.call_id, leg.node_id, leg.state = "c", "n", state
    return leg


@given(st.lists(st.sampled_from([*STATES, "unheard of", ""]), max_size=12))
def test_a_leg_only_moves_forward_and_counts_what_was_stale(states: list[str]):
    """Proves SEMANTICS X1 for every order of events."""
    leg = new_leg()
    highest = -1
    stale = 0
    for state in states:
        place = STATES.index(state) if state in STATES else -1
        assert leg.moved(event(state)) == (place > highest)
        stale += place <= highest
        highest = max(highest, place)
        assert leg.state == ("" if highest < 0 else STATES[highest])
    assert leg.stale_states == stale
    assert leg.is_ended == (highest == 4)


def test_a_state_may_be_the_member_of_an_enum():
    """In an event that was made by hand."""
    leg = new_leg()
    assert leg.moved(CallStateEvent("calling.call.state", {"call_id": "c"}, "c", call_state=CallState.ANSWERED))
    assert leg.state == "answered"


def test_what_call_after_call_says_in_the_same_few_words_is_kept_once():
    """Ten thousand live calls have a state and a node each."""
    texts = []
    for _ in range(2):
        leg = new_leg()
        said = json.dumps({"call_state": "answered", "node_id": "5e1c@host"})
        leg.moved(event(**json.loads(said)))
        texts.append((leg.state, leg.node_id))
    assert texts[0] == texts[1] == ("answered", "5e1c@host")
    assert texts[0][0] is texts[1][0]
    assert texts[0][1] is texts[1][1]


def test_a_state_brings_what_is_new_and_takes_nothing_away():
    leg = new_leg()
    leg.moved(event("ringing", node_id="n2", device=device("+1"), segment_id="s", peer={"call_id": "p"}))
    leg.moved(event("ended", end_reason="busy"))
    assert (leg.node_id, leg.segment_id, leg.end_reason) == ("n2", "s", "busy")
    assert (leg.number("to"), leg.peer) == ("+1", {"call_id": "p"})


def test_an_offer_tells_who_calls():
    leg = Leg(direction="inbound")
    offer = parse_event(
        {
            "event_type": "calling.call.receive",
            "params": {
                "call_id": "c",
                "node_id": "n",
                "call_state": "ringing",
                "context": "sales",
                "tag": "t",
                "segment_id": "s",
                "project_id": "p",
                "device": device("+15550000001"),
            },
        }
    )
    assert isinstance(offer, CallReceiveEvent)
    leg.received(offer)
    assert (leg.ids, leg.state, leg.context) == ({"node_id": "n", "call_id": "c"}, "ringing", "sales")
    assert (leg.tag, leg.segment_id, leg.project_id, leg.number("to")) == ("t", "s", "p", "+15550000001")


def test_the_winner_of_a_dial_is_answered():
    leg = Leg(direction="outbound")
    won = parse_event(
        {
            "event_type": "calling.call.dial",
            "params": {
                "tag": "t",
                "node_id": "outer",
                "dial_state": "answered",
                "call": {"call_id": "c", "node_id": "n", "device": device("+1"), "segment_id": "s"},
            },
        }
    )
    assert isinstance(won, DialEvent)
    leg.won(won)
    assert (leg.ids, leg.state, leg.segment_id) == ({"node_id": "n", "call_id": "c"}, "answered", "s")
    assert leg.number("to") == "+1"


def test_a_leg_has_a_name_before_it_has_an_id():
    leg = Leg(direction="outbound")
    leg.tag = "t"
    assert leg.name == "t"
    leg.call_id = "c"
    assert leg.name == "c"


def test_a_call_that_would_stay_up_without_its_actor_needs_a_hang_up():
    """Proves SEMANTICS X7, for each reason why it would not."""
    assert new_leg("answered").needs_hang_up
    assert not new_leg("ended").needs_hang_up
    handed_on = new_leg("answered")
    handed_on.is_handed_on = True
    assert not handed_on.needs_hang_up
    let_go = new_leg("answered")
    let_go.is_let_go = True
    assert not let_go.needs_hang_up
    nameless = new_leg()
    nameless.call_id = ""
    assert not nameless.needs_hang_up
    leg = new_leg("answered")
    leg.hang_up = Reply(Hangup())
    assert (leg.needs_hang_up, leg.is_being_hung_up) == (False, True)
    leg.hang_up.try_fail(ValueError())
    assert (leg.needs_hang_up, leg.is_being_hung_up) == (True, False)


def test_the_present_state_can_be_had_as_an_event():
    leg = new_leg("answered")
    assert leg.state_event().params == {"call_state": "answered"}
    assert leg.state_event().event_type == "calling.call.state"
    leg.state, leg.ended_event = "ended", event("ended")
    assert leg.state_event() is leg.ended_event


@pytest.mark.parametrize(
    ("state", "end_reason", "handed_on", "says"),
    [
        ("ended", "busy", False, "busy"),
        ("ended", "", False, "no reason given"),
        ("answered", "", True, "handed on"),
        ("answered", "", False, "its actor has ended"),
    ],
)
def test_why_nothing_more_can_be_done_is_said(state: str, end_reason: str, handed_on: bool, says: str):
    leg = new_leg(state)
    leg.end_reason, leg.is_handed_on = end_reason, handed_on
    assert isinstance(leg.ended_error(), CallEnded)
    assert says in str(leg.ended_error())


def test_a_dial_that_has_failed_says_why():
    leg = new_leg("ended")
    leg.dialling = Dialling(Dial(devices=[[device("+1")]], tag="t"), 1)
    leg.dialling.error = DialFailedError("t", "Dial failed")
    assert leg.ended_error() is leg.dialling.error


@pytest.mark.parametrize(
    "given",
    [
        {},
        device("+1"),
        {"type": "sip", "params": {"from": "sip:ä@example.com", "headers": [{"name": "X", "value": 1.5}]}},
        {"type": "phone", "params": {"number": 2**70}},
        {"made by hand": object},
    ],
)
def test_the_device_is_given_as_it_was_told(given: dict[str, Any]):
    """It is kept as text, unless it has none."""
    leg = new_leg()
    leg.device = given
    assert leg.device == given


def test_a_device_of_any_depth_is_kept():
    """It can be read from the wire, and yet be deeper than can be written: no call may end for that."""
    deep: dict[str, Any] = {}
    for _ in range(500):
        deep = {"params": deep}
    leg = new_leg()
    leg.device = deep
    assert leg.device == deep


def test_data_are_made_once_and_stay_the_same():
    """Whoever asks first: the actor, or another thread that reads them."""
    leg = new_leg()
    assert not leg.has_data
    barrier = threading.Barrier(4)
    found: list[dict[str, Any]] = []

    def ask() -> None:
        barrier.wait(DEADLINE_S)
        found.append(leg.data)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert len(found) == 4
    leg.data["a"] = 1
    assert leg.has_data
    assert all(each is leg.data for each in found)


# -- who waits and who listens ---------------------------------------------------------------------------------------


def test_waits_are_offered_each_event_until_they_are_settled():
    leg = new_leg()
    wait = StateWait(lambda given: given.params["call_state"] == "answered")
    leg.wait(wait)
    for state in STATES:
        leg.settle_waits(event(state))
    assert wait.get(timeout=0).params["call_state"] == "answered"
    assert leg.waits == ()


def test_a_wait_that_was_given_up_is_forgotten():
    leg = new_leg()
    given_up = StateWait(lambda _event: False)
    leg.wait(given_up)
    given_up.try_fail(TimeoutError())
    leg.wait(StateWait(lambda _event: False))
    assert len(leg.waits) == 1


def test_a_pause_that_is_over_is_forgotten():
    """A flow that sleeps a thousand times leaves nothing behind."""
    leg = new_leg()
    for _ in range(1000):
        pause: Wait[None] = Wait()
        leg.pause(pause)
        pause.try_set(None)
    assert len(leg.pauses) == 1


def test_a_wait_that_is_over_is_not_asked_any_more():
    asked: list[RelayEvent] = []
    leg = new_leg()
    wait = StateWait(lambda given: bool(asked.append(given)))
    leg.wait(wait)
    wait.try_fail(TimeoutError())
    leg.settle_waits(event("ended"))
    assert asked == []
    assert leg.waits == ()


def test_what_a_predicate_raises_is_raised_in_the_wait():
    leg = new_leg()
    wrong = StateWait(lambda given: given.params["no such key"])
    right = StateWait(lambda _event: True)
    leg.wait(wrong)
    leg.wait(right)
    leg.settle_waits(event("ended"))
    assert isinstance(wrong.error, KeyError)
    assert right.error is None
    assert right.is_settled


def test_listeners_belong_to_an_incarnation_or_to_nobody():
    leg = new_leg()

    def outside(_event: RelayEvent) -> None: ...

    def first(_event: RelayEvent) -> None: ...

    def second(_event: RelayEvent) -> None: ...

    leg.listen("x", outside, None)
    leg.listen("x", first, 0)
    assert leg.listeners("x", 0) == [(False, outside), (True, first)]
    assert leg.listeners("x", 1) == [(False, outside)]
    leg.listen("x", second, 1)
    leg.listen("x", first, 1)
    leg.listen("x", second, None)
    assert leg.listeners("x", 1) == [(False, outside), (True, second), (True, first), (False, second)]
    known = [(False, outside), (False, second)]
    assert leg.listeners("x", 0) == known, "those of former incarnations are not kept"
    assert leg.listeners("y", 1) == []


def test_for_a_flow_the_latest_64_messages_are_kept_in_order(world: World):
    _line, handle = world.answered(Witness)
    leg = handle.leg
    payloads = [{"event_type": "calling.call.play", "params": {"call_id": "c", "at": at}} for at in range(70)]
    told = [parse_event(payload, was_read=at % 2 == 0) for at, payload in enumerate(payloads)]
    leg.keep_untaken([*told, "a word"])
    assert [message_of(kept) for kept in leg.untaken] == [*told[7:], "a word"]


# -- the end -----------------------------------------------------------------------------------------------------------


def test_at_the_end_a_hang_up_has_succeeded_and_all_else_has_failed():
    leg = new_leg("ended")
    leg.hang_up, other = Reply(Hangup()), Reply(Answer())
    leg.replies = {leg.hang_up: None, other: None}
    leg.fail_waits(leg.ended_error())
    assert leg.hang_up.get(timeout=0) == {}
    assert isinstance(other.error, CallEnded)
    assert leg.replies == {}


def test_a_hang_up_of_a_call_whose_actor_ends_before_it_has_not_succeeded():
    leg = new_leg("answered")
    leg.hang_up = Reply(Hangup())
    leg.replies = {leg.hang_up: None}
    leg.close()
    assert isinstance(leg.hang_up.error, CallEnded)


def test_closing_lets_nobody_wait_and_nothing_be_due():
    class Timer:
        cancelled = 0

        def cancel(self) -> None:
            self.cancelled += 1

    leg = new_leg("answered")
    timers = [Timer(), Timer(), Timer()]
    leg.end_watch, leg.stall_watch, leg.end_timer = timers  # type: ignore[assignment]  # they have what it takes
    wait = StateWait(lambda _event: True)
    leg.wait(wait)
    pause: Wait[None] = Wait()
    leg.pause(pause)
    leg.close()
    leg.close()
    assert isinstance(wait.error, CallEnded)
    assert isinstance(pause.error, CallEnded)
    assert all(timer.cancelled for timer in timers)
