"""The heap of all timers of a dispatcher."""

import heapq
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.runtime.timer_queue import TimerQueue
from tests.runtime.worlds import DEADLINE_S


def drain(queue: TimerQueue, now: float) -> None:
    while (call := queue.take_due(now)) is not None:
        call()


def test_what_is_due_comes_in_order():
    """Earliest first; among equals, first come, first served; nothing before its time."""
    queue = TimerQueue()
    made: list[Any] = []
    for name, due in (("c", 3.0), ("a", 1.0), ("b1", 2.0), ("b2", 2.0)):
        queue.add(due, lambda name=name: made.append(name))
    assert (len(queue), queue.next_due()) == (4, 1.0)

    drain(queue, 0.999)
    assert made == []
    drain(queue, 2.0)
    assert made == ["a", "b1", "b2"]
    drain(queue, 9.0)
    assert made == ["a", "b1", "b2", "c"]
    assert (len(queue), queue.next_due(), queue.take_due(9.0)) == (0, None, None)


def test_a_cancelled_call_is_not_made():
    """Idempotent, and without effect once the call was made."""
    queue = TimerQueue()
    made: list[Any] = []
    first, second = queue.add(1.0, lambda: made.append(1)), queue.add(2.0, lambda: made.append(2))
    first.cancel()
    first.cancel()
    assert (len(queue), queue.next_due()) == (1, 2.0)
    drain(queue, 2.0)
    second.cancel()

    assert made == [2]
    assert len(queue) == 0


def test_many_cancelled_calls_do_not_pile_up():
    """T6: a timer per request, nearly all of them cancelled, must not fill the memory until they are due."""
    queue = TimerQueue()
    kept = [queue.add(1000.0, lambda: None) for _ in range(10)]
    for _ in range(10_000):
        queue.add(500.0, lambda: None).cancel()

    assert len(queue) == len(kept)
    assert len(queue._heap) < 200


@given(st.lists(st.tuples(st.integers(0, 20), st.booleans()), max_size=300))
def test_exactly_the_calls_that_were_not_cancelled_are_made_in_order(plan: list[tuple[int, bool]]):
    """For any mixture of due times and cancellations."""
    queue = TimerQueue()
    made: list[tuple[int, int]] = []
    timers = [
        queue.add(float(due), lambda entry=(due, number): made.append(entry)) for number, (due, _) in enumerate(plan)
    ]
    for timer, (_due, cancelled) in zip(timers, plan, strict=True):
        if cancelled:
            timer.cancel()
    wanted = sorted((due, number) for number, (due, cancelled) in enumerate(plan) if not cancelled)
    assert len(queue) == len(wanted)
    drain(queue, 20.0)

    assert made == wanted
    assert len(queue) == 0


@pytest.mark.usefixtures("eager_switches")
def test_threads_may_add_and_cancel_while_another_takes():
    """Each call is made or cancelled, and no element of the heap is lost."""
    queue = TimerQueue()
    made: list[int] = []
    cancelled: list[int] = []
    done = threading.Event()

    def add_and_cancel(first: int) -> None:
        for number in range(first, first + 1000):
            timer = queue.add(float(number % 7), lambda number=number: made.append(number))
            if number % 3 == 0:
                with queue._lock:
                    if timer in queue._heap:
                        timer.cancel()
                        cancelled.append(number)

    def take() -> None:
        while not done.is_set():
            drain(queue, 3.0)

    taker = threading.Thread(target=take)
    adders = [threading.Thread(target=add_and_cancel, args=(first,)) for first in (0, 1000, 2000)]
    for thread in (taker, *adders):
        thread.start()
    for thread in adders:
        thread.join(DEADLINE_S)
    done.set()
    taker.join(DEADLINE_S)
    drain(queue, 7.0)

    assert sorted(made + cancelled) == list(range(3000))
    assert len(queue) == 0


def test_whoever_looks_while_cancelled_calls_are_thrown_out_finds_the_earliest(monkeypatch: pytest.MonkeyPatch):
    """T6: it is looked at without the lock, to know how long to sleep; too late a time would be overslept."""
    queue = TimerQueue()
    late = [queue.add(10.0, list) for _ in range(200)]
    early = queue.add(1.0, list)
    first = queue.add(0.0, list)
    looks: list[float | None] = []
    make_heap = heapq.heapify

    def look_and_make_heap(heap: list[Any]) -> None:
        looks.append(queue.next_due())
        make_heap(heap)
        looks.append(queue.next_due())

    monkeypatch.setattr(heapq, "heapify", look_and_make_heap)
    for timer in (first, *late[50:]):
        timer.cancel()
    assert looks
    assert set(looks) == {early[0]}


@pytest.mark.parametrize("does", ["cancels", "adds", "cancels and adds", "adds and cancels"])
def test_a_finaliser_may_add_and_cancel_while_cancelled_calls_are_thrown_out(
    monkeypatch: pytest.MonkeyPatch, does: str
):
    """T6: the garbage collector runs it in the thread that has the lock; no call is lost, and none is counted twice."""
    queue = TimerQueue()
    made: list[str] = []
    old = queue.add(1.0, lambda: made.append("old"))
    others = [queue.add(10.0, lambda: made.append("other")) for _ in range(200)]
    finalisers = does.split(" and ")
    make_heap = heapq.heapify

    def finalise_and_make_heap(heap: list[Any]) -> None:
        while finalisers:
            if finalisers.pop(0) == "cancels":
                old.cancel()
            else:
                queue.add(2.0, lambda: made.append("new"))
        make_heap(heap)

    monkeypatch.setattr(heapq, "heapify", finalise_and_make_heap)
    for timer in others[:150]:
        timer.cancel()
    assert not finalisers
    wanted = ["old"] * ("cancels" not in does) + ["new"] * ("adds" in does) + ["other"] * 50
    assert len(queue) == len(wanted)
    assert len(queue._heap) < 200
    drain(queue, 10.0)
    assert made == wanted
    assert len(queue) == 0
