"""Turns that take long are seen, reported and counted; quick ones and waiting ones are not."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import cell_of
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.long_turns import LongTurn, LongTurns, Seat, see_turn
from relay_actors.runtime.signals import Unwrapped
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Recorder, block, until

SOON_S = 0.02


class Watched:
    """A system that reports soon, and what it has reported."""

    def __init__(self, caplog: pytest.LogCaptureFixture, *, blocking_s: float | None, hang_s: float | None) -> None:
        self.counters = Counters()
        self.system = System(name="watched", hooks=self.counters, blocking_report_s=blocking_s, hang_report_s=hang_s)
        self.caplog = caplog

    def reports(self, begin: str) -> list[logging.LogRecord]:
        return [record for record in list(self.caplog.records) if record.getMessage().startswith(begin)]

    def blocking(self) -> list[logging.LogRecord]:
        return self.reports("a handler blocks its thread")

    def hanging(self) -> list[logging.LogRecord]:
        return self.reports("a turn does not end")

    def ended(self) -> list[logging.LogRecord]:
        return self.reports("a turn that was reported has ended")


@pytest.fixture
def watched(caplog: pytest.LogCaptureFixture) -> Iterator[Watched]:
    caplog.set_level(logging.INFO, logger="relay_actors")
    watched = Watched(caplog, blocking_s=SOON_S, hang_s=None)
    yield watched
    assert watched.system.stop(DEADLINE_S)


class Named(Blocker):
    """A `Blocker` with a name for people."""

    def label(self) -> str:
        return "order 7"

    def on_receive(self, message: Any) -> Any:
        return super().on_receive(message)


def test_a_handler_that_blocks_is_reported_with_its_stack_and_told_again_when_it_ends(watched: Watched):
    """A16: class, label, type of the message, the lines of the handler and not those of the framework; what to do."""
    future, let_go = block(watched.system.start(Named))
    until(lambda: bool(watched.blocking()))
    until(lambda: watched.counters.snapshot().get("turns.blocking") == 1)
    let_go.set()
    assert future.get(timeout=DEADLINE_S) == "blocked"
    until(lambda: bool(watched.ended()))

    [report] = watched.blocking()
    text = report.getMessage()
    assert report.levelno == logging.WARNING
    assert "actor=Named#1 label=order 7 message=str blocked_s=0." in text
    assert "self.blocking(function, ...)" in text
    stack = [line for line in text.splitlines() if line.startswith("  File")]
    assert "in on_receive" in stack[0]
    assert "test_long_turns.py" in stack[0]
    assert "relay_actors/runtime" not in text
    assert "'blocked'" not in text
    [ended] = watched.ended()
    assert ended.levelno == logging.INFO
    assert "actor=Named#1 label=order 7 message=str turn_s=" in ended.getMessage()


def test_what_needs_no_envelope_is_named_in_a_report(watched: Watched):
    """A16: a step of a call's flow that blocks is not reported as a start or an end."""
    inside, let_go = threading.Event(), threading.Event()

    class Step(Unwrapped):
        __slots__ = ()

        def deliver(self) -> None:
            inside.set()
            assert let_go.wait(DEADLINE_S)

    ref = watched.system.start(Recorder)
    assert ref.ask("started", timeout=DEADLINE_S) == "started"
    cell_of(ref).tell_control(Step())
    assert inside.wait(DEADLINE_S)
    until(lambda: bool(watched.blocking()))
    let_go.set()

    assert "message=Step blocked_s=" in watched.blocking()[0].getMessage()


def test_one_turn_is_one_report_and_one_line_one_a_minute(watched: Watched):
    """A16: all are counted, the first is told."""
    waiting = [block(watched.system.start(Blocker)) for _ in range(5)]
    until(lambda: watched.counters.snapshot().get("turns.blocking") == 5)
    for future, let_go in waiting:
        let_go.set()
        future.get(timeout=DEADLINE_S)
    future, let_go = block(watched.system.start(Named))
    until(lambda: watched.counters.snapshot().get("turns.blocking") == 6)
    let_go.set()
    future.get(timeout=DEADLINE_S)

    until(lambda: len(watched.blocking()) >= 2)  # counted first, and told by another thread
    assert ["Blocker" in report.getMessage() for report in watched.blocking()] == [True, False]


def test_waiting_in_the_frameworks_way_is_no_blocking_but_what_follows_is(watched: Watched):
    """A16: `.get()` inside a turn holds up nobody. Blocking begins when the wait has ended."""
    nobody: Future[None] = Future(watched.system.dispatcher)
    blocked, let_go = threading.Event(), threading.Event()
    seen_before: list[int] = []

    def wait_and_block(_actor: Any) -> None:
        with pytest.raises(WaitTimeout):
            nobody.get(timeout=5 * SOON_S)
        seen_before.append(len(watched.blocking()))
        blocked.set()
        assert let_go.wait(DEADLINE_S)

    asked = watched.system.start(Recorder).ask(wait_and_block, block=False)
    assert blocked.wait(DEADLINE_S)
    until(lambda: bool(watched.blocking()))
    let_go.set()
    asked.get(timeout=DEADLINE_S)

    assert seen_before == [0]
    assert len(watched.blocking()) == 1
    assert watched.counters.snapshot()["turns.blocking"] == 1


def test_also_a_start_and_a_flow_of_children_inside_a_turn_are_seen_as_whose_they_are(watched: Watched):
    """A16: the innermost turn on the stack is the one that blocks; without a message it is a hook."""
    inside, let_go = threading.Event(), threading.Event()

    class SlowStart(Actor):
        def on_start(self) -> None:
            inside.set()
            assert let_go.wait(DEADLINE_S)

    watched.system.start(Recorder).tell(lambda actor: actor.spawn_started(SlowStart))
    assert inside.wait(DEADLINE_S)
    until(lambda: bool(watched.blocking()))
    let_go.set()

    [report] = watched.blocking()
    assert "actor=SlowStart#2 message=(none: it starts, ends, or runs a hook or its flow)" in report.getMessage()


def test_a_turn_that_hangs_in_a_wait_is_reported_with_its_chain(caplog: pytest.LogCaptureFixture):
    """O5: whatever it does, and with whom it waits for."""
    watched = Watched(caplog, blocking_s=None, hang_s=SOON_S)
    blocker = watched.system.start(Blocker)
    _answer, let_go = block(blocker)
    asker = watched.system.start(Recorder)
    asked = asker.ask(lambda _actor: blocker.ask("a question", timeout=DEADLINE_S), block=False)
    until(lambda: len(watched.hanging()) == 2)
    let_go.set()
    assert asked.get(timeout=DEADLINE_S) == "a question"

    [report] = [report for report in watched.hanging() if "Recorder" in report.getMessage()]
    assert report.levelno == logging.ERROR
    assert "actor=Recorder#2 message=function turn_s=0.0 waits=Recorder#2 -str-> Blocker#1" in report.getMessage()
    assert 'blocker.ask("a question", timeout=DEADLINE_S)' in report.getMessage()
    assert watched.blocking() == []
    assert watched.counters.snapshot() == {"turns.hanging": 2}
    assert watched.system.stop()


def test_a_turn_that_was_killed_is_reported_as_a_zombie(caplog: pytest.LogCaptureFixture):
    """O5, H4: its thread is still there; the gauge says so, and goes down when it comes back."""
    watched = Watched(caplog, blocking_s=None, hang_s=2 * SOON_S)
    ref = watched.system.start(Blocker)
    _future, let_go = block(ref)
    ref._cell.kill("by the test")
    assert watched.counters.snapshot()["zombie_threads"] == 1
    until(lambda: bool(watched.hanging()))
    let_go.set()
    until(lambda: watched.counters.snapshot()["zombie_threads"] == 0)

    assert "its thread is a zombie" in watched.hanging()[0].getMessage()
    assert watched.system.stop()


def test_what_cannot_be_described_is_reported_all_the_same(caplog: pytest.LogCaptureFixture):
    """A label or a chain that raises costs the label or the chain."""
    watched = Watched(caplog, blocking_s=None, hang_s=SOON_S)

    class Broken(Blocker):
        def label(self) -> str:
            raise OSError("no name")

    future, let_go = block(watched.system.start(Broken))
    until(lambda: bool(watched.hanging()))
    let_go.set()
    future.get(timeout=DEADLINE_S)

    assert "actor=Broken#1 message=str" in watched.hanging()[0].getMessage()
    assert watched.system.stop()


def test_nothing_is_reported_when_nobody_wants_it(caplog: pytest.LogCaptureFixture):
    """None turns each of the two off."""
    watched = Watched(caplog, blocking_s=None, hang_s=None)
    dispatcher: Any = watched.system.dispatcher
    future, let_go = block(watched.system.start(Blocker))
    until(lambda: bool(dispatcher.long_turns))
    until(lambda: dispatcher._monitor.rests)  # it does not even look
    let_go.set()
    future.get(timeout=DEADLINE_S)

    assert watched.blocking() + watched.hanging() == []
    assert watched.system.stop()


def test_a_log_that_is_what_blocks_holds_up_nobody(caplog: pytest.LogCaptureFixture):
    """D5, A16: the handler holds the lock of a log; who reports it waits for that lock, and is not the monitor."""
    watched = Watched(caplog, blocking_s=SOON_S, hang_s=None)
    waits_for_lock = threading.Event()
    stuck = threading.RLock()

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            waits_for_lock.set()
            with stuck:
                return

    log, slow = logging.getLogger("relay_actors.runtime"), Slow()
    log.addHandler(slow)
    try:
        with stuck:
            first = block(watched.system.start(Blocker))
            assert waits_for_lock.wait(DEADLINE_S)
            others = [block(watched.system.start(Named)) for _ in range(3)]  # each needs the baton taken from the last
            assert watched.system.start(Recorder).ask("a", timeout=DEADLINE_S) == "a"
    finally:
        log.removeHandler(slow)
    for future, let_go in [first, *others]:
        let_go.set()
        assert future.get(timeout=DEADLINE_S) == "blocked"
    assert watched.system.stop()


@pytest.mark.parametrize("wrong", [0, -1.0, float("nan")])
@pytest.mark.parametrize("name", ["blocking_report_s", "hang_report_s"])
def test_a_time_that_makes_no_sense_is_refused_early(name: str, wrong: float):
    """With the name of what to mend."""
    with pytest.raises(ConfigError, match=name):
        BatonDispatcher(SystemClock(), **{name: wrong})


# -- without threads


def turn(began: float = 0.0) -> LongTurn:
    seat = Seat(threading.Thread())
    return LongTurn(seat, seat.returns, began)


def test_when_to_look_next_is_when_something_may_be_due():
    """So that the monitor may sleep until then, or for ever."""
    turns = LongTurns(blocking_report_s=0.1, hang_report_s=10.0)
    assert turns.next_look_in(0.0) is None
    blocking, waiting = turn(), turn(began=1.0)
    turns.add(blocking)
    assert turns.next_look_in(0.04) == pytest.approx(0.06)
    assert turns.next_look_in(5.0) == 0.0
    blocking.blocking_is_told = True
    assert turns.next_look_in(5.0) == pytest.approx(5.0)
    waiting.seat.waits = 1
    turns.add(waiting)
    blocking.seat.returns += 1
    assert turns.next_look_in(5.0) == pytest.approx(6.0)
    waiting.seat.busy_since, waiting.seat.waits = 5.0, 0
    assert turns.next_look_in(5.0) == pytest.approx(0.1)


def test_turns_that_are_over_are_forgotten():
    """And never reported: their thread is doing something else by now."""
    turns = LongTurns()
    over = turn()
    turns.add(over)
    over.seat.returns += 1
    turns.look(100.0)

    assert not turns
    assert see_turn(over) is None


def test_a_turn_that_ends_while_it_is_being_seen_is_not_reported():
    """First the stack is read, and then whether the turn is over: else a later turn might be blamed."""

    class Returning(Seat):
        """Comes back at the moment at which its stack is read."""

        @property
        def thread(self) -> Any:  # type: ignore[override]
            self.returns += 1
            return threading.current_thread()

        @thread.setter
        def thread(self, _thread: Any) -> None: ...

    seen: list[Any] = []
    system = System(name="seen")

    def look(actor: Any) -> None:
        seat = Returning(threading.current_thread())
        seen.append(see_turn(LongTurn(seat, seat.returns, 0.0)))
        quiet = Seat(threading.current_thread())
        seen.append(see_turn(LongTurn(quiet, quiet.returns, 0.0)))

    system.start(Recorder).ask(look, timeout=DEADLINE_S)
    assert seen[0] is None
    assert seen[1][1].message == "function"
    assert system.stop()
