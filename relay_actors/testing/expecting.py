"""What a test expects to come, and how long it waits for it. Layer: door. Source: SEMANTICS V1; Akka's TestKit.

Times are by the dispatcher's clock. On a deterministic dispatcher waiting makes things happen, in virtual time; on
threads it waits as any thread does.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar, overload

from relay_actors.errors import ConfigError
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.clock import is_time
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.simulator.near_words import NearWords

__all__ = ["Expecting", "Inbox", "describe", "factor_for", "matches", "shown"]

T = TypeVar("T")

WITHIN_S: Final = 3.0
"""How long something may take to come where a test does not say it."""

NOTHING_FOR_S: Final = 0.1
"""How long nothing may come where a test does not say it."""

REMEMBERED: Final = 10
"""How many of those that came before are told when something is missing."""

LONGEST: Final = 200
"""How much of one message an error shows, in characters."""

_VARIABLE: Final = "RELAY_TEST_TIME_FACTOR"


def matches(matcher: object, value: object) -> bool:
    """Return whether ``value`` is what ``matcher`` says: one of a class, accepted by a function, or equal to it."""
    if isinstance(matcher, type):
        return isinstance(value, matcher)
    return bool(matcher(value)) if callable(matcher) else value == matcher


def describe(matcher: object) -> str:
    """Return for people what a matcher accepts."""
    if isinstance(matcher, type):
        return matcher.__name__
    return f"what {getattr(matcher, '__name__', matcher)} accepts" if callable(matcher) else shown(matcher)


def shown(value: object) -> str:
    """Return something that came, for people."""
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def factor_for(dispatcher: Dispatcher, given: float | None) -> float:
    """Return by what times are multiplied.

    The one that is given counts; else ``RELAY_TEST_TIME_FACTOR``, which is for machines under load and says nothing of
    virtual time; else 1.

    Raises:
        ConfigError: it is no number above 0.
    """
    text = "" if given is not None or isinstance(dispatcher, DeterministicDispatcher) else os.environ.get(_VARIABLE, "")
    factor: object = given if given is not None else 1.0
    if text:
        try:
            factor = float(text)
        except ValueError:
            factor = text
    if not is_time(factor) or not factor:
        source = "factor" if given is not None else _VARIABLE
        raise ConfigError(f"{source}={factor!r}: must be a number above 0, by which times are multiplied")
    return factor


class Inbox(Generic[T]):
    """What has come and nobody has looked at yet. Anybody puts in; one test takes out.

    Args:
        dispatcher: who makes things come.
    """

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._lock = threading.Lock()  # guards what has come and who waits; held for a few instructions only
        self._come: deque[T] = deque()
        self._waiter: Future[None] | None = None

    @property
    def waiting(self) -> list[T]:
        """What has come, oldest first."""
        with self._lock:
            return list(self._come)

    def put(self, item: T) -> None:
        """Take something in. Any thread."""
        with self._lock:
            self._come.append(item)
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            waiter.try_set(None)

    def take(self, deadline: float, where: Callable[[T], object] | None = None) -> T | None:
        """Return and remove the first one that is there, or comes by ``deadline`` on the dispatcher's clock; or None.

        Args:
            deadline: a moment in the past only looks; on a deterministic dispatcher, once nothing can run.
            where: which one; the others stay where they are.
        """
        while True:
            with self._lock:
                for index, item in enumerate(self._come):
                    if where is None or where(item):
                        del self._come[index]
                        return item
                waiter: Future[None] = Future(self._dispatcher)
                self._waiter = waiter
            try:
                waiter.get(timeout=max(0.0, deadline - self._dispatcher.clock.now()))
            except WaitTimeout:
                if not waiter.is_settled:  # otherwise it came this very moment
                    return None


class Expecting(NearWords):
    """Reads what comes in the order in which it comes. Not inside an actor: it waits.

    A matcher is a class (one of it), a function (what it accepts), or any other value (what equals it).

    Args:
        dispatcher: who makes things come.
        factor: by what all times are multiplied; by default ``RELAY_TEST_TIME_FACTOR``, or 1, and always 1 in virtual
            time.
    """

    _what = "message"

    def __init__(self, dispatcher: Dispatcher, *, factor: float | None = None) -> None:
        self.factor = factor_for(dispatcher, factor)
        self._clock = dispatcher.clock
        self._inbox: Inbox[tuple[Any, Any]] = Inbox(dispatcher)
        self._looked_at: deque[object] = deque(maxlen=REMEMBERED)
        self._blocks: list[float] = []

    @property
    def waiting(self) -> list[Any]:
        """What has come and was not looked at yet, oldest first."""
        return [item for item, _note in self._inbox.waiting]

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Let everything that is expected in this block come within ``seconds``, all of it together.

        Raises:
            AssertionError: the block has taken longer.
        """
        __tracebackhide__ = True
        began = self._clock.now()
        allowed_s = _checked(seconds) * self.factor
        deadline = min([began + allowed_s, *self._blocks[-1:]])
        self._blocks.append(deadline)
        try:
            yield
        finally:
            self._blocks.pop()
        now = self._clock.now()
        if now > deadline:
            raise AssertionError(f"the block has taken {now - began:.3g} s, and may take {allowed_s:.3g} s")

    @overload
    def expect(self, matcher: type[T], *, within: float | None = ...) -> T: ...
    @overload
    def expect(self, matcher: object, *, within: float | None = ...) -> Any: ...
    def expect(self, matcher: object, *, within: float | None = None) -> Any:
        """Return the next one, which must be what ``matcher`` says.

        Args:
            matcher: a class, a function, or a value.
            within: seconds it may take to come; 3 by default, or as long as the block of `within` lasts.

        Raises:
            AssertionError: something else comes, which is named, or nothing.
        """
        __tracebackhide__ = True
        return self._expect(matcher, self._deadline(within))

    def expect_in_order(self, *matchers: object, within: float | None = None) -> list[Any]:
        """Return the next ones, which must be what these matchers say, in their order, within one deadline.

        Raises:
            AssertionError: something else comes, or too little.
        """
        __tracebackhide__ = True
        deadline = self._deadline(within)
        return [self._expect(matcher, deadline) for matcher in matchers]

    def expect_in_any_order(self, *matchers: object, within: float | None = None) -> list[Any]:
        """Return the next ones in the order of the matchers, one for each, in whatever order they come.

        Where several matchers fit, the first of them gets it; so the narrow ones belong in front.

        Raises:
            AssertionError: one comes that no matcher that is left fits, or too few.
        """
        __tracebackhide__ = True
        deadline = self._deadline(within)
        found: dict[int, Any] = {}
        while len(found) < len(matchers):
            left = {index: matcher for index, matcher in enumerate(matchers) if index not in found}
            told = " and ".join(map(describe, left.values()))
            came = self._next(deadline)
            if came is None:
                raise AssertionError(self._nothing_came(told))
            index = next((index for index, matcher in left.items() if matches(matcher, came[0])), None)
            if index is None:
                raise AssertionError(self._something_else(told, came[0]))
            found[index] = came[0]
        return [found[index] for index in range(len(matchers))]

    @overload
    def fish(self, matcher: type[T], *, within: float | None = ...) -> T: ...
    @overload
    def fish(self, matcher: object, *, within: float | None = ...) -> Any: ...
    def fish(self, matcher: object, *, within: float | None = None) -> Any:
        """Return the next one that is what ``matcher`` says, and skip all before it.

        Raises:
            AssertionError: none comes; all that were skipped are named.
        """
        __tracebackhide__ = True
        deadline = self._deadline(within)
        skipped: list[object] = []
        while (came := self._next(deadline)) is not None:
            if matches(matcher, came[0]):
                return came[0]
            skipped.append(came[0])
        raise AssertionError(self._nothing_came(describe(matcher), "skipped", skipped))

    def _expect_nothing(self, for_s: float | None) -> None:
        __tracebackhide__ = True
        came = self._next(self._deadline(NOTHING_FOR_S if for_s is None else for_s))
        if came is not None:
            raise AssertionError(f"expected no {self._what}, but {shown(came[0])} came{self._and_behind()}")

    def _expect(self, matcher: object, deadline: float) -> Any:
        __tracebackhide__ = True
        came = self._next(deadline)
        if came is None:
            raise AssertionError(self._nothing_came(describe(matcher)))
        if not matches(matcher, came[0]):
            raise AssertionError(self._something_else(describe(matcher), came[0]))
        return came[0]

    def _next(self, deadline: float) -> tuple[Any, Any] | None:
        came = self._inbox.take(deadline)
        if came is not None:
            self._looked_at.append(came[0])
            self._on_taken(came[1])
        return came

    def _on_taken(self, note: Any) -> None:
        """Learn what came along with what is looked at now. For subclasses."""

    def _deadline(self, within: float | None) -> float:
        """Return by when something has to come: its own time, but not longer than the block around it."""
        if within is None and self._blocks:
            return self._blocks[-1]
        own = self._clock.now() + _checked(WITHIN_S if within is None else within) * self.factor
        return min([own, *self._blocks[-1:]])

    def _something_else(self, told: str, came: object) -> str:
        return f"expected {told}, but {shown(came)} came{self._and_behind()}{self._hints()}"

    def _nothing_came(self, told: str, others: str = "before it came", list_of: list[object] | None = None) -> str:
        before = list(self._looked_at) if list_of is None else list_of
        lines = "".join(f"\n  {shown(one)}" for one in before) or " nothing"
        now = f"{self._clock.now():.3f}"
        return f"expected {told}, but none came in time (the clock says {now}); {others}:{lines}{self._hints()}"

    def _and_behind(self) -> str:
        behind = self.waiting
        return "".join(["; behind it waits:" if behind else "", *(f"\n  {shown(one)}" for one in behind[:REMEMBERED])])

    def _hints(self) -> str:
        """Return what else may be the reason, on lines of its own. For subclasses."""
        return ""


def _checked(seconds: object) -> float:
    if not is_time(seconds):
        raise ConfigError(f"within={seconds!r}: must be a number of seconds, 0 or more")
    return seconds
