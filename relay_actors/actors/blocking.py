"""What blocking code will give, and what becomes of an error that nobody has asked for. Layer: hall."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.actors.waits import OwnWait, Wait
from relay_actors.runtime.base import Dispatcher, Runnable

__all__ = ["BlockingWait", "FoundWait"]

T = TypeVar("T")


class BlockingWait(Wait[T]):
    """A wait for a function that runs elsewhere.

    An error is raised for everybody who asks. One that nobody has asked for is logged, once, when its owner says that
    nobody will ask any more (`abandon`), or when it comes after that.

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
        self._log = log
        self._is_abandoned = False
        # What there is to report; whoever pops it has told, or has been told. A pop is one step for all threads.
        self._reports = [name]

    def does(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Callable[[], None]:
        """Return what calls the function and settles this wait; it runs in any thread."""

        def call() -> None:
            try:
                self.try_set(function(*args, **kwargs))
            except BaseException as error:  # also a SystemExit: nobody else would tell the flow
                self.try_fail(error)
                # `abandon` first notes and then looks, here it is the other way round: one of the two sees both.
                if self._is_abandoned:
                    self._tell()

        return call

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
        """Wait for the value and return it, or raise the error; see `CallFuture.get`."""
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


class FoundWait(OwnWait[T]):
    """A wait for what is found out elsewhere, and written down before anybody goes on with it.

    Attributes:
        source: where it is found out; who asks here for its error has asked there. None as long as nobody looks for it.
    """

    source: object = None

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `CallFuture.get`."""
        try:
            return super().get(timeout=timeout)
        finally:
            if self.is_settled and isinstance(self.source, BlockingWait):
                self.source.was_asked_for()
