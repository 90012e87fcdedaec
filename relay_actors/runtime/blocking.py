"""What blocking code will give, and what becomes of an error that nobody has asked for. Layer: pillar.

Source: SEMANTICS A16.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.owed import Owed
from relay_actors.runtime.signals import Internal, Unwrapped

__all__ = ["BlockingFuture", "abandon_after_handler", "name_of_blocking"]

T = TypeVar("T")


def name_of_blocking(function: object) -> str:
    """Return what a function is called that is to be run on the blocking pool.

    Never its repr: that of a partial has the arguments, which may be anybody's card number.

    Raises:
        TypeError: it cannot be called, or is a coroutine function.
    """
    if not callable(function) or inspect.iscoroutinefunction(function):
        raise TypeError(
            f"blocking({function!r}, …): give a plain function and its arguments, blocking(f, x) and not "
            "blocking(f(x)); asyncio code is run by aio(f(x))"
        )
    inner = getattr(function, "func", function)
    return str(getattr(inner, "__qualname__", type(function).__name__))


class BlockingFuture(Owed[T]):
    """What a function will give that runs elsewhere.

    An error that nobody has asked for is logged when its owner says that nobody will ask any more (`abandon`), or when
    it comes after that.
    """

    _cell: AnyCell | None = None
    _is_abandoned = False

    def does(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[], None]:
        """Return what calls the function and settles this; it runs in any thread."""

        def call() -> None:
            try:
                self.try_set(function(*args, **kwargs))
            except BaseException as error:  # also a SystemExit: nobody else would tell the flow
                self.try_fail(error)
                # `abandon` first notes and then looks, here it is the other way round: one of the two sees both.
                if self._is_abandoned:
                    self._look_who_asks()

        return call

    def begin(self, cell: AnyCell, function: Callable[..., T], *args: Any, **kwargs: Any) -> None:
        """Have the function called on the blocking pool, for an actor."""
        self._cell = cell
        call = self.does(function, *args, **kwargs)
        if cell.system.observation.observers:  # what it does, and what follows, belongs to the trace of this (O2)
            call = functools.partial(contextvars.copy_context().run, call)
        cell.dispatcher.run_blocking(call, self._name)

    @property
    def is_owed(self) -> bool:
        """Whether it is still running, or has an error that nobody has asked for."""
        return not self.is_settled or (self._error is not None and bool(self._reports))

    def abandon(self) -> None:
        """Say that nobody will ask any more. Idempotent; any thread."""
        self._is_abandoned = True
        if self.is_settled:
            self._look_who_asks()

    def _look_who_asks(self) -> None:
        """Log it when whoever is told of it on the way to a message has had his turn to ask."""
        if self._error is None or not self._reports:
            return
        if self._cell is None or not self._cell.tell_control(_Unasked(self._cell, self)):
            self.tell()

    def tell(self) -> None:
        """Log the error, unless somebody has asked for it, or it was logged. Any thread."""
        self._tell("blocking")


def abandon_after_handler(cell: AnyCell, future: BlockingFuture[Any]) -> None:
    """Abandon it when the handler is over that has begun it: that asks at once, by a callback, or never. In its turn.

    One that awaits is over when it has returned. After its last hook an actor has no turn any more.
    """
    if cell.stopped:
        future.abandon()
    else:
        cell.tell_next(_TurnIsOver(cell, future))


class _TurnIsOver(Unwrapped):
    """The handler that has begun blocking code is over, or awaits something."""

    __slots__ = ("_cell", "_future")

    def __init__(self, cell: AnyCell, future: BlockingFuture[Any]) -> None:
        self._cell = cell
        self._future = future

    def deliver(self) -> None:
        """Nobody will ask any more, unless the handler goes on."""
        hold = self._cell.hold
        if hold is not None and hold.awaits:
            hold.afterwards(self._future.abandon)
        else:
            self._future.abandon()


class _Unasked(Internal):
    """An error that nobody has asked for yet, behind those messages by which somebody may come to ask."""

    __slots__ = ("_cell", "_future", "_is_last")

    interleaves = False

    def __init__(self, cell: AnyCell, future: BlockingFuture[Any], *, is_last: bool = False) -> None:
        self._cell = cell
        self._future = future
        self._is_last = is_last

    def deliver(self) -> None:
        """Go on behind what the former ones have brought: of what is on record it is a second message that asks."""
        if self._is_last or not self._cell.tell_control(_Unasked(self._cell, self._future, is_last=True)):
            self._future.tell()

    def loss(self) -> object:
        """The actor has ended: nobody comes to ask."""
        self._future.tell()
        return None
