"""The futures of telephony: replies to commands, and waits with an end. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from relay_actors.errors import WouldDeadlock
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future

__all__ = ["CallFuture", "Reply", "Wait", "follow", "give_up_after"]

T = TypeVar("T")


class CallFuture(Future[T]):
    """A future that is settled in the turns of one actor.

    Args:
        dispatcher: who runs that actor.
        owner: its cell. Inside its own turn, waiting with ``get`` would be for ever, and is refused.
    """

    def __init__(self, dispatcher: Dispatcher | None = None, owner: Runnable | None = None) -> None:
        super().__init__(dispatcher)
        self._owner = owner

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `Future.get`.

        Raises:
            WouldDeadlock: asked for by the very actor whose turn would have to settle it (SEMANTICS A8).
        """
        if not self._settled and self._owner is not None and here.turn is self._owner:
            raise WouldDeadlock(
                f"{self._owner} would wait for itself, and hear nothing meanwhile. Await this in `async def run`, "
                "or let what it brings come to on_receive"
            )
        return super().get(timeout=timeout)


class Reply(CallFuture[JsonObject]):
    """The reply to a command: the server's whole result object, or ``{}`` when the call is gone (404, 410).

    Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread. It raises a `RelayError` when the command
    was refused or its answer was lost, and `CallEnded` when the call ended first. Nobody has to look at it: a refusal
    that nobody asked for is told as `CommandFailed`.

    Attributes:
        command: what was asked.
        is_wanted: whether somebody waits for it, or has a callback on it.
    """

    def __init__(self, command: Command, dispatcher: Dispatcher | None = None, owner: Runnable | None = None) -> None:
        super().__init__(dispatcher, owner)
        self.command = command
        self.is_wanted = False

    def get(self, *, timeout: float | None = None) -> JsonObject:
        """Wait for the result and return it; see `CallFuture.get`."""
        self.is_wanted = True
        return super().get(timeout=timeout)

    def __await__(self) -> Any:
        self.is_wanted = True
        return super().__await__()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        self.is_wanted = True
        super().add_done_callback(callback)


class Wait(CallFuture[T]):
    """A wait for something to happen. Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread."""


def follow(target: Future[T], source: Future[T]) -> None:
    """Settle ``target`` as ``source`` is settled, unless it is settled before. Any thread."""

    def pass_on(_source: object) -> None:
        if source.error is not None:
            target.try_fail(source.error)
        else:
            target.try_set(source.get(timeout=0))

    # Not what a `Reply` makes of it: that somebody follows does not mean that anybody asks.
    Future.add_done_callback(source, pass_on)
    Future.add_done_callback(target, lambda _target: source.remove_done_callback(pass_on))


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
