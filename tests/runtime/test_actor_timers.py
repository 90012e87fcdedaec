"""An actor's own timers."""

import contextlib
import math
import threading
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_timers import DurableTimer
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.directives import Directive
from relay_actors.runtime.future import WaitTimeout
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until
from tests.support.thorough import less


def timers(world: World, *commands: tuple[Any, ...], **settings: Any) -> tuple[Any, list[Any]]:
    log: list[Any] = []
    ref = world.start(Recorder, log)
    log.clear()
    for command in commands:
        ref.ask(lambda actor, command=command: actor.start_timer(*command, **settings), timeout=0)
    return ref, log


def test_a_timer_fires_once_when_it_is_due(world: World):
    """By the monotonic clock, in a turn of its actor."""
    _ref, log = timers(world, ("a", "tick", 2.0))
    world.advance(1.9)
    assert log == []
    world.advance(0.1)
    assert log == ["tick"]
    world.advance(10.0)
    assert log == ["tick"]


def test_what_is_pending_is_known_with_when_it_is_due(world: World):
    """For tests that look at what an actor has started."""
    ref, _log = timers(world, ("a", "tick", 2.0), ("b", "tick", 5.0))
    pending = ref._cell.timers.pending
    assert pending() == {"a": 2.0, "b": 5.0}

    world.advance(3.0)
    assert pending() == {"b": 5.0}
    ref.ask(lambda actor: actor.set_receive_timeout(60.0), timeout=0)
    assert pending() == {"b": 5.0}


def test_a_timer_with_the_same_key_is_replaced(world: World):
    """T1: also when the old one's tick is in the mailbox already."""
    ref, log = timers(world, ("a", "old", 1.0), ("a", "new", 2.0))
    world.advance(1.5)
    assert log == []
    world.advance(0.5)
    assert log == ["new"]

    def let_it_fire_and_replace(actor: Any) -> None:
        actor.start_timer("b", "old", 0.0)
        world.dispatcher._fire()  # its tick waits from here on
        assert actor._cell.mailbox.lengths()[1] == 1
        actor.start_timer("b", "new", 5.0)

    ref.tell(let_it_fire_and_replace)
    world.settle()
    assert log == ["new"]
    world.advance(5.0)
    assert log == ["new", "new"]


def test_a_cancelled_timer_does_not_fire(world: World):
    """T2: the same guarantee; cancel says whether there was one."""
    ref, log = timers(world, ("a", "tick", 1.0))

    def let_it_fire_and_cancel(actor: Any) -> list[bool]:
        actor.start_timer("b", "tick", 0.0)
        world.dispatcher._fire()
        return [actor.cancel_timer(key) for key in "abb"]

    assert ref.ask(let_it_fire_and_cancel, timeout=0) == [True, True, False]
    world.advance(2.0)
    assert log == []
    assert world.dispatcher.pending_timers == 0


def test_stop_cancels_all(world: World):
    """T2: no timer outlives its actor."""
    ref, log = timers(world, ("a", "tick", 1.0), ("b", "tick", 2.0))
    ref.stop(timeout=0)
    assert world.dispatcher.pending_timers == 0
    world.advance(3.0)
    assert log == ["stop"]
    assert world.dead() == []


def test_a_fixed_delay_counts_from_the_end_of_the_handling(world: World):
    """T3: a slow handler makes its ticks rarer, not denser."""
    times: list[float] = []

    class Slow(Recorder):
        def on_receive(self, message: Any) -> Any:
            if message == "tick":
                times.append(world.now)
                world.dispatcher.clock.advance(0.7)  # that long it takes
                return None
            return super().on_receive(message)

    ref = world.start(Slow)
    ref.ask(lambda actor: actor.start_timer("a", "tick", 1.0, interval_s=1.0), timeout=0)
    world.advance(5.0)

    assert times == pytest.approx([1.0, 2.7, 4.4])


def test_a_fixed_rate_does_not_drift(world: World):
    """T3: each tick counts from when the one before was due."""
    times: list[float] = []

    class Slow(Recorder):
        def on_receive(self, message: Any) -> Any:
            if message == "tick":
                times.append(world.now)
                world.dispatcher.clock.advance(0.7)
                return None
            return super().on_receive(message)

    ref = world.start(Slow)
    ref.ask(lambda actor: actor.start_timer("a", "tick", 1.0, interval_s=1.0, repeat="fixed_rate"), timeout=0)
    world.advance(5.0)

    assert times == pytest.approx([1.0, 2.0, 3.0, 4.0, 5.0])


@pytest.mark.parametrize(
    ("burst", "caught_up"), [(0, []), (1, [11.5]), (3, [11.5] * 3), (100, [11.5] * 10)], ids=["0", "1", "3", "100"]
)
def test_a_fixed_rate_catches_up_a_few_ticks_after_a_stall(world: World, burst: int, caught_up: list[float]):
    """T3: as many as it says, at once, and not all that were missed; then it goes on in its beat."""
    times: list[float] = []

    class Stalls(Recorder):
        def on_receive(self, message: Any) -> Any:
            if message == "tick":
                times.append(world.now)
                if len(times) == 1:
                    world.dispatcher.clock.advance(10.5)
                return None
            return super().on_receive(message)

    ref = world.start(Stalls)
    command = {"interval_s": 1.0, "repeat": "fixed_rate", "burst": burst}
    ref.ask(lambda actor: actor.start_timer("a", "tick", 1.0, **command), timeout=0)
    world.advance(12.0)
    world.advance(2.0)

    assert times == pytest.approx([1.0, *caught_up, 12.0, 13.0, 14.0])


@pytest.mark.parametrize(
    "wrong",
    [
        {"delay_s": -1.0},
        {"delay_s": math.nan},
        {"delay_s": math.inf},
        {"delay_s": "1"},
        {"delay_s": 1.0, "interval_s": 0},
        {"delay_s": 1.0, "interval_s": True},
        {"delay_s": 1.0, "interval_s": 1.0, "repeat": "sometimes"},
        {"delay_s": 1.0, "interval_s": 1.0, "repeat": "fixed_rate", "burst": -1},
        {"delay_s": 1.0, "interval_s": 1.0, "repeat": "fixed_rate", "burst": 1.5},
        {"delay_s": 1.0, "interval_s": 1.0, "burst": 2},
    ],
    ids=str,
)
def test_what_makes_no_sense_is_refused(world: World, wrong: dict[str, Any]):
    """At the line that says it; the timer that has the key stays."""
    ref, log = timers(world, ("a", "tick", 2.0))
    with pytest.raises(ConfigError, match="timer 'a'"):
        ref.ask(lambda actor: actor.start_timer("a", "other", **wrong), timeout=0)
    world.advance(2.0)
    assert log == ["tick"]


class Overlap(Actor):
    """Waits while it handles its first ticks, so that others, and time, go on; notes how deep it is in itself."""

    def __init__(self, other: Any, repeat: str, interval_s: float) -> None:
        super().__init__()
        self.other, self.repeat, self.interval_s = other, repeat, interval_s
        self.inside = self.deepest = self.ticks = 0

    def on_start(self) -> None:
        self.start_timer("t", "tick", 0.0, interval_s=self.interval_s, repeat=self.repeat)  # type: ignore[arg-type]

    def on_receive(self, message: Any) -> Any:
        if message != "tick":
            return self.ticks, self.deepest
        self.ticks += 1
        self.inside += 1
        self.deepest = max(self.deepest, self.inside)
        if self.ticks <= 5:
            with contextlib.suppress(WaitTimeout):
                self.other.ask("wait", timeout=10 * self.interval_s)
        self.inside -= 1
        return None


class Silent(Actor):
    """Is asked, and answers when it ends."""

    stash_capacity = 1000

    def on_receive(self, message: Any) -> None:
        self.stash()


@pytest.mark.parametrize("repeat", ["fixed_delay", "fixed_rate"])
def test_a_tick_waits_for_the_handling_of_the_one_before(world: World, repeat: str):
    """T4: also when that waits in its middle, and many are due meanwhile."""
    ref = world.start(Overlap, world.start(Silent), repeat, 1.0)
    world.advance(100.0)
    ticks, deepest = ref.ask("how many?", timeout=1000.0)
    assert ticks >= 5
    assert deepest == 1


def test_ticks_do_not_overlap_on_threads_either(system: System):
    """T4: the baton goes on to another thread while the handler waits."""
    ref = system.start(Overlap, system.start(Silent), "fixed_rate", 0.002)
    until(lambda: ref._cell.actor is not None and ref._cell.actor.ticks >= 8)
    assert ref.ask("how many?", timeout=DEADLINE_S)[1] == 1


def test_very_many_timers_are_one_heap_and_no_threads(world: World):
    """T6: 100,000 pending ones, of one actor; when they are cancelled nothing is left of them."""
    many = 100_000
    threads = threading.active_count()
    ref, log = timers(world)

    def start(actor: Any) -> None:
        for key in range(many):
            actor.start_timer(key, key, 1.0 + key)

    def cancel(actor: Any) -> None:
        for key in range(1, many):
            actor.cancel_timer(key)

    ref.ask(start, timeout=0)
    assert world.dispatcher.pending_timers == many
    assert len(world.dispatcher._timers._heap) == many
    assert threading.active_count() == threads
    ref.ask(cancel, timeout=0)
    assert world.dispatcher.pending_timers == 1
    assert len(world.dispatcher._timers._heap) <= 130
    world.advance(1.0)
    assert log == [0]


@settings(max_examples=less(30, 60))
@given(st.data(), st.lists(st.sampled_from(["start", "repeat", "cancel", "advance"]), max_size=40))
def test_timers_do_what_a_table_of_due_times_says(data: st.DataObject, steps: list[str]):
    """T1, T2, T3: for any order of starting, replacing, cancelling and waiting."""
    world = World(1)
    heard: list[tuple[float, int]] = []
    table: dict[int, tuple[int, int | None, int]] = {}  # from key to due, interval, message
    wanted: list[tuple[float, int]] = []

    class Hears(Actor):
        def on_receive(self, message: Any) -> Any:
            return message(self) if callable(message) else heard.append((world.now, message))

    ref = world.start(Hears)
    for number, step in enumerate(steps):
        key = data.draw(st.integers(0, 3))
        if step == "advance":
            until_s = int(world.now) + data.draw(st.integers(0, 8))
            world.advance(until_s - world.now)
            while (due := min(((row[0], at) for at, row in table.items()), default=None)) and due[0] <= until_s:
                at, interval, message = table[due[1]]
                wanted.append((float(at), message))
                del table[due[1]]
                if interval is not None:
                    table[due[1]] = (at + interval, interval, message)
        elif step == "cancel":
            assert ref.ask(lambda actor, key=key: actor.cancel_timer(key), timeout=0) == (key in table)
            table.pop(key, None)
        else:
            delay = data.draw(st.integers(1, 5))
            interval = data.draw(st.integers(1, 5)) if step == "repeat" else None
            table[key] = (int(world.now) + delay, interval, number)
            ref.ask(
                lambda actor, key=key, delay=delay, interval=interval, number=number: actor.start_timer(
                    key, number, delay, interval_s=interval, repeat="fixed_rate"
                ),
                timeout=0,
            )
        assert sorted(heard) == sorted(wanted)
        assert [at for at, _message in heard] == sorted(at for at, _message in heard)
        assert world.dispatcher.pending_timers == len(table)
    world.end()


# -- durable ones ------------------------------------------------------------------------------------------------------


class Late(Recorder):
    """Notes when it was told, and how late that was."""

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        self.log_of.append((message, self._cell.system.clock.now(), self.late_by_s))
        return None


def late(world: World, *, backoff_s: float, **settings: Any) -> tuple[Any, list[Any]]:
    """Start two timers, crash, and come back after a while: what is heard then."""
    log: list[Any] = []
    backoff = Backoff(min_s=backoff_s, max_s=backoff_s, jitter=0.0)
    ref = spawn(world.start(Parent), Late, log, spec=ChildSpec(restart=Restart.PERMANENT, backoff=backoff))
    ref.ask(lambda actor: actor.start_timer("durable", "tick", 3.0, durable=True, **settings), timeout=0)
    ref.ask(lambda actor: actor.start_timer("other", "tock", 3.0), timeout=0)
    world.advance(1.0)
    ref.tell(crash())
    world.settle()
    return ref, log


def ticks(log: list[Any]) -> list[Any]:
    return [entry for entry in log if isinstance(entry, tuple) and len(entry) == 3]


def test_a_durable_timer_survives_a_restart(world: World):
    """T7: it comes when it would have come; the others are cancelled (T2)."""
    ref, log = late(world, backoff_s=0.5)
    world.advance(5.0)
    assert ref.incarnation == 1
    assert ticks(log) == [("tick", 3.0, 0.0)]


def test_a_durable_timer_that_came_due_meanwhile_comes_once_and_says_how_late_it_is(world: World):
    """T7: as soon as the next incarnation is there."""
    _ref, log = late(world, backoff_s=10.0)
    world.advance(20.0)
    assert ticks(log) == [("tick", 11.0, 8.0)]
    assert world.dispatcher.pending_timers == 0


def test_a_durable_timer_that_repeats_goes_on(world: World):
    """T7, T3: what it has missed is caught up as after any stall."""
    _ref, log = late(world, backoff_s=6.5, interval_s=1.0, repeat="fixed_rate")
    world.advance(9.0)
    assert ticks(log) == [
        ("tick", 7.5, 4.5),
        ("tick", 7.5, 0.5),
        ("tick", 8.0, 0.0),
        ("tick", 9.0, 0.0),
        ("tick", 10.0, 0.0),
    ]


def test_a_durable_timer_whose_own_handling_crashes_comes_again_at_its_next_tick(world: World):
    """T7, M6: the tick that has crashed it is not handled again."""
    ref = spawn(world.start(Parent), Recorder, log := [], spec=ChildSpec(restart=Restart.PERMANENT))
    ref.ask(lambda actor: actor.start_timer("t", crash("tick"), 1.0, interval_s=1.0, durable=True), timeout=0)
    world.advance(2.5)
    assert log.count(("failure", "tick")) == 2
    ref.ask(lambda actor: actor.cancel_timer("t"), timeout=0)
    world.advance(5.0)
    assert (log.count(("failure", "tick")), world.dispatcher.pending_timers) == (2, 0)


def test_the_next_incarnation_may_replace_a_durable_timer(world: World):
    """T7, T1: its `on_start` comes before a tick that waits already."""
    log: list[Any] = []

    class Again(Recorder):
        def on_start(self) -> None:
            self.start_timer("t", f"of {self._cell.incarnation}", 1.0, durable=True)

    ref = spawn(world.start(Parent), Again, log, spec=ChildSpec(restart=Restart.PERMANENT))
    world.settle()

    def let_it_come_due_and_crash(_actor: Any) -> None:
        world.dispatcher.clock.advance(1.0)
        world.dispatcher._fire()
        raise ValueError

    ref.tell(let_it_come_due_and_crash)
    world.advance(2.0)
    assert [entry for entry in log if isinstance(entry, str)] == ["of 1"]


def test_durable_timers_can_be_looked_at(world: World):
    """T7: what is due first in front, in monotonic and in wall time."""
    ref, _log = timers(world, ("later", "b", 9.0), ("sooner", "a", 2.0), durable=True)
    ref.ask(lambda actor: actor.start_timer("other", "c", 1.0), timeout=0)
    world.advance(1.5)
    clock = world.dispatcher.clock
    wall = clock.wall() - clock.now()
    assert ref.ask(lambda actor: actor.durable_timers(), timeout=0) == [
        DurableTimer("sooner", "a", 2.0, wall + 2.0, None),
        DurableTimer("later", "b", 9.0, wall + 9.0, None),
    ]


def test_a_successor_is_told_nothing_by_the_timers_of_its_predecessor(world: World):
    """T7: they are messages that another class has thought of."""
    log: list[Any] = []

    class Successor(Recorder):
        def on_receive(self, message: Any) -> Any:
            log.append(message)

    spec = ChildSpec(restart=Restart.PERMANENT, max_restarts=0, successor=Successor)
    ref = spawn(world.start(Parent), Recorder, spec=spec)
    ref.ask(lambda actor: actor.start_timer("t", "tick", 1.0, durable=True), timeout=0)
    ref.tell(crash())
    world.advance(5.0)
    assert (ref.is_alive(), log, world.dispatcher.pending_timers) == (True, [], 0)


@pytest.mark.parametrize("end", ["stop", "give up", "kill"])
def test_no_timer_outlives_its_actor_durable_or_not(world: World, end: str):
    """T2, T7: whichever way it ends."""
    parent = world.start(Parent)
    spec = ChildSpec(restart=Restart.TRANSIENT, max_restarts=0 if end == "give up" else 3)
    ref = spawn(parent, Recorder, spec=spec)
    ref.ask(lambda actor: actor.start_timer("t", "tick", 1.0, durable=True), timeout=0)
    {"stop": ref.stop, "give up": lambda **_: ref.tell(crash()), "kill": lambda **_: ref._cell.kill("")}[end](
        block=False
    )
    world.settle()
    assert not ref.is_alive()
    assert world.dispatcher.pending_timers == 0


def test_a_repeating_timer_can_end_itself(world: World):
    """In the handling of its own tick, by cancelling or by replacing it."""
    log: list[Any] = []

    class Twice(Recorder):
        def on_receive(self, message: Any) -> Any:
            log.append(message)
            if message == "first" and log.count("first") == 2:
                self.cancel_timer("a")
            elif message == "second":
                self.start_timer("b", "third", 1.0)
            elif callable(message):
                log.remove(message)
                return message(self)
            return None

    ref = world.start(Twice)
    ref.ask(lambda actor: actor.start_timer("a", "first", 1.0, interval_s=1.0), timeout=0)
    ref.ask(lambda actor: actor.start_timer("b", "second", 1.0, interval_s=1.0), timeout=0)
    world.advance(2.5)

    assert sorted(log) == ["first", "first", "second", "third"]
    assert world.dispatcher.pending_timers == 0


def test_a_tick_whose_handling_fails_ends_its_timer_with_its_actor(world: World):
    """T2: the next incarnation begins with no timers."""
    ref, log = timers(world, ("a", crash("tick"), 1.0), interval_s=1.0)
    world.advance(5.0)

    assert log == [("failure", "tick"), "stop"]
    assert not ref.is_alive()


def test_a_repeating_timer_goes_on_when_its_actor_is_resumed(world: World):
    """S12, T3: the tick at which it failed is gone, and those after it come."""

    class Lenient(Parent):
        directives: ClassVar = {LookupError: Directive.RESUME}

    class Fails(Recorder):
        def on_receive(self, message: Any) -> Any:
            super().on_receive(message)
            if message == "tick" and self.log_of.count("tick") == 1:
                raise LookupError("once")

    log: list[Any] = []
    child = spawn(world.start(Lenient), Fails, log, spec=ChildSpec(restart=Restart.PERMANENT))
    child.tell(lambda actor: actor.start_timer("t", "tick", 1.0, interval_s=1.0))
    world.advance(3.5)
    assert log.count("tick") == 3
