"""What blocking code will give to a call, and what is found out elsewhere. Layer: hall."""

from __future__ import annotations

from typing import TypeVar

from relay_actors.actors.waits import OwnWait, Wait
from relay_actors.runtime.blocking import BlockingFuture

__all__ = ["BlockingWait", "FoundWait"]

T = TypeVar("T")


class BlockingWait(BlockingFuture[T], Wait[T]):
    """A wait for a function that runs elsewhere; see `BlockingFuture`."""


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
