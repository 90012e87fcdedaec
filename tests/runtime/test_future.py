"""Futures: settled once, told once, waited for in threads, flows and asyncio."""

import asyncio
import functools
import queue
import threading
import traceback
from typing import Any

import pykka
import pytest

from relay_actors.errors import FlowError
from relay_actors.runtime.context import here
from relay_actors.runtime.future import Future, WaitTimeout, get_all
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Echo, Recorder, World


class Odd(Future[Any]):
    """A future whose constructor takes something, as replies to commands do."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what = what


def test_the_first_to_settle_wins():
    """A6: value or error, exactly one."""
    future: Future[str] = Future()
    assert not future.is_settled
    assert future.try_set("a") is True
    assert future.try_set("b") is False
    assert future.try_fail(ValueError("c")) is False

    assert (future.get(), future.error, future.is_settled) == ("a", None, True)
    with pytest.raises(queue.Full):
        future.set("d")
    with pytest.raises(queue.Full):
        future.set_exception(ValueError("d"))
    with pytest.raises(queue.Full):
        future.set_get_hook(lambda timeout: "d")


def test_a_wait_that_is_over_harms_nothing():
    """A later get may succeed; both pykka's users and everybody else can catch it."""
    future: Future[str] = Future()
    with pytest.raises(pykka.Timeout):
        future.get(timeout=0)
    with pytest.raises(TimeoutError):
        future.get(timeout=0.001)
    assert not future._callbacks

    future.set("a")
    assert future.get(timeout=0) == "a"


def test_the_error_is_raised_as_it_came():
    """pykka's contract: its type, its traceback; and each waiter sees that, not what former waiters have added."""
    future: Future[None] = Future()

    def fail_deep() -> None:
        raise OSError("deep")

    try:
        fail_deep()
    except OSError:
        future.set_exception()

    depths = []
    for _ in range(3):
        with pytest.raises(OSError, match="deep") as caught:
            future.get()
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert frames[-1].name == "fail_deep"
        depths.append(len(frames))
    assert len(set(depths)) == 1


@pytest.mark.parametrize(
    "given",
    [ValueError("a"), (ValueError, ValueError("a"), None), (ValueError, None, None)],
    ids=["error", "exc", "type"],
)
def test_an_error_may_be_given_in_every_form(given: Any):
    """pykka's ``exc_info`` triple, also with the type alone; or simply the error."""
    future: Future[None] = Future()
    future.set_exception(given)
    with pytest.raises(ValueError):  # noqa: PT011  # two of the three have no text
        future.get()


def test_set_exception_needs_an_error():
    """Outside of an except block there is none to be taken."""
    with pytest.raises(ValueError, match="needs an error"):
        Future[None]().set_exception()


def test_callbacks_are_called_once_in_the_completing_thread():
    """A11: or at once, if it is settled; what one raises harms neither the others nor the one that settles."""
    future: Future[str] = Future()
    calls: list[Any] = []

    def broken(_future: Any) -> None:
        raise SystemExit("a callback")

    future.add_done_callback(broken)
    future.add_done_callback(lambda done: calls.append((done.get(), threading.current_thread().name)))
    forgotten = calls.append
    future.add_done_callback(forgotten)
    future.remove_done_callback(forgotten)
    thread = threading.Thread(target=future.set, args=("a",), name="completes")
    thread.start()
    thread.join(DEADLINE_S)
    future.add_done_callback(lambda done: calls.append((done.get(), "at once")))

    assert calls == [("a", "completes"), ("a", "at once")]


@pytest.mark.usefixtures("eager_switches")
def test_no_schedule_loses_a_callback_a_waiter_or_a_settlement():
    """A6, A11: settling, waiting and adding callbacks at the same moment."""
    for _ in range(200):
        future: Future[int] = Future()
        barrier = threading.Barrier(4)
        won: list[int] = []
        called: list[int] = []
        got: list[int] = []

        def settle(number: int, future: Any = future, barrier: Any = barrier, won: Any = won) -> None:
            barrier.wait(DEADLINE_S)
            if future.try_set(number):
                won.append(number)

        def add(future: Any = future, barrier: Any = barrier, called: Any = called) -> None:
            barrier.wait(DEADLINE_S)
            future.add_done_callback(lambda done: called.append(done.get(timeout=0)))

        def wait(future: Any = future, barrier: Any = barrier, got: Any = got) -> None:
            barrier.wait(DEADLINE_S)
            got.append(future.get(timeout=DEADLINE_S))

        threads = [
            threading.Thread(target=settle, args=(1,)),
            threading.Thread(target=settle, args=(2,)),
            threading.Thread(target=add),
            threading.Thread(target=wait),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)

        assert len(won) == 1
        assert called == got == won


def test_a_finaliser_may_settle_futures_in_the_middle_of_settling():
    """The garbage collector runs when it likes, also under the lock; it must not lock itself out."""
    future: Future[str] = Future()
    other: Future[str] = Future()

    class Finalised:
        def __del__(self) -> None:
            future.try_set("from a finaliser")

    holder = [Finalised()]

    class Callbacks(list[Any]):
        def append(self, callback: Any) -> None:
            holder.clear()  # the finaliser runs here: inside add_done_callback
            super().append(callback)

    other._callbacks = Callbacks()
    done = threading.Event()
    other.add_done_callback(lambda _other: done.set())
    other.set("a")

    assert done.is_set()
    assert future.get(timeout=0) == "from a finaliser"


@pytest.mark.parametrize("moment", ["before it is added", "after it is added", "after it was called"])
def test_a_callback_that_is_added_while_the_future_is_settled_is_called_once(moment: str):
    """A11: whoever comes second sees the other."""
    future: Future[str] = Future()
    called: list[Any] = []

    class Callbacks(list[Any]):
        def append(self, callback: Any) -> None:
            if moment == "before it is added":
                future.set("a")
                super().append(callback)
            elif moment == "after it is added":
                super().append(callback)
                future._value, future.is_settled = "a", True  # the other thread has come only this far
            else:
                super().append(callback)
                future.set("a")

    future._callbacks = Callbacks()
    future.add_done_callback(called.append)
    assert called == [future]
    assert not future._callbacks


def test_callbacks_that_are_added_by_many_threads_are_each_called_once():
    """A11: some before it is settled, some after it, some at that moment."""
    for _round in range(50):
        future: Future[int] = Future()
        called: list[int] = []
        ready = threading.Barrier(4)

        def add(first: int, future: Future[int] = future, called: list[int] = called, ready: Any = ready) -> None:
            ready.wait(DEADLINE_S)
            for number in range(first, first + 20):
                future.add_done_callback(lambda _future, number=number: called.append(number))  # type: ignore[misc]

        def settle(future: Future[int] = future, ready: Any = ready) -> None:
            ready.wait(DEADLINE_S)
            future.set(1)

        threads = [threading.Thread(target=add, args=(first,)) for first in (0, 20, 40)]
        threads.append(threading.Thread(target=settle))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)
        assert sorted(called) == list(range(60))


# -- derived futures: pykka's contract


def test_map_filter_reduce_and_join_compute_when_asked():
    """pykka's contract, as its documentation shows it."""
    numbers: Future[Any] = Future()
    calls: list[Any] = []

    def note(value: Any) -> Any:
        calls.append(value)
        return value

    big = numbers.filter(lambda number: number > 10)
    total = numbers.reduce(lambda a, b: a + b)
    from_five = numbers.reduce(lambda a, b: a + b, 5)
    mapped = numbers.map(note).map(len)
    both = numbers.join(big)
    numbers.set(range(9, 13))
    assert calls == []

    assert big.get() == [11, 12]
    assert (total.get(), from_five.get()) == (42, 47)
    assert (mapped.get(), mapped.get()) == (4, 4)
    assert calls == [range(9, 13)]
    assert both.get() == [range(9, 13), [11, 12]]
    empty: Future[Any] = Future()
    empty.set([])
    assert empty.reduce(lambda a, b: a + b, 5).get() == 5


def test_derived_futures_pass_on_errors_and_time_outs():
    """Of their source, and of the function."""
    source: Future[int] = Future()
    halved = source.map(lambda value: 1 // value)
    with pytest.raises(WaitTimeout):
        halved.get(timeout=0)
    source.set(0)
    with pytest.raises(ZeroDivisionError):
        halved.get(timeout=0)
    with pytest.raises(TypeError):
        source.filter(lambda value: value).get()  # type: ignore[misc, arg-type]

    failed: Future[int] = Future()
    failed.try_fail(OSError("no"))
    with pytest.raises(OSError, match="no"):
        failed.join(source).get()


def test_a_derived_future_cannot_be_settled():
    """pykka's contract since 4.3."""
    derived = Future[int]().map(str)
    assert derived.try_set("a") is False
    with pytest.raises(queue.Full):
        derived.set("a")


def test_join_waits_with_one_deadline(world: World):
    """A10: for a hundred futures as long as for one."""
    futures: list[Future[int]] = [Future(world.dispatcher) for _ in range(100)]
    with pytest.raises(WaitTimeout):
        futures[0].join(*futures[1:]).get(timeout=2.0)
    assert world.now == 2.0


def test_waiting_for_all_of_many_has_one_deadline(world: World):
    """A10: however many there are, and also when some of them are there already; pykka's gives each its own."""
    echo, silent = world.start(Echo), world.start(Recorder)
    futures = [echo.ask(number, block=False) for number in range(50)]
    futures += [silent.ask(Recorder.reply_later, block=False, timeout=60.0) for _ in range(50)]
    with pytest.raises(WaitTimeout):
        get_all(futures, timeout=2.0)
    assert world.now == 2.0
    assert get_all(futures[:50], timeout=0) == list(range(50))
    assert get_all([], timeout=0) == []


def test_who_looks_for_all_again_and_again_leaves_nothing_where_nothing_comes():
    """A10: such as a thread that does something else every second until the answers are there."""
    never: Future[Any] = Future()
    there: Future[Any] = Future()
    there.set(1)
    for _ in range(3):
        with pytest.raises(WaitTimeout):
            get_all([there, never], timeout=0)
    assert never._callbacks == []
    never.set(2)
    assert get_all([there, never], timeout=0) == [1, 2]


def test_waiting_for_all_raises_the_first_error(system: System):
    """A10: and takes futures that are computed, and those of threads."""
    echo = system.start(Echo)
    failed: Future[int] = Future()
    failed.try_fail(LookupError("no"))
    assert get_all((echo.ask(number, block=False).map(str) for number in range(3)), timeout=DEADLINE_S) == [*"012"]
    with pytest.raises(LookupError):
        get_all([echo.ask(1, block=False), failed], timeout=DEADLINE_S)


def test_derived_futures_call_back_when_they_can_be_computed():
    """A11: when the last source is settled, and not before; also derived from derived ones."""
    a, b = Future[int](), Future[int]()
    calls: list[Any] = []
    joined = a.map(lambda value: value + 1).join(b).map(sum)
    joined.add_done_callback(lambda done: calls.append(done.get(timeout=0)))
    a.set(1)
    assert (calls, joined.is_settled) == ([], False)
    b.set(10)

    assert (calls, joined.is_settled) == ([12], True)


def test_a_subclass_with_a_constructor_of_its_own_can_be_derived_from():
    """Replies to commands take the command: what is derived from them is a plain future."""
    odd = Odd("reply")
    odd.set(3)
    assert odd.map(str).get() == "3"
    assert odd.join(odd).get() == [3, 3]


def test_futures_of_stock_pykka_can_be_joined():
    """They cannot tell when they are settled, so they are waited for one after the other."""
    ours: Future[int] = Future()
    theirs: pykka.ThreadingFuture[int] = pykka.ThreadingFuture()
    joined = ours.join(theirs)
    ours.set(1)
    theirs.set(2)
    assert joined.get(timeout=DEADLINE_S) == [1, 2]
    assert pykka.get_all([ours, theirs], timeout=DEADLINE_S) == [1, 2]


def test_a_get_hook_computes_once():
    """pykka's contract."""
    calls: list[Any] = []
    future: Future[str] = Future()
    future.set_get_hook(lambda timeout: calls.append(timeout) or "hooked")
    assert [future.get(timeout=3), future.get(timeout=4)] == ["hooked", "hooked"]
    assert calls == [3]


# -- awaiting


def test_awaiting_in_asyncio_does_not_block_the_loop(system: System):
    """A11: other tasks run meanwhile; values, errors and derived futures alike."""
    ref = system.start(Recorder)
    let_go = threading.Event()

    async def main() -> Any:
        slow = ref.ask(lambda _actor: let_go.wait(DEADLINE_S), block=False)
        others: list[int] = []

        async def other() -> None:
            others.append(1)
            let_go.set()

        task = asyncio.ensure_future(other())
        mapped, joined = slow.map(str), slow.join(ref.ask("b", block=False))
        result = (await mapped, await slow, await joined)
        await task
        with pytest.raises(ZeroDivisionError):
            await ref.ask(lambda _actor: 1 / 0, block=False)
        return result, others

    result, others = asyncio.run(asyncio.wait_for(main(), DEADLINE_S))
    assert result == ("True", True, [True, "b"])
    assert others == [1]


def test_a_cancelled_await_leaves_nothing_behind():
    """The future is unharmed, and remembers nobody."""
    future: Future[str] = Future()

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(_await(future), 0.001)
        assert not future._callbacks
        task = asyncio.ensure_future(_await(future))
        await asyncio.sleep(0)
        assert future._callbacks
        del task

    asyncio.run(main())
    future.set("nobody waits")
    assert future.get() == "nobody waits"


async def _await(future: Future[Any]) -> Any:
    return await future


def test_awaiting_nowhere_is_explained():
    """Neither in a flow nor in asyncio: the text says what to do."""
    with pytest.raises(FlowError, match=r"use \.get\(\)"):
        _await(Future()).send(None)
    settled: Future[str] = Future()
    settled.set("a")
    with pytest.raises(StopIteration) as stopped:
        _await(settled).send(None)
    assert stopped.value.value == "a"


def test_waiting_inside_an_actor_runs_the_others(world: World):
    """The waiting turn itself is not disturbed by it."""
    echo = world.start(Echo)
    outer = world.start(Recorder)

    def ask_echo(_actor: Any) -> Any:
        return echo.ask("inner", timeout=1), here.turn

    answer, turn = outer.ask(ask_echo, timeout=1)
    assert (answer, turn) == ("inner", outer._cell)


def test_reducing_is_what_functools_does():
    """The same function, the same order, the same error for nothing at all."""
    words: Future[Any] = Future()
    words.set("abc")
    assert words.reduce(lambda a, b: b + a, "x").get() == functools.reduce(lambda a, b: b + a, "abc", "x")
    nothing: Future[Any] = Future()
    nothing.set("")
    with pytest.raises(TypeError):
        nothing.reduce(lambda a, b: a + b).get()
