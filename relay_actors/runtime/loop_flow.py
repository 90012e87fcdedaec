"""Runs a coroutine of an actor that lives on the asyncio loop: as a task of the loop. Layer: pillar.

Source: SEMANTICS D3, A14, A15.

Such a coroutine may await whatever asyncio has. Turns of its actor and steps of its task run on the same thread, the
loop's, one after the other: so at most one of them runs at a time, and each sees what those before it have written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

from relay_actors.runtime.context import here
from relay_actors.runtime.dispatcher_loop import LoopDispatcher
from relay_actors.runtime.flow import Flow, FlowOwner, OwnedFlow, Running, place_of
from relay_actors.runtime.future import Future
from relay_actors.runtime.signals import Internal

__all__ = ["MAKES_A_STEP", "LoopFlow", "Over", "new_flow", "new_flow_of", "start_flow"]


def start_flow(
    cell: Any,
    coroutine: Coroutine[Any, Any, Any],
    on_done: Callable[[Any], None],
    on_failed: Callable[[BaseException], None] | None = None,
    envelope: Any = None,
) -> Running:
    """Begin to run a coroutine in the way of the actor's dispatcher; see `Flow`. In the actor's turn."""
    running = new_flow(cell, coroutine, on_done, on_failed, envelope)
    running.begin()
    return running


def new_flow(
    cell: Any,
    coroutine: Coroutine[Any, Any, Any],
    on_done: Callable[[Any], None],
    on_failed: Callable[[BaseException], None] | None = None,
    envelope: Any = None,
) -> Running:
    """Make what runs a coroutine in the way of the actor's dispatcher, not begun yet."""
    dispatcher = cell.dispatcher
    if isinstance(dispatcher, LoopDispatcher):
        return LoopFlow(cell, coroutine, on_done, on_failed, dispatcher.host.loop(), envelope)
    return Flow(cell, coroutine, on_done, on_failed, envelope)


def new_flow_of(owner: FlowOwner, cell: Any, coroutine: Coroutine[Any, Any, Any]) -> Running:
    """Make what runs a coroutine for ``owner``, who is told of its end."""
    dispatcher = cell.dispatcher
    if isinstance(dispatcher, LoopDispatcher):
        loop = dispatcher.host.loop()
        return LoopFlow(cell, coroutine, owner.flow_returned, owner.flow_raised, loop)
    return OwnedFlow(owner, cell, coroutine)


class LoopFlow:
    """One run of one coroutine as a task, for one incarnation of an actor. On the loop's thread only.

    Args:
        cell: the actor's cell.
        coroutine: what to run.
        on_done: see `Flow`.
        on_failed: see `Flow`.
        envelope: see `Flow`.
        loop: on which the actor runs.
    """

    __slots__ = (
        "_cell", "_ending", "_is_cancelled", "_is_over", "_is_put_off", "_loop", "_on_done", "_on_failed", "_steps",
        "_task",
    )  # fmt: skip

    def __init__(
        self,
        cell: Any,
        coroutine: Coroutine[Any, Any, Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[BaseException], None] | None,
        loop: asyncio.AbstractEventLoop,
        envelope: Any = None,
    ) -> None:
        self._cell = cell
        self._steps = _Steps(cell, coroutine, self, envelope)
        self._on_done = on_done
        self._on_failed = on_failed
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self._is_over = False
        self._is_cancelled = False
        self._is_put_off = False  # what it awaited was settled: the error is for the next await
        self._ending: BaseException | None = None

    @property
    def is_over(self) -> bool:
        """Whether it has returned, raised, or been closed."""
        return self._is_over

    @property
    def envelope(self) -> Any:
        """That of the message that it handles, if it is a handler; otherwise None."""
        return self._steps.envelope

    @property
    def place(self) -> str:
        """Where it waits: file, line and function."""
        return place_of(self._steps.coroutine)

    def begin(self) -> None:
        """Make the task; it runs after the present turn."""
        self._task = self._loop.create_task(self._steps)
        self._task.add_done_callback(lambda _task: self._cell.tell_control(Over(self)))

    def end_with(self, error: BaseException) -> None:
        """Raise ``error`` once, where the coroutine waits, or where it will wait next for what is not settled then.

        If it waits for what is settled already, it is given that first: what has happened is not taken back.
        """
        if self._task is None or self._is_over:
            return
        self._ending = error
        self._is_put_off = self._steps.awaits_what_is_settled
        if not self._is_put_off:
            self._task.cancel()

    def forgo(self, kind: type[BaseException]) -> None:
        """Do not raise an error of that kind any more, if it is this that runs now: it was told the same already."""
        if self._is_put_off and isinstance(self._ending, kind) and self._steps.is_running:
            self._ending, self._is_put_off = None, False

    def cancel(self) -> None:
        """Raise `asyncio.CancelledError` where the coroutine waits; it may clean up, and await while it does."""
        if self._task is not None and not self._is_over:
            self._is_cancelled = True
            if self._is_put_off:
                self._ending, self._is_put_off = None, False
            self._task.cancel()

    def close(self) -> None:
        """Close the coroutine where it is; if it is just running, at its next await."""
        if self._is_over:
            return
        self._is_over = True
        try:
            self._steps.shut()
        finally:  # also when a ``finally`` block has raised, or would not stop awaiting
            if self._task is not None:
                self._task.cancel()
            if self._on_failed is not None:
                self._on_failed(asyncio.CancelledError())

    def after_step(self) -> None:
        """It waits for something else now. For the steps."""
        if self._is_put_off and self._task is not None and not self._steps.awaits_what_is_settled:
            self._is_put_off = False
            self._task.cancel()

    def take_ending(self) -> BaseException | None:
        """Return what is to be raised in place of a cancellation, once. For the steps."""
        error, self._ending = self._ending, None
        if error is not None and self._task is not None:
            self._task.uncancel()
        return error

    def over(self) -> None:
        """Say that the task is done; in a turn. What the coroutine raised, this raises."""
        task = self._task
        if self._is_over or task is None:
            return
        self._is_over = True
        error: BaseException | None = asyncio.CancelledError() if task.cancelled() else task.exception()
        if isinstance(error, _Carried):
            error = error.error
        if error is None:
            if self._on_failed is not None or not self._is_cancelled:
                self._on_done(task.result())
        elif self._on_failed is not None:
            self._on_failed(error)
        elif not (self._is_cancelled and isinstance(error, asyncio.CancelledError)):
            raise error


class _Steps(Coroutine[Any, Any, Any]):
    """A coroutine each of whose steps is made as if in a turn of its actor.

    It is none, though: what a step leaves to be done in the actor's turns, it has to bring one.
    """

    def __init__(self, cell: Any, coroutine: Coroutine[Any, Any, Any], flow: LoopFlow, envelope: Any) -> None:
        self._cell = cell
        self.envelope = envelope
        self.coroutine = coroutine
        self._flow = flow
        self._is_shut = False
        self._awaits: Future[Any] | None = None

    def __await__(self) -> Any:
        return self.coroutine.__await__()

    @property
    def awaits_what_is_settled(self) -> bool:
        """Whether it waits for a future of ours, which is settled, so that it goes on in a moment."""
        return self._awaits is not None and self._awaits.is_settled

    @property
    def is_running(self) -> bool:
        """Whether one of its steps is being made."""
        return bool(getattr(self.coroutine, "cr_running", False))

    def send(self, value: Any) -> Any:
        """Go on."""
        return self._step(lambda: self.coroutine.send(value))

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        """Go on with an error."""
        error = typ if val is None else val
        if isinstance(error, asyncio.CancelledError):
            error = self._flow.take_ending() or error
        return self._step(lambda: self.coroutine.throw(error))

    def close(self) -> None:
        """The task was not begun."""
        self.coroutine.close()

    def shut(self) -> None:
        """Make no more steps: ``finally`` blocks run now, and may not await."""
        self._is_shut = True
        if not self.is_running:
            self.coroutine.close()

    def _step(self, step: Callable[[], Any]) -> Any:
        self._raise_if_shut()
        outer, here.turn = here.turn, self._cell
        outer_handling, self._cell.handling = self._cell.handling, self.envelope
        self._awaits = here.awaits = None
        under_way = self._cell.dispatcher.under_way
        turn = under_way.begin(self._cell)
        try:
            awaited = step()
            self._awaits = here.awaits
        except BaseException as error:
            # A task must not see these two: it would end the loop with them. In the turn that tells of it they are
            # raised as they are, and fail the actor.
            if isinstance(error, SystemExit | KeyboardInterrupt):
                raise _Carried(error) from error
            raise
        finally:
            under_way.end(turn)
            here.turn = outer
            here.awaits = None
            self._cell.handling = outer_handling
            self._cell.look_for_work()
        self._raise_if_shut()  # by its own hand, while it ran
        self._flow.after_step()
        return awaited

    def _raise_if_shut(self) -> None:
        if self._is_shut:
            self.coroutine.close()
            raise asyncio.CancelledError


class _Carried(Exception):  # noqa: N818  # nobody catches it
    """Carries what a task would not carry."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(repr(error))
        self.error = error


class Over(Internal):
    """A task is done."""

    __slots__ = ("_flow",)

    def __init__(self, flow: LoopFlow) -> None:
        self._flow = flow

    @property
    def envelope(self) -> Any:
        """That of the message whose handler it was, if it was one; otherwise None."""
        return self._flow.envelope

    def deliver(self) -> None:
        """Tell of it, in the actor's turn."""
        self._flow.over()


# By this, as by `RUNS_A_TURN`, who sees a thread's stack finds whose coroutine it runs.
MAKES_A_STEP: Final = _Steps._step.__code__  # noqa: SLF001  # this module's own
