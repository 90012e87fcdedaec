"""Sees what a flow awaits, so that what others have told it can be told again. Layer: hall."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator, Mapping
from typing import Any, cast

from relay_actors.actors.for_others import run_for_others, step
from relay_actors.actors.packing import NotKept, pack_error, packed_or_lost, unpack, unpack_error
from relay_actors.runtime.base import Outward
from relay_actors.runtime.future import Derived, Future
from relay_actors.runtime.waiting import Raced, sources_of

__all__ = ["Watched", "computed_from", "give", "is_own", "outcome_of", "settle_as_then"]


class Watched:
    """A coroutine of a call, and what it awaits.

    What the call itself settles, such as replies, events and its own timers, comes again when the call is rebuilt. What
    belongs to others, such as the answer of another actor, does not: its outcome is noted, and given to whoever awaits
    it again. A coroutine of a former incarnation may go on after a crash; but it is not run again with the code of the
    next one, so from then on it is as one of others.

    Args:
        call: the call's actor.
        coroutine: what it runs.
        on_waits: called before each wait, if given.

    Attributes:
        coroutine: what it runs; `place_of` looks for it.
    """

    def __init__(
        self, call: Any, coroutine: Coroutine[Any, Any, Any], on_waits: Callable[[], object] | None = None
    ) -> None:
        self._on_waits = on_waits
        self._cell = call.runs_as
        self._outward: Outward = self._cell.outward
        self.coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self.coroutine.__await__()
        error: BaseException | None = None
        try:
            while True:
                is_former = self._cell.outward is not self._outward
                try:
                    awaited = run_for_others(self._cell, step, steps, error) if is_former else step(steps, error)
                except StopIteration as over:
                    return over.value
                # What the call itself settles, as nearly always, needs no closer look.
                is_plain = is_former or not isinstance(awaited, Future) or awaited.settled_by is self._cell
                number = None if is_plain else self._outward.awaits(awaited)
                error = None
                if self._on_waits is not None:
                    self._on_waits()
                try:
                    yield awaited
                except GeneratorExit:
                    raise
                except BaseException as raised:  # noqa: BLE001  # also when the flow is cancelled: the coroutine is told
                    error = raised
                if number is not None and self._cell.outward is self._outward:
                    self._outward.has_awaited(number, awaited)
        finally:
            self.coroutine.close()


def is_own(future: Future[Any], cell: object) -> bool:
    """Return whether a future is settled by nobody but a call itself, by its cell."""
    sources = computed_from(future) or sources_of(future)
    if sources is not None:
        return all(is_own(source, cell) for source in sources)
    return future.settled_by is cell


def computed_from(future: Future[Any]) -> tuple[Future[Any], ...] | None:
    """Return what a future by `map`, `join` and the like is computed from; None for any other."""
    return cast("tuple[Future[Any], ...]", future.sources) if isinstance(future, Derived) and future.settles else None


def give(future: Future[Any], value: Any) -> None:
    """Settle a future as it was then, and those from which a `gather` or a `race` had its value."""
    sources = sources_of(future) or ()
    if isinstance(value, Raced) and sources:
        give(sources[value.index], value.value)
    elif isinstance(value, list) and len(sources) == len(value):
        for source, one in zip(sources, value, strict=True):
            give(source, one)
    future.try_set(value)


def outcome_of(future: Future[Any]) -> dict[str, object]:
    """Return plain data that tells how a future was settled; one that is computed, what it is computed from."""
    parts = computed_from(future)
    if parts is not None:
        return {"parts": [outcome_of(part) for part in parts]}
    error = future.error
    if error is not None:
        return {"error": pack_error(error)}
    value = future.get(timeout=0)
    if value is future:  # a handle gives itself
        return {"itself": True}
    return packed_or_lost(value)


def settle_as_then(future: Future[Any], values: Mapping[str, Any]) -> None:
    """Settle a future as `outcome_of` has found it then; nothing, if it is settled.

    Raises:
        NotKept: what it had is not in the journal, or cannot be made again.
    """
    if "parts" in values:
        for part, one in zip(computed_from(future) or (), values["parts"], strict=False):
            if not part.is_settled:
                settle_as_then(part, one)
    elif "lost" in values:
        raise NotKept(f"it waited for a {values['lost']}, which the journal cannot hold")
    elif "error" in values:
        future.try_fail(unpack_error(values["error"]))
    elif "itself" in values:
        future.try_set(future)
    else:
        give(future, unpack(values["value"]))
