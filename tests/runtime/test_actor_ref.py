"""Refs: what can be sent by them, and what becomes of it."""

import threading
from typing import Any

import pykka
import pytest

from relay_actors.errors import ActorDead
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.future import WaitTimeout
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Blocker, Echo, Recorder, World, block


def test_an_ask_can_time_out(system: System):
    """pykka.Timeout, and TimeoutError; the answer may still come."""
    ref = system.start(Blocker)
    future, let_go = block(ref)
    with pytest.raises(pykka.Timeout):
        ref.ask("never read in time", timeout=0.001)
    with pytest.raises(WaitTimeout):
        future.get(timeout=0.001)
    let_go.set()
    assert future.get(timeout=DEADLINE_S) == "blocked"


class Machine(Actor):
    """Has a method, for proxies."""

    def raise_level(self) -> None:
        """Nobody gets this far."""


def test_a_dead_actor_takes_nothing(world: World):
    """pykka: ActorDeadError for tell, ask and proxy; an ask without blocking raises it when it is asked for."""
    ref = world.start(Machine)
    proxy = ref.proxy()
    assert ref.stop(timeout=0) is True

    assert not ref.is_alive()
    assert ref.actor_stopped.is_set()
    with pytest.raises(pykka.ActorDeadError, match="not found"):
        ref.tell("a")
    with pytest.raises(pykka.ActorDeadError):
        ref.ask("a", timeout=0)
    future = ref.ask("a", block=False)
    with pytest.raises(pykka.ActorDeadError):
        future.get(timeout=0)
    with pytest.raises(pykka.ActorDeadError):
        ref.proxy()
    with pytest.raises(pykka.ActorDeadError):
        proxy.raise_level().get(timeout=0)
    with pytest.raises(pykka.ActorDeadError):
        proxy.raise_level.defer()


def test_stop_is_true_once(world: World):
    """pykka: True if it was stopped by this, False if it was dead; also as a future; and inside."""
    ref = world.start(Echo)
    assert ref.stop(block=False).get(timeout=0) is True
    assert ref.stop(block=False).get(timeout=0) is False
    assert ref.stop(timeout=0) is False

    log: list[Any] = []
    inside = world.start(Recorder, log)
    inside.tell(lambda actor: actor.stop())
    inside.tell("a")
    world.settle()
    assert log == ["start", "a", "stop"]


def test_what_waits_behind_a_stop_is_answered(world: World):
    """pykka: asks with ActorDeadError, stops with True. (pykka itself can forget one, when it races.)"""
    ref = world.start(Echo)
    first = ref.stop(block=False)
    asked = ref.ask("a", block=False)
    second = ref.stop(block=False)
    world.settle()

    assert (first.get(timeout=0), second.get(timeout=0)) == (True, True)
    with pytest.raises(pykka.ActorDeadError, match="stopped before handling"):
        asked.get(timeout=0)


@pytest.mark.usefixtures("eager_switches")
def test_ask_and_stop_never_leave_a_future_unresolved(system: System):
    """A6: 20,000 pairs on three threads; pykka fails this. Every answer is the right one or the death."""
    pairs = 20_000
    sent: list[tuple[Any, Any]] = []
    refs: list[ActorRef[Any]] = [system.start(Echo)]
    finished = threading.Event()

    def ask() -> None:
        for number in range(pairs):
            sent.append((number, refs[-1].ask(number, block=False, timeout=60.0)))
        finished.set()

    def stop() -> None:
        while not finished.is_set():
            old = refs[-1]
            refs.append(system.start(Echo))
            old.stop(block=False, now=len(refs) % 2 == 0)

    threads = [threading.Thread(target=target) for target in (ask, stop, stop)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    answered = dead = 0
    for number, future in sent:
        try:
            assert future.get(timeout=60.0) == number
            answered += 1
        except ActorDead:
            dead += 1

    assert answered + dead == pairs
    assert answered > 0
    assert dead > 0


def test_who_does_not_want_an_error_asks_whether_it_was_sent(world: World):
    """M7: False in place of pykka's error; what nobody handles is a dead letter either way."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    assert ref.tell_if_alive("a") is True
    world.settle()
    assert ref.tell_if_alive("b") is True
    ref.stop(timeout=0, now=True)

    assert ref.tell_if_alive("c") is False
    assert log == ["start", "a", "stop"]
    assert world.dead() == [("b", "dead"), ("c", "dead")]


def test_tell_ahead_overtakes_users_and_reports_the_dead(world: World):
    """M2, M7: for frameworks on top."""
    log: list[Any] = []
    ref = world.start(Recorder, log)
    ref.tell("user")
    assert ref.tell_ahead("first") is True
    assert ref.tell_ahead("second") is True
    ref.stop(timeout=0)

    assert log == ["start", "first", "second", "user", "stop"]
    assert ref.tell_ahead("late") is False
    assert world.dead() == [("late", "dead")]


def test_the_end_of_an_actor_can_be_waited_for(world: World, system: System):
    """pykka has an event for it; nothing is kept of a wait that was in vain."""
    ref = world.start(Recorder)
    assert ref.actor_stopped.wait(1.0) is False
    assert ref._cell.watching.watchers == {}
    ref.stop(block=False)
    assert ref.actor_stopped.wait() is True
    assert ref.actor_stopped.wait(0) is True
    threaded = system.start(Echo)
    threaded.stop(block=False)
    assert threaded.actor_stopped.wait(DEADLINE_S) is True
