"""Sees what a flow awaits, so that what others have told it can be told again. Layer: hall."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any

from relay_actors.actors.packing import NotKept, pack, pack_error
from relay_actors.runtime.future import Future
from relay_actors.runtime.waiting import sources_of

__all__ = ["Watched"]


class Watched:
    """A coroutine of a call, and what it awaits.

    What the call itself settles, such as replies, events and its own timers, comes again when the call is rebuilt. What
    belongs to others, such as the answer of another actor, does not: its outcome is noted, and given to whoever awaits
    it again.

    Args:
        call: the call's actor.
        coroutine: what it runs.
    """

    def __init__(self, call: Any, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._call = call
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._coroutine.__await__()
        error: BaseException | None = None
        try:
            while True:
                try:
                    awaited = next(steps) if error is None else steps.throw(error)
                except StopIteration as over:
                    return over.value
                number = self._number_of(awaited)
                error = None
                try:
                    yield awaited
                except GeneratorExit:
                    raise
                except BaseException as raised:  # noqa: BLE001  # also when the flow is cancelled: the coroutine is told
                    error = raised
                if number is not None and awaited.is_settled:
                    self._call.keep_note("awaited", {"number": number, **_outcome(awaited)})
        finally:
            self._coroutine.close()

    def _number_of(self, awaited: object) -> int | None:
        """Return the number of an awaited future that others settle; None for the call's own."""
        if not isinstance(awaited, Future) or _is_own(awaited, self._call.runs_as):
            return None
        course = self._call.leg.course
        number: int = course.next("awaits")
        if course.replay is not None:
            course.replay.awaits(number, awaited)
        return number


def _is_own(future: Future[Any], cell: object) -> bool:
    sources = sources_of(future)
    if sources is not None:
        return all(_is_own(source, cell) for source in sources)
    return future.settled_by is cell


def _outcome(future: Future[Any]) -> dict[str, object]:
    error = future.error
    if error is not None:
        return {"error": pack_error(error)}
    try:
        return {"value": pack(future.get(timeout=0))}
    except NotKept:
        return {"lost": type(future.get(timeout=0)).__name__}
