"""Waiting for several things: for all of them, or for the first. Layer: pillar. Source: SEMANTICS A10."""

from __future__ import annotations

import abc
import inspect
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any, Final, TypeVar

from relay_actors.errors import FlowError
from relay_actors.late_dataclasses import dataclass
from relay_actors.runtime.base import Dispatcher, TimerHandle
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future, Noting, WaitTimeout, of_code

__all__ = ["LetsGo", "Raced", "gather", "race", "sources_of"]

T = TypeVar("T")

# Guards what those that settle a race or a gathering keep of it, of all of them: held for a few instructions.
# Re-entrant, because a finaliser may run in the middle.
_listening = threading.RLock()

# Of what has lost a race, and of what was given up before it was over, to who waits for it once more.
_LET_GO: Final = (
    "nobody waited for this any more, so it was let go: call next, sleep or aio again, and await what it gives"
)


class LetsGo(Future[T]):
    """A future that is there only for who waits, such as a sleep: once nobody does, it is over."""

    def __await__(self) -> Generator[Any, Any, T]:
        try:
            return (yield from super().__await__())
        except BaseException:  # also when who awaits it was cancelled
            self.let_go()
            raise

    __iter__ = __await__

    def let_go(self) -> None:
        """Nobody waits for it any more."""
        if sys.is_finalizing():  # the process ends, and takes with it who waited: nothing can be imported any more
            return
        import asyncio  # here, so that programs that never use it need not load it to start

        self.try_fail(asyncio.CancelledError(_LET_GO))


@dataclass(frozen=True, slots=True)
class Raced:
    """What a race gives: ``match await race(…): case Raced(0, event): …``."""

    index: int
    """Which of those that were raced was first, counted from 0."""
    value: Any
    """What it has given."""


def gather(*waitables: Future[Any], timeout: float | None = None) -> Future[list[Any]]:
    """Wait for all: give the list of their values, in the order in which they were given.

    It fails with the first error, without waiting for the others. Those that nobody else waits for are then let go:
    sleeps, `next`, `aio`. Replies, handles, questions and blocking code go on. Any thread; in a flow and in asyncio
    await it, in a thread and in ``def run`` use ``.get()``.

    Args:
        waitables: replies, handles, waits, and whatever ``ask(…, block=False)`` gives.
        timeout: seconds for all of them together; None is no limit.

    Raises:
        TypeError: one of them cannot be waited for in this way.
        WaitTimeout: where it is awaited: not all were there in time.
    """
    return _Gathered(_checked("gather", waitables), timeout)


def race(*waitables: Future[Any], timeout: float | None = None) -> Future[Raced]:
    """Wait for the first: give which it was, and its value, as ``Raced(index, value)``.

    If the first one to settle has failed, its error is raised. Of the others, those that nobody else waits for are let
    go: sleeps, `next`, `aio`. Replies, handles, questions and blocking code go on. If several are settled already, the
    one named first wins. Use it as `gather`.

    Args:
        waitables: replies, handles, waits, and whatever ``ask(…, block=False)`` gives; at least one.
        timeout: seconds; None is no limit.

    Raises:
        TypeError: one of them cannot be waited for in this way.
        ValueError: there is none.
        WaitTimeout: where it is awaited: none was there in time.
    """
    if not waitables:
        raise ValueError("race() of nothing would never be over: give what is to be raced")
    return _Race(_checked("race", waitables), timeout)


def sources_of(future: Future[Any]) -> tuple[Future[Any], ...] | None:
    """Return what `gather` or `race` has been given; None for any other future."""
    return future.sources if isinstance(future, _Together) else None


def _checked(name: str, waitables: tuple[Any, ...]) -> tuple[Future[Any], ...]:
    for waitable in waitables:
        if isinstance(waitable, Future) and waitable.settles:
            continue
        if inspect.iscoroutine(waitable):
            waitable.close()
            hint = f"{name}() does not run coroutines: await it, or let asyncio's be run by self.aio(…)"
        elif isinstance(waitable, list | tuple):
            hint = f"{name}() takes them one by one: {name}(*waits)"
        else:
            hint = f"{name}() waits for replies, handles, waits and futures of this framework"
        raise TypeError(f"{hint}; this is a {type(waitable).__name__}")
    return waitables


class _Together(LetsGo[T]):
    """A future that several others settle.

    Those keep something of it only as long as anybody may wait for it: they may never be settled, and be waited for
    again and again. Once it was let go it leaves them, and comes back to them if it is waited for again.
    """

    _notes_who_takes = True

    def __init__(self, sources: tuple[Future[Any], ...], timeout: float | None) -> None:
        dispatcher = next((found for source in sources if (found := source.dispatcher) is not None), None)
        if dispatcher is None and here.turn is not None:
            dispatcher = here.turn.dispatcher
        super().__init__(dispatcher)
        self.sources = sources
        self._notings: list[Noting] = []  # before there is a timer, which may be due at once
        self._timer = None if timeout is None else self._limit(dispatcher, timeout)
        if self._timer is not None:
            Future.add_done_callback(self, self._cancel_timer)
        self._listen()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        super().add_done_callback(of_code(callback))
        if not self.is_settled:
            self._listen()

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error; see `Future.get`."""
        value = super().get(timeout=timeout)
        self._was_taken(value)
        return value

    def _was_taken(self, value: T) -> None:
        """Take also what it was made of: to whoever has awaited that by itself, a call's end is not told once more."""
        for source in self._given(value):
            if source.is_settled and source.error is None:  # this may be what was on record, and that may not be there
                source.get(timeout=0)

    @abc.abstractmethod
    def _given(self, value: T) -> Sequence[Future[Any]]:
        """Return those whose values are in ``value``."""

    def let_go(self) -> None:
        """Nobody waits for it any more, nor for what is only there for it."""
        self._leave()  # first: so one of those finds that nobody waits for it
        for source in self.sources:
            if not source.is_settled:
                source.let_go()

    def _wait(self, timeout: float | None) -> bool:
        self.add_done_callback(_nobody)  # so that it is not left meanwhile
        try:
            is_settled = super()._wait(timeout)
        except BaseException:  # a flow on a thread of its own, which was cancelled here: as where it is awaited
            self.remove_done_callback(_nobody)
            self.let_go()
            raise
        self.remove_done_callback(_nobody)
        return is_settled

    def _listen(self) -> None:
        """Have the sources tell what becomes of them, unless they do."""
        with _listening:
            if self._notings:
                return
            self._notings = notings = [Noting(self._note, place) for place in range(len(self.sources))]
        for source, noting in zip(self.sources, notings, strict=True):
            source.add_done_callback(noting)
        if self.is_settled:  # by one of the first, or in this moment
            self._leave_by(notings)

    def _leave(self) -> None:
        """Have the sources keep nothing of this, if it is over, or nobody waits."""
        with _listening:
            # Who comes to wait adds his callback first, and then listens: so either he is seen here, or he comes back.
            is_awaited = any(callback != self._cancel_timer for callback in self._callbacks)  # but for its own
            if is_awaited and not self.is_settled:
                return
            notings, self._notings = self._notings, []
        self._leave_by(notings)

    def _leave_by(self, notings: list[Noting]) -> None:
        for source, noting in zip(self.sources, notings, strict=False):
            source.remove_done_callback(noting)

    def _limit(self, dispatcher: Dispatcher | None, timeout: float) -> TimerHandle:
        if isinstance(timeout, bool) or not isinstance(timeout, int | float):
            raise TypeError(f"timeout={timeout!r}: give a number of seconds, or None")
        if dispatcher is None:
            raise FlowError("a time-out needs a system whose clock it goes by: use .get(timeout=…) here")
        actor = getattr(here.turn, "actor", None)
        if actor is not None:
            later: TimerHandle = actor.call_in_turn_later(timeout, lambda: self._time_out(timeout))
            return later
        return dispatcher.call_at(dispatcher.clock.now() + timeout, lambda: self._time_out(timeout))

    def _cancel_timer(self, _self: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _time_out(self, timeout: float) -> None:
        if self.try_fail(WaitTimeout(f"{timeout:g} seconds")):
            self.let_go()

    @abc.abstractmethod
    def _note(self, place: int, source: Future[Any]) -> None:
        """One of them is settled. In whichever thread settled it."""


class _Gathered(_Together[list[Any]]):
    """All of them."""

    def open_parts(self) -> Sequence[Future[Any]]:
        """Return what has yet to be settled: one that never will be is enough to wait for ever."""
        return [part for source in self.sources for part in source.open_parts()] if not self.is_settled else []

    def __init__(self, sources: tuple[Future[Any], ...], timeout: float | None) -> None:
        # The places of those that have not told yet. A pop is one step for all threads, and one may tell twice.
        self._open = dict.fromkeys(range(len(sources)))
        super().__init__(sources, timeout)
        if not sources:
            self.try_set([])

    def _given(self, value: list[Any]) -> Sequence[Future[Any]]:
        return self.sources

    def _note(self, place: int, source: Future[Any]) -> None:
        self._open.pop(place, None)
        if source.error is not None:
            if self.try_fail(source.error):
                self.let_go()
        elif not self._open:
            try:
                self.try_set([one.get(timeout=0) for one in self.sources])
            except BaseException as error:  # of a derived future, which is computed here
                self.try_fail(error)


class _Race(_Together[Raced]):
    """The first of them."""

    def __init__(self, sources: tuple[Future[Any], ...], timeout: float | None) -> None:
        super().__init__(sources, timeout)
        # Only if one and the same actor settles all of them, it is this race that waits for that actor.
        owners = {source.settled_by for source in sources}
        self.settled_by = owners.pop() if len(owners) == 1 else None

    def _given(self, value: Raced) -> Sequence[Future[Any]]:
        return (self.sources[value.index],) if isinstance(value, Raced) else ()

    def _note(self, place: int, source: Future[Any]) -> None:
        if self.is_settled:
            return
        try:
            is_first = self.try_set(Raced(place, source.get(timeout=0)))
        except BaseException as error:
            is_first = self.try_fail(error)
        if is_first:
            self.let_go()


def _nobody(_settled: object) -> None:
    """Tell nobody."""
