"""What outlives the connection's actor."""

from __future__ import annotations

import pytest

from relay_actors.actors.outgoing import Outgoing
from relay_actors.config import Limits
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


def test_late_answers_are_awaited_within_bounds_and_for_who_is_there() -> None:
    """A server that answers nothing must not fill the memory, and nobody wants news of a call that is over."""
    with PlainWorld(limits=Limits(queued_requests=2)) as world:
        world.start(wait_s=None)
        wire = world.app._running().wire

        def nobody(_result: object, _error: object) -> None:
            raise AssertionError

        wire.await_late("0", Outgoing("calling.x", {}, nobody, "a"))  # nobody asks for it
        assert not wire.late
        for number in "123":
            wire.await_late(number, Outgoing("calling.x", {}, nobody, f"call {number}", on_late=nobody))
        assert list(wire.late) == ["2", "3"]
        wire.forget_late("call 2")
        assert list(wire.late) == ["3"]


def test_a_release_tells_those_who_were_held_back() -> None:
    """Nobody waits for a connection that will not come. SEMANTICS A5."""
    with PlainWorld() as world:
        world.start()
        wire = world.app._running().wire
        told: list[RelayActorsError | None] = []

        def on_answer(_result: object, error: RelayActorsError | None) -> None:
            told.append(error)

        wire.holding.hold("a")
        wire.pending["1"] = Outgoing("calling.x", {}, on_answer, "a", on_late=on_answer)
        wire.holding.take("1", "a", 0.0)
        error = ConnectionLostError()
        wire.release(error)
        assert told == [error]
        assert len(wire.holding) == 0
