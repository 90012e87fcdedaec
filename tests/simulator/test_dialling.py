"""Dialling out: serial, parallel, winners and losers. Source: PROTOCOL 9."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.simulator.dialling import groups_of
from tests.simulator.stage import Peer, Stage, phone_device

A, B, C = "+15550000001", "+15550000002", "+15550000003"


def dial(peer: Peer, *groups: list[str], tag: str = "t", timeout: float | None = None, **more: Any) -> dict[str, Any]:
    ring = {} if timeout is None else {"timeout": timeout}
    devices = [[phone_device(number, **ring) for number in group] for group in groups]
    return peer.do("calling.dial", tag=tag, devices=devices, **more)


def legs(peer: Peer) -> dict[str, list[str]]:
    """Return the states of each leg by the number that was dialled."""
    told: dict[str, list[str]] = {}
    for event in peer.events("calling.call.state"):
        told.setdefault(event["device"]["params"]["to_number"], []).append(event["call_state"])
    return told


def dial_states(peer: Peer) -> list[str]:
    return peer.states("calling.call.dial", "dial_state")


def test_a_phone_that_answers_becomes_the_call(stage: Stage, peer: Peer):
    stage.sim.phone(A).answers()
    assert dial(peer, [A]) == {"code": "200", "message": "Dialing"}
    stage.run(1)

    assert peer.story()[-6:] == [
        "result",
        "call.state created",
        "call.dial dialing",
        "call.state ringing",
        "call.state answered",
        "call.dial answered",
    ]
    winner = peer.events("calling.call.dial")[-1]["call"]
    leg = peer.events("calling.call.state")[-1]
    assert winner["call_id"] == leg["call_id"]
    assert winner["dial_winner"] is True
    assert {event["tag"] for event in peer.events("calling.call.dial")} == {"t"}
    assert leg["tag"] == "t"
    assert leg["created_by"] == "dial"
    assert leg["direction"] == "outbound"


def test_of_parallel_phones_the_first_to_answer_wins_and_the_others_are_cancelled(stage: Stage, peer: Peer):
    """Source: PROTOCOL appendix, parallel dial."""
    stage.sim.phone(B).answers()
    dial(peer, [A, B])
    stage.run(1)

    assert legs(peer) == {A: ["created", "ringing", "ended"], B: ["created", "ringing", "answered"]}
    assert peer.story()[-2:] == ["call.dial answered", "call.state ended"]
    assert peer.events("calling.call.state")[-1]["end_reason"] == "cancel"
    assert stage.sim.phone(A).line.end_reason == "cancel"


def test_groups_are_tried_one_after_the_other(stage: Stage, peer: Peer):
    """Source: PROTOCOL 9.1, D31: the outer list is serial."""
    stage.sim.phone(C).answers()
    dial(peer, [A], [B, C], timeout=20)
    assert set(legs(peer)) == {A}
    stage.run(21)

    assert legs(peer)[A] == ["created", "ringing", "ended"]
    assert legs(peer)[C][-1] == "answered"
    assert legs(peer)[B][-1] == "ended"
    assert dial_states(peer) == ["dialing", "dialing", "answered"]


@pytest.mark.parametrize(
    ("how", "reason", "states"),
    [
        ("is_busy", "busy", ["created", "ended"]),
        ("rejects", "decline", ["created", "ringing", "ended"]),
        ("never_answers", "noAnswer", ["created", "ringing", "ended"]),
    ],
)
def test_a_dial_that_nobody_answers_fails_with_the_reason(
    stage: Stage, peer: Peer, how: str, reason: str, states: list[str]
):
    getattr(stage.sim.phone(A), how)()
    dial(peer, [A])
    stage.run(31)

    assert legs(peer) == {A: states}
    assert peer.events("calling.call.state")[-1]["end_reason"] == reason
    assert peer.events("calling.call.dial")[-1] == {
        "node_id": peer.events("calling.call.dial")[0]["node_id"],
        "tag": "t",
        "dial_state": "failed",
        "reason": reason,
    }


def test_a_device_that_leads_nowhere_is_not_found(stage: Stage, peer: Peer):
    peer.do("calling.dial", tag="t", devices=[[{"type": "webrtc", "params": {}}]])

    assert peer.events("calling.call.dial")[-1]["reason"] == "not_found"


def test_a_busy_phone_beside_one_that_rings_does_not_start_the_next_group(stage: Stage, peer: Peer):
    stage.sim.phone(A).is_busy()
    dial(peer, [A, B], [C])

    assert set(legs(peer)) == {A, B}
    stage.sim.phone(B).rejects()
    assert set(legs(peer)) == {A, B, C}


def test_how_long_a_phone_rings_is_for_the_device_to_say(stage: Stage, peer: Peer):
    dial(peer, [A], timeout=10)
    stage.run(9.9)
    assert dial_states(peer) == ["dialing"]
    stage.run(0.2)

    assert dial_states(peer) == ["dialing", "failed"]


def test_the_dial_event_may_come_before_the_leg_and_the_losers_before_both(stage: Stage, peer: Peer):
    """Source: PROTOCOL 9.2: losers end before or after; 9.3.4: the leg's own event may come later."""
    stage.sim.manners.dial_event_first = True
    stage.sim.manners.losers_end_first = True
    stage.sim.phone(B).answers()
    dial(peer, [A, B])
    stage.run(1)

    assert peer.story()[-3:] == ["call.state ended", "call.dial answered", "call.state answered"]


def test_who_loses_may_have_answered_at_the_same_moment(stage: Stage, peer: Peer):
    """Source: SEMANTICS X9: among simultaneous answers exactly one wins."""
    stage.sim.manners.losers_answer_too = True
    stage.sim.phone(B).answers()
    dial(peer, [A, B])
    stage.run(1)

    assert dial_states(peer) == ["dialing", "answered"]
    assert peer.story()[-4:] == ["call.state answered", "call.dial answered", "call.state answered", "call.state ended"]
    assert stage.sim.phone(A).line.end_reason == "cancel"


def test_the_caller_may_cancel_a_leg_that_rings(stage: Stage, peer: Peer):
    """What a client does after its own dial time-out (PROTOCOL 9.3.6)."""
    dial(peer, [A])
    leg = peer.events("calling.call.state")[-1]
    peer.do("calling.end", call_id=leg["call_id"], node_id=leg["node_id"], reason="cancel")

    assert dial_states(peer) == ["dialing", "failed"]
    assert stage.sim.phone(A).line.end_reason == "cancel"


def test_a_phone_that_is_picked_up_too_late_stays_silent(stage: Stage, peer: Peer):
    dial(peer, [A], timeout=5)
    line = stage.sim.phone(A).rings()
    stage.run(6)
    with pytest.raises(AssertionError, match="does not ring"):
        line.answers()

    assert dial_states(peer) == ["dialing", "failed"]


def test_one_tag_names_one_dial_at_a_time(stage: Stage, peer: Peer):
    dial(peer, [A])
    response = peer.ask("calling.dial", tag="t", devices=[[phone_device(B)]])
    assert response is not None
    assert response["result"]["code"] == "409"
    stage.run(31)

    assert dial(peer, [B])["code"] == "200", "the first one is over"


@pytest.mark.parametrize("devices", [[], [[]]])
def test_a_dial_of_nobody_is_refused(peer: Peer, devices: list[list[object]]):
    response = peer.ask("calling.dial", tag="t", devices=devices)
    assert response is not None
    assert response["result"]["code"] == "400"


def test_a_limit_ends_the_winner(stage: Stage, peer: Peer):
    stage.sim.phone(A).answers()
    dial(peer, [A], max_duration=1)
    stage.run(62)

    assert peer.events("calling.call.state")[-1]["end_reason"] == "max_duration"


def test_the_older_begin_names_its_leg_in_the_answer(stage: Stage, peer: Peer):
    """Source: PROTOCOL 9.4."""
    stage.sim.phone(A).answers()
    answer = peer.do("calling.begin", device=phone_device(A), tag="old")
    stage.run(1)

    assert peer.call_states(answer["call_id"]) == ["created", "ringing", "answered"]
    assert dial_states(peer) == []


def test_a_limit_ends_a_call_of_the_older_begin(stage: Stage, peer: Peer):
    """Source: PROTOCOL 9.4."""
    stage.sim.phone(A).answers()
    peer.do("calling.begin", device=phone_device(A), max_duration=1)
    stage.run(62)

    assert peer.events("calling.call.state")[-1]["end_reason"] == "max_duration"


@pytest.mark.parametrize("method", ["calling.dial", "calling.begin", "calling.connect"])
def test_a_limit_of_a_device_is_in_seconds_and_ends_its_leg(stage: Stage, peer: Peer, method: str):
    """Of a connect, only the other leg. Source: PROTOCOL 13.2."""
    stage.sim.phone(A).answers()
    device = phone_device(A, max_duration=30)
    if method == "calling.begin":
        peer.do(method, device=device)
    elif method == "calling.dial":
        peer.do(method, tag="t", devices=[[device]])
    else:
        stage.inbound(peer).do(method, devices=[[device]])
    stage.run(29)
    assert not stage.sim.phone(A).line.is_over
    stage.run(2)

    assert stage.sim.phone(A).line.end_reason == "max_duration"
    assert len(stage.sim.calls_up()) == (method == "calling.connect")


def test_groups_keep_what_is_a_device():
    assert groups_of([[{"a": 1}, 7], "x", []]) == [[{"a": 1}]]
    assert groups_of("no") == []


MANNERS = ["answers", "rejects", "is_busy", "never_answers"]


@given(st.lists(st.lists(st.sampled_from(MANNERS), min_size=1, max_size=3), min_size=1, max_size=3))
def test_every_dial_ends_once_and_leaves_one_leg_or_none(groups: list[list[str]]):
    """X9, from the server's side: one winner, and each loser ends exactly once."""
    stage = Stage()
    peer = stage.client()
    numbers = [[f"+1555{row}{column}" for column in range(len(group))] for row, group in enumerate(groups)]
    for group, row in zip(groups, numbers, strict=True):
        for manner, number in zip(group, row, strict=True):
            getattr(stage.sim.phone(number), manner)()
    dial(peer, *numbers)
    stage.run(200)

    assert dial_states(peer)[-1] in ("answered", "failed")
    assert (dial_states(peer).count("answered"), dial_states(peer).count("failed")) in ((1, 0), (0, 1))
    can_answer = any("answers" in group for group in groups)
    assert (dial_states(peer)[-1] == "answered") is can_answer
    ends = [states.count("ended") for states in legs(peer).values()]
    assert sorted(ends) == sorted([1] * (len(ends) - can_answer) + [0] * can_answer)
    assert len(stage.sim.calls_up()) == can_answer
