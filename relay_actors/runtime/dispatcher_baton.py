"""The pooled dispatcher: one thread at a time holds the baton. Layer: pillar. Source: DESIGN section 2a.

Handing work from thread to thread costs a hundred times more than an actor's turn. So the holder of the baton does
everything: it polls the sockets, makes the calls that are due, runs the ready actors and then the late ones (which
write what the round has produced), and sleeps in the poll only when nothing is left. Other threads are there for the
case that a turn takes long:

* a *monitor* looks every few milliseconds whether the same turn is still running, and if so takes the baton away and
  gives it to a spare thread;
* a framework wait inside a turn (`waiting`) gives it away at once.

Who may take the baton is decided by an atomic pop. While a thread is in a turn, its `grant` list has one element; the
monitor, a wait, or the end of the turn pop it, and whoever gets it owns the baton from then on. So there is never a
second holder, and a turn pays for this one append and one pop.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from relay_actors.runtime.base import Clock, Pollable, Runnable, TimerHandle
from relay_actors.runtime.timer_queue import TimerQueue

__all__ = ["BatonDispatcher"]

_log = logging.getLogger("relay_actors.runtime")

_MAX_SPARES = 4
_IDLE_LOOKS_BEFORE_SLEEP = 20


class _Worker(threading.Thread):
    """A thread that holds the baton, runs a long turn without it, or waits to be given it."""

    def __init__(self, dispatcher: BatonDispatcher, number: int) -> None:
        super().__init__(name=f"{dispatcher.name}-{number}", daemon=dispatcher.daemon)
        self.dispatcher = dispatcher
        self.grant: list[None] = []
        self.go = threading.Event()

    def run(self) -> None:
        """Hold the baton whenever it is given."""
        while True:
            self.go.wait()
            self.go.clear()
            if not self.dispatcher.serve(self):
                return


class _Watched:
    """A pollable and what the selector has been told of it. Touched by the baton's holder, but for ``armed``."""

    __slots__ = ("armed", "events", "on_ready", "pollable", "registered_fd")

    def __init__(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        self.pollable = pollable
        self.on_ready = on_ready
        self.armed = True
        self.events = 0
        self.registered_fd = -1


class BatonDispatcher:
    """Runs actors on whichever thread holds the baton.

    Args:
        clock: by which timers fire.
        name: begins the names of the threads.
        handover_after_s: a turn longer than about this loses the baton to another thread.
        max_threads: how many handlers may block at once before others have to wait for them.
        max_blocking: how many calls of `run_blocking` may run at once.
        daemon: whether the threads let the process exit.
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
    ) -> None:
        self._clock = clock
        self.name = name
        self.daemon = daemon
        self._handover_after_s = handover_after_s
        self._max_threads = max_threads
        self._max_blocking = max_blocking
        self._ready: deque[Runnable] = deque()
        self._late: deque[Runnable] = deque()
        self._timers = TimerQueue()
        self._watched: dict[int, _Watched] = {}
        self._poll_changes: deque[Callable[[], None]] = deque()
        self._turns = 0  # written by the holder only; the monitor compares it
        self._asleep = False
        self._sleeps_until = float("inf")
        self._monitor_rests = False
        self._monitor_wake = threading.Event()
        # Guards the list of threads and who is the next holder; taken when the baton changes hands, not in turns.
        self._hands = threading.Lock()
        self._threads: set[_Worker] = set()
        self._spares: list[_Worker] = []
        self._holder: _Worker | None = None
        self._numbers = 0
        self._baton_waits = False  # no thread could be had: the next one that comes back takes it
        self._running = False
        self._stopping = False
        self._selector: selectors.BaseSelector | None = None
        self._wake_reader: socket.socket | None = None
        self._wake_writer: socket.socket | None = None
        self._monitor: threading.Thread | None = None
        self._blocking: ThreadPoolExecutor | None = None
        self._blocking_threads: set[threading.Thread] = set()
        self._workers_here = threading.local()

    @property
    def clock(self) -> Clock:
        """The clock by which timers fire."""
        return self._clock

    @property
    def thread_count(self) -> int:
        """How many threads it has now, the monitor and the blocking pool included."""
        with self._hands:
            return len(self._threads) + (self._monitor is not None) + len(self._blocking_threads)

    @property
    def pending_timers(self) -> int:
        """How many timers are pending."""
        return len(self._timers)

    # -- from any thread ---------------------------------------------------------------------------------------------

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn soon. Any thread."""
        (self._late if runnable.late else self._ready).append(runnable)
        if self._asleep:
            self._wake()

    def call_at(self, due: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made at ``due`` by the baton's holder; it must be short. Any thread."""
        timer = self._timers.add(due, call)
        if self._asleep and due < self._sleeps_until:
            self._wake()
        return timer

    def watch(self, pollable: Pollable, on_ready: Callable[[], None]) -> None:
        """Have ``on_ready`` called once when ``pollable`` is ready; then `rearm`. Any thread."""
        watched = _Watched(pollable, on_ready)

        def begin() -> None:
            self._watched[id(pollable)] = watched
            self._tell_selector(watched)

        self._change_polling(begin)

    def rearm(self, pollable: Pollable) -> None:
        """Poll ``pollable`` again; call it in the turn of the actor that owns it."""
        watched = self._watched.get(id(pollable))
        if watched is None:
            return
        watched.armed = True
        if watched.events != _interest(pollable):
            self._change_polling(lambda: self._tell_selector(watched))

    def unwatch(self, pollable: Pollable) -> None:
        """Forget ``pollable``; call it before the descriptor is closed. Any thread; idempotent."""
        watched = self._watched.pop(id(pollable), None)
        if watched is None or watched.registered_fd < 0 or self._selector is None:
            return
        # At once, not when the holder comes round: the descriptor may be closed, and reused, right after this.
        # A selector's unregister is one system call and one dictionary operation, safe beside a select.
        try:
            self._selector.unregister(watched.registered_fd)
        except (KeyError, ValueError, OSError):
            _log.debug("descriptor was already forgotten fd=%s", watched.registered_fd)
        watched.registered_fd = -1

    def run_blocking(self, call: Callable[[], object], name: str) -> None:
        """Run ``call`` on the blocking pool. Any thread."""

        def run() -> None:
            me = threading.current_thread()
            with self._hands:
                self._blocking_threads.add(me)
            try:
                call()
            except Exception:
                _log.exception("blocking call failed name=%s", name)

        with self._hands:
            if self._blocking is None:
                self._blocking = ThreadPoolExecutor(self._max_blocking, thread_name_prefix=f"{self.name}-blocking")
            pool = self._blocking
        pool.submit(run)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Give the baton away, if this thread holds it, because it is about to block."""
        worker = getattr(self._workers_here, "worker", None)
        if worker is not None:
            self._take_from(worker)
        yield

    def wait_until(
        self, is_done: Callable[[], bool], block: Callable[[float | None], bool], timeout_s: float | None
    ) -> bool:
        """Wait by ``block``, without the baton."""
        with self.waiting():
            return block(timeout_s) or is_done()

    # -- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to give turns. Idempotent; may be called again after `stop`."""
        with self._hands:
            if self._running:
                return
            self._running = True
            self._stopping = False
            self._selector = selectors.DefaultSelector()
            self._wake_reader, self._wake_writer = socket.socketpair()
            self._wake_reader.setblocking(False)
            self._wake_writer.setblocking(False)
            self._selector.register(self._wake_reader, selectors.EVENT_READ, None)
            for watched in self._watched.values():
                watched.registered_fd = -1
                self._tell_selector(watched)
            self._monitor = threading.Thread(target=self._watch_turns, name=f"{self.name}-monitor", daemon=self.daemon)
            self._monitor.start()
        self._pass_on()

    def stop(self, timeout_s: float) -> int:
        """Stop all threads; return how many would not end in time. Not for use inside a turn. Idempotent."""
        with self._hands:
            if not self._running:
                return 0
            self._stopping = True
            threads: list[threading.Thread] = [*self._threads, *self._blocking_threads]
            if self._monitor is not None:
                threads.append(self._monitor)
            pool, self._blocking = self._blocking, None
            workers = list(self._threads)
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)
        self._wake()
        self._monitor_wake.set()
        for worker in workers:
            worker.go.set()
        deadline = self._clock.now() + timeout_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - self._clock.now()))
        left = sum(thread.is_alive() and thread is not threading.current_thread() for thread in threads)
        with self._hands:
            self._running = False
            self._threads.clear()
            self._spares.clear()
            self._blocking_threads.clear()
            self._holder = None
            self._monitor = None
            self._baton_waits = False
            for closable in (self._selector, self._wake_reader, self._wake_writer):
                if closable is not None:
                    closable.close()
            self._selector = self._wake_reader = self._wake_writer = None
            self._monitor_wake.clear()
        return left

    # -- the holder --------------------------------------------------------------------------------------------------

    def serve(self, worker: _Worker) -> bool:
        """Hold the baton until it is taken away; return whether the thread is kept as a spare."""
        self._workers_here.worker = worker
        while not self._stopping:
            if not self._round(worker):
                break
        with self._hands:
            if self._stopping:
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
        try:
            self._poll()
        except (OSError, ValueError):
            _log.exception("polling failed")  # a descriptor broke under us: its owner finds out when it reads
        now = self._clock.now()
        while (call := self._timers.take_due(now)) is not None:
            _make_call(call)
        return self._run_all(worker, self._ready) and self._run_all(worker, self._late)

    def _run_all(self, worker: _Worker, runnables: deque[Runnable]) -> bool:
        grant = worker.grant
        for _ in range(len(runnables)):
            runnable = runnables.popleft()
            self._turns += 1
            grant.append(None)
            try:
                runnable.run_batch(grant)
            except Exception:
                _log.exception("a turn broke its own machinery runnable=%r", runnable)
            try:
                grant.pop()
            except IndexError:  # taken away during the turn: somebody else is the holder now
                return False
        return True

    def _poll(self) -> None:
        selector = self._selector
        if selector is None:
            return
        while self._poll_changes:
            self._poll_changes.popleft()()
        timeout: float | None = 0.0
        if not (self._ready or self._late):
            due = self._timers.next_due()
            timeout = None if due is None else max(0.0, due - self._clock.now())
            self._sleeps_until = float("inf") if due is None else due
            # Order matters: announce the sleep first, then look again. A sender appends first and then looks whether
            # somebody sleeps. Whichever is second sees the other, so no wake-up is lost.
            self._asleep = True
            earlier = self._timers.next_due()
            if self._ready or self._late or self._poll_changes or self._stopping or earlier != due:
                timeout = 0.0
        try:
            events = selector.select(timeout)
        finally:
            self._asleep = False
        if self._monitor_rests:
            self._monitor_wake.set()
        for key, _mask in events:
            watched: _Watched | None = key.data
            if watched is None:
                self._drain_wakes()
            elif watched.armed:
                watched.armed = False
                watched.on_ready()
            elif self._watched.get(id(watched.pollable)) is watched:
                # Not dealt with yet, by an actor in a long turn: do not spin on it.
                selector.unregister(watched.registered_fd)
                watched.registered_fd = -1
                watched.events = 0

    def _tell_selector(self, watched: _Watched) -> None:
        """Have the selector poll for what the pollable wants now. Only the holder, or `start`."""
        selector = self._selector
        if selector is None or self._watched.get(id(watched.pollable)) is not watched:
            return
        events = _interest(watched.pollable)
        try:
            if watched.registered_fd < 0:
                descriptor = watched.pollable.fileno()
                selector.register(descriptor, events, watched)
                watched.registered_fd = descriptor
            else:
                selector.modify(watched.registered_fd, events, watched)
            watched.events = events
        except (KeyError, ValueError, OSError) as problem:
            # The descriptor went meanwhile. Its owner finds out when it reads: tell it to.
            _log.debug("cannot poll: %s", problem)
            watched.on_ready()

    def _change_polling(self, change: Callable[[], None]) -> None:
        self._poll_changes.append(change)
        if self._asleep:
            self._wake()

    def _wake(self) -> None:
        writer = self._wake_writer
        if writer is None:
            return
        try:
            writer.send(b"\0")
        except BlockingIOError:
            return  # the pipe is full of wake-ups: one more would say nothing new
        except OSError:
            _log.debug("wake-up after the end")

    def _drain_wakes(self) -> None:
        reader = self._wake_reader
        try:
            while reader is not None and len(reader.recv(4096)) == 4096:
                continue
        except BlockingIOError:
            return

    # -- handing the baton over --------------------------------------------------------------------------------------

    def _take_from(self, worker: _Worker) -> None:
        """Take the baton from a worker that is in a turn, and pass it on; nothing if it has lost it already."""
        try:
            worker.grant.pop()
        except IndexError:
            return
        self._pass_on()

    def _pass_on(self) -> None:
        """Give the baton, which the caller owns, to a thread that is free."""
        with self._hands:
            if self._stopping:
                return
            if self._spares:
                worker = self._spares.pop()
            elif len(self._threads) < self._max_threads:
                worker = self._new_worker()
            else:
                self._baton_waits = True
                _log.error(
                    "all %d threads are in turns that block; other actors wait. Move blocking work to self.blocking()",
                    self._max_threads,
                )
                return
            self._holder = worker
            if not self._spares and len(self._threads) < self._max_threads:
                self._spares.append(self._new_worker())  # so that the next hand-over need not start a thread
        worker.go.set()

    def _new_worker(self) -> _Worker:
        self._numbers += 1
        worker = _Worker(self, self._numbers)
        self._threads.add(worker)
        worker.start()
        return worker

    def _watch_turns(self) -> None:
        """Take the baton away from turns that take long. Runs on the monitor's thread."""
        pause_s = self._handover_after_s / 2
        seen, looks, idle = -1, 0, 0
        while not self._stopping:
            if idle >= _IDLE_LOOKS_BEFORE_SLEEP:
                # Same order of steps as in _poll, with the holder as the other side.
                self._monitor_rests = True
                if self._asleep:
                    self._monitor_wake.wait()
                self._monitor_rests = False
                self._monitor_wake.clear()
                idle = 0
                continue
            self._monitor_wake.wait(pause_s)
            self._monitor_wake.clear()
            holder, turns = self._holder, self._turns
            if holder is None or not holder.grant:
                idle = idle + 1 if self._asleep else 0
                looks = 0
            elif turns != seen:
                seen, looks, idle = turns, 0, 0
            else:
                looks, idle = looks + 1, 0
                if looks >= 2:
                    looks = 0
                    self._take_from(holder)


def _interest(pollable: Pollable) -> int:
    return selectors.EVENT_READ | (selectors.EVENT_WRITE if pollable.wants_write() else 0)


def _make_call(call: Callable[[], None]) -> None:
    try:
        call()
    except Exception:
        _log.exception("a timer's call raised")
