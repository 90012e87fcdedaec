"""The futures of telephony: replies to commands, and waits with an end. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.protocol.base import Command, JsonObject
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.future import Future

__all__ = ["Reply", "Wait", "give_up_after"]

T = TypeVar("T")


class Reply(Future[JsonObject]):
    """The reply to a command: the server's whole result object, or ``{}`` when the call is gone (404, 410).

    Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread. It raises a `RelayError` when the command
    was refused or its answer was lost, and `CallEnded` when the call ended first. Nobody has to look at it: a failure
    that nobody asked for is told as `CommandFailed`.

    Attributes:
        command: what was asked.
    """

    def __init__(self, command: Command, dispatcher: Dispatcher | None = None) -> None:
        super().__init__(dispatcher)
        self.command = command
        self.is_wanted = False
        """Whether somebody waits for it, or has a callback on it."""

    def get(self, *, timeout: float | None = None) -> JsonObject:
        """Wait for the result and return it; see `Future.get`."""
        self.is_wanted = True
        return super().get(timeout=timeout)

    def __await__(self) -> Any:
        self.is_wanted = True
        return super().__await__()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        self.is_wanted = True
        super().add_done_callback(callback)


class Wait(Future[T]):
    """A wait for something to happen. Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread."""


def give_up_after(wait: Wait[T], timeout_s: float | None, dispatcher: Dispatcher, what: str) -> Wait[T]:
    """Let ``wait`` fail with `TimeoutError` after ``timeout_s`` seconds; None lets it wait for ever. Returns it."""
    if timeout_s is None or wait.is_settled:
        return wait
    error = TimeoutError(f"{what} did not happen within {timeout_s:g} s")
    timer = dispatcher.call_at(dispatcher.clock.now() + timeout_s, lambda: _give_up(wait, error))
    wait.add_done_callback(lambda _wait: timer.cancel())
    return wait


def _give_up(wait: Wait[T], error: TimeoutError) -> None:
    wait.try_fail(error)
