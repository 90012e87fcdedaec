"""Who sees what a flow awaits."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from relay_actors.actors.packing import NotKept, pack, unpack
from relay_actors.actors.watched import Watched, give, is_own, outcome_of, settle_as_then
from relay_actors.errors import CallEnded
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future
from relay_actors.runtime.waiting import Raced, gather, race


class Looking:
    """Stands for a call: numbers the futures of others, and notes what came of them."""

    def __init__(self) -> None:
        self.cell = object()
        self.runs_as = self
        self.outward = self
        self.seen: list[object] = []
        self.count = 0

    def awaits(self, future: Future[Any]) -> int | None:
        if is_own(future, self.cell):
            return None
        self.count += 1
        return self.count

    def has_awaited(self, number: int, future: Future[Any]) -> None:
        self.seen.append((number, outcome_of(future) if future.is_settled else "open"))


def own(call: Looking) -> Future[Any]:
    future: Future[Any] = Future()
    future.settled_by = call.cell  # type: ignore[assignment]  # any object does
    return future


class Driven:
    """Drives a watched coroutine by hand, as a flow does."""

    def __init__(self, call: Looking, coroutine: Any) -> None:
        self._steps = Watched(call, coroutine).__await__()

    def step(self, error: BaseException | None = None) -> Any:
        outer, here.turn = here.turn, SimpleNamespace(in_flow=True)
        try:
            return next(self._steps) if error is None else self._steps.throw(error)
        finally:
            here.turn = outer


def test_the_futures_of_others_are_numbered_and_what_came_of_them_is_noted() -> None:
    """J4."""
    call = Looking()
    mine, first, second = own(call), Future[Any](), Future[Any]()

    async def flow() -> list[Any]:
        return [await mine, await first, await second]

    driven = Driven(call, flow())
    for future, value in ((mine, 1), (first, "two"), (second, [3])):
        assert driven.step() is future
        future.try_set(value)
    with pytest.raises(StopIteration) as over:
        driven.step()
    assert over.value.value == [1, "two", [3]]
    assert call.seen == [(1, {"value": "two"}), (2, {"value": [3]})]


def test_an_error_of_anothers_is_noted_and_raised_where_it_was_awaited() -> None:
    call, future = Looking(), Future[Any]()

    async def flow() -> str:
        try:
            await future
        except LookupError as error:
            return str(error)
        return "nothing"

    driven = Driven(call, flow())
    driven.step()
    future.try_fail(LookupError("no such"))
    with pytest.raises(StopIteration) as over:
        driven.step()
    assert over.value.value == "no such"
    [(number, outcome)] = call.seen  # type: ignore[misc]
    assert number == 1
    assert outcome["error"]["type"] == "builtins:LookupError"


@pytest.mark.parametrize("error", [CallEnded("c", "hangup"), asyncio.CancelledError()], ids=str)
def test_a_flow_that_is_ended_where_it_waits_is_told_there(error: BaseException) -> None:
    call, future = Looking(), Future[Any]()
    told: list[BaseException] = []

    async def flow() -> None:
        try:
            await future
        except BaseException as raised:
            told.append(raised)
            raise

    driven = Driven(call, flow())
    driven.step()
    with pytest.raises(type(error)):
        driven.step(error)
    assert told == [error]
    assert call.seen == [(1, "open")]


def test_a_flow_that_is_closed_cleans_up() -> None:
    call, future = Looking(), Future[Any]()
    cleaned: list[str] = []

    async def flow() -> None:
        try:
            await future
        finally:
            cleaned.append("cleaned")

    driven = Driven(call, flow())
    driven.step()
    driven._steps.close()
    assert cleaned == ["cleaned"]
    assert call.seen == []


def test_several_are_the_calls_own_if_each_of_them_is() -> None:
    call = Looking()
    assert is_own(gather(own(call), race(own(call), own(call))), call.cell)
    assert not is_own(gather(own(call), Future()), call.cell)
    assert not is_own(Future(), call.cell)


def test_what_came_of_a_future_is_plain_data() -> None:
    settled, itself, unkept = Future[Any](), Future[Any](), Future[Any]()
    settled.try_set(Raced(1, "x"))
    itself.try_set(itself)
    unkept.try_set({1})
    assert outcome_of(settled) == {"value": pack(Raced(1, "x"))}
    assert outcome_of(itself) == {"itself": True}
    assert outcome_of(unkept) == {"lost": "set"}


def test_who_is_given_the_value_of_several_gives_each_its_own() -> None:
    first, second, third = Future[Any](), Future[Any](), Future[Any]()
    together = gather(first, race(second, third))
    give(together, unpack(pack([1, Raced(1, "three")])))
    assert first.get(timeout=0) == 1
    assert third.get(timeout=0) == "three"
    assert not second.is_settled
    assert together.get(timeout=0) == [1, Raced(1, "three")]


def test_a_future_is_settled_as_it_was_then() -> None:
    """J4: with its value, its error, itself, or the values from which it was computed."""
    then: list[Future[Any]] = [Future() for _ in range(3)]
    then[0].set("x")
    then[1].set_exception(CallEnded("c", "hangup"))
    then[2].set(then[2])
    now: list[Future[Any]] = [Future() for _ in range(3)]
    for before, after in zip(then, now, strict=True):
        settle_as_then(after, outcome_of(before))
    assert now[0].get(timeout=0) == "x"
    assert isinstance(now[1].error, CallEnded)
    assert now[2].get(timeout=0) is now[2]
    parts: list[Future[int]] = [Future(), Future()]
    both = parts[0].join(parts[1])
    settle_as_then(both, {"parts": [{"value": 1}, {"value": 2}]})
    assert both.get(timeout=0) == [1, 2]


def test_what_the_journal_could_not_hold_is_said_when_it_is_waited_for_again() -> None:
    with pytest.raises(NotKept, match="it waited for a set"):
        settle_as_then(Future(), {"lost": "set"})
