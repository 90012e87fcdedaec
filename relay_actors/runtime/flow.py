"""Drives a coroutine inside an actor's turns: no event loop, no thread. Layer: pillar.

Source: DESIGN section 4; SEMANTICS A14, A15.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol

from relay_actors.errors import FlowError
from relay_actors.runtime.anatomy import AnyCell
from relay_actors.runtime.future import Future
from relay_actors.runtime.signals import Unwrapped

__all__ = ["MOST_FAILED", "Flow", "FlowOwner", "OwnedFlow", "Running", "place_of"]


MOST_FAILED: Final = 1000
"""So often in a row a flow may await what has failed already: one that does so for ever would keep its thread."""


class Running(Protocol):
    """Something that an actor is in the middle of: a coroutine, or code on a thread of its own. In its turns only."""

    @property
    def is_over(self) -> bool:
        """Whether it has returned, raised, or been closed."""

    @property
    def place(self) -> str:
        """Where it waits: file, line and function."""

    def begin(self) -> None:
        """Start it."""

    def end_with(self, error: BaseException) -> None:
        """Raise ``error`` once, where it waits, or where it will wait next."""

    def forgo(self, kind: type[BaseException]) -> None:
        """Do not raise an error of that kind any more, if it is this that runs now: it was told the same already."""

    def cancel(self) -> None:
        """Raise `asyncio.CancelledError` where it waits; it may clean up, and wait while it does."""

    def close(self) -> None:
        """End it: it may not wait any more."""


class FlowOwner(Protocol):
    """Who is told of the end of an `OwnedFlow`."""

    def flow_returned(self, result: object) -> None:
        """The coroutine has returned."""

    def flow_raised(self, error: BaseException) -> None:
        """It has raised, or was cancelled or closed."""


class Flow(Unwrapped):
    """One run of one coroutine, for one incarnation of an actor. Used in the actor's turns only.

    An await suspends the flow, not the actor. When the awaited future is settled in a turn of the actor, the flow goes
    on right after what has settled it; when it is settled elsewhere, in the turn that handles a message about it in the
    control lane. A future that is settled already does not suspend.

    Args:
        cell: the actor's cell.
        coroutine: what to run.
        on_done: called in the turn in which the coroutine returned, with what it returned.
        on_failed: called with what it raised, in place of raising it; also when it was cancelled or closed. Without
            it, a flow that was cancelled ends in silence.
        envelope: of the message that it handles, if it is a handler: so whoever asked can be answered later, and what
            is asked in it has no more time than that question (SEMANTICS A9, A13).

    Attributes:
        is_over: whether it has returned, raised, or been closed.
    """

    __slots__ = (
        "_awaited",
        "_cell",
        "_coroutine",
        "_ending",
        "_envelope",
        "_is_cancelled",
        "_is_to_be_ended",
        "_on_done",
        "_on_failed",
        "is_over",
    )  # fmt: skip

    def __init__(
        self,
        cell: AnyCell,
        coroutine: Coroutine[Any, Any, Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[BaseException], None] | None = None,
        envelope: Any = None,
    ) -> None:
        self._cell = cell
        self._envelope = envelope
        self._coroutine = coroutine
        self._on_done = on_done
        self._on_failed = on_failed
        self._awaited: Future[Any] | None = None
        self._is_to_be_ended = False  # it has been taken from what it awaited, and is given the error in its next turn
        self.is_over = False
        self._is_cancelled = False
        self._ending: BaseException | None = None

    @property
    def envelope(self) -> Any:
        """That of the message that it handles, if it is a handler; otherwise None."""
        return self._envelope

    @property
    def place(self) -> str:
        """Where it waits: file, line and function."""
        return place_of(self._coroutine)

    def begin(self) -> None:
        """Run up to the first await. What the coroutine raises, this raises."""
        self._step(None)

    def interrupt(self, error: BaseException) -> None:
        """Raise ``error`` at the await where the flow is; nothing if it is over. What comes out, this raises.

        A flow that interrupts itself is interrupted at its next await.
        """
        if self.is_over:
            return
        if self._is_running:
            self._ending = error
            return
        self._leave()
        self._is_to_be_ended = False
        self._step(error)

    def end_with(self, error: BaseException) -> None:
        """Raise ``error`` once, in a turn of its own: at the await where the flow is, or the next that suspends it.

        An await whose future is settled already still gives its value first: what has happened is not taken back.
        """
        if self.is_over:
            return
        self._ending = error
        if self._awaited is not None and not self._awaited.is_settled:
            self._leave()
            self._is_to_be_ended = True
            self._cell.tell_control(self)

    def forgo(self, kind: type[BaseException]) -> None:
        """Do not raise an error of that kind any more, if it is this that runs now: it was told the same already."""
        if self._is_running and isinstance(self._ending, kind):
            self._ending = None

    def cancel(self) -> None:
        """Raise `asyncio.CancelledError` at the await where the flow is, or else at the next that suspends it.

        Its ``except`` and ``finally`` blocks run, and may await; whoever cancels sees to it that this has an end.
        """
        self._is_cancelled = True
        self.interrupt(asyncio.CancelledError())

    def close(self) -> None:
        """Close the coroutine where it is: its ``finally`` blocks run, but may not await any more.

        A flow that ends its own actor is closed at its next await.
        """
        if self.is_over:
            return
        self.is_over = True
        self._leave()
        if self._is_running:
            return
        cell = self._cell
        outer, cell.in_flow = cell.in_flow, True
        try:
            self._coroutine.close()
        finally:
            cell.in_flow = outer
            self._tell_failed(asyncio.CancelledError())

    @property
    def _is_running(self) -> bool:
        return bool(self._coroutine.cr_running)  # type: ignore[attr-defined]  # a native coroutine has it

    def _step(self, error: BaseException | None) -> None:
        coroutine, cell = self._coroutine, self._cell
        failed = 0
        outer, cell.in_flow = cell.in_flow, True
        outer_handling, cell.handling = cell.handling, self._envelope
        try:
            while True:
                if error is None:
                    awaited = coroutine.send(None)
                else:
                    awaited = coroutine.throw(error)
                    error = None
                if not isinstance(awaited, Future):
                    error = FlowError(
                        f"a flow cannot await {type(awaited).__name__}: it is driven by its actor, not by asyncio. "
                        "Run asyncio code by self.aio(...), and blocking code by self.blocking(...)"
                    )
                elif self.is_over:
                    coroutine.close()
                    self._tell_failed(asyncio.CancelledError())
                    return
                elif not awaited.is_settled:
                    if self._ending is None:
                        break
                    error, self._ending = self._ending, None
                elif awaited.error is not None:
                    failed += 1
                    if failed == MOST_FAILED:
                        # By GeneratorExit, which nothing catches that catches errors.
                        coroutine.close()
                        raise FlowError(
                            f"it has awaited {failed} times in a row what had failed already, the last time by "
                            f"{type(awaited.error).__name__}: {awaited.error}. Let a flow end when its call has, by "
                            "`except CallEnded: raise`, and wait before you try again"
                        )
        except StopIteration as finished:
            if self.is_over:  # closed by its own hand, and returned before the next await
                self._tell_failed(asyncio.CancelledError())
                return
            self.is_over = True
            result = finished.value
        except BaseException as failure:
            self.is_over = True
            if self._on_failed is None and not (self._is_cancelled and isinstance(failure, asyncio.CancelledError)):
                raise
            self._tell_failed(failure)
            return
        else:
            self._awaited = awaited
            awaited.add_done_callback(self)
            return
        finally:
            cell.in_flow = outer
            cell.handling = outer_handling
        if self._on_failed is not None or not self._is_cancelled:
            self._tell_done(result)

    def _leave(self) -> None:
        """Await nothing any more; what was awaited may go on for ever, and keeps nothing of this flow."""
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            awaited.remove_done_callback(self)

    def _tell_done(self, result: object) -> None:
        self._on_done(result)

    def _tell_failed(self, error: BaseException) -> None:
        if self._on_failed is not None:
            self._on_failed(error)

    def __call__(self, _future: object) -> None:
        """What is awaited is settled: go on soon. Any thread."""
        self._cell.tell_next(self)

    def deliver(self) -> None:
        """Go on, if what is awaited is settled, or the flow is to be ended. In the actor's turn.

        The flow itself is the message about that. One about an await that was interrupted may come later; it finds
        that what is awaited now is not settled, or goes on in place of the message that is about this one.
        """
        awaited = self._awaited
        if awaited is not None:
            if awaited.is_settled:
                self._awaited = None
                self._step(None)
        elif self._is_to_be_ended and not self.is_over:
            self._is_to_be_ended = False
            error, self._ending = self._ending, None
            self._step(error)


class OwnedFlow(Flow):
    """A flow that tells one object of its end, by `flow_returned` and `flow_raised`, and needs no functions for that.

    Args:
        owner: who is told, as by `Flow`'s ``on_done`` and ``on_failed``.
        cell: see `Flow`.
        coroutine: see `Flow`.
    """

    __slots__ = ("_owner",)

    def __init__(self, owner: FlowOwner, cell: AnyCell, coroutine: Coroutine[Any, Any, Any]) -> None:
        super().__init__(cell, coroutine, _nobody, _nobody)
        self._owner = owner

    def _tell_done(self, result: object) -> None:
        self._owner.flow_returned(result)

    def _tell_failed(self, error: BaseException) -> None:
        self._owner.flow_raised(error)


def _nobody(_told: object) -> None:
    """Never called: the owner is told."""


def place_of(coroutine: Any) -> str:
    """Return where a coroutine waits, innermost: file, line and function; "" when it is over.

    What runs another coroutine step by step in its ``__await__`` has that as its ``coroutine``: it is looked through.
    """
    place = ""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        code = getattr(frame, "f_code", None)
        if frame is None or code is None:
            break
        if place and code.co_name == "__await__":  # the framework's own end of it tells nobody anything
            coroutine = getattr(frame.f_locals.get("self"), "coroutine", None)
            continue
        place = f"{code.co_filename}:{frame.f_lineno} in {code.co_qualname}"
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return place
