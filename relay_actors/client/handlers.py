"""The user's handlers, and the asyncio loop on which they run, whoever has something for them. Layer: door."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

__all__ = ["Handlers", "required"]

_log = logging.getLogger("relay_actors.client")

Handler = Callable[[Any], Any]
H = TypeVar("H", bound=Handler)


class Handlers:
    """Calls functions on one loop, in the order in which that was asked for; what is a coroutine becomes a task.

    Attributes:
        on_call: the user's handler of inbound calls, or None.
        on_message: the user's handler of inbound texts, or None.
    """

    def __init__(self) -> None:
        self.on_call: Handler | None = None
        self.on_message: Handler | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = contextvars.Context()
        # The loop itself keeps no strong reference: a task that nobody holds may vanish half-way.
        self._tasks: set[asyncio.Future[Any]] = set()

    def bind(self) -> None:
        """From now on, run everything on the running loop, in the present context."""
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()

    def run(self, function: Callable[..., Any], *arguments: Any) -> bool:
        """Have ``function(*arguments)`` run on the loop; what it raises is logged. Any thread.

        Returns:
            False: there is no loop any more, and nothing will be run; that is logged.
        """
        try:
            if self._loop is None:
                raise RuntimeError("the client has never been connected")
            self._loop.call_soon_threadsafe(self._begin, function, arguments, context=self._context)
        except RuntimeError as error:
            _log.error("handler not run handler=%s: %s", _name(function), error)
            return False
        return True

    def on_loop(self, handler: Handler) -> Handler:
        """Return a function that has ``handler`` run on the loop with what it is given, and does not wait for it.

        Raises:
            TypeError: ``handler`` cannot be called.
        """
        required(handler)

        def hand_over(argument: Any) -> None:
            self.run(handler, argument)

        return hand_over

    def _begin(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        try:
            given = function(*arguments)
        except Exception:
            _log.exception("handler raised handler=%s", _name(function))
            return
        if inspect.isawaitable(given):
            task = asyncio.ensure_future(_guarded(given, _name(function)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


def required(handler: H) -> H:
    """Return ``handler``.

    Raises:
        TypeError: it cannot be called.
    """
    if not callable(handler):
        raise TypeError(f"a handler must be a function of one argument, not {handler!r}")
    return handler


async def _guarded(awaitable: Awaitable[Any], name: str) -> None:
    try:
        await awaitable
    except Exception:
        _log.exception("handler raised handler=%s", name)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
