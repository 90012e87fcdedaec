"""Which leg of a dial has won, and which must be hung up: laws over every order of events. Source: PROTOCOL 9.3."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from relay_actors.actors.dialling import Dialling
from relay_actors.actors.routing import DialOver
from relay_actors.protocol.commands import Dial
from relay_actors.protocol.events import CallStateEvent, DialEvent, parse_event
from tests.actors.world import device

LEGS = ["a", "b", "c"]
STATES = ["created", "ringing", "answered", "ending", "ended"]

happenings = st.lists(
    st.one_of(
        st.tuples(st.just("leg"), st.sampled_from(LEGS), st.sampled_from(STATES)),
        st.tuples(st.just("dial"), st.sampled_from(LEGS), st.sampled_from(["answered", "failed", "dialing"])),
        st.just(("give up", "", "")),
    ),
    max_size=20,
)


def new_dial() -> Dialling:
    return Dialling(Dial(devices=[[device("+15550000001")]], tag="t"), 120.0)


def leg(call_id: str, call_state: str, **more: Any) -> CallStateEvent:
    params = {"call_id": call_id, "node_id": f"node-{call_id}", "tag": "t", "call_state": call_state, **more}
    event = parse_event({"event_type": "calling.call.state", "params": params})
    assert isinstance(event, CallStateEvent)
    return event


def dial(dial_state: str, call_id: str = "") -> DialEvent:
    params: dict[str, Any] = {"tag": "t", "node_id": "node", "dial_state": dial_state}
    if call_id and dial_state == "answered":
        params["call"] = {"call_id": call_id, "node_id": f"node-{call_id}", "call_state": "answered"}
    event = parse_event({"event_type": "calling.call.dial", "params": params})
    assert isinstance(event, DialEvent)
    return event


def ids(*legs: str) -> list[dict[str, str]]:
    return [{"node_id": f"node-{one}", "call_id": one} for one in legs]


@given(happenings)
def test_however_events_come_one_wins_and_every_other_living_leg_is_hung_up_once(story: list[tuple[str, str, str]]):
    """Proves SEMANTICS X9 for every order, with repetitions, gaps and nonsense."""
    dialling = new_dial()
    hung_up: list[str] = []
    first_winner = ""
    was_given_up = False
    state: dict[str, str] = {}
    for kind, who, what in story:
        was_over = dialling.is_over
        if kind == "leg":
            if STATES.index(what) > STATES.index(state.get(who, "created")):
                state[who] = what
            if who != dialling.winner:  # events of the winner are its own actor's
                hung_up += [one["call_id"] for one in dialling.on_leg(leg(who, what))]
        elif kind == "dial":
            hung_up += [one["call_id"] for one in dialling.on_dial(dial(what, who))]
            if what == "answered" and not was_over:
                first_winner = who
        elif not was_over:
            was_given_up = True
            hung_up += [one["call_id"] for one in dialling.give_up()]
        assert dialling.is_over or not was_over, "a decision is not taken back"
    assert dialling.winner == first_winner
    assert len(hung_up) == len(set(hung_up)), "a leg was hung up twice"
    assert dialling.winner not in hung_up
    assert not (dialling.winner and was_given_up)
    if dialling.is_over:
        up = {one for one, now in state.items() if now == "answered"} - {dialling.winner}
        assert up <= set(hung_up), "a leg was answered and is nobody's"


def test_a_leg_is_hung_up_at_the_node_that_it_named():
    dialling = new_dial()
    dialling.on_leg(leg("a", "ringing"))
    dialling.on_leg(leg("b", "ringing"))
    dialling.on_leg(leg("b", "ended"))
    assert dialling.give_up() == ids("a")
    assert dialling.give_up() == []


def test_who_was_answered_at_the_same_moment_and_has_lost_is_hung_up():
    dialling = new_dial()
    for one in LEGS:
        assert dialling.on_leg(leg(one, "answered")) == []
    assert dialling.on_dial(dial("answered", "b")) == ids("a", "c")


def test_who_was_answered_although_the_dial_is_said_to_have_failed_is_hung_up():
    dialling = new_dial()
    dialling.on_leg(leg("a", "answered"))
    dialling.on_leg(leg("b", "ringing"))
    assert dialling.on_dial(dial("failed")) == ids("a")


def test_who_still_rings_when_another_has_won_is_left_to_the_server():
    """It stops the others by itself (PROTOCOL 9.2); a hang-up of ours could only come second."""
    dialling = new_dial()
    dialling.on_dial(dial("answered", "a"))
    assert dialling.on_leg(leg("b", "ringing")) == []
    assert dialling.on_leg(leg("b", "answered")) == ids("b")


def test_the_winners_own_events_are_kept_from_its_answer_on_and_given_once():
    """It may have ended before the dial was reported as answered."""
    dialling = new_dial()
    for call_state in STATES:
        dialling.on_leg(leg("a", call_state))
        dialling.on_leg(leg("b", call_state))
    dialling.on_dial(dial("answered", "a"))
    assert [(event.call_id, event.call_state) for event in dialling.take_events()] == [
        ("a", "answered"),
        ("a", "ending"),
        ("a", "ended"),
    ]
    assert dialling.take_events() == []


def test_what_is_kept_of_a_leg_is_bounded_by_its_states():
    """However often a server repeats itself (PROTOCOL 16.4)."""
    dialling = new_dial()
    for _ in range(1000):
        dialling.on_leg(leg("a", "ringing"))
        dialling.on_leg(leg("a", "answered"))
    dialling.on_dial(dial("answered", "a"))
    assert len(dialling.take_events()) == 1


def test_the_winner_needs_no_mark():
    """Its absence means that the named call has won all the same (PROTOCOL 9.2, D8)."""
    dialling = new_dial()
    dialling.on_dial(dial("answered", "a"))
    assert (dialling.winner, dialling.is_over) == ("a", True)


def test_progress_decides_nothing():
    dialling = new_dial()
    dialling.on_dial(dial("dialing"))
    assert not dialling.is_over
    dialling.on_dial(dial("answered"))  # without saying who
    assert not dialling.is_over


def test_it_knows_its_tag_and_its_patience():
    dialling = new_dial()
    assert (dialling.tag, dialling.timeout_s, dialling.error) == ("t", 120.0, None)


def test_what_is_left_to_the_connection_says_what_was_hung_up_already():
    """Or a leg would be hung up twice, once by each (SEMANTICS X9)."""
    dialling = new_dial()
    dialling.on_leg(leg("a", "ringing"))
    assert dialling.to_over() == DialOver("t", is_given_up=False, ended=frozenset())
    dialling.give_up()
    assert dialling.to_over() == DialOver("t", is_given_up=True, ended=frozenset({"a"}))
