"""What blocking code will give, and what becomes of an error that nobody has asked for. Layer: pillar.

Source: SEMANTICS A16.
"""

from __future__ import annotations

import contextvars
import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.future import Future
from relay_actors.runtime.piping import Piped
from relay_actors.runtime.signals import Unwrapped

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


class BlockingFuture(Future[T]):
    """What a function will give that runs elsewhere.

    An error is raised for everybody who asks. One that nobody has asked for is logged, once, when its owner says that
    nobody will ask any more (`abandon`), or when it comes after that.

    Args:
        name: of the function, for the log.
        log: where such an error goes.
        dispatcher: who runs the actor that has asked.
        owner: its cell, if it may not wait for this in its own turn.
    """

    def __init__(
        self,
        name: str,
        log: logging.LoggerAdapter[logging.Logger],
        dispatcher: Dispatcher | None = None,
        owner: Runnable | None = None,
    ) -> None:
        super().__init__(dispatcher, owner)
        self._name = name
        self._log = log
        self._is_abandoned = False
        # What there is to report; whoever pops it has told, or has been told. A pop is one step for all threads.
        self._reports = [name]

    def does(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[], None]:
        """Return what calls the function and settles this; it runs in any thread."""

        def call() -> None:
            try:
                self.try_set(function(*args, **kwargs))
            except BaseException as error:  # also a SystemExit: nobody else would tell the flow
                self.try_fail(error)
                # `abandon` first notes and then looks, here it is the other way round: one of the two sees both.
                if self._is_abandoned:
                    self._tell()

        return call

    def begin(self, cell: AnyCell, function: Callable[..., T], *args: Any, **kwargs: Any) -> None:
        """Have the function called on the blocking pool, for an actor."""
        call = self.does(function, *args, **kwargs)
        if cell.system.observation.observers:  # what it does, and what follows, belongs to the trace of this (O2)
            call = functools.partial(contextvars.copy_context().run, call)
        cell.dispatcher.run_blocking(call, self._name)

    def try_fail(self, error: BaseException) -> bool:
        """Settle with an error, unless settled already; see `Future.try_fail`."""
        if any(isinstance(callback, Piped) for callback in tuple(self._callbacks)):
            self._take_report()  # the message that is made of it says so, if only as a dead letter
        return super().try_fail(error)

    @property
    def is_owed(self) -> bool:
        """Whether it is still running, or has an error that nobody has asked for."""
        return not self.is_settled or (self._error is not None and bool(self._reports))

    def abandon(self) -> None:
        """Say that nobody will ask any more. Idempotent; any thread."""
        self._is_abandoned = True
        if self.is_settled:
            self._tell()

    @property
    def untold(self) -> BaseException | None:
        """The error with which it was settled, or None; who looks here has not asked for it."""
        return self._error

    def was_asked_for(self) -> None:
        """Somebody has asked for what it gives, by a wait that follows it."""
        self._take_report()

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        if self._error is not None:
            self._take_report()
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `Future.get`."""
        try:
            return super().get(timeout=timeout)
        finally:
            if self.is_settled:
                self._take_report()

    def _take_report(self) -> str:
        try:
            return self._reports.pop()
        except IndexError:
            return ""

    def _tell(self) -> None:
        error = self._error
        if error is not None and (name := self._take_report()):
            self._log.warning("blocking code raised, and nobody awaits it any more: %s", name, exc_info=error)


def abandon_after_handler(cell: AnyCell, future: BlockingFuture[Any]) -> None:
    """Abandon it when the handler is over that has begun it: that asks at once, by a callback, or never. In its turn.

    One that awaits is over when it has returned.
    """
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
