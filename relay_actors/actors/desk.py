"""Where the answers to an application's own requests are given to it. Layer: hall.

`execute`, `receive` and `unreceive` belong to no call and to no text. Whoever asks may hang a callback on the future,
and callbacks run where the future is settled: that must not be a turn of the connection, which waits for nobody's code.
"""

from __future__ import annotations

from typing import Any

from relay_actors.actors.outgoing import OnAnswer
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.runtime.actor import Actor, ActorRef
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.future import Future

__all__ = ["Desk", "DeskActor"]


class DeskActor(Actor):
    """Settles futures, each in a turn of its own."""

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref of a desk. For the cell."""
        return _DeskRef(cell)


class _DeskRef(ActorRef[Any]):
    def settle(self, settling: _Settle) -> None:
        self._cell.signal(settling)


class Desk:
    """The requests of an application that are under way.

    Args:
        ref: a `DeskActor`.
        dispatcher: who runs the actors.
    """

    def __init__(self, ref: ActorRef[DeskActor], dispatcher: Dispatcher) -> None:
        assert isinstance(ref, _DeskRef)
        self._ref = ref
        self._dispatcher = dispatcher
        self._open: set[Future[JsonObject]] = set()

    def open(self) -> tuple[Future[JsonObject], OnAnswer]:
        """Return a future, and what is to be told the answer. Any thread."""
        future: Future[JsonObject] = Future(self._dispatcher)
        self._open.add(future)

        def on_answer(result: JsonObject | None, error: RelayActorsError | None) -> None:
            self._open.discard(future)
            self._ref.settle(_Settle(future, result, error))

        return future, on_answer

    def close(self, error: RelayActorsError) -> None:
        """Nothing is answered any more: fail what is open. Any thread but those of actors."""
        for future in list(self._open):
            self._open.discard(future)
            future.try_fail(error)


class _Settle:
    """A signal, not a message: it is handled or refused, never dropped, also when the desk ends."""

    __slots__ = ("_error", "_future", "_result")

    def __init__(self, future: Future[JsonObject], result: JsonObject | None, error: RelayActorsError | None) -> None:
        self._future = future
        self._result = result
        self._error = error

    def handle(self, cell: Any) -> None:
        """Settle it, in a turn of the desk."""
        if self._error is not None:
            self._future.try_fail(self._error)
        else:
            self._future.try_set(dict(self._result or {}))

    def refuse(self, cell: Any) -> None:
        """The desk has ended: settle it here."""
        self.handle(cell)
