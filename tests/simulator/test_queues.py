"""Queues. Source: PROTOCOL 12."""

from __future__ import annotations

from tests.simulator.stage import Inbound, Peer, Stage

EVENT = "calling.call.queue"


def enter(call: Inbound) -> None:
    call.do("calling.queue.enter", control_id="c1", queue_name="support")


def test_callers_stand_one_behind_the_other(stage: Stage, peer: Peer):
    one, other = stage.inbound(peer), stage.inbound(peer)
    enter(one)
    stage.run(20)
    enter(other)

    first, second = peer.events(EVENT)
    assert (first["status"], first["position"], first["size"]) == ("enqueue", 1, 1)
    assert (second["position"], second["size"], second["name"]) == (2, 2, "support")
    assert first["id"] == second["id"]
    assert second["avg_time"] == 10
    assert second["enqueue_ts"] - first["enqueue_ts"] == 20_000_000, "microseconds"


def test_leaving_makes_the_queue_shorter(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    enter(call)
    call.do("calling.queue.leave", control_id="c2", queue_name="support")

    left = peer.events(EVENT)[-1]
    assert (left["status"], left["size"]) == ("leave", 0)
    assert left["leave_ts"] >= left["enqueue_ts"]
    assert call.code("calling.queue.leave", control_id="c2", queue_name="support") == "404"


def test_hanging_up_is_leaving(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    enter(call)
    call.line.hangs_up()

    assert peer.states(EVENT, "status") == ["enqueue", "leave"]


def test_nobody_stands_twice_in_one_queue(stage: Stage, peer: Peer):
    call = stage.inbound(peer)
    enter(call)
    assert call.code("calling.queue.enter", control_id="c2", queue_name="support") == "409"
