"""A thread of its own for one actor."""

import logging
import threading
from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.dispatcher_pinned import PinnedDispatcher
from relay_actors.runtime.hang_reports import ReportLimit
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from relay_actors.runtime.thread_flow import ThreadFlow
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Parent, Recorder, World, block, crash, spawn, until


class Pinned(Recorder):
    dispatcher = "pinned"

    def on_receive(self, message: Any) -> Any:
        if message == "thread":
            return threading.current_thread()
        return super().on_receive(message)


class PinnedBlocker(Blocker):
    dispatcher = "pinned"


def test_a_pinned_actor_has_one_thread_for_all_its_turns(system: System):
    """D3: pykka's meaning; and nobody else has it."""
    first, second = system.start(Pinned), system.start(Pinned)
    threads = {first.ask("thread", timeout=DEADLINE_S) for _ in range(20)}

    assert len(threads) == 1
    assert second.ask("thread", timeout=DEADLINE_S) not in threads


def test_the_same_code_runs_on_both(system: System):
    """D3: asks, tells, timers, children, restarts."""
    for actor_class in (Recorder, Pinned):
        log: list[Any] = []
        child = spawn(system.start(Parent), actor_class, log, spec=ChildSpec(restart=Restart.TRANSIENT))
        child.tell(crash())
        assert child.ask("a", timeout=DEADLINE_S) == "a"
        child.ask(lambda actor: actor.start_timer("tick", "tick", 0.0), timeout=DEADLINE_S)
        until(lambda log=log: log[-1] == "tick")  # type: ignore[misc]
        assert child.stop(timeout=DEADLINE_S) is True
        assert log == ["start", ("failure", "crash"), ("pre_restart", "error"), "start", "a", "tick", "stop"]


def test_a_blocked_pinned_actor_holds_up_nobody(system: System):
    """D5: nor does one that waits for an answer."""
    pinned, echo = system.start(PinnedBlocker), system.start(Echo)
    future, let_go = block(pinned)
    waiting = system.start(Pinned).ask(lambda _actor: pinned.ask("answer", timeout=DEADLINE_S), block=False)

    assert echo.ask("a", timeout=DEADLINE_S) == "a"
    let_go.set()
    assert (future.get(timeout=DEADLINE_S), waiting.get(timeout=DEADLINE_S)) == ("blocked", "answer")


def test_the_thread_ends_with_its_actor(system: System):
    """H9: however it ends."""
    for end in ("stop", "crash", "kill"):
        ref = system.start(Pinned)
        thread = ref.ask("thread", timeout=DEADLINE_S)
        if end == "stop":
            ref.stop(timeout=DEADLINE_S)
        elif end == "crash":
            ref.tell(crash())
        else:
            ref._cell.kill("by the test")
        thread.join(DEADLINE_S)
        assert not thread.is_alive(), end


def test_a_constructor_that_raises_leaves_no_thread(system: System):
    """L1: its thread was made before it, and ends with it."""

    class Broken(Pinned):
        def __init__(self) -> None:
            raise OSError("broken")

    system.start(Recorder).ask("the shared threads run", timeout=DEADLINE_S)
    with pytest.raises(OSError, match="broken"):
        system.start(Broken)
    until(lambda: not any("pinned" in thread.name for thread in threading.enumerate()))
    assert system.actor_count == 1


def test_a_pinned_thread_that_hangs_is_reported(caplog: pytest.LogCaptureFixture):
    """H9: the system says that something is left over, and does not wait for ever."""
    system = System(name="hanging")
    ref = system.start(PinnedBlocker)
    _future, let_go = block(ref)
    assert system.stop(timeout_s=0.01) is False
    assert "system=hanging threads=1" in caplog.text
    let_go.set()


def test_a_turn_that_breaks_its_own_machinery_costs_no_thread(system: System):
    """As on the shared dispatcher."""
    pinned = PinnedDispatcher(system.dispatcher, name="test-pinned")
    pinned.start()
    done = threading.Event()

    class Broken:
        late = False
        dispatcher = pinned

        def run_batch(self, grant: list[None]) -> None:
            raise SystemExit(1)

    class Works(Broken):
        def run_batch(self, grant: list[None]) -> None:
            done.set()

    pinned.schedule(Broken())
    pinned.schedule(Works())
    assert done.wait(DEADLINE_S)
    assert pinned.is_alive
    assert pinned.stop(DEADLINE_S) == 0
    assert pinned.stop(0.0) == 0
    assert not pinned.is_alive


def test_a_pinned_turn_is_reported_when_it_hangs_and_not_when_it_only_blocks(caplog: pytest.LogCaptureFixture):
    """A16, O5: it holds up nobody but its own actor; and its thread's alarm is gone when the actor is idle."""
    caplog.set_level(logging.INFO, logger="relay_actors")
    counters = Counters()
    system = System(name="pinned", hooks=counters, blocking_report_s=0.001, hang_report_s=0.05)
    dispatcher: Any = system.dispatcher
    ref = system.start(PinnedBlocker)
    for _ in range(2):
        future, let_go = block(ref)
        until(lambda: "a turn does not end actor=PinnedBlocker#1 message=str" in caplog.text)
        let_go.set()
        assert future.get(timeout=DEADLINE_S) == "blocked"
        until(lambda: "a turn that was reported has ended actor=PinnedBlocker#1" in caplog.text)
        until(lambda: dispatcher.pending_timers == 0)

        caplog.clear()
        dispatcher.long_turns._hang_limit = ReportLimit()
        let_go.clear()
    assert counters.snapshot() == {"turns.hanging": 2}
    assert "a handler blocks" not in caplog.text
    assert system.stop()
    assert dispatcher.pending_timers == 0


def test_many_quick_turns_on_a_pinned_thread_share_one_alarm(system: System):
    """D6: a turn does not cost a timer, and none is left behind by the end."""
    ref = system.start(Pinned)
    dispatcher: Any = system.dispatcher
    for number in range(100):
        assert ref.ask(number, timeout=DEADLINE_S) == number

    assert dispatcher.pending_timers == 1
    ref.stop(timeout=DEADLINE_S)
    until(lambda: dispatcher.pending_timers == 0)


def test_everything_else_is_shared(system: System):
    """Timers, sockets and blocking calls are the system's: one clock, one poll, one pool."""
    pinned = PinnedDispatcher(system.dispatcher, name="test-pinned")
    assert pinned.clock is system.clock
    fired, called, woken = threading.Event(), threading.Event(), threading.Event()
    system.start(Echo).ask("the dispatcher runs", timeout=DEADLINE_S)
    pinned.call_at(0.0, fired.set)
    pinned.run_blocking(called.set, "test")
    assert fired.wait(DEADLINE_S)
    assert called.wait(DEADLINE_S)
    with pinned.waiting():
        woken.set()
    assert pinned.wait_until(woken.is_set, woken.wait, DEADLINE_S)


def test_in_a_deterministic_run_nobody_is_pinned(world: World):
    """D4: everything runs on the calling thread, whatever the class says."""
    ref = world.start(Pinned)
    assert ref.ask("thread", timeout=0) is threading.current_thread()
    assert isinstance(ref._cell.actor, Actor)


def test_a_pinned_actor_that_is_killed_while_its_flow_has_the_turn_lets_go_of_what_it_had(system: System):
    """H4: its thread has ended by the time that the turn is given back, and the last turn is given elsewhere."""
    begun, may_end = threading.Event(), threading.Event()

    def run() -> None:
        begun.set()
        assert may_end.wait(DEADLINE_S)

    def begin(actor: Any) -> None:
        actor._cell.flow = ThreadFlow(actor._cell, run, lambda _result: None)
        actor._cell.flow.begin()

    ref = system.start(Pinned)
    thread = ref.ask("thread", timeout=DEADLINE_S)
    ref.tell(begin)
    assert begun.wait(DEADLINE_S)
    ref.kill()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    may_end.set()
    until(lambda: ref._cell.actor is None)
