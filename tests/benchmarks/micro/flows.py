"""Flows that wait, against asyncio's tasks: what one takes, and what an await costs that suspends."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import Any, ClassVar

from relay_actors import Actor, CallActor, Future
from tests.benchmarks.micro.in_process import offers, started, wait_until

__all__ = ["await_of_ours", "await_of_theirs", "memory_of_theirs", "memory_with_flow", "memory_without"]

_ROUNDS = 20


class _Waits(CallActor):
    """Awaits one future after the other; whoever settles one finds it in `waiting`."""

    futures_of: ClassVar[Any] = None
    waiting: ClassVar[list[Future[None]]] = []

    async def run(self) -> None:
        while True:
            future: Future[None] = Future(self.futures_of)
            self.waiting.append(future)
            await future


class _DoesNothing(CallActor):
    seen = 0

    def on_receive(self, message: object) -> None:
        type(self).seen += 1


class _Runs(Actor):
    def on_receive(self, message: Callable[[], Any]) -> Any:
        return message()


def await_of_ours(number: int) -> float:
    """So many flows wait; one turn of an actor settles what all wait for, until all wait again. Seconds of one."""
    app, server = started(_Waits)
    _Waits.futures_of = app.system.dispatcher
    waiting = _Waits.waiting
    server.say(offers(number))
    wait_until(lambda: len(waiting) == number)
    settler = app.system.start(_Runs)

    def settle() -> None:
        futures = waiting[:]
        waiting.clear()
        for future in futures:
            future.set(None)

    before_s = time.process_time()
    for _ in range(_ROUNDS):
        settler.ask(settle, timeout=100.0)
        wait_until(lambda: len(waiting) == number)
    return (time.process_time() - before_s) / (_ROUNDS * number)


def await_of_theirs(number: int) -> float:
    """The same by tasks: a callback of the loop settles what all wait for."""

    async def main() -> float:
        loop = asyncio.get_running_loop()
        waiting: list[asyncio.Future[None]] = []

        async def run() -> None:
            while True:
                future: asyncio.Future[None] = loop.create_future()
                waiting.append(future)
                await future

        tasks = [asyncio.create_task(run()) for _ in range(number)]
        await asyncio.sleep(0)
        before_s = time.process_time()
        for _ in range(_ROUNDS):
            futures = waiting[:]
            waiting.clear()
            for future in futures:
                future.set_result(None)
            while len(waiting) < number:
                await asyncio.sleep(0)
        seconds = (time.process_time() - before_s) / (_ROUNDS * number)
        assert len(tasks) == number
        return seconds

    return asyncio.run(main())


def memory_with_flow(number: int) -> float:
    """Bytes of a call whose flow waits."""
    return _memory(_Waits, lambda: len(_Waits.waiting), number)


def memory_without(number: int) -> float:
    """Bytes of a call that has no flow and does nothing."""
    return _memory(_DoesNothing, lambda: _DoesNothing.seen, number)


def _memory(actor_class: type[CallActor], are_up: Callable[[], int], number: int) -> float:
    app, server = started(actor_class)
    _Waits.futures_of = app.system.dispatcher
    texts = offers(number)
    gc.collect()
    tracemalloc.start()
    server.say(texts)
    wait_until(lambda: are_up() == number)
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / number


def memory_of_theirs(number: int) -> float:
    """Bytes of a task that waits for a future of its own."""

    async def main() -> float:
        loop = asyncio.get_running_loop()

        async def run() -> None:
            await loop.create_future()

        gc.collect()
        tracemalloc.start()
        tasks = [asyncio.create_task(run()) for _ in range(number)]
        await asyncio.sleep(0)
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] / number
        assert len(tasks) == number
        return size

    return asyncio.run(main())
