"""What a handler or a flow of an actor can wait for. Layer: pillar."""

from __future__ import annotations

import inspect
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from relay_actors.runtime.future import Future
from relay_actors.runtime.waiting import LetsGo, Raced, gather, race

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["Awaiting", "check_coroutine"]

T = TypeVar("T")


class Awaiting:
    """Waits. In the actor's turns only: in ``async def on_receive`` and in flows."""

    _cell: Cell

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

    def aio(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run asyncio code on the application's one asyncio loop: ``await self.aio(session.get(url))``.

        It runs on the loop's thread, not in the actor's turns: it must not touch the actor; what it returns is given
        here, what it raises is raised here. It begins at once, and is cancelled when who awaits it is.

        Raises:
            TypeError: it is no coroutine.
        """
        check_coroutine(coroutine)
        wait: LetsGo[T] = LetsGo(self._cell.dispatcher)
        from relay_actors.runtime.dispatcher_loop import run_on_loop  # with asyncio

        run_on_loop(self._cell.system.loop_host, coroutine, wait)
        return wait

    def gather(self, *waitables: Future[Any], timeout: float | None = None) -> Future[list[Any]]:
        """Wait for all: see `relay_actors.gather`."""
        return gather(*waitables, timeout=timeout)

    def race(self, *waitables: Future[Any], timeout: float | None = None) -> Future[Raced]:
        """Wait for the first: see `relay_actors.race`."""
        return race(*waitables, timeout=timeout)


def check_coroutine(given: object) -> None:
    """Refuse what cannot be run on the loop.

    Raises:
        TypeError: it is no coroutine.
    """
    if not inspect.iscoroutine(given):
        what = "call it: aio(f(x))" if callable(given) else "give a coroutine, for example aio(session.get(url))"
        raise TypeError(f"aio({type(given).__name__}): {what}")


def _settle(wait: Future[None]) -> None:
    wait.try_set(None)
