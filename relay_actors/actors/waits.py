"""The futures of telephony: replies to commands, and waits with an end. Layer: hall."""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any, ClassVar, Final, Never, TypeVar

from relay_actors.actors.for_others import CallbackOfOthers, runs_for_others
from relay_actors.errors import ArgumentError
from relay_actors.protocol import checks
from relay_actors.protocol.base import Command, JsonObject
from relay_actors.protocol.events import EVENT_CLASS_MAP
from relay_actors.runtime.base import Dispatcher, Runnable, TimerHandle
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future, of_code
from relay_actors.runtime.waiting import LetsGo

__all__ = ["CallFuture", "OwnWait", "Reply", "Wait", "check_timeout", "follow", "give_up_after"]

T = TypeVar("T")


class CallFuture(Future[T], Coroutine[Any, Any, T]):
    """A future that is settled in the turns of one actor.

    In asyncio it may be used wherever a coroutine may, also in ``asyncio.create_task(…)``; unlike a coroutine it can be
    awaited often, and by several at once.

    Args:
        dispatcher: who runs that actor.
        owner: its cell. Inside its own turn, waiting with ``get`` would be for ever, and is refused.
    """

    _steps: dict[object, Generator[Any, Any, T]] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'settled' if self.is_settled else 'pending'}>"

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if hasattr(self, name)]

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        callback = of_code(callback)
        owner: Any = self.settled_by
        if owner is not None and (here.turn is not owner or runs_for_others(owner)):
            callback = CallbackOfOthers(owner, callback)  # it is called in a turn of the call, and is not of its code
        super().add_done_callback(callback)

    _where_the_event_is: ClassVar[str] = (
        "If this waits for an event, await it first: `event = await …` in a flow, `.get(timeout=…)` in a thread"
    )

    # What a task asks of a coroutine: asyncio takes nothing else. Each task that awaits it has steps of its own.

    def send(self, value: None) -> Any:
        """Go on to wait. For a task."""
        return self._step(lambda steps: steps.send(value))

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        """Wait no longer. For a task."""
        return self._step(lambda steps: steps.throw(typ if val is None else val))

    def close(self) -> None:
        """A task was not begun; whatever was asked for is none the less done."""

    def _step(self, step: Callable[[Generator[Any, Any, T]], Any]) -> Any:
        import asyncio  # loaded by who has made the task; others need not load it to start

        task = asyncio.current_task()
        if self._steps is None:
            self._steps = {}
        steps = self._steps.get(task) or self._steps.setdefault(task, self.__await__())
        try:
            return step(steps)
        except BaseException:  # it is over: it has given its value, or its error
            del self._steps[task]
            raise


class Reply(CallFuture[JsonObject]):
    """The reply to a command: the server's whole result object, or ``{}`` when the call is gone (404, 410).

    It is ``{}``, too, when the answer was lost, and an event has shown that the command was carried out.

    Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread. It raises a `RelayError` when the command
    was refused or its answer was lost, and `CallEnded` when the call ended first. Nobody has to look at it: a refusal
    that nobody asked for is told as `CommandFailed`.

    Attributes:
        command: what was asked.
        is_wanted: whether somebody waits for it, or has a callback on it.
    """

    _where_the_event_is: ClassVar[str] = (
        "This is the reply to a command, and gives the server's answer, a dictionary; what comes of it is told by an "
        "event: see next() and wait_for()"
    )

    def __init__(self, command: Command, dispatcher: Dispatcher | None = None, owner: Runnable | None = None) -> None:
        super().__init__(dispatcher, owner)
        self.command = command
        self.is_wanted = False

    def __repr__(self) -> str:
        return f"<Reply {self.command.method} {'settled' if self.is_settled else 'pending'}>"

    def get(self, *, timeout: float | None = None) -> JsonObject:
        """Wait for the result and return it; see `CallFuture.get`."""
        self.is_wanted = True
        return super().get(timeout=timeout)

    def __await__(self) -> Generator[Any, Any, JsonObject]:
        self.is_wanted = True
        return super().__await__()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Have ``callback(self)`` called once when settled; see `Future.add_done_callback`."""
        self.is_wanted = True
        super().add_done_callback(callback)


class Wait(CallFuture[T]):
    """A wait for something to happen. Await it in a flow or in asyncio, or ``.get(timeout=…)`` it in a thread."""


class OwnWait(LetsGo[T], Wait[T]):
    """A wait that is there only for who waits, such as a sleep: once nobody does, it is over."""


class _OfTheEvent:
    """In place of what events have: says where to find it. The most frequent mistake is a forgotten ``await``.

    One for each name, and no ``__getattr__``: with that, Python looks up every attribute in a way six times as slow.

    Args:
        name: of what events have.
    """

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, future: CallFuture[Any] | None, owner: type) -> Never:
        missing = f"{owner.__name__!r} object has no attribute {self._name!r}"
        if future is not None:
            missing += f": the event has it. {future._where_the_event_is}"  # noqa: SLF001  # this module's own
        raise AttributeError(missing, name=self._name, obj=future)


_HANDLES_HAVE_THEM: Final = frozenset({"call", "control_id", "result", "state"})
"""What events have, and handles of running operations, too."""


def _say_where_the_event_is() -> None:
    events = {name for event in EVENT_CLASS_MAP.values() for base in event.__mro__[:-1] for name in vars(base)}
    for name in events:
        if name.startswith("_") or hasattr(CallFuture, name):
            continue
        for kind in (Reply, Wait) if name in _HANDLES_HAVE_THEM else (CallFuture,):
            setattr(kind, name, _OfTheEvent(name))


_say_where_the_event_is()


def follow(target: Future[T], source: Future[T], *, instead: Callable[[], BaseException | None] | None = None) -> None:
    """Settle ``target`` as ``source`` is settled, unless it is settled before. Any thread.

    Args:
        target: who follows.
        source: whom.
        instead: asked when ``source`` is settled: an error that ``target`` fails with in its place.
    """

    def pass_on(_source: object) -> None:
        error = (instead() if instead is not None else None) or source.error
        if error is not None:
            target.try_fail(error)
        else:
            target.try_set(source.get(timeout=0))

    # Not what a `Reply` makes of it: that somebody follows does not mean that anybody asks.
    Future.add_done_callback(source, pass_on)
    if not source.is_settled:
        Future.add_done_callback(target, lambda _target: source.remove_done_callback(pass_on))


def check_timeout(timeout_s: object) -> None:
    """Check that it is a number of seconds, or None; it may be below 0, or infinite.

    Raises:
        ArgumentError: it is not.
    """
    if timeout_s is not None and timeout_s != math.inf and not checks.is_number(timeout_s):
        raise ArgumentError(f"timeout must be a number of seconds, or None, not {timeout_s!r}")


def give_up_after(
    wait: Wait[T],
    timeout_s: float | None,
    dispatcher: Dispatcher,
    what: str,
    *,
    later: Callable[[float, Callable[[], None]], TimerHandle] | None = None,
) -> Wait[T]:
    """Let ``wait`` fail with `TimeoutError` after ``timeout_s`` seconds; None lets it wait for ever. Returns it.

    A time that is over already is a time-out at once, unless what is waited for is there: what is left of a deadline
    may be below 0.

    Args:
        wait: what is waited for.
        timeout_s: seconds.
        dispatcher: who knows when the time is over.
        what: what is waited for, for the text of the error.
        later: calls a function after so many seconds, in place of the dispatcher.

    Raises:
        ArgumentError: ``timeout_s`` is no number of seconds.
    """
    check_timeout(timeout_s)
    if timeout_s is None or timeout_s == math.inf:
        return wait
    timeout_s = max(0.0, timeout_s)
    error = TimeoutError(f"{what} did not happen within {timeout_s:g} s")
    if later is not None:
        timer = later(timeout_s, lambda: _give_up(wait, error))
    else:
        timer = dispatcher.call_at(dispatcher.clock.now() + timeout_s, lambda: _give_up(wait, error))
    Future.add_done_callback(wait, lambda _wait: timer.cancel())
    return wait


def _give_up(wait: Wait[T], error: TimeoutError) -> None:
    wait.try_fail(error)
