"""The baton: one holder at a time, and nobody is held up by a turn that takes long."""

import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from queue import SimpleQueue
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.base import Dispatcher
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Recorder, block, until

PROMPT_S = 0.05
"""A handler that blocks delays no other call by more than this."""


class Job:
    """A runnable made of a function."""

    def __init__(self, dispatcher: BatonDispatcher, call: Callable[[], object], *, late: bool = False) -> None:
        self.late = late
        self.dispatcher: Dispatcher = dispatcher
        self._call = call

    def run_batch(self, grant: list[None]) -> None:
        self._call()


class Socket:
    """One end of a pair of sockets, as a dispatcher knows it."""

    def __init__(self) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.writing = False

    def fileno(self) -> int:
        return self.ours.fileno()

    def wants_write(self) -> bool:
        return self.writing

    def close(self) -> None:
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def baton() -> Iterator[BatonDispatcher]:
    baton = BatonDispatcher(SystemClock(), name="baton")
    baton.start()
    yield baton
    assert baton.stop(DEADLINE_S) == 0
    assert baton.thread_count == 0


@pytest.fixture
def pair() -> Iterator[Socket]:
    pair = Socket()
    yield pair
    pair.close()


def run(baton: BatonDispatcher, call: Callable[[], object]) -> Any:
    """Run ``call`` in a turn and return what it returned."""
    done = threading.Event()
    result: list[Any] = []

    def do() -> None:
        try:
            result.append(call())
        finally:
            done.set()

    baton.schedule(Job(baton, do))
    assert done.wait(DEADLINE_S)
    return result[0]


# -- turns that take long


def quickest_answer_s(ref: Any, dispatcher: Any) -> float:
    """How long one answer takes, the best of three: the bound is one of the mechanism, not of the machine."""
    best = float("inf")
    for _ in range(3):
        before = dispatcher.clock.now()
        assert ref.ask("prompt", timeout=DEADLINE_S) == "prompt"
        best = min(best, dispatcher.clock.now() - before)
    return best


@pytest.mark.parametrize("blocked", [1, 20])
def test_handlers_that_block_hold_up_nobody(system: System, blocked: int):
    """D5, K11: their threads are theirs; everybody else goes on with another one."""
    echo = system.start(Echo)
    blockers = [system.start(Blocker) for _ in range(blocked)]
    waiting = [block(ref) for ref in blockers]

    assert quickest_answer_s(echo, system.dispatcher) < PROMPT_S
    for future, let_go in waiting:
        assert not future.is_settled
        let_go.set()
    for future, _let_go in waiting:
        assert future.get(timeout=DEADLINE_S) == "blocked"


def test_a_turn_that_begins_while_all_is_quiet_is_noticed_as_well(system: System):
    """The monitor sleeps while nothing happens, and must wake with the first turn."""
    dispatcher: Any = system.dispatcher
    echo, blocker = system.start(Echo), system.start(Blocker)
    blocker.ask("events", timeout=DEADLINE_S)
    until(lambda: dispatcher._monitor.rests)
    future, let_go = block(blocker)

    assert quickest_answer_s(echo, dispatcher) < PROMPT_S
    let_go.set()
    assert future.get(timeout=DEADLINE_S) == "blocked"


@pytest.mark.parametrize("waiters", [1, 20])
def test_waiting_for_an_answer_inside_a_handler_holds_up_nobody(system: System, waiters: int):
    """DESIGN 2a: a framework wait gives the baton away at once; also the one that has to answer can run."""
    echo, blocker = system.start(Echo), system.start(Blocker)
    _future, let_go = block(blocker)
    inside = threading.Semaphore(0)

    def wait(_actor: Any) -> Any:
        answer = blocker.ask("answer", block=False)
        inside.release()
        return answer.get(timeout=DEADLINE_S)

    waiting = [system.start(Recorder).ask(wait, block=False) for _ in range(waiters)]
    for _ in range(waiters):
        assert inside.acquire(timeout=DEADLINE_S)
    assert quickest_answer_s(echo, system.dispatcher) < PROMPT_S
    let_go.set()
    assert [future.get(timeout=DEADLINE_S) for future in waiting] == ["answer"] * waiters


def test_a_wait_gives_the_baton_away_at_once():
    """DESIGN 2a: without waiting for the monitor, which here would come after an hour."""
    system = System(name="waits", dispatcher=BatonDispatcher(SystemClock(), name="waits", handover_after_s=3600.0))
    echo, outer = system.start(Echo), system.start(Recorder)

    assert outer.ask(lambda _actor: echo.ask("inner", timeout=DEADLINE_S), timeout=2 * DEADLINE_S) == "inner"
    assert system.stop()


def test_a_time_out_inside_a_handler_comes_in_time(system: System):
    """The handler goes on by itself, without the baton, and its actor has its further turns."""
    nobody: Future[None] = Future(system.dispatcher)
    ref = system.start(Recorder)

    def wait(_actor: Any) -> str:
        try:
            nobody.get(timeout=0.01)
        except WaitTimeout:
            return "timed out"
        return "answered"

    assert ref.ask(wait, timeout=DEADLINE_S) == "timed out"
    assert ref.ask("next", timeout=DEADLINE_S) == "next"


def test_timers_fire_while_a_handler_blocks(system: System):
    """Whoever has the baton then makes the calls that are due."""
    blocker = system.start(Blocker)
    future, let_go = block(blocker)
    fired = threading.Event()
    system.dispatcher.call_at(system.clock.now() + 0.001, fired.set)

    assert fired.wait(DEADLINE_S)
    let_go.set()
    assert future.get(timeout=DEADLINE_S) == "blocked"


def test_sockets_are_read_while_a_handler_blocks(system: System, pair: Socket):
    """D5: no user code can hold up the socket."""
    ready = threading.Event()
    system.dispatcher.watch(pair, ready.set)
    blocker = system.start(Blocker)
    future, let_go = block(blocker)
    pair.theirs.send(b"x")

    assert ready.wait(DEADLINE_S)
    let_go.set()
    assert future.get(timeout=DEADLINE_S) == "blocked"
    system.dispatcher.unwatch(pair)


def test_a_callback_of_an_answer_that_came_too_late_may_wait_for_another():
    """D5: it is run by a timer, outside of all turns; the monitor, which could help it, comes after an hour here."""
    system = System(name="late", dispatcher=BatonDispatcher(SystemClock(), name="late", handover_after_s=3600.0))
    echo, nobody = system.start(Echo), system.start(Recorder)
    answers: SimpleQueue[Any] = SimpleQueue()
    late = nobody.ask(lambda actor: actor.reply_later(), block=False, timeout=0.01)
    late.add_done_callback(lambda _late: answers.put(echo.ask("inner", timeout=DEADLINE_S)))

    assert answers.get(timeout=2 * DEADLINE_S) == "inner"
    assert echo.ask("outer", timeout=DEADLINE_S) == "outer"
    assert system.stop()


def test_a_call_of_a_timer_that_blocks_holds_up_nobody(system: System):
    """D5: however it blocks; the other calls that are due at that moment are made as well."""
    echo = system.start(Echo)
    blocked, other, let_go = threading.Event(), threading.Event(), threading.Event()
    went_on: SimpleQueue[bool] = SimpleQueue()
    due = system.clock.now()

    def call_both() -> None:
        system.dispatcher.call_at(due, lambda: (blocked.set(), went_on.put(let_go.wait(DEADLINE_S))))
        system.dispatcher.call_at(due, other.set)

    system.dispatcher.call_at(due, call_both)
    assert blocked.wait(DEADLINE_S)
    assert quickest_answer_s(echo, system.dispatcher) < PROMPT_S
    assert other.wait(DEADLINE_S)
    let_go.set()
    assert went_on.get(timeout=DEADLINE_S)
    assert echo.ask("after", timeout=DEADLINE_S) == "after"


def test_a_socket_is_told_while_the_call_of_another_blocks():
    """D5: also one that the same poll has found ready."""
    baton = BatonDispatcher(SystemClock(), name="two")
    pairs = [Socket(), Socket()]
    told, let_go = threading.Semaphore(0), threading.Event()

    def on_ready() -> None:
        told.release()
        let_go.wait(2 * DEADLINE_S)

    for pair in pairs:
        baton.watch(pair, on_ready)
        pair.theirs.send(b"x")
    baton.start()
    told_both = [told.acquire(timeout=DEADLINE_S) for _ in pairs]
    let_go.set()

    assert told_both == [True, True]
    assert run(baton, lambda: "goes on") == "goes on"
    assert baton.stop(DEADLINE_S) == 0
    for pair in pairs:
        baton.unwatch(pair)
        pair.close()


def test_threads_are_given_back_after_a_burst(system: System):
    """Twenty blocked handlers need twenty threads; afterwards a few are kept for the next time."""
    waiting = [block(system.start(Blocker)) for _ in range(20)]
    dispatcher: Any = system.dispatcher
    assert dispatcher.thread_count >= 20
    for future, let_go in waiting:
        let_go.set()
        future.get(timeout=DEADLINE_S)

    until(lambda: dispatcher.thread_count <= 8)


def test_when_no_thread_is_left_the_next_that_comes_back_goes_on(caplog: pytest.LogCaptureFixture):
    """A bound is a bound: others wait, that is told, and nothing is lost."""
    system = System(name="few", dispatcher=BatonDispatcher(SystemClock(), name="few", max_threads=2))
    echo = system.start(Echo)
    first, second = system.start(Blocker), system.start(Blocker)
    for ref in (first, second):
        ref.ask("events", timeout=DEADLINE_S)
    (future, let_go), (other_future, other_let_go) = block(first), block(second)
    waiting = echo.ask("a", block=False)
    until(lambda: "all 2 threads" in caplog.text)
    assert "Move blocking work" in caplog.text
    assert not waiting.is_settled
    let_go.set()

    assert waiting.get(timeout=DEADLINE_S) == "a"
    assert future.get(timeout=DEADLINE_S) == "blocked"
    other_let_go.set()
    assert other_future.get(timeout=DEADLINE_S) == "blocked"
    assert system.stop()


def test_a_thread_that_cannot_be_started_costs_no_baton(monkeypatch: pytest.MonkeyPatch):
    """The machine has no more threads: as if ours were used up."""
    system = System(name="poor")
    echo, blocker = system.start(Echo), system.start(Blocker)
    blocker.ask("events", timeout=DEADLINE_S)
    dispatcher: Any = system.dispatcher

    def refuse(_thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with dispatcher._hands:
            spares, dispatcher._spares = dispatcher._spares, []
        future, let_go = block(blocker)
        waiting = echo.ask("a", block=False)
        let_go.set()
        assert future.get(timeout=DEADLINE_S) == "blocked"
        assert waiting.get(timeout=DEADLINE_S) == "a"
    with dispatcher._hands:
        dispatcher._spares += spares
    assert system.stop()


# -- one holder


@pytest.mark.usefixtures("eager_switches")
def test_there_is_never_a_second_holder(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    """Turns and calls that give the baton away, that lose it and that end race; only one thread at a time polls."""
    baton = BatonDispatcher(SystemClock(), name="race", handover_after_s=0.0002)
    overlaps: list[str] = []
    inside = threading.Lock()
    made: list[int] = []
    poll = baton._sockets.poll

    class Waits(Actor):
        def on_receive(self, message: Any) -> Any:
            future: Future[int] = Future(baton)
            baton.call_at(0.0, lambda: settle(future, message))
            for _ in range(message % 50):
                os.getpid()
            return future.get(timeout=DEADLINE_S)

    def settle(future: Future[int], number: int) -> None:
        with baton.waiting() if number % 10 == 0 else nullcontext():
            for _ in range(20):
                os.getpid()
        made.append(1)  # before the answer, which lets the one that waits below go on
        future.try_set(number)

    def poll_alone(timeout_s: float) -> list[Callable[[], None]]:
        if not inside.acquire(blocking=False):
            overlaps.append(threading.current_thread().name)
            return []
        try:
            for _ in range(20):
                os.getpid()
            return poll(timeout_s)
        finally:
            inside.release()

    monkeypatch.setattr(baton._sockets, "poll", poll_alone)
    system = System(name="race", dispatcher=baton)
    refs = [system.start(Waits) for _ in range(8)]
    asked = [(number, refs[number % 8].ask(number, block=False)) for number in range(1500)]
    for number, future in asked:
        assert future.get(timeout=DEADLINE_S) == number

    assert overlaps == []
    assert len(made) == 1500
    assert system.stop()
    assert "broke its own machinery" not in caplog.text


@pytest.mark.usefixtures("eager_switches")
def test_no_wake_up_is_lost():
    """A sender that looks whether somebody sleeps races with the holder that falls asleep; thousands of times."""
    system = System(name="sleepy")
    refs = [system.start(Echo) for _ in range(4)]

    def ping(ref: Any) -> None:
        for number in range(1500):
            assert ref.ask(number, timeout=DEADLINE_S) == number

    threads = [threading.Thread(target=ping, args=(ref,)) for ref in refs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    assert not any(thread.is_alive() for thread in threads)
    assert system.stop()


def test_a_deposed_worker_gives_no_more_turns(baton: BatonDispatcher):
    """It finishes the turn that it is in; what else was ready in its round is somebody else's."""
    in_turn, let_go = threading.Event(), threading.Event()
    ran_in: list[int] = []
    both_ran = threading.Event()

    def first() -> None:
        in_turn.set()
        assert let_go.wait(DEADLINE_S)

    def other() -> None:
        ran_in.append(threading.get_ident())
        if len(ran_in) == 2:
            both_ran.set()

    blocked_in = threading.Event()

    def schedule_all() -> None:
        baton.schedule(Job(baton, lambda: (blocked_in.set(), first())))
        baton.schedule(Job(baton, other))
        baton.schedule(Job(baton, other))

    run(baton, schedule_all)
    assert in_turn.wait(DEADLINE_S)
    assert both_ran.wait(DEADLINE_S)  # while the first one still blocks
    let_go.set()
    assert run(baton, lambda: "goes on") == "goes on"


def test_late_ones_run_after_all_others_of_a_round():
    """So that one of them can write at once what the round has produced."""
    baton = BatonDispatcher(SystemClock(), name="rounds")
    log: list[str] = []
    done = threading.Event()
    baton.schedule(Job(baton, lambda: log.append("late"), late=True))
    for _ in range(3):
        baton.schedule(Job(baton, lambda: log.append("early")))
    baton.schedule(Job(baton, done.set, late=True))
    baton.start()

    assert done.wait(DEADLINE_S)
    assert log == ["early", "early", "early", "late"]
    assert baton.stop(DEADLINE_S) == 0


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(1)])
def test_a_turn_that_breaks_its_own_machinery_costs_no_thread(
    baton: BatonDispatcher, error: BaseException, caplog: pytest.LogCaptureFixture
):
    """It is logged, and the baton goes on; the same for a timer's call."""

    def broken() -> None:
        raise error

    baton.schedule(Job(baton, broken))
    baton.call_at(0.0, broken)
    assert run(baton, lambda: "goes on") == "goes on"
    assert "broke its own machinery" in caplog.text
    assert run(baton, lambda: "goes on") == "goes on"
    assert "a call of a timer or socket raised" in caplog.text


# -- timers


def test_a_timer_wakes_a_sleeping_holder(baton: BatonDispatcher):
    """Also one that is due before the one for which it sleeps."""
    fired = threading.Event()
    far = baton.call_at(baton.clock.now() + 3600.0, lambda: None)
    run(baton, lambda: None)
    baton.call_at(baton.clock.now() + 0.001, fired.set)
    assert fired.wait(DEADLINE_S)
    far.cancel()


def test_a_timer_in_a_hundred_days_is_no_problem(baton: BatonDispatcher, caplog: pytest.LogCaptureFixture):
    """A selector counts milliseconds in 31 bits: to sleep until then in one go would raise, and lose the baton."""
    timer = baton.call_at(baton.clock.now() + 100 * 86_400.0, lambda: None)
    run(baton, lambda: None)
    assert run(baton, lambda: "still here") == "still here"
    assert baton.pending_timers == 1
    assert "polling failed" not in caplog.text
    timer.cancel()


# -- sockets: more in test_dispatcher_sockets


def test_a_ready_socket_is_told_in_the_holders_thread(baton: BatonDispatcher, pair: Socket):
    """While it sleeps in the poll, and without a thread of its own."""
    told: list[str] = []
    ready = threading.Event()

    def on_ready() -> None:
        told.append(threading.current_thread().name)
        ready.set()

    baton.watch(pair, on_ready)
    pair.theirs.send(b"x")
    assert ready.wait(DEADLINE_S)
    assert told[0].startswith("baton-")
    baton.unwatch(pair)


def test_sockets_get_their_turn_while_actors_are_busy(baton: BatonDispatcher, pair: Socket):
    """An endless supply of turns must not starve them."""
    ready = threading.Event()
    baton.watch(pair, ready.set)

    def again() -> None:
        if not ready.is_set():
            baton.schedule(job)

    job = Job(baton, again)
    baton.schedule(job)
    pair.theirs.send(b"x")
    assert ready.wait(DEADLINE_S)
    baton.unwatch(pair)


def test_timers_and_sockets_do_not_wait_for_a_long_round(pair: Socket):
    """K11: ten thousand ready actors of a few microseconds each would hold them up for long."""
    baton = BatonDispatcher(SystemClock(), name="round", handover_after_s=60.0)
    ran: list[int] = []
    at: list[int] = []
    pause = threading.Event()

    def one() -> None:
        ran.append(1)
        pause.wait(0.0005)

    for _ in range(400):
        baton.schedule(Job(baton, one))
    baton.watch(pair, lambda: at.append(len(ran)))
    baton.call_at(baton.clock.now() + 0.001, lambda: at.append(len(ran)))
    pair.theirs.send(b"x")
    baton.start()
    run(baton, lambda: None)

    assert len(ran) == 400
    assert len(at) == 2
    assert max(at) < 50
    assert baton.stop(DEADLINE_S) == 0


# -- stop and start


def test_stop_gives_up_on_a_handler_that_does_not_come_back():
    """It returns in time and counts the thread; the one that comes back later ends, and does nothing more."""
    baton = BatonDispatcher(SystemClock(), name="stuck", handover_after_s=60.0)
    baton.start()
    in_turn, let_go = threading.Event(), threading.Event()
    later: list[str] = []
    threads: list[threading.Thread] = []

    def stuck() -> None:
        threads.append(threading.current_thread())
        in_turn.set()
        assert let_go.wait(DEADLINE_S)

    run(
        baton,
        lambda: (baton.schedule(Job(baton, stuck)), baton.schedule(Job(baton, lambda: later.append("after the end")))),
    )
    assert in_turn.wait(DEADLINE_S)
    assert baton.stop(0.5) == 1  # all others have long ended then
    assert baton.stop(0.01) == 0
    let_go.set()
    threads[0].join(DEADLINE_S)

    assert not threads[0].is_alive()
    assert later == []


def test_turns_that_are_due_when_it_is_stopped_are_not_given():
    """However many are ready: stopping does not wait for them."""
    baton = BatonDispatcher(SystemClock(), name="due", handover_after_s=60.0)
    given: list[str] = []

    def wait_for_stop() -> None:
        given.append("the one that was under way")
        until(lambda: baton._stopping)

    baton.schedule(Job(baton, wait_for_stop))
    baton.schedule(Job(baton, lambda: given.append("too late")))
    baton.start()
    until(lambda: bool(given))
    assert baton.stop(DEADLINE_S) == 0
    assert given == ["the one that was under way"]


def test_a_dispatcher_can_be_started_again_beside_a_thread_of_its_former_life():
    """That thread must not come back as a second holder."""
    baton = BatonDispatcher(SystemClock(), name="again", handover_after_s=60.0)
    baton.start()
    in_turn, let_go = threading.Event(), threading.Event()
    threads: list[threading.Thread] = []

    def stuck() -> None:
        threads.append(threading.current_thread())
        in_turn.set()
        assert let_go.wait(DEADLINE_S)

    baton.schedule(Job(baton, stuck))
    assert in_turn.wait(DEADLINE_S)
    assert baton.stop(0.01) >= 1  # it, and whoever has needed longer than that for nothing
    baton.start()
    baton.start()
    ran_in = run(baton, threading.current_thread)
    let_go.set()
    threads[0].join(DEADLINE_S)

    assert not threads[0].is_alive()
    assert ran_in is not threads[0]
    assert run(baton, lambda: "goes on") == "goes on"
    assert baton.stop(DEADLINE_S) == 0


class HeldUp:
    """Holds up a thread at one place, once."""

    def __init__(self) -> None:
        self.thread: threading.Thread | None = None
        self.is_there, self.let_go = threading.Event(), threading.Event()

    def pass_by(self) -> None:
        if self.thread is threading.current_thread() and not self.is_there.is_set():
            self.is_there.set()
            assert self.let_go.wait(DEADLINE_S)


def outlived_by(baton: BatonDispatcher, held_up: HeldUp, is_busy: threading.Event) -> threading.Thread:
    """Stop and start it while a thread is held up, and let that go on to its end when the new holder is busy."""
    assert held_up.is_there.wait(DEADLINE_S)
    assert baton.stop(0.0) > 0
    baton.start()
    assert is_busy.wait(DEADLINE_S)
    former = held_up.thread
    assert former is not None
    held_up.let_go.set()
    former.join(DEADLINE_S)
    assert not former.is_alive()
    return former


def test_a_thread_of_a_former_life_that_was_between_two_turns_gives_no_more(monkeypatch: pytest.MonkeyPatch):
    """It has looked at the clock when the dispatcher is stopped and started: it is no holder beside the new one."""
    baton = BatonDispatcher(SystemClock(), name="between", handover_after_s=3600.0)
    held_up, in_turn, let_go = HeldUp(), threading.Event(), threading.Event()
    ran_in: list[threading.Thread] = []
    clock: Any = baton.clock
    now = clock.now

    def late_now() -> float:
        read: float = now()
        held_up.pass_by()
        return read

    monkeypatch.setattr(clock, "now", late_now)
    baton.schedule(Job(baton, lambda: setattr(held_up, "thread", threading.current_thread())))
    baton.schedule(Job(baton, lambda: (in_turn.set(), let_go.wait(DEADLINE_S))))
    for _ in range(3):
        baton.schedule(Job(baton, lambda: ran_in.append(threading.current_thread())))
    baton.start()
    former = outlived_by(baton, held_up, in_turn)

    assert ran_in == []
    let_go.set()
    until(lambda: len(ran_in) == 3)
    assert former not in ran_in
    assert baton.stop(DEADLINE_S) == 0


def test_a_thread_of_a_former_life_that_was_between_two_calls_makes_no_more_than_one(monkeypatch: pytest.MonkeyPatch):
    """It has looked whether it is to end before it was told to; the calls that are due belong to the new holder."""
    baton = BatonDispatcher(SystemClock(), name="calls", handover_after_s=3600.0)
    held_up, in_call, let_go = HeldUp(), threading.Event(), threading.Event()
    made_in: list[threading.Thread] = []
    timers: Any = baton._timers
    take_due = timers.take_due

    def take_late(now: float) -> Any:
        held_up.pass_by()
        return take_due(now)

    monkeypatch.setattr(timers, "take_due", take_late)
    baton.call_at(0.0, lambda: setattr(held_up, "thread", threading.current_thread()))
    baton.call_at(0.0, lambda: (in_call.set(), let_go.wait(DEADLINE_S)))
    for _ in range(3):
        baton.call_at(0.0, lambda: made_in.append(threading.current_thread()))
    baton.start()
    former = outlived_by(baton, held_up, in_call)

    assert made_in == [former]
    let_go.set()
    until(lambda: len(made_in) == 3)
    assert made_in.count(former) == 1
    assert baton.stop(DEADLINE_S) == 0


def test_a_thread_of_a_former_life_has_no_baton_to_give_away(monkeypatch: pytest.MonkeyPatch):
    """It has looked whether it is to stop, and goes on to a turn that waits, in the next life of its dispatcher."""
    baton = BatonDispatcher(SystemClock(), name="former", handover_after_s=3600.0)
    held_up, in_turn, let_go = HeldUp(), threading.Event(), threading.Event()

    class Ready(deque[Any]):
        def popleft(self) -> Any:
            held_up.pass_by()
            return super().popleft()

    def wait() -> None:
        with baton.waiting():
            pass

    monkeypatch.setattr(baton, "_ready", Ready())
    baton.schedule(Job(baton, lambda: setattr(held_up, "thread", threading.current_thread())))
    baton.schedule(Job(baton, lambda: (in_turn.set(), let_go.wait(DEADLINE_S))))
    baton.schedule(Job(baton, wait))
    baton.start()
    assert held_up.is_there.wait(DEADLINE_S)
    assert baton.stop(0.0) > 0
    baton.start()
    assert in_turn.wait(DEADLINE_S)
    former: Any = held_up.thread
    holder = baton.holder
    held_up.let_go.set()
    former.join(DEADLINE_S)

    assert not former.is_alive()
    assert baton.holder is holder
    let_go.set()
    assert baton.stop(DEADLINE_S) == 0


def test_stopping_twice_and_before_starting_is_harmless():
    """Idempotent."""
    baton = BatonDispatcher(SystemClock())
    assert baton.stop(0.0) == 0
    baton.start()
    assert baton.stop(DEADLINE_S) == 0
    assert baton.stop(0.0) == 0
    baton.schedule(Job(baton, lambda: None))
    baton.call_at(0.0, lambda: None)
    assert baton.thread_count == 0


def test_an_idle_dispatcher_falls_asleep(baton: BatonDispatcher):
    """D6: the holder in its poll, the monitor until the next turn; neither by a time-out of milliseconds."""
    run(baton, lambda: None)
    internals: Any = baton
    until(lambda: internals._monitor.rests and internals._asleep)

    assert internals._sleeps_until == float("inf")
    assert run(baton, lambda: "awake") == "awake"
