"""Calls from beginning to end: answer, play and its end, play_and_collect and its key, end."""

from __future__ import annotations

import random
import time
from typing import Any

from tests.benchmarks.load.exchange import Exchange
from tests.benchmarks.load.quantiles import quantiles
from tests.benchmarks.load.wire import Gate

__all__ = ["AtRate", "Saturated"]

_DIGIT = b',"result":{"type":"digit","params":{"digits":"1","terminator":""}}'


class _Ivr(Exchange):
    def __init__(self, gate: Gate) -> None:
        super().__init__(gate)
        self.offered = 0
        self.ended = 0

    def offer_next(self) -> None:
        self.offered += 1
        self.offer(f"call-{self.offered:08d}")

    def on_answer(self, call_id: str, _params: dict[str, Any]) -> None:
        self.event(b"calling.call.state", call_id, b'"call_state":"answered"', is_acted_on=True)

    def on_play(self, call_id: str, params: dict[str, Any]) -> None:
        self.operation(b"calling.call.play", call_id, params, b"playing")
        self.operation(b"calling.call.play", call_id, params, b"finished", acted=True)

    def on_play_and_collect(self, call_id: str, params: dict[str, Any]) -> None:
        self.operation(b"calling.call.play", call_id, params, b"playing")
        self.operation(b"calling.call.play", call_id, params, b"finished")
        digit = b'"control_id":"%s"' % params["control_id"].encode() + _DIGIT
        self.event(b"calling.call.collect", call_id, digit, is_acted_on=True)

    def on_end(self, call_id: str, _params: dict[str, Any]) -> None:
        self.event(b"calling.call.state", call_id, b'"call_state":"ended","end_reason":"hangup"')
        self.ended += 1

    def progress(self) -> str:
        return f"{self.ended} of {self.offered} calls that were offered have ended"


class Saturated(_Ivr):
    """``calls`` calls, ``at_once`` of them at a time, after ``warm_up`` others whose time is not taken."""

    def __init__(self, gate: Gate, *, calls: int, at_once: int, warm_up: int) -> None:
        super().__init__(gate)
        self._last = warm_up + calls
        self._warm_up = warm_up
        self._at_once = at_once
        self._began = 0.0

    def on_log_in(self) -> None:
        for _ in range(min(self._at_once, self._warm_up)):
            self.offer_next()

    def on_end(self, call_id: str, params: dict[str, Any]) -> None:
        super().on_end(call_id, params)
        if self.offered < (self._warm_up if self.ended < self._warm_up else self._last):
            self.offer_next()

    def on_time(self) -> None:
        if self.ended == self._warm_up and not self._began:
            self.mark("began")
            self._began = time.perf_counter()
            self.busy_s = 0.0
            while self.offered < min(self._warm_up + self._at_once, self._last):
                self.offer_next()
        elif self.ended == self._last:
            seconds = self.now - self._began
            self.mark("ended", seconds=seconds, busy=self.busy_s / seconds)
            self.is_over = True


class AtRate(_Ivr):
    """Calls come at random moments, ``rate`` a second, whether or not the client has done the ones before.

    The gaps are those of a Poisson process, always the same. ``calls`` are measured, after ``warm_up`` others.
    """

    WAITS_S = 10.0

    def __init__(self, gate: Gate, *, calls: int, rate: float, warm_up: int) -> None:
        super().__init__(gate)
        self._calls = calls
        self._rate = rate
        self._warm_up = warm_up
        self._random = random.Random(8)
        self._next: float | None = None
        self._until = 0
        self._began = 0.0
        self._last_offer = 0.0

    def on_log_in(self) -> None:
        self._until = self._warm_up
        self._next = self.now

    def next_time(self) -> float | None:
        return self._next

    def on_time(self) -> None:
        while self._next is not None and self._next <= self.now:
            self.offer_next()
            self._last_offer = self.now
            self._next = self._next + self._random.expovariate(self._rate) if self.offered < self._until else None
        if self._next is None and self._until and self.now > self._last_offer:
            is_late = self.now > self._last_offer + self.WAITS_S
            if self.ended == self.offered or is_late:
                self._phase_is_over()

    def _phase_is_over(self) -> None:
        if not self._began:
            self.mark("began")
            self.latencies.clear()
            self._began = self._next = self.now
            self._until = self.offered + self._calls
            self._random.seed(8)
            return
        done_s = self.now - self._began
        self.mark(
            "ended",
            offered_rate=self._calls / (self._last_offer - self._began),
            rate=(self.ended - self._warm_up) / done_s,
            unfinished=self.offered - self.ended,
            latencies=quantiles(self.latencies),
        )
        self.is_over = True
