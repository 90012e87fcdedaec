"""A dispatcher that gives one actor a thread of its own, as pykka does. Layer: pillar. Source: SEMANTICS D3."""

from __future__ import annotations

import logging
import threading
from queue import Empty, SimpleQueue

from relay_actors.runtime.base import Dispatcher, Runnable, TimerHandle
from relay_actors.runtime.dispatcher_beside import BesideDispatcher
from relay_actors.runtime.long_turns import LongTurn, LongTurns, Seat

__all__ = ["PinnedDispatcher"]

_log = logging.getLogger("relay_actors.runtime")


class PinnedDispatcher(BesideDispatcher):
    """Runs one runnable on one thread; everything else it leaves to the system's dispatcher.

    Args:
        shared: the system's dispatcher, for timers, sockets and the blocking pool.
        name: of the thread.
        daemon: whether the thread lets the process exit.
        long_turns: by whom a turn that hangs is reported; one that blocks is not, for it holds up only its own actor.
    """

    def __init__(
        self, shared: Dispatcher, *, name: str, daemon: bool = True, long_turns: LongTurns | None = None
    ) -> None:
        super().__init__(shared)
        self._clock = shared.clock
        self._turns: SimpleQueue[Runnable | None] = SimpleQueue()  # None: no more
        self._is_over = False  # set by its thread, which gives no more turns
        self._turn: tuple[Runnable, float] | None = None  # written by its thread only
        self._thread = threading.Thread(target=self._run, name=name, daemon=daemon)
        self._seat = Seat(self._thread)
        self._long_turns = long_turns
        self._hang_report_s = long_turns.hang_report_s if long_turns is not None else None
        self._alarm: TimerHandle | None = None  # one at a time, and none while the actor has been idle for long
        # Guards the alarm, which its thread sets and the shared dispatcher's takes back. Re-entrant, because a
        # finaliser may run in the middle.
        self._arming = threading.RLock()

    @property
    def is_alive(self) -> bool:
        """Whether its thread runs."""
        return self._thread.is_alive()

    def schedule(self, runnable: Runnable) -> None:
        """Let the actor have a turn on its thread; or on a shared one, when that has ended. Any thread.

        One that was killed while its turn was passed on has yet to let go of what it had.
        """
        self._turns.put(runnable)
        if self._is_over:  # first put, then look: the thread first says that it is over, and then looks
            self._pass_on()

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return the turn that is under way, if one is, and when it began. Any thread."""
        turn = self._turn
        return [] if turn is None else [turn]

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_s: float) -> int:
        """Stop the thread after the turns that are due; return 1 if it would not end in time. Idempotent."""
        self._turns.put(None)
        if self._thread is threading.current_thread() or not self._thread.is_alive():
            return 0
        self._thread.join(timeout_s)
        return int(self._thread.is_alive())

    def _run(self) -> None:
        while (runnable := self._turns.get()) is not None:
            # First say that a turn runs, then look whether there is an alarm; `_on_alarm` does it the other way round.
            began = self._clock.now()
            self._turn = runnable, began
            if self._alarm is None and self._hang_report_s is not None:
                self._arm(began + self._hang_report_s)
            try:
                runnable.run_batch([None])
            except BaseException:
                _log.exception("a turn broke its own machinery runnable=%r", runnable)
            self._turn = runnable = None
            self._seat.returns += 1
            if self._long_turns is not None:
                self._long_turns.on_return(self._seat, self._clock.now())
        with self._arming:
            if self._alarm is not None:
                self._alarm.cancel()
        self._is_over = True
        self._pass_on()

    def _pass_on(self) -> None:
        while True:
            try:
                runnable = self._turns.get_nowait()
            except Empty:
                return
            if runnable is not None:
                self._shared.schedule(runnable)

    def _arm(self, due: float) -> None:
        with self._arming:
            if self._alarm is None:
                self._alarm = self._shared.call_at(due, self._on_alarm)

    def _on_alarm(self) -> None:
        """Look at the turn that is running, if there is one, and come back when it will be too old."""
        with self._arming:
            self._alarm = None
        number, turn = self._seat.returns, self._turn
        if turn is None or self._hang_report_s is None or self._long_turns is None:
            return
        began, now = turn[1], self._clock.now()
        if now - began >= self._hang_report_s:
            self._long_turns.report_hang(LongTurn(self._seat, number, began), now)
        else:
            self._arm(began + self._hang_report_s)
