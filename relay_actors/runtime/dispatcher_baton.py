"""The pooled dispatcher: one thread at a time holds the baton. Layer: pillar. Source: DESIGN section 2a.

Handing work from thread to thread costs a hundred times more than an actor's turn. So the holder of the baton does
everything: it polls the sockets, makes the calls that are due, runs the ready actors and then the late ones (which
write what the round has produced), and sleeps in the poll only when nothing is left. Other threads are there for the
case that a turn takes long:

* a *monitor* looks every few milliseconds whether the same turn is still running, and if so takes the baton away and
  gives it to a spare thread; it also reports turns that take much longer;
* a framework wait inside a turn (`waiting`) gives it away at once.

Who may take the baton is decided by an atomic pop. While a thread is in a turn, its `grant` list has one element; the
monitor, a wait, or the end of the turn pop it, and whoever gets it owns the baton from then on. So there is never a
second holder, and a turn pays for this one append and one pop. A call that is due is granted like a turn, because it
may settle a future, and a callback of that is the user's code.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from relay_actors.runtime.base import Clock, Pollable, Runnable, TimerHandle
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_blocking import BlockingPool
from relay_actors.runtime.dispatcher_monitor import Monitor
from relay_actors.runtime.dispatcher_sockets import SocketPoll
from relay_actors.runtime.long_turns import LongTurn, LongTurns, Seat
from relay_actors.runtime.timer_queue import TimerQueue

__all__ = ["BatonDispatcher"]

_log = logging.getLogger("relay_actors.runtime")

_MAX_SPARES: Final = 4
_LONGEST_SLEEP_S: Final = 3600.0
"""A selector counts milliseconds in 31 bits, and raises on more than 24 days."""
_LONGEST_ROUND_S: Final = 0.002
"""However many actors are ready, timers, sockets and what is to be written wait no longer than this for them; and no
turn begins another message after it (SEMANTICS D2)."""
_NEVER: Final = float("inf")
_POLL_AGAIN_AFTER_S: Final = 0.0005
"""While actors are ready, sockets are looked at this often: a poll costs as much as a turn."""


class _Worker(threading.Thread):
    """A thread that holds the baton, runs a long turn without it, or waits to be given it."""

    def __init__(self, dispatcher: BatonDispatcher, number: int) -> None:
        super().__init__(name=f"{dispatcher.name}-{number}", daemon=dispatcher.daemon)
        self.dispatcher = dispatcher
        self.grant: list[None] = []
        self.runnable: Runnable | None = None  # whose turn it runs, and since when: for inspections
        self.began = 0.0
        self.go = threading.Event()
        self.seat = Seat(self)
        self.is_retired = False  # its dispatcher has been stopped, and may run again without it

    def run(self) -> None:
        """Hold the baton whenever it is given."""
        while True:
            self.go.wait()
            self.go.clear()
            if not self.dispatcher.serve(self):
                return


class BatonDispatcher:
    """Runs actors on whichever thread holds the baton.

    Args:
        clock: by which timers fire.
        name: begins the names of the threads.
        handover_after_s: a turn longer than about this loses the baton to another thread.
        max_threads: how many handlers may block at once before others have to wait for them.
        max_blocking: how many calls of `run_blocking` may run at once.
        daemon: whether the threads let the process exit.
        blocking_report_s: a handler that holds its thread longer than this is reported, with its stack (SEMANTICS
            A16); not before it has lost the baton. None: it is not.
        hang_report_s: a turn that lasts longer than this is reported, whatever it does (SEMANTICS O5). None: it is not.

    Raises:
        ConfigError: a time after which to report is not above 0.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        name: str = "actors",
        handover_after_s: float = 0.010,
        max_threads: int = 256,
        max_blocking: int = 32,
        daemon: bool = True,
        blocking_report_s: float | None = 0.1,
        hang_report_s: float | None = 10.0,
    ) -> None:
        self.clock = clock
        self.long_turns = LongTurns(
            blocking_report_s=blocking_report_s, hang_report_s=hang_report_s, run=self._run_report
        )
        self.name = name
        self.daemon = daemon
        self._handover_after_s = handover_after_s
        self._max_threads = max_threads
        self._blocking = BlockingPool(clock, max_threads=max_blocking, name=f"{name}-blocking", daemon=daemon)
        self._ready: deque[Runnable] = deque()
        self._late: deque[Runnable] = deque()
        self._timers = TimerQueue()
        self._sockets = SocketPoll()
        self._told: deque[Callable[[], None]] = deque()  # calls of ready sockets that have yet to be made
        self._polled_at = float("-inf")
        self._slice_until = float("inf")  # written by the holder only: when the present turn is to end
        self._turns = 0  # and calls; written by the holder only; the monitor compares it
        self._asleep = False
        self._sleeps_until = float("inf")
        # Guards the list of threads and who is the next holder; taken when the baton changes hands, not in turns.
        # Re-entrant, because a finaliser may run in the middle, and wait for something.
        self._hands = threading.RLock()
        self._threads: set[_Worker] = set()
        self._spares: list[_Worker] = []
        self._holder: _Worker | None = None
        self._numbers = 0
        self._baton_waits = False  # no thread could be had: the next one that comes back takes it
        self._running = False
        self._stopping = False
        self._monitor: Monitor[_Worker] | None = None
        self._workers_here = threading.local()

    @property
    def thread_count(self) -> int:
        """How many threads it has now, the monitor and the blocking pool included."""
        with self._hands:
            return len(self._threads) + (self._monitor is not None) + self._blocking.thread_count

    @property
    def holder(self) -> _Worker | None:
        """Who has the baton. For the monitor."""
        return self._holder

    @property
    def turn_count(self) -> int:
        """How many turns, and calls that were due, have begun. For the monitor."""
        return self._turns

    @property
    def asleep(self) -> bool:
        """Whether the holder sleeps. For the monitor."""
        return self._asleep

    @property
    def pending_timers(self) -> int:
        """How many timers are pending."""
        return len(self._timers)

    # -- from any thread ---------------------------------------------------------------------------------------------

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn soon. Any thread."""
        (self._late if runnable.late else self._ready).append(runnable)
        if self._asleep:
            self._asleep = False  # one wake-up is enough, whoever else schedules before it is taken up
            self._sockets.wake()

    def withdraw(self, runnable: Runnable) -> bool:
        """Take back a turn that is due; False if it has begun. Any thread."""
        try:
            (self._late if runnable.late else self._ready).remove(runnable)  # atomic: who takes it out, has it
        except ValueError:
            return False
        return True

    def is_slice_over(self) -> bool:
        """Return whether the present turn has had its time. In a turn."""
        return self.clock.now() >= self._slice_until

    def call_at(self, due: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made at ``due`` by the baton's holder; it must be short. Any thread."""
        timer = self._timers.add(due, call)
        if self._asleep and due < self._sleeps_until:
            self._sockets.wake()
        return timer

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """Have ``on_ready`` called once when ``pollable`` is ready; then `rearm`. Any thread."""
        self._sockets.watch(pollable, on_ready)

    def rearm(self, pollable: Pollable) -> None:
        """Poll ``pollable`` again; call it in the turn of the actor that owns it."""
        self._sockets.rearm(pollable)

    def unwatch(self, pollable: Pollable) -> None:
        """Forget ``pollable``; call it before the descriptor is closed. Any thread; idempotent."""
        self._sockets.unwatch(pollable)

    def run_blocking(self, call: Callable[[], object], name: str) -> None:
        """Run ``call`` on the blocking pool. Any thread."""
        self._blocking.run(call, name)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Give the baton away, if this thread holds it, because it is about to block."""
        worker: _Worker | None = getattr(self._workers_here, "worker", None)
        if worker is None:
            yield
            return
        self._begin_wait(worker)
        try:
            yield
        finally:
            self._end_wait(worker)

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """Wait by ``block``, without the baton."""
        worker: _Worker | None = getattr(self._workers_here, "worker", None)
        if worker is None:
            return block(timeout_s) or is_done()
        self._begin_wait(worker)
        try:
            return block(timeout_s) or is_done()
        finally:
            self._end_wait(worker)

    def drive(self, loop: object, since: float) -> bool:
        """Nothing: the threads do it."""
        return False

    def _run_report(self, report: Callable[[], object]) -> None:
        try:
            self._blocking.run(report, "a report of a long turn")
        except RuntimeError:  # the machine has no more threads: better here than not at all
            report()

    def _begin_wait(self, worker: _Worker) -> None:
        worker.seat.waits += 1
        self.take_from(worker, turn_s=0.0)

    def _end_wait(self, worker: _Worker) -> None:
        worker.seat.busy_since = self.clock.now()
        worker.seat.waits -= 1
        if (monitor := self._monitor) is not None:
            monitor.wake()

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when each began; also of turns that have lost the baton. Any thread."""
        with self._hands:
            workers = list(self._threads)
        # Each pair is read without a lock: a turn that ends just now may be told with the time of the next one.
        return [(runnable, worker.began) for worker in workers if (runnable := worker.runnable) is not None]

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to give turns. Idempotent; may be called again after `stop`."""
        if not self._running:  # a look first: it is called for each actor that is started
            self._start()

    def _start(self) -> None:
        with self._hands:
            if self._running:
                return
            self._running = True
            self._stopping = False
            self._monitor = Monitor(
                self,
                clock=self.clock,
                long_turns=self.long_turns,
                handover_after_s=self._handover_after_s,
                name=f"{self.name}-monitor",
                daemon=self.daemon,
            )
            self._sockets.open()
            self._monitor.start()
        self._pass_on()

    def stop(self, timeout_s: float) -> int:
        """Stop all threads; return how many would not end in time. Not for use inside a turn. Idempotent.

        Turns that are due are not given any more. A thread that would not end goes on alone until its handler comes
        back, and then ends.
        """
        with self._hands:
            if not self._running:
                return 0
            self._stopping = True
            workers = list(self._threads)
            for worker in workers:
                worker.is_retired = True
            threads: list[threading.Thread] = [*workers]
            if self._monitor is not None:
                self._monitor.stop()
                threads.append(self._monitor.thread)
        self._sockets.wake()
        for worker in workers:
            worker.go.set()
        deadline = self.clock.now() + timeout_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - self.clock.now()))
        left = sum(thread.is_alive() and thread is not threading.current_thread() for thread in threads)
        left += self._blocking.stop(max(0.0, deadline - self.clock.now()))
        with self._hands:
            for worker in workers:
                worker.grant.clear()
            self._running = False
            self._threads.clear()
            self._spares.clear()
            self._holder = None
            self._monitor = None
            self._baton_waits = False
            self._asleep = False
            self._sockets.close()
        return left

    # -- the holder --------------------------------------------------------------------------------------------------

    def serve(self, worker: _Worker) -> bool:
        """Hold the baton until it is taken away; return whether the thread is kept as a spare."""
        self._workers_here.worker = worker
        worker.began = self.clock.now()
        while not worker.is_retired:
            if not self._round(worker):
                break
        with self._hands:
            if worker.is_retired:
                return False
            if self._baton_waits:
                self._baton_waits = False
                self._holder = worker
                worker.go.set()
                return True
            if len(self._spares) >= _MAX_SPARES:
                self._threads.discard(worker)
                return False
            self._spares.append(worker)
            return True

    def _round(self, worker: _Worker) -> bool:
        """Poll, fire timers, run what is ready, then what is late; False when the baton was taken meanwhile."""
        now = worker.began  # when its last turn has ended: nothing has happened since
        ready, late = self._ready, self._late
        if now - self._polled_at >= _POLL_AGAIN_AFTER_S or not (ready or late):
            try:
                self._poll()
            except Exception:
                # A descriptor broke under us: its owner finds out when it reads. The baton must not be lost with it.
                _log.exception("polling failed")
            now = self._polled_at = worker.began = self.clock.now()
            while self._told:
                if not self._make_call(worker, self._told.popleft()):
                    return False
        while (call := self._timers.take_due(now)) is not None:
            if not self._make_call(worker, call):
                return False
        self._slice_until = until = now + _LONGEST_ROUND_S
        if ready and not self._run_all(worker, ready, until):
            return False
        if not late:
            return True
        self._slice_until = worker.began + _LONGEST_ROUND_S
        return self._run_all(worker, late, _NEVER)

    def _run_all(self, worker: _Worker, runnables: deque[Runnable], until: float) -> bool:
        """Give one turn to each that is ready now, as far as time allows; False when the baton was taken."""
        grant, now_by_clock, entry = worker.grant, self.clock.now, here.__dict__
        again_until = self._polled_at + _POLL_AGAIN_AFTER_S
        left = len(runnables)
        while left:
            left -= 1
            if worker.is_retired:
                return True
            try:
                runnable = runnables.popleft()
            except IndexError:  # withdrawn meanwhile
                break
            self._turns += 1
            grant.append(None)
            worker.runnable = runnable
            entry["turn"] = runnable  # as ``here.turn = runnable``, in a third of the time
            try:
                runnable.run_batch(grant)
            except BaseException:
                _log.exception("a turn broke its own machinery runnable=%r", runnable)
            worker.runnable = None
            entry["turn"] = None
            try:
                grant.pop()
            except IndexError:  # taken away during the turn: somebody else is the holder now
                worker.seat.returns += 1
                self.long_turns.on_return(worker.seat, now_by_clock())
                return False
            worker.began = now = now_by_clock()
            if now >= until:
                break
            if not left and now < again_until and not self._late:
                left = len(runnables)  # nothing is to be written, and sockets and timers can wait: one more round of it
        return True

    def _make_call(self, worker: _Worker, call: Callable[[], None]) -> bool:
        """Make a call of a timer or socket; False when the baton was taken meanwhile, or the worker is to end."""
        self._turns += 1
        worker.grant.append(None)
        try:
            call()
        except BaseException:
            _log.exception("a call of a timer or socket raised")
        try:
            worker.grant.pop()
        except IndexError:
            worker.seat.returns += 1
            self.long_turns.on_return(worker.seat, self.clock.now())
            return False
        return not worker.is_retired

    def _poll(self) -> None:
        timeout = 0.0
        if not (self._ready or self._late or self._told):  # told by a holder that has lost the baton in between
            due = self._timers.next_due()
            timeout = _LONGEST_SLEEP_S if due is None else min(max(0.0, due - self.clock.now()), _LONGEST_SLEEP_S)
            self._sleeps_until = float("inf") if due is None else due
            # Order matters: announce the sleep first, then look again. A sender appends first and then looks whether
            # somebody sleeps. Whichever is second sees the other, so no wake-up is lost.
            self._asleep = True
            if self._ready or self._late or self._stopping or self._timers.next_due() != due:
                timeout = 0.0
        try:
            self._told.extend(self._sockets.poll(timeout))
        finally:
            self._asleep = False
            if (monitor := self._monitor) is not None:
                monitor.wake()

    # -- handing the baton over --------------------------------------------------------------------------------------

    def take_from(self, worker: _Worker, *, turn_s: float) -> None:
        """Take the baton from a worker that is in a turn or call, and pass it on; nothing if it has lost it already.

        Args:
            worker: the holder, perhaps.
            turn_s: for how many seconds its turn has been running, about.
        """
        number = worker.seat.returns  # before the pop, which says that its turn is still running
        try:
            worker.grant.pop()
        except IndexError:
            return
        self.long_turns.add(LongTurn(worker.seat, number, self.clock.now() - turn_s))
        if not worker.is_retired:  # otherwise it had none, and there may be a holder of a new life
            self._pass_on()

    def _pass_on(self) -> None:
        """Give the baton, which the caller owns, to a thread that is free."""
        with self._hands:
            if self._stopping:
                return
            worker = self._spares.pop() if self._spares else self._new_worker()
            if worker is None:
                self._baton_waits = True
                _log.error(
                    "all %d threads are in turns that block; other actors wait. Move blocking work to self.blocking()",
                    len(self._threads),
                )
                return
            self._holder = worker
            if not self._spares and (spare := self._new_worker()) is not None:
                self._spares.append(spare)  # so that the next hand-over need not start a thread
        worker.go.set()

    def _new_worker(self) -> _Worker | None:
        if len(self._threads) >= self._max_threads:
            return None
        self._numbers += 1
        worker = _Worker(self, self._numbers)
        try:
            worker.start()
        except RuntimeError:
            _log.exception("no thread could be started threads=%d", len(self._threads))
            return None
        self._threads.add(worker)
        return worker
