"""What a handler or a flow of an actor can wait for. Layer: pillar."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from relay_actors.runtime.blocking import BlockingFuture, abandon_after_handler, name_of_blocking
from relay_actors.runtime.future import Future
from relay_actors.runtime.owed import Brought
from relay_actors.runtime.waiting import LetsGo, Raced, gather, race

if TYPE_CHECKING:
    import logging

    from relay_actors.runtime.cell import Cell

__all__ = ["Awaiting", "check_coroutine"]

T = TypeVar("T")


class Awaiting:
    """Waits. In the actor's turns only: in ``async def on_receive`` and in flows."""

    _cell: Cell

    if TYPE_CHECKING:

        @property
        def log(self) -> logging.LoggerAdapter[logging.Logger]:
            """That of the actor."""

    def sleep(self, seconds: float) -> Future[None]:
        """Wait ``seconds``: ``await self.sleep(2)``.

        Raises:
            TypeError: ``seconds`` is no number.
        """
        if isinstance(seconds, bool) or not isinstance(seconds, int | float):
            raise TypeError(f"sleep({seconds!r}): give a number of seconds")
        wait: LetsGo[None] = LetsGo(self._cell.dispatcher)
        timer = self._cell.call_later(seconds, lambda: _settle(wait))
        wait.add_done_callback(lambda _wait: timer.cancel())
        return wait

    def blocking(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
        """Run blocking code on the blocking pool, where it holds up nobody: ``await self.blocking(look_up, number)``.

        It runs on another thread, not in the actor's turns: it must not touch the actor; what it returns is given here,
        what it raises is raised here. It begins at once, and runs to its end. A handler that awaits it is through
        before the actor takes its next message; by `pipe_to_self` what it gives is a message like any other, and the
        actor goes on meanwhile. An error that nobody has asked for when the handler is over is logged.

        Raises:
            TypeError: ``function`` cannot be called, or is a coroutine function.
        """
        cell = self._cell
        future: BlockingFuture[T] = BlockingFuture(name_of_blocking(function), self.log, cell.dispatcher)
        abandon_after_handler(cell, future)
        future.begin(cell, function, *args, **kwargs)
        return future

    def aio(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run asyncio code on the application's one asyncio loop: ``await self.aio(session.get(url))``.

        It runs on the loop's thread, not in the actor's turns: it must not touch the actor; what it returns is given
        here, what it raises is raised here. It begins at once, and is cancelled when who awaits it is. An error that
        nobody awaits is logged.

        Raises:
            TypeError: it is no coroutine.
        """
        check_coroutine(coroutine)
        wait: Brought[T] = Brought(coroutine, self.log, self._cell.dispatcher)
        from relay_actors.runtime.dispatcher_loop import run_on_loop  # with asyncio

        run_on_loop(self._cell.system.loop_host, coroutine, wait)
        return wait

    def gather(self, *waitables: Future[Any], timeout: float | None = None) -> Future[list[Any]]:
        """Wait for all: see `relay_actors.gather`."""
        return gather(*waitables, timeout=timeout)

    def race(self, *waitables: Future[Any], timeout: float | None = None) -> Future[Raced]:
        """Wait for the first: see `relay_actors.race`."""
        return race(*waitables, timeout=timeout)


_STEPS_OF_A_GENERATOR: Final = ("async_generator_asend", "anext_awaitable")
"""What `anext` gives."""


def check_coroutine(given: object) -> None:
    """Refuse what cannot be run on the loop.

    Raises:
        TypeError: it is no coroutine.
    """
    if not inspect.iscoroutine(given):
        what = "call it: aio(f(x))" if callable(given) else "give a coroutine, for example aio(session.get(url))"
        if inspect.isasyncgen(given) or type(given).__name__ in _STEPS_OF_A_GENERATOR:
            what = "give a coroutine that goes through it, and tells this actor each piece: ref.tell(piece)"
        raise TypeError(f"aio({type(given).__name__}): {what}")


def _settle(wait: Future[None]) -> None:
    wait.try_set(None)
