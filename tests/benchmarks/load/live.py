"""Many calls that are up and wait: what they take, how fast events reach them, and what becomes of them in mishaps."""

from __future__ import annotations

import random
from typing import Any

from tests.benchmarks.load.exchange import Exchange
from tests.benchmarks.load.quantiles import quantiles
from tests.benchmarks.load.wire import Gate, GoneError

__all__ = ["Dropped", "Killed", "Live"]

_AT_ONCE = 200
_SETTLE_S = 1.0
_HOLD = b"calling.call.hold"


class _Up(Exchange):
    """Brings calls up; a call is up when it has sent ``commands`` commands."""

    def __init__(self, gate: Gate, *, commands: int) -> None:
        super().__init__(gate)
        self.calls: list[str] = []
        self.up = 0
        self.wanted = 0
        self.quiet_since = 0.0
        self._commands = commands
        self._count: dict[str, int] = {}
        self._controls: dict[str, bytes] = {}

    def bring_up(self, number: int) -> None:
        """Bring up so many calls more; `all_are_up` is called a second after the last one is."""
        self.wanted += number
        while len(self.calls) < min(self.wanted, self.up + _AT_ONCE):
            self._offer_next()

    def _offer_next(self) -> None:
        self.calls.append(f"call-{len(self.calls):08d}")
        self.offer(self.calls[-1])

    def takes(self, method: str, call_id: str, params: dict[str, Any]) -> bool:
        count = self._count[call_id] = self._count.get(call_id, 0) + 1
        if count == self._commands:
            self.up += 1
            self.quiet_since = self.now
            if len(self.calls) < self.wanted:
                self._offer_next()
        return True

    def on_answer(self, call_id: str, _params: dict[str, Any]) -> None:
        self.event(b"calling.call.state", call_id, b'"call_state":"answered"')

    def on_play(self, call_id: str, params: dict[str, Any]) -> None:
        self._controls[call_id] = params["control_id"].encode()
        self.operation(b"calling.call.play", call_id, params, b"playing")

    def on_record(self, call_id: str, params: dict[str, Any]) -> None:
        self.operation(b"calling.call.record", call_id, params, b"recording")

    def hold(self, call_id: str) -> None:
        """Tell a call something upon which it gives a command."""
        self.event(_HOLD, call_id, b'"state":"hold"', is_acted_on=True)

    def next_time(self) -> float | None:
        return self.quiet_since + _SETTLE_S if self.is_settling else None

    @property
    def is_settling(self) -> bool:
        """Whether all are up, and only the client has still to come to rest."""
        return self.up == self.wanted > 0

    def on_time(self) -> None:
        if self.is_settling and self.now >= self.quiet_since + _SETTLE_S:
            self.all_are_up()

    def all_are_up(self) -> None:
        raise NotImplementedError

    def progress(self) -> str:
        return f"{self.up} of {self.wanted} calls are up"


class Live(_Up):
    """``warm_up`` calls, ``calls`` more; ``events`` play events as fast as they go; ``rate`` a second for ``paced_s``.

    Marks: ``ready``, ``up``, ``flooded``, ``over``. The client says by a command that it has had all play events.
    """

    BATCH = 500

    def __init__(
        self, gate: Gate, *, calls: int, commands: int, warm_up: int = 300, events: int = 0, rate: float = 0.0,
        paced_s: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(gate, commands=commands)
        self._number_of_calls = calls
        self._warm_up = warm_up
        self._events = events
        self._rate = rate
        self._paced_s = paced_s
        self._sent = -1
        self._began = 0.0
        self._next: float | None = None
        self._paced = 0
        self._random = random.Random(8)

    def on_log_in(self) -> None:
        self.bring_up(self._warm_up)

    def all_are_up(self) -> None:
        if self.wanted == self._warm_up:
            self.mark("ready")
            self.bring_up(self._number_of_calls)
            return
        self.wanted = 0  # nothing settles any more
        self.mark("up")
        self._began = self.now
        self._sent = 0
        if not self._events:
            self._pace()

    def on_time(self) -> None:
        super().on_time()
        if self._next is not None:
            self._send_paced()
        elif self._may_send:
            for number in range(self._sent, min(self._sent + self.BATCH, self._events)):
                call_id = self.calls[number % len(self.calls)]
                state = b"paused" if number // len(self.calls) % 2 == 0 else b"playing"
                self.event(
                    b"calling.call.play", call_id, b'"control_id":"%s","state":"%s"' % (self._controls[call_id], state)
                )
            self._sent = min(self._sent + self.BATCH, self._events)

    def on_send_digits(self, _call_id: str, _params: dict[str, Any]) -> None:
        if self._next is None and self._sent == self._events:
            self.mark("flooded", seconds=self.now - self._began)
            self._pace()

    def _pace(self) -> None:
        self._sent = self._events + 1
        if not self._rate:
            self.mark("over")
            self.is_over = True
        else:
            self.latencies.clear()
            self._began = self._next = self.now

    def _send_paced(self) -> None:
        assert self._next is not None
        while self._next <= self.now < self._began + self._paced_s:
            self.hold(self.calls[self._random.randrange(len(self.calls))])
            self._paced += 1
            self._next += self._random.expovariate(self._rate)
        if self.now > self._began + self._paced_s + 1.0:
            self.mark("over", paced=self._paced, latencies=quantiles(self.latencies))
            self.is_over = True

    def next_time(self) -> float | None:
        if self._next is not None:
            return self._next if self.now < self._began + self._paced_s else None
        return self.now if self._may_send else super().next_time()

    @property
    def _may_send(self) -> bool:
        return 0 <= self._sent < self._events and self.wire is not None and not self.wire.is_full


class Dropped(_Up):
    """``calls`` calls are up, ``in_flight`` of them have a command under way, and the connection is reset.

    The server has carried the commands out, but its answers and events are lost with the connection. Who comes back is
    told the events that it has missed, as a server does that goes on with a session. It ends when every call has given
    another command.
    """

    def __init__(self, gate: Gate, *, calls: int, in_flight: int) -> None:
        super().__init__(gate, commands=1)
        self._number_of_calls = calls
        self._in_flight = in_flight
        self._kept: dict[str, dict[str, Any]] = {}
        self._dropped_at = 0.0
        self._again_at = 0.0
        self._usable: set[str] = set()
        self._lost: set[str] = set()

    def on_log_in(self) -> None:
        if not self._dropped_at:
            self.bring_up(self._number_of_calls)
            return
        self._again_at = self.now
        for call_id, params in self._kept.items():
            self.operation(b"calling.call.play", call_id, params, b"playing")
            self.operation(b"calling.call.play", call_id, params, b"finished")
        for call_id in self.calls:
            self.hold(call_id)

    def all_are_up(self) -> None:
        self.wanted = 0
        self.mark("up")
        for call_id in self.calls[: self._in_flight]:
            self.hold(call_id)

    def takes(self, method: str, call_id: str, params: dict[str, Any]) -> bool:
        super().takes(method, call_id, params)
        if method == "calling.play" and not self._dropped_at:
            self._kept[call_id] = params
            return False
        return True

    def on_play(self, call_id: str, params: dict[str, Any]) -> None:
        self.operation(b"calling.call.play", call_id, params, b"playing")
        self.operation(b"calling.call.play", call_id, params, b"finished")

    def on_send_digits(self, call_id: str, params: dict[str, Any]) -> None:
        if params["digits"] == "0":
            self._lost.add(call_id)
        self._usable.add(call_id)

    def on_time(self) -> None:
        super().on_time()
        if not self._dropped_at and len(self._kept) == self._in_flight:
            self._dropped_at = self.now
            self.break_off()
        elif len(self._usable) == self._number_of_calls:
            usable_s = self.now - self._dropped_at
            self.mark(
                "over", waits=False, usable_s=usable_s, again_s=self._again_at - self._dropped_at, lost=len(self._lost)
            )
            self.is_over = True

    def progress(self) -> str:
        return f"{super().progress()}, {len(self._usable)} are usable after the connection was lost"


class Killed(_Up):
    """``calls`` calls are up when the client is killed, and another process comes back for them.

    Marks: ``up``, ``again`` (it has logged in), ``over``: each call was told something, and either all have given a
    command, or no more do.
    """

    QUIET_S = 4.0

    def __init__(self, gate: Gate, *, calls: int) -> None:
        super().__init__(gate, commands=1)
        self._number_of_calls = calls
        self._is_killed = False
        self._answered: set[str] = set()
        self._last = 0.0

    def on_log_in(self) -> None:
        if not self._is_killed:
            self.bring_up(self._number_of_calls)
            return
        self.mark("again", waits=False)
        self._last = self.now
        for call_id in self.calls:
            self.hold(call_id)

    def all_are_up(self) -> None:
        self.wanted = 0
        self._is_killed = True
        self.mark("up")

    def on_gone(self) -> None:
        if not self._is_killed:
            raise GoneError("the client closed the connection")

    def on_play(self, call_id: str, params: dict[str, Any]) -> None:
        super().on_play(call_id, params)
        if self._is_killed:
            self._answered.add(call_id)
            self._last = self.now

    def next_time(self) -> float | None:
        return self._last + self.QUIET_S if self._last else super().next_time()

    def on_time(self) -> None:
        super().on_time()
        if self._last and (len(self._answered) == len(self.calls) or self.now > self._last + self.QUIET_S):
            self.mark("over", waits=False, answered=len(self._answered), last=self._last)
            self.is_over = True
