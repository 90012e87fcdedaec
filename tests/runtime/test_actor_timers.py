"""An actor's own timers."""

from typing import Any

import pytest

from tests.runtime.worlds import Recorder, World, crash


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


def test_a_fixed_rate_catches_up_one_tick_after_a_stall(world: World):
    """T3: and not all that were missed, at once."""
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
    ref.ask(lambda actor: actor.start_timer("a", "tick", 1.0, interval_s=1.0, repeat="fixed_rate"), timeout=0)
    world.advance(12.0)
    world.advance(2.0)

    assert times == pytest.approx([1.0, 11.5, 12.5, 13.5])


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
