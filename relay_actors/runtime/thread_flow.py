"""Runs a plain function as a flow: on a thread of its own, but in its actor's turns. Layer: pillar.

Source: DESIGN section 4; SEMANTICS A15, D1.

Only one of the flow and the actor's handlers runs at a time. What makes it so is the turn itself. A turn is the
``_rest`` of the cell (see `post`): who has taken it may touch the actor, and it may be given back by another thread
than the one that took it. So a turn can be *passed on*:

* A turn that finds that the flow may go on runs to its end, and then does not give the turn back, but lets the flow's
  thread go on (`take_turn`). That thread now has the turn; the thread that ran the turn until then is free, and a
  dispatcher sees nothing of how long the flow's code blocks.
* Where the flow waits, a ``.get()`` of a future that is not settled, its thread first says what is to wake it, then
  gives the turn back (`Cell.end_turn`), and then stands still until a turn is passed to it again. So all that lies
  between two waits is like one turn: no message is handled in it, and ``here.turn`` is the actor's cell.

Happens-before: to the flow, by the semaphore of its thread, which is released after the turn has done its part; from
the flow, by ``_rest``, by which it gives the turn back before anybody else can have one. All attributes of
`ThreadFlow` are written by who has the turn, so no lock guards them. A flow that is closed is passed one last turn, in
which each of its waits raises at once, and which ends when its code does.

In a deterministic run who passes the turn on stands still until it is given back: one thread runs at a time.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, Final, Protocol

from relay_actors.runtime.context import here
from relay_actors.runtime.frames import frame_of
from relay_actors.runtime.future import Future
from relay_actors.runtime.signals import Internal

__all__ = ["RUNS_A_FLOW", "TakesTurn", "ThreadFlow"]

_NOT_THE_USERS: Final = ("relay_actors.runtime.", "relay_actors.actors.", "threading")


class TakesTurn(Protocol):
    """To whom a turn can be passed on."""

    def take_turn(self) -> None:
        """Go on with the turn that the caller has, on another thread; it is given back there."""


class ThreadFlow:
    """One run of one function, for one incarnation of an actor. Used in the actor's turns only.

    Args:
        cell: the actor's cell.
        run: what to run.
        on_done: called in a turn after the function has returned, with what it returned; not when it was cancelled.
    """

    __slots__ = (
        "_awaited",
        "_cell",
        "_context",
        "_ending",
        "_is_cancelled",
        "_is_closed",
        "_is_interrupted",
        "_is_over",
        "_is_through",
        "_next_outward",
        "_on_done",
        "_own",
        "_run",
        "_turn",
        "_wakes",
    )

    def __init__(self, cell: Any, run: Callable[[], Any], on_done: Callable[[Any], None]) -> None:
        self._cell = cell
        self._run = run
        self._on_done = on_done
        self._own = cell.system.own_threads.new(self._work)
        self._wakes = 0
        self._is_over = False
        self._is_cancelled = False
        self._is_closed = False
        self._is_through = False  # its thread wants no more turns, also if nobody has been told of the end yet
        self._is_interrupted = False  # it is taken from what it awaits, and is given the error when it goes on
        self._ending: BaseException | None = None
        self._awaited: Future[Any] | None = None
        self._next_outward: Any = None  # the next incarnation's, in the last turn of one that is closed
        self._turn: Any = None  # that under way on its thread
        self._context: contextvars.Context | None = None  # that of the turn in which it was begun, if anybody observes

    @property
    def is_over(self) -> bool:
        """Whether it has returned, raised, or been closed."""
        return self._is_over

    @property
    def place(self) -> str:
        """Where it waits: file, line and function."""
        frame = frame_of(self._own.thread)
        while frame is not None and frame.f_globals.get("__name__", "").startswith(_NOT_THE_USERS):
            frame = frame.f_back
        return "" if frame is None else f"{frame.f_code.co_filename}:{frame.f_lineno} in {frame.f_code.co_qualname}"

    def begin(self) -> None:
        """Have it run, as soon as the present turn has done its part."""
        if self._cell.system.observation.observers:  # what it does belongs to the trace of what has begun it (O2)
            self._context = contextvars.copy_context()
        if self._cell.passes_to is None:
            self._cell.passes_to = self
        else:  # this turn goes to the flow of the former incarnation, which is closed
            self._wake_soon()

    def end_with(self, error: BaseException) -> None:
        """Raise ``error`` once: where the flow waits, or where it will wait next for what is not settled then.

        If it waits for what is settled already, it is given that first: what has happened is not taken back.
        """
        if self._is_over:
            return
        self._ending = error
        awaited = self._awaited
        if awaited is not None and (self._is_cancelled or not awaited.is_settled):
            self._is_interrupted = True
            self._wake_soon()

    def forgo(self, kind: type[BaseException]) -> None:
        """Do not raise an error of that kind any more, if it is this that runs now: it was told the same already."""
        if here.wait_by == self._wait and isinstance(self._ending, kind) and not self._is_interrupted:
            self._ending = None

    def cancel(self) -> None:
        """Raise `asyncio.CancelledError` where the flow waits. It may clean up, and wait while it does."""
        if not self._is_over:
            self._is_cancelled = True
            self.end_with(asyncio.CancelledError())

    def close(self) -> None:
        """Raise `asyncio.CancelledError` where the flow waits, and at each wait after that at once."""
        if self._is_over:
            return
        self._is_over = True
        self._is_cancelled = True
        if self._own.thread.ident is not None and not self._is_through:
            self._is_closed = True
            self._cell.passes_to = self

    def wake(self, number: int) -> None:
        """Go on, if the flow still waits for what this wake-up belongs to."""
        if number == self._wakes and not (self._is_over or self._is_through):
            self._cell.passes_to = self

    def take_turn(self) -> None:
        """Go on with the turn that the caller has, on the flow's thread."""
        try:
            self._own.go_on()
        except RuntimeError as error:  # no more threads: it fails, as if its first line had raised this
            self._cell.tell_control(_Over(self, None, error))
            self._cell.end_turn()

    def over(self, result: object, error: BaseException | None) -> None:
        """Say that it has ended; in a turn. What it raised, this raises."""
        if self._is_over:
            return
        self._is_over = True
        if error is not None:
            if not (self._is_cancelled and isinstance(error, asyncio.CancelledError)):
                raise error
        elif not self._is_cancelled:
            self._on_done(result)

    def _wake_soon(self) -> None:
        self._wakes += 1
        self._cell.tell_control(_Wake(self, self._wakes))

    # -- on its own thread -------------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self._context is None:
            self._work_here()
        else:
            self._context.run(self._work_here)

    def _work_here(self) -> None:
        self._turn = self._cell.system.flow_turns.begin(self._cell)
        here.turn = self._cell
        here.wait_by = self._wait
        result: object = None
        failure: BaseException | None = None
        try:
            if not self._is_cancelled:
                result = self._run()
        except BaseException as error:  # whatever it is, it is raised in a turn, where an actor fails
            failure = error
        if self._own.is_abandoned:
            return  # nobody gives turns any more
        self._is_through = True
        if not self._is_closed:
            self._cell.tell_next(_Over(self, result, failure))
        here.turn = None
        self._give_turn()

    def _wait(self, future: Future[Any], timeout_s: float | None) -> bool | None:
        """Let other messages be handled until ``future`` is settled; return whether it is. For `Future`.

        None: it is not the flow that waits, but a handler of a child, whose turn is run inside the flow's.
        """
        cell = self._cell
        if not self._is_here():
            return None
        self._wakes += 1
        if cell.has_ended:  # killed in the middle of this turn: nobody may be left to give it another one
            self._is_closed = True
        self._raise_if_ended(future)
        wake = _Wake(self, self._wakes)

        def settled(_future: object) -> None:
            cell.tell_next(wake)

        actor = cell.actor
        outward = cell.outward
        number = None if outward is None else outward.awaits(future)
        Future.add_done_callback(future, settled)
        timer = None
        if timeout_s is not None:
            timer = actor.call_in_turn_later(max(0.0, timeout_s), lambda: cell.tell_next(wake))
        self._awaited = future
        self._give_turn()
        self._own.wait()
        self._turn = cell.system.flow_turns.begin(cell)
        if self._is_closed and cell.outward is not outward:  # what it still sends is none of what that one has sent
            self._next_outward, cell.outward = cell.outward, None
        self._awaited = None
        future.remove_done_callback(settled)
        if timer is not None:
            timer.cancel()
        if outward is not None and number is not None and not self._is_closed:
            outward.has_awaited(number, future)
        if self._is_interrupted or self._is_closed:
            self._raise_if_ended(future)
        return future.is_settled

    def _give_turn(self) -> None:
        if self._next_outward is not None:
            self._cell.outward, self._next_outward = self._next_outward, None
        self._cell.system.flow_turns.end(self._turn)
        self._cell.end_turn()

    def _is_here(self) -> bool:
        return here.turn is self._cell

    def _raise_if_ended(self, future: Future[Any]) -> None:
        error: BaseException | None = asyncio.CancelledError() if self._is_closed else self._ending
        if error is not None:
            self._ending = None
            self._is_interrupted = False
            future.let_go()
            raise error


class _Wake(Internal):
    """Something that a flow waits for has happened: on its way through the control lane."""

    __slots__ = ("_flow", "_number")

    def __init__(self, flow: ThreadFlow, number: int) -> None:
        self._flow = flow
        self._number = number

    def deliver(self) -> None:
        """Pass this turn on to the flow."""
        self._flow.wake(self._number)


class _Over(Internal):
    """A flow's function has returned, or raised."""

    __slots__ = ("_error", "_flow", "_result")

    def __init__(self, flow: ThreadFlow, result: object, error: BaseException | None) -> None:
        self._flow = flow
        self._result = result
        self._error = error

    def deliver(self) -> None:
        """Tell of it, in the actor's turn."""
        self._flow.over(self._result, self._error)


# By this, as by `RUNS_A_TURN`, who sees a thread's stack finds whose flow it runs.
RUNS_A_FLOW: Final = ThreadFlow._work_here.__code__  # noqa: SLF001  # this module's own
