"""What outlives the connection's actor."""

from __future__ import annotations

import pytest

from relay_actors.actors.outgoing import Outgoing
from relay_actors.errors import ConnectionLostError, RelayActorsError, TransportError
from relay_actors.transport.memory import memory_pair
from tests.support.plain_world import PlainWorld


def test_a_release_lets_nobody_wait_and_leaves_no_socket() -> None:
    """Also of sockets that were opened and never taken over. SEMANTICS H9."""
    with PlainWorld() as world:
        world.start()
        wire = world.app._running().wire
        told: list[tuple[object, RelayActorsError | None]] = []
        wire.pending["id"] = Outgoing("calling.x", {}, lambda result, error: told.append((result, error)))
        near, far = memory_pair()
        wire.opened.append(near)
        error = ConnectionLostError()
        for _ in range(2):
            wire.release(error)
        assert told == [(None, error)]
        assert wire.pending == {}
        with pytest.raises(TransportError, match="vanished"):
            far.receive()


def test_it_begins_with_nothing() -> None:
    """A second start of an application knows nothing of the first. SEMANTICS L10."""
    with PlainWorld() as world:
        world.start(wait_s=None)
        wire = world.app._running().wire
        assert (wire.pending, len(wire.live), wire.drains, wire.lost_at, wire.broken) == ({}, 0, False, None, None)
