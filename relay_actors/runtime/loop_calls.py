"""Calls functions on asyncio loops that are the user's own, whoever has something for them. Layer: pillar.

Beside them, what asyncio leaves to threads: a loop of its own for somebody, and calls that block, to be awaited.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from relay_actors.runtime.future import Future

__all__ = ["LoopCalls", "aside", "required"]

_log = logging.getLogger("relay_actors.runtime")

Handler = Callable[[Any], Any]
H = TypeVar("H", bound=Handler)
T = TypeVar("T")


class LoopCalls:
    """Calls functions on loops, in the order in which that was asked for; what is a coroutine becomes a task."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = contextvars.Context()
        # A loop keeps no strong reference: a task that nobody holds may vanish half-way. Several loops put theirs here,
        # each its own, by steps that cannot be interrupted.
        self._tasks: set[asyncio.Future[Any]] = set()

    def bind(self) -> asyncio.AbstractEventLoop:
        """From now on, run everything on the running loop, in the present context; return the loop."""
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        return self._loop

    def run(self, function: Callable[..., Any], *arguments: Any, on: asyncio.AbstractEventLoop | None = None) -> bool:
        """Have ``function(*arguments)`` run on the loop; what it raises is logged. Any thread.

        Args:
            function: what to call.
            arguments: with what.
            on: another loop; once that is closed, it is the bound one all the same.

        Returns:
            False: there is no loop any more, and nothing will be run; that is logged.
        """
        if on is not None:
            with contextlib.suppress(RuntimeError):  # it has been closed
                on.call_soon_threadsafe(self._begin, function, arguments, context=self._context.copy())
                return True
        try:
            if self._loop is None:
                raise RuntimeError("no loop has been bound")
            self._loop.call_soon_threadsafe(self._begin, function, arguments, context=self._context.copy())
        except RuntimeError as error:
            _log.error("handler not run handler=%s: %s", _name(function), error)
            return False
        return True

    def run_apart(self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> bool:
        """Run a coroutine function on a loop and a thread of its own, which end when nothing runs there any more.

        Returns:
            True: it will be run; as `run` does.
        """

        async def stay() -> None:
            await function(*arguments)
            while others := asyncio.all_tasks() - {asyncio.current_task()}:
                await asyncio.wait(others)

        def live() -> None:
            with contextlib.suppress(asyncio.CancelledError):  # whoever was awaited has gone
                asyncio.run(stay())

        # A daemon: whoever blocks here must not hold up the end of the process.
        threading.Thread(target=self._context.copy().run, args=(live,), name="relay-loop", daemon=True).start()
        return True

    def on_loop(self, handler: Handler) -> Handler:
        """Return a function that has ``handler`` run with what it is given, and does not wait for it.

        On the loop on which this is called; on the bound one when it is called from elsewhere.

        Raises:
            TypeError: ``handler`` cannot be called.
        """
        required(handler)
        loop = asyncio._get_running_loop()  # noqa: SLF001  # documented: the one that tells of "none" without an error

        def hand_over(argument: Any) -> None:
            self.run(handler, argument, on=loop)

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


def aside(function: Callable[..., T], *arguments: Any) -> Future[T]:
    """Call what blocks in a thread of its own, which does not hold up the end of the process; to be awaited."""
    outcome: Future[T] = Future()

    def call() -> None:
        try:
            outcome.set(function(*arguments))
        except BaseException as error:  # whatever it is, it is for who waits
            outcome.set_exception(error)

    threading.Thread(target=call, name=f"relay-{function.__name__}", daemon=True).start()
    return outcome


async def _guarded(awaitable: Awaitable[Any], name: str) -> None:
    try:
        await awaitable
    except Exception:
        _log.exception("handler raised handler=%s", name)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
