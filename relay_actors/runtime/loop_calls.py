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
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from relay_actors.runtime.future import Future

__all__ = ["LoopCalls", "aside", "pause", "required"]

_log = logging.getLogger("relay_actors.runtime")

Handler = Callable[[Any], Any]
H = TypeVar("H", bound=Handler)
T = TypeVar("T")


class LoopCalls:
    """Calls functions on loops, in the order in which that was asked for; what is a coroutine becomes a task."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._context = contextvars.Context()
        # Guards what follows: functions may be given by any thread, and run on several loops.
        self._changed = threading.Condition()
        # A loop keeps no strong reference: a task that nobody holds may vanish half-way.
        self._tasks: set[asyncio.Future[Any]] = set()
        self._closing: weakref.WeakSet[asyncio.AbstractEventLoop] = weakref.WeakSet()
        self._apart = 0

    def bind(self) -> asyncio.AbstractEventLoop:
        """From now on, run everything on the running loop, in the present context; return the loop."""
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()
        return self._loop

    @property
    def is_over(self) -> bool:
        """Whether the bound loop has been closed, so that nothing can be run on it any more."""
        return self._loop is not None and self._loop.is_closed()

    def run(self, function: Callable[..., Any], *arguments: Any, on: asyncio.AbstractEventLoop | None = None) -> bool:
        """Have ``function(*arguments)`` run on the loop; what it raises is logged. Any thread.

        Args:
            function: what to call.
            arguments: with what.
            on: another loop; once that comes to its end, it is the bound one all the same.

        Returns:
            False: there is no loop any more, and nothing will be run; that is logged.
        """
        with self._changed:
            for loop in (on, self._loop):
                if loop is not None and loop not in self._closing:
                    with contextlib.suppress(RuntimeError):  # it has been closed
                        loop.call_soon_threadsafe(self._begin, function, arguments, context=self._context.copy())
                        return True
        _log.error("handler not run, there is no loop for it handler=%s", _name(function))
        return False

    def run_apart(
        self, function: Callable[..., Coroutine[Any, Any, None]], *arguments: Any, patience_s: float = 30.0
    ) -> None:
        """Run a coroutine function on a loop and a thread of its own.

        They end when nothing runs there any more, and at the latest after some time.

        Args:
            function: what to run.
            arguments: what it is given.
            patience_s: how many seconds tasks that it has started may go on after it; then they are cancelled. What was
                given to its loop has as long once more.
        """

        async def stay() -> None:
            loop = asyncio.get_running_loop()
            await function(*arguments)
            until = loop.time() + patience_s
            while (others := _others()) and loop.time() < until:
                await asyncio.wait(others, timeout=until - loop.time())
            with self._changed:
                self._closing.add(loop)
            await asyncio.sleep(0)  # what was given before begins
            until = loop.time() + patience_s
            while (others := _others() & self._tasks) and loop.time() < until:
                await asyncio.wait(others, timeout=until - loop.time())
            for task in _others():
                _log.warning("a task goes on after its call, and is cancelled task=%s", task.get_name())

        def live() -> None:
            try:
                with contextlib.suppress(asyncio.CancelledError):  # whoever was awaited has gone
                    asyncio.run(stay())
            finally:
                with self._changed:
                    self._apart -= 1
                    self._changed.notify_all()

        with self._changed:
            self._apart += 1
        # A daemon: whoever blocks here must not hold up the end of the process.
        threading.Thread(target=self._context.copy().run, args=(live,), name="relay-loop", daemon=True).start()

    def join(self, timeout_s: float) -> bool:
        """Wait until nothing runs any more of what was given; for so many seconds. Any thread but that of a loop."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._tasks and not self._apart, timeout_s)

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
            with self._changed:
                self._tasks.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Future[Any]) -> None:
        with self._changed:
            self._tasks.discard(task)
            self._changed.notify_all()


async def pause(seconds: float) -> None:
    """Let so many seconds pass on the running loop."""
    await asyncio.sleep(seconds)


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


def _others() -> set[asyncio.Task[Any]]:
    """Return all tasks of the running loop but this one."""
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def _guarded(awaitable: Awaitable[Any], name: str) -> None:
    try:
        await awaitable
    except Exception:
        _log.exception("handler raised handler=%s", name)


def _name(function: Callable[..., Any]) -> str:
    return getattr(function, "__qualname__", repr(function))
