"""Futures of code that runs elsewhere: an error of it is raised for who asks, or else logged, once. Layer: pillar.

Source: SEMANTICS A16.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.future import Future
from relay_actors.runtime.waiting import LetsGo

__all__ = ["Brought", "Owed"]

T = TypeVar("T")


class Owed(Future[T]):
    """What code elsewhere will give. An error is raised for everybody who asks; when to log one says the subclass.

    Args:
        name: of the code, for the log.
        log: where an error goes that nobody has asked for.
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
        # What there is to report; whoever pops it has told, or has been told. A pop is one step for all threads.
        self._reports = [name]

    @property
    def untold(self) -> BaseException | None:
        """The error with which it was settled, or None; who looks here has not asked for it."""
        return self._error

    def was_asked_for(self) -> None:
        """Somebody has asked for what it gives, perhaps by a wait that follows it."""
        if self._reports:
            self._take_report()

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        if self._error is not None:
            self.was_asked_for()
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `Future.get`."""
        try:
            return super().get(timeout=timeout)
        finally:
            if self.is_settled:
                self.was_asked_for()

    def _take_report(self) -> str:
        try:
            return self._reports.pop()
        except IndexError:
            return ""

    def _tell(self, what: str) -> None:
        """Log an error that nobody has asked for, unless it was; ``what`` is the kind of code."""
        error = self._error
        if error is not None and (name := self._take_report()):
            self._log.warning("%s code raised, and nobody awaits it any more: %s", what, name, exc_info=error)


class Brought(Owed[T], LetsGo[T]):
    """What asyncio code brings. An error that nobody has asked for is logged when nobody is left who could ask.

    Args:
        coroutine: what brings it.
        log: see `Owed`.
        dispatcher: see `Owed`.
        owner: see `Owed`.
    """

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, T],
        log: logging.LoggerAdapter[logging.Logger],
        dispatcher: Dispatcher | None = None,
        owner: Runnable | None = None,
    ) -> None:
        super().__init__(getattr(coroutine, "__qualname__", type(coroutine).__name__), log, dispatcher, owner)
        self._has_raised = False

    def raised(self, error: BaseException) -> None:
        """The code has raised. On the loop's thread. It was cancelled otherwise, and that is nothing to be told of."""
        self._has_raised = self.try_fail(error)

    def __del__(self) -> None:
        if self._has_raised and not sys.is_finalizing():
            self._tell("asyncio")
