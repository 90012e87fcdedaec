"""A pykka future that has done-callbacks and can be awaited in a flow and in asyncio. Layer: pillar."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import queue
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, TypeVar

import pykka

from relay_actors.errors import FlowError
from relay_actors.runtime import wait_graph
from relay_actors.runtime.base import Dispatcher, Runnable
from relay_actors.runtime.context import here

__all__ = ["Derived", "Future", "Noting", "WaitTimeout", "get_all", "of_code"]

T = TypeVar("T")
J = TypeVar("J")
M = TypeVar("M")
R = TypeVar("R")
OptExcInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]

_log = logging.getLogger("relay_actors.runtime")


_NONE: Final = object()
"""Stands for the value where there is none: of what has failed, or is computed when it is asked for."""

# No lock is needed, here or in what is derived. One settles it: who takes ``_is_open`` away, which is one step for all
# threads; who comes second gets an error, and finds it settled at the latest in the next moment. The value is written
# before ``is_settled``, so who sees that finds the value.
#
# Callbacks need none by the order of two steps: who adds one adds it, and then looks whether the future is settled, and
# if so takes it back and calls it himself; who settles does so, and then takes out what was added. Whichever comes
# second sees the other, and a callback can be taken out only once: so each is called once.


class Noting(functools.partial[None]):
    """What a future has called by those of which it is made: no code of the actor's in whose turn it is made."""

    __hash__ = None  # type: ignore[assignment]  # nobody looks it up

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Noting) and (self.func, self.args) == (other.func, other.args)


def of_code(callback: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return what is to be called for a callback: it may be of an actor's code that is run again after a crash."""
    outward = getattr(here.turn, "outward", None)
    given: Callable[[Any], Any] = callback if outward is None else outward.calls_back(callback)
    return given


class WaitTimeout(pykka.Timeout, TimeoutError):
    """A wait was over before its future was settled: both a ``pykka.Timeout`` and a `TimeoutError`."""


class Future(pykka.Future[T]):
    """A value that is there, or will be.

    Wait for it with ``get(timeout=…)`` in a thread, with ``await`` in a flow or in asyncio, or with a callback.
    Waiting inside an actor holds up no other actor: the dispatcher gives their turns to another thread.

    Args:
        dispatcher: who runs the actors that will settle it; a deterministic one is driven by waiting.
        owner: the one actor that will settle it, by its cell, if it is known.

    Source: pykka's ``Future`` contract; SEMANTICS A11.
    """

    # What all have, and is looked at all the time: of what also the class has, Python has to look at both.
    __slots__ = ("_callbacks", "_dispatcher", "_is_open", "_value", "is_settled", "settled_by")

    is_settled: bool
    """Whether the value, or the error, is there; or, of a derived future (`map`, `join`, …), can be computed."""
    settles: bool = True
    """Whether it tells when it is settled. A hook of the user's own computes where and when it is asked: nobody can be
    told that it has."""
    settled_by: Runnable | None
    """The actor in whose turns it is settled, where that is known: an actor that would wait for itself is told so."""
    deadline: float = math.inf
    """When it fails by itself, on the dispatcher's clock; for a question's answer (SEMANTICS A2)."""
    is_deferred: bool = False
    """Whether the answer is given later than by what the handler returns (SEMANTICS A13)."""
    instead_of_waiting: str = "Await this in `async def run`, or let what it brings come to on_receive"
    """What an actor is told that would wait for itself."""
    _notes_who_takes: bool = False
    """Whether `get` does more than to give a value that is there: then an await in a flow goes by it, too."""

    # What few ever have. What all have is set when they are made: who is given it later has a table of his own for it.
    _get_hook: Any = None  # pykka's
    _error: BaseException | None = None
    _traceback: TracebackType | None = None

    def __init__(self, dispatcher: Dispatcher | None = None, owner: Runnable | None = None) -> None:
        self._dispatcher = dispatcher
        self.settled_by = owner
        self.is_settled = False
        self._is_open = True
        self._value: Any = None
        self._callbacks: list[Callable[[Any], None]] = []  # most are given one

    @property
    def error(self) -> BaseException | None:
        """The error with which it was settled, or None. Does not wait."""
        return self._error

    def get(self, *, timeout: float | None = None) -> T:
        """Wait for the value and return it, or raise the error.

        Args:
            timeout: seconds; None waits for ever.

        Raises:
            WaitTimeout: nothing came in time; the future is unharmed, and a later ``get`` may succeed.
            WouldDeadlock: an actor would wait, in its turn, for what only its own turn can bring (SEMANTICS A8).
        """
        if self._get_hook is not None:
            return super().get(timeout=timeout)
        if not self.is_settled and not self._wait(timeout):
            raise self._too_late(timeout)
        if self._error is not None:
            # With the traceback that it came with: each waiter would otherwise add its own frames, and keep them.
            raise self._error.with_traceback(self._traceback)
        value: T = self._value
        return value

    def set(self, value: T | None = None) -> None:
        """Settle with a value.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if not self.try_set(value):
            raise queue.Full

    def set_exception(self, exc_info: OptExcInfo | BaseException | None = None) -> None:
        """Settle with an error: the given one, or the one being handled.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if not self.try_fail(_error_of(sys.exc_info() if exc_info is None else exc_info)):
            raise queue.Full

    def set_get_hook(self, func: Callable[[float | None], T]) -> None:
        """Have ``func`` compute the value when it is asked for.

        Raises:
            queue.Full: it is settled already (pykka's contract).
        """
        if self._get_hook is None:
            try:
                del self._is_open  # from here on nobody can settle it
            except AttributeError:
                raise queue.Full from None
            pykka.Future.__init__(self)
            self._value = _NONE
        super().set_get_hook(func)
        self.settles = False

    def try_set(self, value: Any) -> bool:
        """Settle with a value, unless settled already; return whether this call did it. Any thread."""
        if self.is_settled:
            return False
        try:
            del self._is_open
        except AttributeError:  # somebody else, in this moment; or it has a hook
            return False
        self._value = value
        self.is_settled = True
        if self._callbacks:
            self._call_all()
        return True

    def try_fail(self, error: BaseException) -> bool:
        """Settle with an error, unless settled already; return whether this call did it. Any thread."""
        if self.is_settled:
            return False
        try:
            del self._is_open
        except AttributeError:  # somebody else, in this moment; or it has a hook
            return False
        self._value = _NONE
        self._error = error
        self._traceback = error.__traceback__
        self.is_settled = True
        if self._callbacks:
            self._call_all()
        return True

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled: at once, or later in the thread that settles it.

        What it raises is logged and harms nothing.
        """
        self._callbacks.append(callback)
        if self.is_settled:
            try:
                self._callbacks.remove(callback)
            except ValueError:  # who has settled it in this moment has it, and calls it
                return
            self._call(callback)

    def remove_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Forget ``callback``, if it has not been called yet."""
        if self._callbacks:  # of what is settled there are none
            with contextlib.suppress(ValueError):
                self._callbacks.remove(callback)

    def __await__(self) -> Generator[Any, Any, T]:
        turn: Any = here.turn
        if turn is not None and turn.in_flow and (self._value is not _NONE or self.settles):
            yield self  # also when it is settled, which does not suspend: who drives the flow sees all that it awaits
            # As `get` does it.
            if self.is_settled and (value := self._value) is not _NONE and not self._notes_who_takes:
                return value  # type: ignore[no-any-return]  # what was set
        elif not self.is_settled and self.settles:
            yield from self._await_in_asyncio()
        elif self.is_settled:
            import asyncio  # here and below, because applications that never use it need not load it to start

            if asyncio._get_running_loop() is not None:  # noqa: SLF001  # documented: None without one
                if turn is not None:
                    here.awaits = self
                yield  # what the loop was given before, such as callbacks of the same event, comes first
        return self.get(timeout=0 if self.is_settled else None)

    __iter__ = __await__

    # Derived futures compute when they are asked, as pykka's do. Unlike pykka's they wait for all that they need with
    # one deadline (SEMANTICS A10), and to await one blocks nobody.

    def map(self, func: Callable[[T], M]) -> Future[M]:
        """Return a future of ``func(value)``; computed when it is asked for, once."""
        return Derived((self,), lambda values: func(values[0]))

    def filter(self: Future[Iterable[J]], func: Callable[[J], bool]) -> Future[Iterable[J]]:
        """Return a future of a list of those items for which ``func(item)`` holds; computed as by `map`."""
        return Derived((self,), lambda values: [item for item in values[0] if func(item)])

    def reduce(self: Future[Iterable[J]], func: Callable[[R, J], R], *args: R) -> Future[R]:
        """Return a future of the items reduced to one value, as `functools.reduce` does; computed as by `map`."""
        return Derived((self,), lambda values: functools.reduce(func, values[0], *args))

    def join(self: Future[Any], *futures: pykka.Future[Any]) -> Future[Iterable[Any]]:
        """Return a future of the list of this value and those of ``futures``."""
        return Derived((self, *futures), list)

    @property
    def dispatcher(self) -> Dispatcher | None:
        """Who runs the actors that will settle it, if that is known."""
        return self._dispatcher

    def _await_in_asyncio(self) -> Generator[Any, Any, None]:
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            raise FlowError("await this in a flow (async def run) or in asyncio; in a thread use .get()") from None
        woken = loop.create_future()

        def wake_up() -> None:
            if not woken.done():
                woken.set_result(None)

        def tell_loop(_future: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody is there to be told
                loop.call_soon_threadsafe(wake_up)

        self.add_done_callback(tell_loop)
        if here.turn is not None:
            here.awaits = self
        dispatcher = self._dispatcher
        try:
            since = dispatcher.clock.now() if dispatcher is not None else 0.0
            while not self.is_settled and dispatcher is not None and dispatcher.drive(loop, since):
                yield  # what else the loop has to do comes in between
            yield from woken
        finally:
            self.remove_done_callback(tell_loop)

    def _call_all(self) -> None:
        callbacks = self._callbacks
        while callbacks:
            try:
                callback = callbacks.pop(0)
            except IndexError:  # somebody has taken back his own in this moment
                return
            try:
                callback(self)
            except BaseException:
                _log.exception("a done-callback raised callback=%r", callback)

    def _call(self, callback: Callable[[Any], None]) -> None:
        try:
            callback(self)
        except BaseException:
            _log.exception("a done-callback raised callback=%r", callback)

    @property
    def what_is_awaited(self) -> str:
        """What it is, for people: how one actor that waits comes to the next."""
        return type(self).__name__

    def open_parts(self) -> Sequence[Future[Any]]:
        """Return the futures that have yet to be settled: itself, or some of those from which it is computed."""
        return () if self.is_settled else (self,)

    def let_go(self) -> None:
        """Tell it that nobody waits for it any more; nothing, unless it is there only for who waits. Any thread."""

    def _too_late(self, timeout: float | None) -> WaitTimeout:
        return WaitTimeout(f"{timeout} seconds")

    def _wait(self, timeout: float | None) -> bool:
        if timeout == math.inf:
            timeout = None
        if here.wait_by is not None and (is_settled := here.wait_by(self, timeout)) is not None:
            return is_settled
        turn = here.turn
        if turn is None or (timeout is not None and timeout <= 0):  # who only looks does not wait
            return self._block(timeout)
        before = wait_graph.enter(turn, self)
        try:
            return self._block(timeout)
        finally:
            wait_graph.leave(turn, before)

    def _block(self, timeout: float | None) -> bool:
        # A bare lock, not an Event: it costs a tenth, and every ask waits on one.
        asleep = threading.Lock()
        asleep.acquire()

        def settled(_future: object) -> None:
            asleep.release()

        def block(timeout_s: float | None) -> bool:
            return asleep.acquire(timeout=-1 if timeout_s is None else min(max(timeout_s, 0.0), threading.TIMEOUT_MAX))

        # Not what a subclass makes of it: this is no wish of the user's.
        Future.add_done_callback(self, settled)
        if self.is_settled:
            return True
        dispatcher = self._dispatcher or (here.turn.dispatcher if here.turn is not None else None)
        try:
            if dispatcher is None:
                return block(timeout)
            return dispatcher.wait_until(lambda: self.is_settled, block, timeout)
        finally:
            self.remove_done_callback(settled)


class Derived(Future[T]):
    """A value that is computed from those of other futures, when it is asked for.

    Args:
        sources: on which it depends; those of other libraries can be waited for only one after the other.
        compute: from the list of their values.
    """

    def __init__(self, sources: tuple[pykka.Future[Any], ...], compute: Callable[[list[Any]], T]) -> None:
        ours = [source for source in sources if isinstance(source, Future) and source.settles]  # its own kind
        super().__init__(ours[0]._dispatcher if ours else None)  # noqa: SLF001  # its own kind
        self.sources = sources
        self._compute = compute
        self._open = [None] * len(sources)  # one is popped for each that is settled
        self.set_get_hook(self._compute_within)
        self.settles = len(ours) == len(sources)
        if self.settles:
            for source in ours:
                source.add_done_callback(Noting(self._note))

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        super().add_done_callback(of_code(callback))

    def open_parts(self) -> Sequence[Future[Any]]:
        """Return those of its sources that have yet to be settled."""
        return [part for source in self.sources if isinstance(source, Future) for part in source.open_parts()]

    def leave(self) -> None:
        """Have its sources keep nothing of it: it is not asked for again."""
        for source in self.sources:
            if isinstance(source, Future):
                source.remove_done_callback(Noting(self._note))

    def _compute_within(self, timeout: float | None) -> T:
        if not self.settles:
            return self._compute([source.get(timeout=timeout) for source in self.sources])
        if not self.is_settled and not self._wait(timeout):
            raise self._too_late(timeout)
        return self._compute([source.get(timeout=0) for source in self.sources])

    def _note(self, _source: object) -> None:
        self._open.pop()
        if not self._open:  # two threads may both find that: what they do then is done once
            self.is_settled = True
            self._call_all()


def get_all(futures: Iterable[pykka.Future[T]], *, timeout: float | None = None) -> list[T]:
    """Wait for all of ``futures`` and return the list of their values; ``timeout`` is for all of them together.

    (``pykka.get_all`` gives each of them that time, one after the other.)

    Args:
        futures: any number, also none; those of stock pykka actors are waited for one after the other.
        timeout: seconds; None waits for ever. Questions fail by themselves when their own time is over.

    Raises:
        WaitTimeout: not all were there in time; the futures are unharmed.
        Exception: the error of the first in the list that has one, once all are settled.

    Source: SEMANTICS A10.
    """
    waited_for = tuple(futures)
    if not waited_for:
        return []
    together: Derived[list[T]] = Derived(waited_for, list)
    try:
        return list(together.get(timeout=timeout))
    finally:
        together.leave()  # who looks again and again would leave something each time where nothing comes


def _error_of(given: OptExcInfo | BaseException) -> BaseException:
    if isinstance(given, BaseException):
        return given
    kind, error, traceback = given
    if error is None:
        if kind is None:
            raise ValueError("set_exception() needs an error: pass one, or call it where one is being handled")
        error = kind()
    return error.with_traceback(traceback) if traceback is not None else error
