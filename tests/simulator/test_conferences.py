"""Conferences. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from tests.simulator.stage import Inbound, Peer, Stage

EVENT = "calling.conference"


def join(call: Inbound, **more: object) -> str:
    return call.do("calling.join_conference", name="weekly", **more)["conference_id"]


def test_a_conference_starts_with_the_first_and_ends_with_the_last(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    conference_id = join(one, muted=True)
    assert join(other) == conference_id
    one.do("calling.leave_conference", conference_id=conference_id)
    other.do("calling.leave_conference", conference_id=conference_id)

    told = [(event["status"], event.get("size")) for event in peer.events(EVENT)]
    assert told == [
        ("conference-start", None),
        ("participant-join", 1),
        ("participant-join", 2),
        ("participant-leave", 1),
        ("participant-leave", 0),
        ("conference-end", None),
    ]
    assert [event["muted"] for event in peer.events(EVENT) if "muted" in event] == [True, False]


def test_hanging_up_is_leaving(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    join(call)
    call.line.hangs_up()

    assert peer.story()[-2:] == ["call.state ending", "call.state ended"]
    assert peer.states(EVENT, "status")[-2:] == ["participant-leave", "conference-end"]


def test_one_who_ends_it_on_exit_takes_the_others_along(stage: Stage, peer: Peer):
    host, guest = stage.inbound(peer), stage.inbound(peer)
    join(host, end_on_exit=True)
    join(guest)
    host.line.hangs_up()

    assert peer.states(EVENT, "status").count("participant-leave") == 2
    assert peer.states(EVENT, "status").count("conference-end") == 1
    assert guest.line.state == "answered"


def test_joining_twice_or_leaving_where_one_is_not_is_refused(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    join(call)
    assert call.code("calling.join_conference", name="weekly") == "409"
    assert call.code("calling.leave_conference", conference_id="no") == "404"


def test_the_next_conference_of_a_name_is_a_new_one(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    first = join(call)
    call.do("calling.leave_conference", conference_id=first)

    assert join(call) != first
