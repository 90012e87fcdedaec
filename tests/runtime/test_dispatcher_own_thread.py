"""Threads that run only while they are let."""

from __future__ import annotations

import threading

import pytest

from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_own_thread import OwnThread, OwnThreads
from tests.runtime.worlds import DEADLINE_S, until


def threads(*, is_strict: bool) -> OwnThreads:
    return OwnThreads(SystemClock(), name="own", daemon=True, is_strict=is_strict)


def test_a_strict_one_and_who_lets_it_go_on_never_run_together():
    """D4: each sees what the other has written, in a fixed order."""
    log: list[str] = []
    own: OwnThread

    def run() -> None:
        for step in range(3):
            log.append(f"runs {step}")
            own.wait()
        log.append("ends")

    own = threads(is_strict=True).new(run)
    for step in range(4):
        own.go_on()
        log.append(f"waits {step}")
    assert log == ["runs 0", "waits 0", "runs 1", "waits 1", "runs 2", "waits 2", "ends", "waits 3"]
    assert not own.thread.is_alive()  # who has let it go on has also waited for its end


@pytest.mark.usefixtures("eager_switches")
def test_being_let_before_it_waits_is_not_forgotten():
    """D1: who gives the turn back may be given it again at once."""
    seen: list[int] = []
    own: OwnThread

    def run() -> None:
        for step in range(500):
            seen.append(step)
            own.wait()

    all_of_them = threads(is_strict=False)
    own = all_of_them.new(run)
    for _ in range(501):
        own.go_on()
        until(lambda: own.thread.ident is not None)
    assert all_of_them.stop(DEADLINE_S) == 0
    assert seen == list(range(500))


def test_stopping_counts_who_does_not_end():
    """H9: and one that was never let is no thread at all."""
    let_go = threading.Event()
    own = threads(is_strict=False)
    blocked, _never = own.new(lambda: let_go.wait(DEADLINE_S)), own.new(lambda: None)
    blocked.go_on()
    assert own.thread_count == 1
    assert own.stop(0.01) == 1
    assert own.stop(0.01) == 0
    let_go.set()
    blocked.thread.join(DEADLINE_S)
    assert blocked.thread.name == "own-flow-1"


def test_an_abandoned_one_ends_where_it_waits_and_wherever_it_waits_on_its_way_out():
    """As when the process dies; H9: nothing of it stays."""
    log: list[str] = []
    own: OwnThread

    def run() -> None:
        try:
            own.wait()
        finally:
            log.append("on its way out")
            own.wait()
            log.append("never")

    all_of_them = threads(is_strict=True)
    own = all_of_them.new(run)
    own.go_on()
    all_of_them.new(run)  # was never let run
    all_of_them.abandon(DEADLINE_S)
    assert log == ["on its way out"]
    assert not own.thread.is_alive()
    assert all_of_them.thread_count == 0
