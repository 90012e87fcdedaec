"""What blocking code will give, and what becomes of an error that nobody has asked for. Layer: hall."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.actors.waits import Wait
from relay_actors.runtime.base import Dispatcher, Runnable

__all__ = ["BlockingWait"]

T = TypeVar("T")


class BlockingWait(Wait[T]):
    """A wait for a function that runs elsewhere.

    An error is raised for everybody who asks. One that nobody has asked for is logged, as a warning, as soon as nobody
    can ask any more: when this wait is dropped. So it is never told twice, however late somebody asks.

    Args:
        name: of the function, for the log.
        log: where such an error goes.
        dispatcher: who runs the actor that has asked.
        owner: its cell.
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
        self._is_told = False

    def does(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[], None]:
        """Return what calls the function and settles this wait, once; whoever runs it may keep it."""
        waiting = [self]

        def call() -> None:
            wait = waiting.pop()
            try:
                wait.try_set(function(*args, **kwargs))
            except BaseException as error:  # also a SystemExit: nobody else would tell the flow
                wait.try_fail(error)
            finally:
                # The error's traceback keeps this frame, and the wait keeps the error: neither would ever be dropped.
                del wait

        return call

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        self._is_told = True
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `CallFuture.get`."""
        try:
            return super().get(timeout=timeout)
        finally:
            self._is_told = self._settled

    def __del__(self) -> None:
        if self._error is not None and not self._is_told:
            self._log.warning("blocking code raised, and nobody has awaited it: %s", self._name, exc_info=self._error)
