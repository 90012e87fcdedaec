"""A pykka future that has done-callbacks and can be awaited in a flow and in asyncio. Layer: pillar."""

from __future__ import annotations

import asyncio
import logging
import queue
import sys
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar, cast

import pykka

from relay_actors.errors import FlowError
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.context import here

__all__ = ["Future", "WaitTimeout"]

T = TypeVar("T")
OptExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_log = logging.getLogger("relay_actors.runtime")

# Guards the moment of settling, of all futures: result, callbacks and waiter change together. One lock for all keeps
# a future small, and it is held for a few instructions only, never while foreign code runs.
_settling = threading.Lock()


class WaitTimeout(pykka.Timeout, TimeoutError):
    """A wait was over before its future was settled: both a ``pykka.Timeout`` and a `TimeoutError`."""


class Future(pykka.Future[T]):
    """A value that is there, or will be.

    Wait for it with ``get(timeout=…)`` in a thread, with ``await`` in a flow or in asyncio, or with a callback.
    Waiting inside an actor holds up no other actor: the dispatcher gives their turns to another thread.

    Args:
        dispatcher: who runs the actors that will settle it; a deterministic one is driven by waiting.

    Source: pykka's ``Future`` contract; SEMANTICS A11.
    """

    def __init__(self, dispatcher: Dispatcher | None = None) -> None:
        super().__init__()
        self._dispatcher = dispatcher
        self._settled = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], None]] | None = None
        self._waiter: threading.Event | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the value, or the error, is there."""
        return self._settled

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            WaitTimeout: nothing came in time; the future is unharmed, and a later ``get`` may succeed.
        """
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        if not self._settled and not self._wait(timeout):
            raise WaitTimeout(f"{timeout} seconds")
        if self._error is not None:
            raise self._error
        return cast("T", self._value)

    def set(self, value: T | None = None) -> None:
        """Settle with a value.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if not self.try_set(value):
            raise queue.Full

    def set_exception(self, exc_info: OptExcInfo | BaseException | None = None) -> None:
        """Settle with an error: the given one, or the one being handled.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if not self.try_fail(_error_of(sys.exc_info() if exc_info is None else exc_info)):
            raise queue.Full

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        """Have ``func`` compute the value when it is asked for.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if self._settled:
            raise queue.Full
        super().set_get_hook(func)

    def try_set(self, value: Any) -> bool:
        """Settle with a value, unless settled already; return whether this call did it. Any thread."""
        return self._settle(value, None)

    def try_fail(self, error: BaseException) -> bool:
        """Settle with an error, unless settled already; return whether this call did it. Any thread."""
        return self._settle(None, error)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled: at once, or later in the thread that settles it.

        What it raises is logged and harms nothing.
        """
        with _settling:
            if not self._settled:
                if self._callbacks is None:
                    self._callbacks = []
                self._callbacks.append(callback)
                return
        self._call(callback)

    def remove_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Forget ``callback``, if it has not been called yet."""
        with _settling:
            if self._callbacks is not None and callback in self._callbacks:
                self._callbacks.remove(callback)

    def __await__(self) -> Generator[Any, Any, T]:
        if self._get_hook is None and not self._settled:
            if here.in_flow:
                yield self
            else:
                yield from self._await_in_asyncio()
        return self.get(timeout=None if self._get_hook is not None else 0)

    __iter__ = __await__

    def _await_in_asyncio(self) -> Generator[Any, Any, None]:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise FlowError("await this in a flow (async def run) or in asyncio; in a thread use .get()") from None
        woken = loop.create_future()

        def wake_up() -> None:
            if not woken.done():
                woken.set_result(None)

        def tell_loop(_future: object) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake_up)

        self.add_done_callback(tell_loop)
        try:
            yield from woken
        finally:
            self.remove_done_callback(tell_loop)

    def _settle(self, value: Any, error: BaseException | None) -> bool:
        with _settling:
            if self._settled or self._get_hook is not None:
                return False
            self._value = value
            self._error = error
            self._settled = True
            callbacks, self._callbacks = self._callbacks, None
            waiter = self._waiter
        if waiter is not None:
            waiter.set()
        for callback in callbacks or ():
            self._call(callback)
        return True

    def _call(self, callback: Callable[[Any], None]) -> None:
        try:
            callback(self)
        except Exception:
            _log.exception("a done-callback raised callback=%r", callback)

    def _wait(self, timeout: float | None) -> bool:
        with _settling:
            if self._settled:
                return True
            if self._waiter is None:
                self._waiter = threading.Event()
            waiter = self._waiter
        dispatcher = self._dispatcher or (here.turn.dispatcher if here.turn is not None else None)
        if dispatcher is None:
            return waiter.wait(timeout)
        return dispatcher.wait_until(lambda: self._settled, waiter.wait, timeout)


def _error_of(given: OptExcInfo | BaseException) -> BaseException:
    if isinstance(given, BaseException):
        return given
    kind, error, traceback = given
    if error is None:
        if kind is None:
            raise ValueError("set_exception() needs an error: pass one, or call it where one is being handled")
        error = kind()
    return error.with_traceback(traceback) if traceback is not None else error
