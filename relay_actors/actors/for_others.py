"""Code of others that runs in a call's turns: callbacks of what it settles, and listeners. Layer: hall.

When the past of a call is run again, this is not. So what it sends and awaits is none of what the call's own code has
sent and awaited: that is counted, and what has the number of another one would be taken for it. Source: SEMANTICS J3.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from relay_actors.runtime.context import here

__all__ = [
    "CallbackOfOthers",
    "ForOthers",
    "OwnCallback",
    "is_on_record",
    "is_run_again",
    "run_for_others",
    "runs_for_others",
    "step",
]

T = TypeVar("T")


def run_for_others(cell: Any, function: Callable[..., T], *args: Any) -> T:
    """Call a function of others in a turn of a call, by its cell; nothing that it does is noted as the call's."""
    outward, cell.outward = cell.outward, None
    try:
        return function(*args)
    finally:
        cell.outward = outward


def runs_for_others(cell: Any) -> bool:
    """Return whether what runs in a turn of a call now is noted as nobody's; False where nothing is recorded."""
    return cell.outward is None and bool(cell.keep.leg.course.is_recorded)


def is_run_again(call: Any) -> bool:
    """Return whether what runs in a turn of a call is run again when the code of that incarnation is.

    Not what a former incarnation has left behind, and not what a hook does about a crash. Where nothing is recorded,
    nothing has to be told apart.
    """
    cell = call.runs_as
    return cell.actor is None or (cell.actor is call and not runs_for_others(cell))  # None: it is being made


def is_on_record(call: Any) -> bool:
    """Return whether what the code of a call's incarnation finds out is kept for when it is run again."""
    return bool(call.leg.course.is_recorded) and is_run_again(call)


def step(steps: Generator[Any, Any, Any], error: BaseException | None) -> Any:
    """Have a coroutine go on, with an error if there is one; return what it awaits next."""
    return next(steps) if error is None else steps.throw(error)


class CallbackOfOthers:
    """A callback of others, called so where it is called in a turn of the call. Equal to that callback.

    Args:
        cell: of the call that settles what it is a callback of.
        callback: whom to call.
    """

    __slots__ = ("_callback", "_cell")
    __hash__ = None  # type: ignore[assignment]  # nobody looks it up

    def __init__(self, cell: Any, callback: Callable[[Any], Any]) -> None:
        self._cell = cell
        self._callback = callback

    def __eq__(self, other: object) -> bool:
        return bool(self._callback == other)

    def __call__(self, future: Any) -> Any:
        """It is settled. In whichever thread has settled it. Return what the callback does."""
        if here.turn is self._cell:
            return run_for_others(self._cell, self._callback, future)
        return self._callback(future)


class OwnCallback(CallbackOfOthers):
    """A callback of a call's own code. Called as one of others, or not at all, when its incarnation has crashed.

    Not at all if the code of that is run again, which brings its callbacks again.

    Args:
        cell: of the call whose code it is; others may settle what it is a callback of, or be listened to.
        callback: as above.
    """

    __slots__ = ("_beginning", "_incarnation")

    def __init__(self, cell: Any, callback: Callable[[Any], Any]) -> None:
        super().__init__(cell, callback)
        course = cell.keep.leg.course
        self._incarnation = cell.incarnation
        self._beginning = None if course.record is None else course.beginnings  # None: it begins anew after a crash

    def __call__(self, future: Any) -> Any:
        """It is settled, or there is an event. In whichever thread. Return what the callback does, if it is called."""
        cell = self._cell
        if cell.incarnation == self._incarnation:
            return self._callback(future)
        return None if cell.keep.leg.course.beginnings == self._beginning else super().__call__(future)


class ForOthers:
    """A coroutine of others, each step of which is made so.

    Args:
        cell: of the call in whose turns it is run.
        coroutine: what it runs.

    Attributes:
        coroutine: the same; `place_of` looks for it.
    """

    def __init__(self, cell: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._cell = cell
        self.coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        cell, steps = self._cell, self.coroutine.__await__()
        error: BaseException | None = None
        try:
            while True:
                try:
                    awaited = run_for_others(cell, step, steps, error)
                except StopIteration as over:
                    return over.value
                error = None
                try:
                    yield awaited
                except GeneratorExit:
                    raise
                except BaseException as raised:  # noqa: BLE001  # also when it is cancelled: the coroutine is told
                    error = raised
        finally:
            run_for_others(cell, self.coroutine.close)
