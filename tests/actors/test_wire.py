"""What outlives the connection's actor."""

from __future__ import annotations

from typing import Any

import pytest

from relay_actors.actors.connection import ConnectionActor
from relay_actors.actors.leaving import Leave
from relay_actors.actors.outgoing import Outgoing
from relay_actors.actors.tree import Tree
from relay_actors.actors.wire import Consult, Disconnect, Drain
from relay_actors.config import Limits
from relay_actors.errors import ConnectionLostError, JournalError, NotSentError, RelayActorsError, TransportError
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.runtime.future import Future
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


@pytest.mark.parametrize("how", ["it was killed", "it has failed for good"])
def test_what_the_connection_had_not_come_to_when_it_ended_is_answered(
    how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for ever, whoever has asked. SEMANTICS A5, K6, M5."""
    with PlainWorld() as world:
        world.start()
        tree = world.app._running()
        if how == "it has failed for good":
            monkeypatch.setattr(ConnectionActor, "after_batch", lambda _self: 1 / 0)
        told: list[RelayActorsError | None] = []
        tree.office.send(Outgoing("calling.x", {}, lambda _result, error: told.append(error)))
        asked = [world.app.execute("calling.y", {}), world.app.receive(["sales"])]
        done: list[Future[Any]] = [Future(), Future(), Future(), Future()]
        for message in (Drain(done[0]), Disconnect(done[1]), Leave(done[2]), Consult(lambda _wire: 1, done[3])):
            tree.office.tell_connection(message)
        if how == "it was killed":
            tree.office.connection._cell.kill("test")
        world.settle()
        assert not tree.office.connection.is_alive()
        assert [type(error) for error in told] == [NotSentError]
        for future in asked:
            with pytest.raises(NotSentError, match="was not sent"):
                future.get(timeout=1.0)
        assert [future.is_settled for future in done] == [True] * 4


def test_a_request_that_is_refused_as_the_journal_fails_is_answered() -> None:
    """The journal was to know of it. SEMANTICS A5, J6."""
    medium = MemoryMedium()
    with PlainWorld(journal=MemoryStore(medium), limits=Limits(queued_requests=1)) as world:
        world.is_down = True
        world.start(wait_s=None)
        world.settle()
        office = world.app._running().office
        told: list[RelayActorsError | None] = []
        office.send(Outgoing("calling.x", {}, lambda _result, _error: None, "call", 1))
        world.settle()
        world.app._running().wire.journal._keep = lambda *_entry: (_ for _ in ()).throw(JournalError("full"))  # type: ignore[method-assign]
        office.send(Outgoing("calling.x", {}, lambda _result, error: told.append(error), "call", 2))
        world.settle()
        assert [type(error) for error in told] == [NotSentError]


def test_with_a_journal_that_fails_before_the_connection_is_opened_none_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service may have sent something: nothing may be promised any more, so no call may be taken. SEMANTICS J6."""
    with PlainWorld(journal=MemoryStore(MemoryMedium())) as world:
        recover = Tree.recover

        def fails(tree: Tree) -> int:
            monkeypatch.setattr(MemoryStore, "commit", lambda _store: (_ for _ in ()).throw(JournalError("full")))
            tree.office.send(Outgoing("calling.x", {}, lambda _result, _error: None, "call", 1))
            world.settle()
            return recover(tree)

        monkeypatch.setattr(Tree, "recover", fails)
        world.start(wait_s=None)
        world.run(60.0)
        assert world.connected_at == []
        ended = world.app._running().wire.ended
        assert isinstance(ended.get(timeout=1.0), JournalError)
