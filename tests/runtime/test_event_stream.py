"""The event stream: each subscriber is an actor, and who fails harms no other."""

import threading
from typing import Any

import pytest

from relay_actors.errors import ActorError, ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import (
    ActorEnded,
    ActorFailed,
    ActorRestarted,
    ActorStarted,
    DeadLetter,
    StreamEvent,
)
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn

TRANSIENT = ChildSpec(restart=Restart.TRANSIENT)


def events(log: list[Any], *types: type) -> list[Any]:
    return [entry for entry in log if isinstance(entry, types or (StreamEvent,))]


def subscriber(world: World, *types: type) -> tuple[list[Any], ActorRef[Any]]:
    log: list[Any] = []
    ref = world.start(Recorder, log)
    world.system.events.subscribe(ref, *types)
    return log, ref


def test_a_dead_letter_reaches_the_actors_that_asked_for_it(world: World):
    """DL1, DL4: in their own turns, each once, and those who asked for something else not at all."""
    one, other = subscriber(world, DeadLetter), subscriber(world, DeadLetter, DeadLetter)
    deaf = subscriber(world, ActorEnded)
    ref = world.start(Recorder)
    ref.stop(timeout=0)
    ref._cell.tell_control("lost")
    assert events(one[0]) == []  # not in the thread where it died
    world.settle()

    letter = DeadLetter("lost", repr(ref._cell), "dead", "outside")
    assert events(one[0]) == events(other[0]) == [letter]
    assert events(deaf[0], DeadLetter) == []


def test_a_life_is_told_from_beginning_to_end(world: World):
    """DL4: starts, failures, restarts and ends are on the stream as well."""
    log, _ref = subscriber(world, ActorStarted, ActorFailed, ActorRestarted, ActorEnded)
    child = spawn(parent := world.start(Parent), Recorder, spec=TRANSIENT)
    child.tell(crash())
    world.settle()
    child.stop(timeout=0)
    world.settle()

    failed, restarted, ended = events(log, ActorFailed, ActorRestarted, ActorEnded)
    assert events(log, ActorStarted) == [ActorStarted(parent), ActorStarted(child)]
    assert (failed.ref, failed.incarnation, str(failed.reason)) == (child, 0, "error ValueError: crash")
    assert (restarted.ref, restarted.incarnation, restarted.reason) == (child, 1, failed.reason)
    assert (ended.ref, ended.incarnation, ended.reason.kind) == (child, 1, "normal")


def test_a_failing_subscriber_is_detached_and_the_others_go_on(world: World, caplog: pytest.LogCaptureFixture):
    """DL4: and reported; its supervisor restarts it, and it does not crash again and again."""

    class Broken(Recorder):
        def on_receive(self, message: Any) -> Any:
            super().on_receive(message)
            if isinstance(message, DeadLetter):
                raise OSError("broken")

    broken_log: list[Any] = []
    broken = spawn(world.start(Parent), Broken, broken_log, spec=TRANSIENT)
    world.system.events.subscribe(broken, DeadLetter)
    log, _ref = subscriber(world, DeadLetter)
    dead = world.start(Recorder)
    dead.stop(timeout=0)
    for number in range(3):
        dead._cell.tell_control(number)
        world.settle()

    assert [letter.message for letter in events(log)] == [0, 1, 2]
    assert [letter.message for letter in events(broken_log)] == [0]
    assert (broken.is_alive(), broken.incarnation) == (True, 1)
    assert "a subscriber of events failed and is detached" in caplog.text


def test_who_subscribes_at_its_start_is_back_after_a_restart(world: World):
    """DL4: the next incarnation subscribes as the first did."""

    class Faithful(Recorder):
        def on_start(self) -> None:
            self.system.events.subscribe(self.actor_ref, str)

    log: list[Any] = []
    faithful = spawn(world.start(Parent), Faithful, log, spec=TRANSIENT)
    faithful.tell(crash())
    world.settle()
    world.system.events.publish("hello")
    world.settle()

    assert log.count("hello") == 1


def test_a_subscriber_that_has_ended_is_forgotten(world: World):
    """DL4, X18: nothing is kept of it, and nobody makes an event for nobody."""
    _log, ref = subscriber(world)
    assert world.system.events.is_used
    ref.stop(timeout=0)
    assert not world.system.events.is_used
    world.system.events.subscribe(ref, DeadLetter)
    assert not world.system.events.is_used


def test_unsubscribing_ends_it_for_one_type_or_for_all(world: World):
    """DL4."""
    log, ref = subscriber(world, str, int)
    stream = world.system.events
    stream.unsubscribe(ref, int)
    stream.publish("a")
    stream.publish(1)
    stream.unsubscribe(ref)
    stream.publish("b")
    stream.unsubscribe(ref)
    world.settle()

    assert log == ["start", "a"]
    assert not stream.is_used


def test_an_event_that_does_not_fit_is_counted_and_waits_for_nobody(world: World):
    """DL4: a full subscriber neither blocks nor fails who publishes; a dead letter that is lost makes no other one."""

    class Small(Recorder):
        mailbox_capacity = 1
        mailbox_overflow = "block"

    class Drops(Small):
        mailbox_overflow = "drop_old"

    log: list[Any] = []
    refs = [world.start(Small), world.start(Drops, log)]
    for ref in refs:
        world.system.events.subscribe(ref, DeadLetter)
        ref.tell("mine")  # and no event pushes it out, which would be one more letter, and so on
    for number in range(5):
        world.system.dead_letters.publish(DeadLetter(number, "nobody", "unrouted"))

    assert world.now == 0
    assert world.counters.snapshot()["events.dropped"] == 10
    assert len(world.letters) == 5
    world.settle()
    assert log == ["start", "mine"]


def test_a_subscriber_that_is_being_restarted_is_not_flooded(world: World):
    """S10: what it may keep for its next incarnation is bounded for events too."""
    log, ref = subscriber(world, str)
    ref._cell.kept_limit = 2
    for _ in range(5):
        world.system.events.publish("event")
    ref._cell.kept_limit = None
    world.settle()

    assert log.count("event") == 2
    assert world.counters.snapshot()["events.dropped"] == 3


def test_what_cannot_be_subscribed_is_refused_at_once(world: World):
    """DL4: with what to give instead."""
    ref = world.start(Recorder)
    with pytest.raises(ConfigError, match="give types of events"):
        world.system.events.subscribe(ref, "DeadLetter")  # type: ignore[arg-type]
    with pytest.raises(ActorError):
        world.system.events.subscribe(None)  # type: ignore[arg-type]


@pytest.mark.usefixtures("eager_switches")
def test_publishing_from_many_threads_while_others_come_and_go(system: System):
    """DL4: who is subscribed all the time gets each event exactly once, in the order of each publisher."""
    got: list[tuple[int, int]] = []
    all_told = threading.Event()
    publishers, number = 3, 100

    class Listener(Actor):
        def on_receive(self, message: Any) -> None:
            got.append(message)
            if len(got) == publishers * number:
                all_told.set()

    stream = system.events
    stream.subscribe(system.start(Listener), tuple)

    def publish(who: int) -> None:
        for count in range(number):
            stream.publish((who, count))

    def come_and_go() -> None:
        for _ in range(30):
            ref = system.start(Recorder)
            stream.subscribe(ref, tuple)
            ref.stop(block=False)

    threads = [threading.Thread(target=publish, args=(who,)) for who in range(publishers)]
    threads.append(threading.Thread(target=come_and_go))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)

    assert all_told.wait(DEADLINE_S)
    for who in range(publishers):
        assert [count for one, count in got if one == who] == list(range(number))
