"""Where what belongs to no living call and to no text is given to the application. Layer: hall.

`execute`, `receive` and `unreceive` belong to none. Whoever asks may hang a callback on the future, and callbacks run
where the future is settled: that must not be a turn of the connection, which waits for nobody's code. And a coroutine
that is to be told that its call is long gone needs an actor that drives it.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from relay_actors.actors.aside import run_aside
from relay_actors.errors import RelayActorsError
from relay_actors.protocol.base import JsonObject
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.future import Future

__all__ = ["Desk", "DeskActor", "Settles"]

_log = logging.getLogger("relay_actors.desk")


class DeskActor(Actor):
    """Settles futures, each in a turn of its own, and drives coroutines."""

    @classmethod
    def make_ref(cls, cell: Any) -> Any:
        """Make the ref of a desk. For the cell."""
        return _DeskRef(cell)


class _DeskRef(ActorRef[Any]):
    def signal(self, signal: _Settle | _Drive) -> None:
        self._cell.signal(signal)


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

    def open(self) -> tuple[Future[JsonObject], Settles]:
        """Return a future, and what is to be told the answer. Any thread."""
        future: Future[JsonObject] = Future(self._dispatcher)
        self._open.add(future)
        return future, Settles(future, self)

    def settle(self, future: Future[JsonObject], result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Settle a future of `open`, in a turn of the desk. Any thread."""
        self._open.discard(future)
        self._ref.signal(_Settle(future, result, error))

    @property
    def open_count(self) -> int:
        """How many requests wait for their answer. Any thread."""
        return len(self._open)

    def drive(self, coroutine: Coroutine[Any, Any, Any], what: str, whose: str) -> None:
        """Run a coroutine for which no other actor is left; what it raises is logged. Any thread.

        Args:
            coroutine: what to run; it awaits what a flow may await.
            what: what it is, for the log.
            whose: a key and a value, for the log.
        """
        self._ref.signal(_Drive(coroutine, what, whose))

    def drive_callback(self, order: Any) -> None:
        """Run the coroutine that ``on_completed`` of an operation gave, whose call is over. Any thread."""
        action = getattr(order, "action", None)
        coroutine = action.take_callback() if action is not None else None
        if coroutine is not None:
            self.drive(coroutine, "on_completed", f"action={action}")

    def close(self, error: BaseException) -> None:
        """Nothing is answered any more: fail what is open. Any thread but those of actors."""
        for future in list(self._open):
            self._open.discard(future)
            future.try_fail(error)


class Settles:
    """Told the answer that settles a future; an `OnAnswer`.

    Args:
        future: which one.
        desk: whose.
    """

    __slots__ = ("_desk", "future")

    def __init__(self, future: Future[JsonObject], desk: Desk) -> None:
        self.future = future
        self._desk = desk

    def __call__(self, result: JsonObject | None, error: RelayActorsError | None) -> None:
        """Take the answer."""
        self._desk.settle(self.future, result, error)


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


class _Drive:
    """A signal, for the same reason: a coroutine is begun, or else closed and told of."""

    __slots__ = ("_coroutine", "_what", "_whose")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], what: str, whose: str) -> None:
        self._coroutine = coroutine
        self._what = what
        self._whose = whose

    def handle(self, cell: Any) -> None:
        """Begin it, in a turn of the desk."""
        run_aside(cell, self._coroutine, self._what, self._whose)

    def refuse(self, cell: Any) -> None:
        """The application has stopped: nobody is left who could drive it."""
        self._coroutine.close()
        _log.warning("%s was not run, the application has stopped %s", self._what, self._whose)
