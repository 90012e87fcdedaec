"""The one asyncio loop of a system, and actors that run on it. Layer: pillar. Source: SEMANTICS D3.

A loop is made at the first use, and has a thread of its own. In a deterministic run it has none: it is driven like an
actor, a round at a time, and its time is the virtual one.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any, Final, NoReturn, Protocol, TypeVar, TypeVarTuple, Unpack

from relay_actors.errors import FlowError, WouldDeadlock
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_beside import BesideDispatcher
from relay_actors.runtime.future import Future
from relay_actors.runtime.loop_watch import LoopWatch
from relay_actors.runtime.owed import Brought

__all__ = ["LoopDispatcher", "LoopHost", "LoopThread", "VirtualLoop", "VirtualLoopHost", "new_watch_of", "run_on_loop"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_ADVICE: Final = (
    "whatever else is awaited by self.aio(...), and every actor on the loop, waits. Await "
    "asyncio.to_thread(function, ...) in place of what blocks"
)

_log = logging.getLogger("relay_actors.runtime")


class LoopHost(Protocol):
    """Has a loop, and runs it."""

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, made at the first use. Any thread.

        Raises:
            RuntimeError: it has been stopped.
        """

    def task_begins(self) -> None:
        """A coroutine begins that somebody has given to it. On the loop's thread."""

    def task_ends(self) -> None:
        """One is over. On the loop's thread."""

    def stop(self, timeout_s: float) -> int:
        """Cancel what runs, and end the loop; return how many threads would not end in time. Idempotent."""


class LoopThread:
    """A loop on a thread of its own. What holds it up while coroutines are under way is reported (SEMANTICS A16).

    Args:
        name: of the thread.
        daemon: whether it lets the process exit.
        new_watch: makes who looks whether it goes on; None reports nothing.
    """

    def __init__(
        self,
        *,
        name: str,
        daemon: bool,
        new_watch: Callable[[asyncio.AbstractEventLoop, threading.Thread], LoopWatch] | None = None,
    ) -> None:
        self._name = name
        self._daemon = daemon
        self._new_watch = new_watch
        self._watch: LoopWatch | None = None
        self._tasks = 0
        # Guards the making of the loop. Re-entrant, because a finaliser may run in the middle.
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._is_stopped = False

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop, made at the first use. Any thread.

        Raises:
            RuntimeError: it has been stopped.
        """
        with self._lock:
            if self._is_stopped:
                raise RuntimeError("the asyncio loop has been stopped with its system")
            if self._loop is None:
                loop = asyncio.new_event_loop()
                thread = threading.Thread(target=_run_loop, args=(loop,), name=self._name, daemon=self._daemon)
                thread.start()
                self._loop, self._thread = loop, thread
            return self._loop

    def task_begins(self) -> None:
        """A coroutine begins: from the first one on somebody looks. On the loop's thread."""
        self._tasks += 1
        if self._tasks > 1 or self._new_watch is None:
            return
        if self._watch is not None:
            self._watch.begin()
        else:
            self._watch = self._new_watch(asyncio.get_running_loop(), threading.current_thread())

    def task_ends(self) -> None:
        """One is over: after the last one nobody looks, and no timer is pending. On the loop's thread."""
        self._tasks -= 1
        if not self._tasks and self._watch is not None:
            self._watch.stop()

    def stop(self, timeout_s: float) -> int:
        """Cancel what runs, and end the loop; return 1 if its thread would not end in time. Idempotent."""
        if self._watch is not None:
            self._watch.stop()
        with self._lock:
            self._is_stopped = True
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            return 0
        with contextlib.suppress(RuntimeError):  # closed already
            loop.call_soon_threadsafe(loop.stop)
        if thread is not threading.current_thread():
            thread.join(timeout_s)
        return int(thread.is_alive())


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in virtual time, driven by a dispatcher: a round is a step like an actor's turn.

    What it can wait for is time, futures, other tasks, and functions that are to run on a thread; a deterministic run
    has no sockets. Whoever asks for one is told: it would be waited for in vain, while virtual time passes.

    Args:
        dispatcher: who drives it.
    """

    late = False

    def __init__(self, dispatcher: Dispatcher) -> None:
        super().__init__()
        self.dispatcher = dispatcher
        self._is_due = False
        self._is_missed = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is ready at this moment."""
        return not self._is_due

    def time(self) -> float:
        """Return virtual seconds."""
        return self.dispatcher.clock.now() if hasattr(self, "dispatcher") else 0.0

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As every loop does, and ask for a step."""
        handle = super().call_soon(callback, *args, context=context)
        self._ask_for_step()
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """As `call_soon`, also by a flow on a thread of its own, which a loop in debug mode would refuse there."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._ask_for_step()
        return handle

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Have ``callback`` called when virtual time reaches ``when``."""
        handle = _VirtualTimer(when, callback, args, self, context)
        handle.pending = self.dispatcher.call_at(when, handle.fire)
        return handle

    def run_in_executor(self, executor: object, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        """Call ``func`` in a step of its own, as `Dispatcher.run_blocking` does: there are no other threads."""
        future: asyncio.Future[T] = self.create_future()

        def call() -> None:
            try:
                result = func(*args)
            except BaseException as error:  # also a SystemExit: a thread would tell it in the same way
                if not future.done():
                    future.set_exception(error)
            else:
                if not future.done():
                    future.set_result(result)

        self.dispatcher.run_blocking(call, "executor")
        return future

    def _has_no_sockets(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise FlowError(
            "asyncio code asked for a socket or a process, and in virtual time there are none: nobody would wait for "
            "it. Put a stand-in into its place, or let the test run in real time: @pytest.mark.relay(real=True)"
        )

    create_connection = create_unix_connection = create_datagram_endpoint = _has_no_sockets
    create_server = create_unix_server = connect_accepted_socket = _has_no_sockets
    connect_read_pipe = connect_write_pipe = subprocess_exec = subprocess_shell = _has_no_sockets
    sock_connect = sock_accept = sock_recv = sock_recv_into = sock_sendall = _has_no_sockets
    add_reader = add_writer = _has_no_sockets

    def run_batch(self, grant: list[None]) -> None:
        """Run one round of the loop: everything that is ready now."""
        self._is_due = False
        if self.is_closed():
            return
        if self.is_running():  # a wait inside it drives the world: the round that is under way goes on after it
            self._is_missed = True
            return
        outer_loop = asyncio._get_running_loop()  # noqa: SLF001  # documented, in spite of its name, for makers of loops
        outer = here.turn, here.wait_by, here.never_blocks
        here.turn, here.wait_by, here.never_blocks = None, _refuse_to_block, True
        asyncio._set_running_loop(None)  # noqa: SLF001
        try:
            self.stop()  # at the end of this round
            self.run_forever()
        finally:
            asyncio._set_running_loop(outer_loop)  # noqa: SLF001
            here.turn, here.wait_by, here.never_blocks = outer
            if self._is_missed:
                self._is_missed = False
                self._ask_for_step()

    def _ask_for_step(self) -> None:
        if not self._is_due:
            self._is_due = True
            self.dispatcher.schedule(self)


class _VirtualTimer(asyncio.TimerHandle):
    """A call that is due at a moment of virtual time."""

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: VirtualLoop,
        context: Context | None,
    ) -> None:
        super().__init__(when, callback, args, loop, context)
        self.pending: Any = None
        self._call = (callback, args, context)
        self._on = loop

    def fire(self) -> None:
        """It is time."""
        callback, args, context = self._call
        if not (self.cancelled() or self._on.is_closed()):
            self._on.call_soon(callback, *args, context=context)

    def cancel(self) -> None:
        """Forget the call."""
        self.pending.cancel()
        super().cancel()


class VirtualLoopHost:
    """A loop in virtual time, made at the first use.

    Args:
        dispatcher: who drives it.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._loop: VirtualLoop | None = None
        self._is_stopped = False

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop.

        Raises:
            RuntimeError: it has been stopped.
        """
        if self._is_stopped:
            raise RuntimeError("the asyncio loop has been stopped with its system")
        if self._loop is None:
            self._loop = VirtualLoop(self._dispatcher)
        return self._loop

    def task_begins(self) -> None:
        """Nobody looks: in virtual time nothing takes long."""

    def task_ends(self) -> None:
        """Nobody looks."""

    def stop(self, timeout_s: float) -> int:
        """Cancel what runs, and close the loop; there is no thread that could stay."""
        self._is_stopped = True
        loop, self._loop = self._loop, None
        if loop is not None:
            tasks = asyncio.all_tasks(loop)
            for task in tasks:
                task.cancel()
            self._dispatcher.wait_until(
                lambda: loop.is_idle and all(task.done() for task in tasks), lambda _left: False, timeout_s
            )
            loop.close()
        return 0

    def abandon(self) -> None:
        """Close the loop as it is, as when the process dies: no task hears of it. Idempotent."""
        self._is_stopped = True
        loop, self._loop = self._loop, None
        if loop is not None:
            for task in asyncio.all_tasks(loop):
                # Nobody is to be told, when it is collected, that it was not done: it is dead.
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # noqa: SLF001
            loop.close()


class LoopDispatcher(BesideDispatcher):
    """Gives turns on the thread of the loop: there, actors may use asyncio as any code on a loop may.

    Args:
        shared: the system's dispatcher.
        host: has the loop.
        long_turns: see `BesideDispatcher`.
    """

    def __init__(self, shared: Dispatcher, host: LoopHost, long_turns: Any = None) -> None:
        super().__init__(shared, long_turns, is_loop=True)
        self.host = host

    def schedule(self, runnable: Runnable) -> None:
        """Let ``runnable`` have a turn on the loop. Any thread."""
        with contextlib.suppress(RuntimeError):  # the loop has been closed, and its system with it
            self.host.loop().call_soon_threadsafe(self.give_turn, runnable)


def new_watch_of(
    dispatcher: Dispatcher, report_s: float | None, is_told_elsewhere: Callable[[], bool]
) -> Callable[[asyncio.AbstractEventLoop, threading.Thread], LoopWatch] | None:
    """Return what makes the watch of a system's loop; None if nothing is to be reported.

    Args:
        dispatcher: of the system.
        report_s: for how many seconds the loop has to be held up; None reports nothing.
        is_told_elsewhere: see `LoopWatch`.
    """
    if report_s is None:
        return None
    return partial(
        LoopWatch, dispatcher=dispatcher, report_s=report_s, advice=_ADVICE, is_told_elsewhere=is_told_elsewhere
    )


def run_on_loop(host: LoopHost, coroutine: Coroutine[Any, Any, Any], future: Future[Any]) -> None:
    """Run a coroutine as a task of the loop, and settle ``future`` with what comes of it. Any thread.

    If the future is settled otherwise before, the task is cancelled.
    """
    tasks: list[asyncio.Task[Any]] = []  # on the loop's thread only

    def begin() -> None:
        if future.is_settled:
            coroutine.close()
            return
        task = loop.create_task(coroutine)
        tasks.append(task)
        host.task_begins()
        task.add_done_callback(settle)

    def settle(task: asyncio.Task[Any]) -> None:
        host.task_ends()
        if task.cancelled():
            future.try_fail(asyncio.CancelledError())
        elif (error := task.exception()) is None:
            future.try_set(task.result())
        elif isinstance(future, Brought):
            future.raised(error)
        else:
            future.try_fail(error)

    def cancel() -> None:
        for task in tasks:
            task.cancel()

    def on_settled(_future: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed, and has cancelled everything
            loop.call_soon_threadsafe(cancel)

    try:
        loop = host.loop()
        loop.call_soon_threadsafe(begin)
    except RuntimeError as error:  # stopped, and perhaps only just
        coroutine.close()
        future.try_fail(error)
        return
    Future.add_done_callback(future, on_settled)  # no callback of the actor's code, which may be run again


def _refuse_to_block(future: Any, _timeout: float | None) -> bool:
    raise WouldDeadlock(
        f"waiting for {future!r} by .get() or ask() would hold up the whole asyncio loop, and perhaps what it waits "
        "for: await it, ask with block=False, or give the actor another dispatcher"
    )


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    here.wait_by, here.never_blocks = _refuse_to_block, True
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        if tasks:
            loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
    except BaseException:
        _log.exception("the asyncio loop broke")
    finally:
        loop.close()
