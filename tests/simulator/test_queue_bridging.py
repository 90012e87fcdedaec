"""Taking callers out of a queue. Source: PROTOCOL 12, 13.2, 8.1."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stage import Inbound, Peer, Stage, phone_device

CONNECT, QUEUE = "calling.call.connect", "calling.call.queue"
NUMBERS = ["+15550001111", "+15550002222", "+15550003333"]
AGENT = "+15550009999"


@pytest.fixture
def callers(stage: Stage, peer: Peer) -> list[Inbound]:
    return [stage.inbound(peer, number=number) for number in NUMBERS]


@pytest.fixture
def agent(stage: Stage, peer: Peer) -> Inbound:
    return stage.inbound(peer, number=AGENT)


def enter(*callers: Inbound) -> None:
    for call in callers:
        call.do("calling.queue.enter", control_id="c1", queue_name="support")


def take(agent: Inbound, **params: Any) -> None:
    agent.do("calling.connect", devices=[[{"type": "queue", "params": {"queue_name": "support", **params}}]])


def connects(call: Inbound, *keys: str) -> list[Any]:
    events = [event for event in call.peer.events(CONNECT) if event["call_id"] == call.call_id]
    return [tuple(event.get(key) for key in keys) if keys else event["connect_state"] for event in events]


def queue_states(call: Inbound) -> list[Any]:
    return call.peer.states(QUEUE, "status", call_id=call.call_id)


def test_an_agent_is_joined_to_the_first_caller_and_the_others_move_up(
    stage: Stage, callers: list[Inbound], agent: Inbound
):
    enter(*callers)
    stage.run(12)
    take(agent)
    first, second, third = callers

    agent.line.talks_to(first.line)
    first.line.says("at last")
    agent.line.hears("voice at last")
    second.line.is_in_queue("support", 1)
    third.line.is_in_queue("support", 2)
    assert queue_states(first) == ["enqueue", "dequeue"]
    taken = [event for event in first.peer.events(QUEUE) if event["status"] == "dequeue"]
    assert [(event["position"], event["size"], event["avg_time"]) for event in taken] == [(1, 3, 12)]
    assert taken[0]["dequeue_ts"] - taken[0]["enqueue_ts"] == 12_000_000


def test_the_events_name_the_queue_as_the_known_frame_does(stage: Stage, callers: list[Inbound], agent: Inbound):
    enter(callers[0])
    take(agent)

    assert connects(agent) == ["connecting", "connected"]
    ((peer,),) = [entry for entry in connects(agent, "peer") if entry != (None,)]
    assert peer == {
        "call_id": callers[0].call_id,
        "node_id": callers[0].node_id,
        "device": {"type": "queue", "params": {}},
        "queue_id": stage.sim.queues[0].queue_id,
        "queue_name": "support",
    }
    order = [event["event_type"] for event in agent.peer.envelopes() if event["event_type"] in (CONNECT, QUEUE)]
    assert order[-3:] == [QUEUE, CONNECT, CONNECT], "dequeue, connected, and connected for the caller"


def test_the_music_ends_when_somebody_talks_to_the_caller(stage: Stage, callers: list[Inbound], agent: Inbound):
    enter(callers[0])
    take(agent)
    stage.run(100)

    assert [sound.kind for sound in callers[0].line.heard] == ["music"]


def test_an_agent_waits_at_an_empty_queue_and_hears_ringing(stage: Stage, callers: list[Inbound], agent: Inbound):
    take(agent)
    agent.line.hears("ringtone ringback")
    stage.run(10)
    enter(callers[0])
    agent.line.talks_to(callers[0].line)
    stage.run(200)

    assert connects(agent) == ["connecting", "connected"], "the time-out is off"


def test_an_agent_gives_up_when_nobody_comes(stage: Stage, callers: list[Inbound], agent: Inbound):
    take(agent, timeout=20)
    stage.run(21)
    assert connects(agent, "connect_state", "failed_reason")[-1] == ("failed", "noAnswer")
    enter(callers[0])
    callers[0].line.is_in_queue("support", 1)

    take(agent)
    agent.line.talks_to(callers[0].line)


def test_a_limit_parts_the_agent_from_the_caller(stage: Stage, callers: list[Inbound], agent: Inbound):
    enter(callers[0])
    device = {"type": "queue", "params": {"queue_name": "support"}}
    agent.do("calling.connect", devices=[[device]], max_duration=1)
    stage.run(61)

    assert connects(agent) == ["connecting", "connected", "disconnected"]
    assert connects(callers[0]) == ["connected", "disconnected"]
    assert not callers[0].line.is_over
    assert not agent.line.is_over


def test_agents_who_wait_are_served_in_turn(stage: Stage, peer: Peer, callers: list[Inbound], agent: Inbound):
    other = stage.inbound(peer, number="+15550008888")
    take(agent)
    take(other)
    enter(*callers[:2])

    agent.line.talks_to(callers[0].line)
    other.line.talks_to(callers[1].line)


@pytest.mark.parametrize("how", ["disconnects", "hangs up", "is transferred"])
def test_an_agent_who_waits_no_more_gets_nobody(stage: Stage, callers: list[Inbound], agent: Inbound, how: str):
    take(agent)
    if how == "disconnects":
        agent.do("calling.disconnect")
    elif how == "hangs up":
        agent.line.hangs_up()
    else:
        agent.do("calling.transfer", dest="context:sales")
    enter(callers[0])

    callers[0].line.is_in_queue("support", 1)


def test_when_one_hangs_up_the_other_lives_on_and_both_are_told(stage: Stage, callers: list[Inbound], agent: Inbound):
    """Each leg had a life of its own before: neither belongs to the other's bridge."""
    enter(*callers[:2])
    take(agent)
    callers[0].line.hangs_up()
    assert connects(agent) == ["connecting", "connected", "disconnected"]
    assert agent.line.state == "answered"
    take(agent)
    agent.line.talks_to(callers[1].line).hangs_up()

    assert callers[1].line.state == "answered"
    assert connects(callers[1]) == ["connected", "disconnected"]
    assert agent.states[-2:] == ["ending", "ended"]
    assert connects(callers[1], "peer")[-1][0]["call_id"] == agent.call_id
    enter(callers[1])


@pytest.mark.parametrize(
    "devices",
    [
        [[{"type": "queue", "params": {}}]],
        [[{"type": "queue", "params": {"queue_name": "a"}}], [phone_device("+1999")]],
        [[{"type": "queue", "params": {"queue_name": "a"}}, {"type": "queue", "params": {"queue_name": "b"}}]],
    ],
    ids=["no name", "and a phone", "two at once"],
)
def test_a_queue_has_a_name_and_is_the_only_device(agent: Inbound, devices: list[Any]):
    assert agent.code("calling.connect", devices=devices) == "400"
    take(agent)
