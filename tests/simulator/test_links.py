"""Plugging an in-process transport into the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from relay_actors.errors import TransportError
from relay_actors.simulator.links import LinkDriver
from relay_actors.transport.memory import MemoryTransport, memory_pair
from tests.simulator.stage import Stage


def connect(far: MemoryTransport, request_id: str = "c") -> None:
    version = {"major": 2, "minor": 0, "revision": 0}
    params = {"version": version, "event_acks": True, "authentication": {"project": "p", "token": "t"}}
    far.send(
        [json.dumps({"jsonrpc": "2.0", "id": request_id, "method": "signalwire.connect", "params": params}).encode()]
    )


def test_texts_go_both_ways(stage: Stage):
    near, far = memory_pair()
    LinkDriver(stage.sim, near)
    connect(far)

    (answer,) = far.receive()
    assert json.loads(answer)["result"]["protocol"] == stage.sim.sessions[0]


def test_what_was_sent_before_it_was_plugged_in_is_read(stage: Stage):
    near, far = memory_pair()
    connect(far)
    LinkDriver(stage.sim, near)

    assert len(far.receive()) == 1


def test_the_driver_gets_its_turn_from_whoever_schedules(stage: Stage):
    """In a deterministic world nothing may happen on the side."""
    waiting: list[Callable[[], None]] = []
    near, far = memory_pair()
    LinkDriver(stage.sim, near, schedule=waiting.append)
    connect(far)
    assert far.receive() == []
    for pump in waiting:
        pump()

    assert len(far.receive()) == 1


def test_the_session_waits_when_the_far_end_is_closed(stage: Stage):
    near, far = memory_pair()
    LinkDriver(stage.sim, near)
    connect(far)
    far.abort()
    name = stage.sim.sessions[0]
    with pytest.raises(AssertionError, match="0 of 1 clients"):
        stage.sim.wait_for_clients(within=0.1)

    assert stage.sim.sessions == (name,)


@pytest.mark.parametrize("clean", [True, False])
def test_dropped_sockets_are_seen_at_the_far_end_after_the_last_texts(stage: Stage, clean: bool):
    near, far = memory_pair()
    LinkDriver(stage.sim, near)
    connect(far)
    stage.sim.push({"jsonrpc": "2.0", "method": "last.words"})
    stage.sim.drop_sockets(clean=clean)

    texts = far.receive()
    assert json.loads(texts[-1])["method"] == "last.words"
    with pytest.raises(TransportError):
        far.receive()


def test_no_connection_is_taken_while_sockets_are_down(stage: Stage):
    near, _far = memory_pair()
    with stage.sim.socket_down(), pytest.raises(ConnectionRefusedError):
        LinkDriver(stage.sim, near)


def test_a_driver_whose_connection_is_closed_is_harmless(stage: Stage):
    near, far = memory_pair()
    driver = LinkDriver(stage.sim, near)
    driver.close(clean=True)
    driver.close(clean=True)
    driver.send_texts([b"x"])
    driver.pump()

    with pytest.raises(TransportError):
        far.receive()


def test_texts_to_a_far_end_that_has_just_gone_are_lost_without_a_fuss(stage: Stage):
    """The loss is noticed at the next pump, not in the middle of somebody's turn."""
    waiting: list[Callable[[], None]] = []
    near, far = memory_pair()
    driver = LinkDriver(stage.sim, near, schedule=waiting.append)
    connect(far)
    driver.pump()
    far.abort()
    stage.sim.push({"method": "too.late"})
    driver.pump()

    assert stage.sim.unacknowledged == ()
    assert stage.sim.wait_until(lambda: True, 0.0)
