"""What code elsewhere will give to a call, and what is found out there. Layer: hall."""

from __future__ import annotations

from typing import Any, TypeVar

from relay_actors.actors.waits import OwnWait, Wait
from relay_actors.runtime.blocking import BlockingFuture
from relay_actors.runtime.future import Future
from relay_actors.runtime.owed import Brought, Owed

__all__ = ["AioWait", "BlockingWait", "FoundWait", "untold_of"]

T = TypeVar("T")


class BlockingWait(BlockingFuture[T], Wait[T]):
    """A wait for a function that runs elsewhere; see `BlockingFuture`."""


class AioWait(Brought[T], Wait[T]):
    """A wait for asyncio code."""


class FoundWait(OwnWait[T]):
    """A wait for what is found out elsewhere, and written down before anybody goes on with it.

    Attributes:
        source: where it is found out; who asks here for its error has asked there. None as long as nobody looks for it.
    """

    source: object = None

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        if self._error is not None and isinstance(self.source, Owed):
            self.source.was_asked_for()
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `CallFuture.get`."""
        try:
            return super().get(timeout=timeout)
        finally:
            if self.is_settled and isinstance(self.source, Owed):
                self.source.was_asked_for()


def untold_of(found: Future[Any]) -> BaseException | None:
    """Return the error of what was found out elsewhere, or None; who looks here has not asked for it."""
    return found.untold if isinstance(found, Owed) else found.error
