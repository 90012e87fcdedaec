"""Flows against asyncio tasks, in one run: what an await costs, and what one that waits takes of memory and threads."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
import tracemalloc
from typing import Any

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.base import Runnable
from relay_actors.runtime.flow import Flow
from relay_actors.runtime.future import Future
from relay_actors.runtime.system import System

__all__ = ["measure"]


class _Flows(Actor):
    def on_receive(self, message: Any) -> Any:
        self._cell.flow = Flow(self._cell, message(self._cell.dispatcher), lambda _result: None)
        self._cell.flow.begin()


class _Handlers(Actor):
    async def on_receive(self, message: Any) -> Any:
        return await message(self._cell.dispatcher)


def _await_of_ours(system: System, number: int) -> float:
    """A flow that waits for a future which the next turn of the same actor settles."""
    done = threading.Event()
    ref = system.start(_Flows)

    async def run(dispatcher: Any) -> None:
        for _ in range(number):
            future: Future[None] = Future(dispatcher)
            dispatcher.schedule(_Settles(future, dispatcher))
            await future
        done.set()

    began = time.perf_counter()
    ref.tell(run)
    done.wait(60)
    return (time.perf_counter() - began) / number


class _Settles(Runnable):
    late = False

    def __init__(self, future: Future[None], dispatcher: Any) -> None:
        self._future = future
        self._dispatcher = dispatcher

    @property
    def dispatcher(self) -> Any:
        return self._dispatcher

    def run_batch(self, grant: list[None]) -> None:
        self._future.try_set(None)


def _await_of_theirs(number: int) -> float:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        began = time.perf_counter()
        for _ in range(number):
            future = loop.create_future()
            loop.call_soon(future.set_result, None)
            await future
        return (time.perf_counter() - began) / number

    return asyncio.run(main())


def _waiting(system: System, actor: type[Actor], number: int) -> tuple[float, int]:
    """Bytes per one that waits, without its actor; and threads for all of them."""
    gate: Future[None] = Future(system.dispatcher)

    async def run(_dispatcher: Any) -> None:
        await gate

    refs = [system.start(actor) for _ in range(number)]
    gc.collect()
    threads = threading.active_count()
    tracemalloc.start()
    for ref in refs:
        ref.tell(run)
    while not all(ref._cell.is_resting for ref in refs):
        threading.Event().wait(0.01)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0] / number
    tracemalloc.stop()
    more_threads = threading.active_count() - threads
    gate.set(None)
    for ref in refs:
        ref.stop(block=False, now=True)
    return size, more_threads


def _waiting_of_theirs(number: int) -> float:
    async def main() -> float:
        gate = asyncio.Event()

        async def run() -> None:
            await gate.wait()

        gc.collect()
        tracemalloc.start()
        tasks = [asyncio.create_task(run()) for _ in range(number)]
        await asyncio.sleep(0)
        gc.collect()
        size = tracemalloc.get_traced_memory()[0] / number
        tracemalloc.stop()
        gate.set()
        await asyncio.gather(*tasks)
        return size

    return asyncio.run(main())


def measure(number: int = 20_000, waiting: int = 10_000) -> list[tuple[str, float, float]]:
    """Return name, asyncio's and ours; seconds, bytes or threads."""
    system = System(name="bench-flows")
    try:
        flows, threads = _waiting(system, _Flows, waiting)
        handlers, _threads = _waiting(system, _Handlers, waiting)
        theirs = _waiting_of_theirs(waiting)
        return [
            ("an await that suspends", _await_of_theirs(number), _await_of_ours(system, number)),
            ("a flow that waits, bytes", theirs, flows),
            ("a handler that waits, bytes", theirs, handlers),
            (f"{waiting:,} that wait, threads", 1.0, 1.0 + threads),  # those that run the others included
        ]
    finally:
        system.stop(10.0)
