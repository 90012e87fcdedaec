"""The turns that run beside the system's own threads, and one that does not end is reported. Layer: pillar.

On the threads of the blocking pool, on the asyncio loop, and on the thread of a flow. Source: SEMANTICS A16, O5.
"""

from __future__ import annotations

import threading
from typing import Any

from relay_actors.runtime.base import Dispatcher, Runnable, TimerHandle

__all__ = ["LongTurn", "Seat", "TurnsBeside"]


class Seat:
    """A thread on which turns run, as far as its long turns are watched. Only its own thread writes.

    Attributes:
        thread: the thread.
        returns: how many of its long turns have come back; so a `LongTurn` knows whether it is over.
        waits: in how many framework waits it is, one inside the other.
        busy_since: when the last of them ended.
    """

    __slots__ = ("busy_since", "returns", "thread", "waits")

    def __init__(self, thread: threading.Thread) -> None:
        self.thread = thread
        self.returns = 0
        self.waits = 0
        self.busy_since = float("-inf")


class LongTurn:
    """One turn that takes long.

    Args:
        seat: where it runs.
        number: what ``seat.returns`` was when it was known to be running.
        began: since when, about.
    """

    __slots__ = ("began", "blocking_is_told", "hang_is_told", "number", "seat")

    def __init__(self, seat: Seat, number: int, began: float) -> None:
        self.seat = seat
        self.number = number
        self.began = began
        self.blocking_is_told = False
        self.hang_is_told = False

    @property
    def is_over(self) -> bool:
        """Whether it has come back."""
        return self.seat.returns != self.number

    @property
    def busy_since(self) -> float:
        """Since when it has not waited in the framework's way; never, while it does."""
        return float("inf") if self.seat.waits else max(self.began, self.seat.busy_since)


class TurnsBeside:
    """Knows the turns that are under way on other threads than the system's dispatcher's.

    One that hangs is reported, and one that blocks if others have their turns on the same thread. There is one alarm
    for all of them, and none while there are none.

    Args:
        dispatcher: the system's, which has the clock and the timers.
        long_turns: the `LongTurns` by which they are reported; None reports nothing.
        is_loop: whether they are all on the asyncio loop.
    """

    def __init__(self, dispatcher: Dispatcher, long_turns: Any, *, is_loop: bool = False) -> None:
        self._dispatcher = dispatcher
        self._long_turns = long_turns
        self._is_loop = is_loop
        never = float("inf")
        times = (None, None) if long_turns is None else (long_turns.blocking_report_s, long_turns.hang_report_s)
        self._blocking_s = never if times[0] is None or not is_loop else times[0]
        self._hang_s = never if times[1] is None else times[1]
        # By a mark of each turn, not by whose it is: when that gives its turn back, its next one may be under way on
        # another thread before this one is noted as over.
        self._turns: dict[Seat, tuple[Runnable, LongTurn]] = {}
        self._alarm: TimerHandle | None = None
        # Guards the alarm. Re-entrant, because a finaliser may run in the middle.
        self._arming = threading.RLock()

    def under_way(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when each began. Any thread."""
        turns = self._turns.copy().values()  # a copy is made in one step, for all threads
        return [(runnable, turn.began) for runnable, turn in turns]

    def begin(self, runnable: Runnable) -> Seat:
        """Note that the present thread has a turn of ``runnable``; return what to give to `end`."""
        began = self._dispatcher.clock.now()
        seat = Seat(threading.current_thread())
        self._turns[seat] = runnable, LongTurn(seat, 0, began)
        due = began + min(self._blocking_s, self._hang_s)
        if due != float("inf"):
            with self._arming:  # first noted, then look: `end` and the alarm look the other way round
                if self._alarm is None:
                    self._alarm = self._dispatcher.call_at(due, self._on_alarm)
        return seat

    def end(self, seat: Seat) -> None:
        """Note that a turn is over."""
        del self._turns[seat]
        seat.returns += 1
        if self._long_turns is not None:
            self._long_turns.on_return(seat, self._dispatcher.clock.now())
            if not self._turns:
                self._disarm()

    def _disarm(self) -> None:
        with self._arming:
            if self._alarm is not None and not self._turns:
                self._alarm.cancel()
                self._alarm = None

    def _on_alarm(self) -> None:
        """Report what is due, and come back when something else is. On the dispatcher's thread."""
        with self._arming:
            self._alarm = None
        now, turns = self._dispatcher.clock.now(), [turn for _runnable, turn in self._turns.copy().values()]
        for turn in turns:
            if not turn.blocking_is_told and now - turn.began >= self._blocking_s:
                self._long_turns.report_blocking(turn, now, is_loop=self._is_loop)
            if not turn.hang_is_told and now - turn.began >= self._hang_s:
                self._long_turns.report_hang(turn, now)
        due = min(map(self._due, turns), default=float("inf"))
        if due != float("inf"):
            with self._arming:
                if self._alarm is None:
                    self._alarm = self._dispatcher.call_at(due, self._on_alarm)
            if not self._turns:
                self._disarm()

    def _due(self, turn: LongTurn) -> float:
        blocking = float("inf") if turn.blocking_is_told else turn.began + self._blocking_s
        hang = float("inf") if turn.hang_is_told else turn.began + self._hang_s
        return min(blocking, hang)
