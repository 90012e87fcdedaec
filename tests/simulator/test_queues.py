"""Queues: waiting, moving up and leaving. Source: PROTOCOL 12."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.simulator import StoryError
from relay_actors.simulator.queues import BOUND
from tests.simulator.stage import Inbound, Peer, Stage, phone_device

EVENT = "calling.call.queue"
NUMBERS = ["+15550001111", "+15550002222", "+15550003333"]


@pytest.fixture
def calls(stage: Stage, peer: Peer) -> list[Inbound]:
    return [stage.inbound(peer, number=number) for number in NUMBERS]


def enter(call: Inbound, **more: Any) -> None:
    call.do("calling.queue.enter", control_id="c1", queue_name="support", **more)


def leave(call: Inbound) -> None:
    call.do("calling.queue.leave", control_id="c2", queue_name="support")


def told(call: Inbound, *keys: str) -> list[Any]:
    events = [event for event in call.peer.events(EVENT) if event["call_id"] == call.call_id]
    return [tuple(event.get(key) for key in keys) for event in events]


def test_callers_stand_one_behind_the_other(stage: Stage, peer: Peer, calls: list[Inbound]):
    enter(calls[0])
    stage.run(20)
    enter(calls[1])

    first, second = peer.events(EVENT)
    assert (first["status"], first["position"], first["size"]) == ("enqueue", 1, 1)
    assert (second["position"], second["size"], second["name"]) == (2, 2, "support")
    assert first["id"] == second["id"]
    assert second["avg_time"] == 10
    assert second["enqueue_ts"] - first["enqueue_ts"] == 20_000_000, "microseconds"


@pytest.mark.parametrize("how", ["leaves", "hangs up"])
def test_everybody_behind_moves_up_when_somebody_in_front_goes(stage: Stage, calls: list[Inbound], how: str):
    one, other, third = calls
    for call in calls:
        enter(call)
    third.line.is_in_queue("support", 3)
    stage.run(30)
    if how == "leaves":
        leave(other)
    else:
        other.line.hangs_up()
    third.line.is_in_queue("support", 2)
    leave(one)

    third.line.is_in_queue("support", 1)
    place = ("status", "position", "size", "avg_time")
    assert told(third, *place) == [("enqueue", 3, 3, 0), ("waiting", 2, 2, 30), ("waiting", 1, 1, 30)]
    assert [status for (status,) in told(one, "status")] == ["enqueue", "leave"], "nobody was in front"
    assert told(other, "status", "size")[-1] == ("leave", 2)
    assert [queue.waiting for queue in stage.sim.queues] == [(NUMBERS[2],)]


def test_leaving_makes_the_queue_shorter(peer: Peer, calls: list[Inbound]):
    call = calls[0]
    enter(call)
    leave(call)

    left = peer.events(EVENT)[-1]
    assert (left["status"], left["size"], left["control_id"]) == ("leave", 0, "c1")
    assert left["leave_ts"] >= left["enqueue_ts"]
    assert call.code("calling.queue.leave", control_id="c2", queue_name="support") == "409"


def test_who_waits_hears_music_to_the_end(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    enter(one)
    enter(other, wait_url="https://a/wait.mp3")
    other.line.hears("wait.mp3")
    stage.run(35)
    leave(one)
    stage.run(100)

    assert [str(sound) for sound in one.line.heard] == ["music queue"] * 2


def test_nobody_stands_in_two_places(calls: list[Inbound]):
    call = calls[0]
    enter(call)
    assert call.code("calling.queue.enter", control_id="c2", queue_name="support") == "409"
    assert call.code("calling.queue.enter", control_id="c2", queue_name="sales") == "409"
    assert call.code("calling.queue.leave", control_id="c2", queue_name="sales") == "409"


def test_who_is_connected_cannot_wait_and_who_waits_cannot_be_connected(stage: Stage, calls: list[Inbound]):
    one, other, _third = calls
    enter(one)
    assert one.code("calling.connect", devices=[[phone_device("+1999")]]) == "409"
    other.do("calling.connect", devices=[[phone_device("+1999")]])
    assert other.code("calling.queue.enter", control_id="c1", queue_name="support") == "409"


def test_a_queue_without_a_name_is_refused(calls: list[Inbound]):
    assert calls[0].code("calling.queue.enter", control_id="c1", queue_name="") == "400"


def test_the_status_url_hears_what_the_events_tell(stage: Stage, peer: Peer, calls: list[Inbound]):
    one, other, _third = calls
    enter(one)
    enter(other, status_url="https://a/queue")
    leave(one)
    leave(other)

    bodies = [webhook.body["params"] for webhook in stage.sim.webhooks]
    assert bodies == [event for event in peer.events(EVENT) if event["call_id"] == other.call_id]
    assert [body["status"] for body in bodies] == ["enqueue", "waiting", "leave"]


def test_a_wait_for_a_place_says_where_it_was_not(calls: list[Inbound]):
    enter(calls[0])
    calls[0].line.is_in_queue("support")
    with pytest.raises(StoryError, match=r"is not in queue support at position 2 within 0\.1 s"):
        calls[0].line.is_in_queue("support", 2, within=0.1)
    calls[0].line.hangs_up()
    with pytest.raises(StoryError, match="before the call ended"):
        calls[0].line.is_in_queue("support")


def test_idle_queues_are_forgotten_when_there_are_too_many(stage: Stage, peer: Peer):
    """A demonstration may run for days. One that is in use stays."""
    waiting = stage.inbound(peer)
    waiting.do("calling.queue.enter", control_id="w", queue_name="in use")
    call = stage.inbound(peer)
    for n in range(BOUND + 5):
        call.do("calling.queue.enter", control_id="c", queue_name=f"queue {n}")
        call.do("calling.queue.leave", control_id="c", queue_name=f"queue {n}")

    names = [queue.name for queue in stage.sim.queues]
    assert len(names) == BOUND
    assert names[0] == "in use"
    assert names[-1] == f"queue {BOUND + 4}"
