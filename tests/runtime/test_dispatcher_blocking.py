"""Threads for calls that block."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_blocking import BlockingPool
from tests.runtime.worlds import DEADLINE_S, until


@pytest.fixture
def pool() -> Iterator[BlockingPool]:
    pool = BlockingPool(SystemClock(), max_threads=3, name="pool", daemon=True)
    yield pool
    assert pool.stop(DEADLINE_S) == 0
    assert pool.thread_count == 0


def test_as_many_run_at_once_as_are_allowed(pool: BlockingPool):
    """A16, D3: a bound; the others wait their turn, and none is lost."""
    running = threading.Semaphore(0)
    let_go = threading.Event()
    names: list[str] = []

    def call() -> None:
        running.release()
        assert let_go.wait(DEADLINE_S)
        names.append(threading.current_thread().name)

    for _ in range(10):
        pool.run(call, "test")
    for _ in range(3):
        assert running.acquire(timeout=DEADLINE_S)
    assert not running.acquire(blocking=False)
    assert pool.thread_count == 3
    let_go.set()
    until(lambda: len(names) == 10)

    assert {name.rpartition("-")[0] for name in names} == {"pool"}


def test_a_thread_that_has_been_given_work_is_idle_no_more(pool: BlockingPool):
    """Two calls before it has woken: the second must not wait behind the first, which may never return."""
    first = threading.Event()
    pool.run(first.set, "test")
    assert first.wait(DEADLINE_S)
    until(lambda: pool._idle == 1)
    let_go, second = threading.Event(), threading.Event()
    with pool._changed:  # it cannot wake in here
        pool.run(lambda: let_go.wait(DEADLINE_S), "blocks")
        pool.run(second.set, "test")

    assert second.wait(DEADLINE_S)
    let_go.set()


def test_a_thread_without_work_is_used_again(pool: BlockingPool):
    """One call after the other needs one thread."""
    for _ in range(20):
        done = threading.Event()
        pool.run(done.set, "test")
        assert done.wait(DEADLINE_S)
        until(lambda: pool._idle == 1)
    assert pool.thread_count == 1


class Urgent:
    """A call that cannot wait for others."""

    is_urgent = True

    def __init__(self, call: Callable[[], object]) -> None:
        self._call = call

    def __call__(self) -> None:
        self._call()


def test_what_is_urgent_waits_for_none_that_hangs_and_its_thread_goes_again(pool: BlockingPool):
    """D5: users may block every thread; that must not hold up what the framework itself needs one for."""
    running, let_go = threading.Semaphore(0), threading.Event()
    made: list[str] = []

    def hang() -> None:
        running.release()
        assert let_go.wait(DEADLINE_S)

    for _ in range(3):
        pool.run(hang, "hangs")
        assert running.acquire(timeout=DEADLINE_S)
    pool.run(lambda: made.append("waits"), "waits")
    for _ in range(2):
        done = threading.Event()
        pool.run(Urgent(done.set), "urgent")
        assert done.wait(DEADLINE_S)
        until(lambda: pool.thread_count == 3)
        assert made == []
    let_go.set()
    until(lambda: made == ["waits"])


@pytest.mark.parametrize("error", [OSError("broken"), SystemExit(1)])
def test_a_call_that_raises_is_reported_and_costs_no_thread(
    pool: BlockingPool, error: BaseException, caplog: pytest.LogCaptureFixture
):
    """By name, so that it can be found."""
    done = threading.Event()

    def broken() -> None:
        raise error

    pool.run(broken, "the one that breaks")
    pool.run(done.set, "test")
    assert done.wait(DEADLINE_S)
    until(lambda: "the one that breaks" in caplog.text)


def test_stop_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture):
    """A call that hangs is counted, calls that wait are dropped and told, and nothing keeps the process alive."""
    pool = BlockingPool(SystemClock(), max_threads=1, name="pool", daemon=True)
    started, let_go = threading.Event(), threading.Event()
    made: list[str] = []
    threads: list[Any] = []

    def hang() -> None:
        threads.append(threading.current_thread())
        started.set()
        assert let_go.wait(DEADLINE_S)

    pool.run(hang, "hangs")
    pool.run(lambda: made.append("dropped"), "waits")
    assert started.wait(DEADLINE_S)
    assert threads[0].daemon
    assert pool.stop(0.01) == 1
    assert "calls=1" in caplog.text
    assert pool.stop(0.01) == 0
    let_go.set()
    threads[0].join(DEADLINE_S)

    assert not threads[0].is_alive()
    assert made == []


class Moot:
    """A call that nobody wants any more."""

    is_wanted = False

    def __call__(self) -> None:
        raise AssertionError("it was made")


def test_a_call_that_nobody_wants_any_more_is_dropped_without_a_word(caplog: pytest.LogCaptureFixture):
    pool = BlockingPool(SystemClock(), max_threads=1, name="pool", daemon=True)
    started, let_go = threading.Event(), threading.Event()
    pool.run(lambda: (started.set(), let_go.wait(DEADLINE_S)), "hangs")
    assert started.wait(DEADLINE_S)
    pool.run(Moot(), "waits")
    pool.stop(0.0)
    let_go.set()

    assert caplog.text == ""


@pytest.mark.parametrize("kind", [Urgent, lambda call: call])
def test_a_thread_that_cannot_be_started_is_told_to_who_asked(
    pool: BlockingPool, monkeypatch: pytest.MonkeyPatch, kind: Callable[[Callable[[], object]], Callable[[], object]]
):
    """A call that is silently never made would leave somebody waiting."""
    made: list[str] = []

    def refuse(_thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            pool.run(kind(lambda: made.append("refused")), "test")
    done = threading.Event()
    pool.run(done.set, "test")
    assert done.wait(DEADLINE_S)
    assert made == []


def test_a_stopped_pool_begins_anew():
    """A dispatcher may be started again; a thread of the former life does not work for the new one."""
    pool = BlockingPool(SystemClock(), max_threads=1, name="pool", daemon=True)
    first = threading.Event()
    pool.run(first.set, "test")
    assert first.wait(DEADLINE_S)
    assert pool.stop(DEADLINE_S) == 0
    second = threading.Event()
    pool.run(second.set, "test")
    assert second.wait(DEADLINE_S)
    assert pool.stop(DEADLINE_S) == 0


def test_a_call_right_after_the_stop_is_made():
    """The thread of the former life has yet to wake up and leave: it is not counted upon, and does no harm later."""
    pool = BlockingPool(SystemClock(), max_threads=2, name="pool", daemon=True)
    threads: list[Any] = []
    pool.run(lambda: threads.append(threading.current_thread()), "test")
    until(lambda: pool._idle == 1)
    second, third, let_go = threading.Event(), threading.Event(), threading.Event()
    with pool._changed:  # it cannot wake in here
        assert pool.stop(0.0) == 1
        pool.run(lambda: (second.set(), let_go.wait(DEADLINE_S)), "blocks")
    threads[0].join(DEADLINE_S)
    assert not threads[0].is_alive()
    assert second.wait(DEADLINE_S)
    assert pool._idle == 0
    pool.run(third.set, "test")

    assert third.wait(DEADLINE_S)
    let_go.set()
    assert pool.stop(DEADLINE_S) == 0
