"""Joining and leaving conferences by command. Source: PROTOCOL 12, 13.7."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage


def join(call: Inbound, **more: object) -> str:
    return call.do("calling.join_conference", name="weekly", **more)["conference_id"]


def test_a_name_is_one_conference_as_long_as_somebody_is_in_it(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    first = join(one)
    assert join(other) == first
    one.line.is_in_conference("weekly")
    one.do("calling.leave_conference", conference_id=first)
    assert [member.call_id for member in stage.sim.conferences[0].members] == [other.call_id]
    other.do("calling.leave_conference", conference_id=first)
    assert stage.sim.conferences == ()

    assert join(one) != first


def test_the_snapshot_has_the_members_in_order_and_how_they_take_part(stage: Stage, peer: Peer):
    agent, coach = stage.inbound(peer, number="+15550001111"), stage.inbound(peer, number="+15550002222")
    conference_id = join(agent)
    join(coach, muted=True, coach=agent.call_id)
    agent.do("calling.hold")

    (conference,) = stage.sim.conferences
    assert (conference.name, conference.conference_id, conference.is_started) == ("weekly", conference_id, True)
    assert [(who.number, who.is_muted, who.is_on_hold, who.coaches) for who in conference.members] == [
        ("+15550001111", False, True, ""),
        ("+15550002222", True, False, agent.call_id),
    ]


def test_joining_twice_or_leaving_where_one_is_not_is_refused(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    conference_id = join(call)
    assert call.code("calling.join_conference", name="weekly") == "409"
    assert call.code("calling.leave_conference", conference_id="no") == "409"
    assert stage.inbound(peer).code("calling.leave_conference", conference_id=conference_id) == "409"


def test_a_full_conference_refuses_and_those_in_it_hear_nothing(stage: Stage, peer: Peer):
    calls = [stage.inbound(peer) for _ in range(3)]
    join(calls[0], max_participants=2)
    join(calls[1])
    assert calls[2].code("calling.join_conference", name="weekly") == "409"
    assert peer.states("calling.conference", "status", call_id=calls[0].call_id).count("participant-join") == 2
    calls[1].line.hangs_up()

    join(calls[2])


def test_who_joins_may_ask_for_fewer(stage: Stage, peer: Peer):
    join(stage.inbound(peer))
    assert stage.inbound(peer).code("calling.join_conference", name="weekly", max_participants=1) == "409"


@pytest.mark.parametrize(
    ("params", "complaint"),
    [
        ({"name": ""}, "needs a name"),
        ({"beep": "loud"}, "beep is one of true, false, onEnter, onExit, not 'loud'"),
        ({"record": "yes"}, "record is one of"),
        ({"trim": "yes"}, "trim is one of"),
        ({"max_participants": 0}, "1 to 250, not 0"),
        ({"max_participants": 251}, "1 to 250, not 251"),
    ],
)
def test_params_that_make_no_sense_are_refused(stage: Stage, peer: Peer, params: dict[str, Any], complaint: str):
    response = stage.inbound(peer).ask("calling.join_conference", **{"name": "weekly", **params})
    assert response is not None
    assert response["result"]["code"] == "400"
    assert complaint in response["result"]["message"]
    assert stage.sim.conferences == ()


def test_a_reset_leaves_no_conference_and_no_report_of_its_end(stage: Stage, peer: Peer):
    join(stage.inbound(peer), status_callback="https://a")
    stage.sim.reset()

    assert stage.sim.conferences == ()
    assert stage.sim.webhooks == ()


def test_who_is_transferred_has_left(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    join(one)
    join(other)
    other.do("calling.transfer", dest="context:sales")

    assert len(stage.sim.conferences[0].members) == 1
    assert peer.states("calling.conference", "status", call_id=one.call_id)[-1] == "participant-leave"
