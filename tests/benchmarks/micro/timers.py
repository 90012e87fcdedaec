"""Timers against those of asyncio: what one costs when very many are pending."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from relay_actors import Actor

__all__ = ["ours", "theirs"]


class _Timed(Actor):
    def on_receive(self, number: int) -> Any:
        began = time.perf_counter()
        for place in range(number):
            self.start_timer(place, "tick", 600.0 - place % 600)
        return (time.perf_counter() - began) / number


def ours(number: int) -> float:
    """Start so many timers of one actor; seconds of one."""
    seconds: float = _Timed.start().ask(number, timeout=100.0)
    return seconds


def theirs(number: int) -> float:
    """Start so many timers of a loop, and keep them by number, as ours are kept; seconds of one."""
    loop = asyncio.new_event_loop()
    handles = {}
    began = time.perf_counter()
    for place in range(number):
        handles[place] = loop.call_later(600.0 - place % 600, print)
    return (time.perf_counter() - began) / number
