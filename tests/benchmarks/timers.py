"""Timers against those of asyncio, in one run: what one costs when very many are pending."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.system import System

__all__ = ["measure"]

_PENDING = 100_000


class _Timed(Actor):
    def on_receive(self, message: Any) -> Any:
        return message(self)


def _per_timer(start: Callable[[int], None], cancel: Callable[[int], None]) -> tuple[float, float]:
    began = time.perf_counter()
    for number in range(_PENDING):
        start(number)
    started = time.perf_counter()
    for number in range(_PENDING):
        cancel(number)
    return (started - began) / _PENDING, (time.perf_counter() - started) / _PENDING


def _theirs() -> tuple[float, float]:
    loop = asyncio.new_event_loop()
    handles: dict[int, asyncio.TimerHandle] = {}
    try:
        return _per_timer(
            lambda number: handles.update({number: loop.call_later(600.0 - number % 600, print)}),
            lambda number: handles.pop(number).cancel(),
        )
    finally:
        loop.close()


def _ours(system: System) -> tuple[float, float]:
    ref = system.start(_Timed)

    def run(actor: Any) -> tuple[float, float]:
        return _per_timer(
            lambda number: actor.start_timer(number, "tick", 600.0 - number % 600),
            actor.cancel_timer,
        )

    seconds: tuple[float, float] = ref.ask(run, timeout=60.0)
    ref.stop()
    return seconds


def measure(rounds: int = 3) -> list[tuple[str, float, float]]:
    """Return, per figure, its name and the best of interleaved rounds: asyncio's and ours, in seconds."""
    system = System(name="bench-timers")
    pairs = [(_theirs(), _ours(system)) for _ in range(rounds)]
    system.stop()
    return [
        (name, min(theirs[place] for theirs, _ in pairs), min(ours[place] for _, ours in pairs))
        for place, name in enumerate(("start of one, 100,000 pending", "cancelling one of them"))
    ]
