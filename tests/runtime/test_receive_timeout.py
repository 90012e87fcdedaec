"""What an actor is told when nobody speaks to it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay_actors.errors import ConfigError
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.receive_timeout import ReceiveTimeout
from relay_actors.runtime.restart_policy import Restart
from tests.runtime.worlds import Parent, World, crash, spawn


class Listens(Actor):
    """Notes when nobody has spoken to it for five seconds."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.silent_at = world, []  # type: ignore[var-annotated]

    def on_start(self) -> None:
        self.set_receive_timeout(5.0)

    def on_receive(self, message: Any) -> Any:
        if callable(message):
            return message(self)
        if message == ReceiveTimeout():
            self.silent_at.append(self.world.now)
        return self.silent_at


def test_silence_is_told_once(world: World):
    """T5: and again only after somebody has spoken."""
    ref = world.start(Listens, world)
    world.advance(20.0)
    assert ref._cell.actor.silent_at == [5.0]
    ref.tell("hello")
    world.advance(20.0)
    assert ref._cell.actor.silent_at == [5.0, 25.0]


def test_each_message_begins_a_new_silence(world: World):
    """T5: without a new timer for each of them."""
    ref = world.start(Listens, world)
    for _ in range(10):
        world.advance(4.0)
        ref.tell("hello")
        world.settle()
        assert world.dispatcher.pending_timers == 1
        assert len(world.dispatcher._timers._heap) == 1
    world.advance(4.9)
    assert ref._cell.actor.silent_at == []
    world.advance(0.1)
    assert ref._cell.actor.silent_at == [45.0]


def test_an_actors_own_timers_are_nobody(world: World):
    """T5: unless they are marked."""
    own, marked = world.start(Listens, world), world.start(Listens, world)
    own.tell(lambda actor: actor.start_timer("t", "tick", 1.0, interval_s=1.0))
    marked.tell(lambda actor: actor.start_timer("t", "tick", 1.0, interval_s=1.0, resets_receive_timeout=True))
    world.advance(12.0)
    assert own._cell.actor.silent_at == [5.0]
    assert marked._cell.actor.silent_at == []
    marked.tell(lambda actor: actor.cancel_timer("t"))
    world.advance(6.0)
    assert marked._cell.actor.silent_at == [17.0]


def test_a_message_that_waits_has_been_spoken(world: World):
    """T5: a slow handler is not silence."""
    ref = world.start(Listens, world)

    def take_long(_actor: Any) -> None:
        ref.tell("meanwhile")
        world.dispatcher.clock.advance(7.0)

    ref.tell(lambda actor: actor.start_timer("t", take_long, 0.0))  # by a timer, which is nobody
    world.settle()
    assert ref._cell.actor.silent_at == []
    world.advance(5.0)
    assert ref._cell.actor.silent_at == [12.0]


def test_it_can_be_changed_and_ended(world: World):
    """T5: and have a message of its own."""
    heard: list[Any] = []

    class Own(Actor):
        def on_receive(self, message: Any) -> Any:
            return message(self) if callable(message) else heard.append(message)

    ref = world.start(Own)
    ref.tell(lambda actor: actor.set_receive_timeout(5.0))
    ref.tell(lambda actor: actor.set_receive_timeout(1.0, "anybody?"))
    world.advance(1.0)
    assert heard == ["anybody?"]
    ref.tell(lambda actor: actor.set_receive_timeout(None))
    ref.tell(lambda actor: actor.set_receive_timeout(None))
    world.advance(20.0)
    assert (heard, world.dispatcher.pending_timers) == (["anybody?"], 0)
    for wrong in (0, -1.0, float("nan"), float("inf"), "5", True):
        with pytest.raises(ConfigError, match="positive number"):
            ref.ask(lambda actor, wrong=wrong: actor.set_receive_timeout(wrong), timeout=0)


def test_a_restart_and_the_end_end_it(world: World):
    """T5, T2: the next incarnation sets its own."""

    class Once(Actor):
        def on_receive(self, message: Any) -> Any:
            return message(self)

    ref = spawn(world.start(Parent), Once, spec=ChildSpec(restart=Restart.TRANSIENT))
    for message in (lambda _actor: None, crash("of the silence")):
        ref.tell(lambda actor, message=message: actor.set_receive_timeout(5.0, message))
        world.advance(6.0)
        ref.tell(lambda actor: actor._cell.incarnation < 1 and crash()(actor))
        world.settle()
        ref.tell(lambda _actor: None)  # of the old silence, nothing is left that this could begin anew
        world.settle()
        assert world.dispatcher.pending_timers == 0
    assert ref.incarnation == 2
    ref.tell(lambda actor: actor.set_receive_timeout(5.0))
    ref.stop(timeout=0)
    assert world.dispatcher.pending_timers == 0


@settings(max_examples=50)
@given(st.lists(st.integers(1, 12), max_size=20))
def test_it_is_told_exactly_after_each_long_gap(gaps: list[int]):
    """T5: five seconds after a message that no other one follows within five."""
    world = World(1)
    ref = world.start(Listens, world)
    wanted, at = [], 0.0
    for gap in gaps:
        if gap >= 5:
            wanted.append(at + 5.0)
        at += gap
        world.advance(gap)
        ref.tell("hello")
        world.settle()
    assert ref._cell.actor.silent_at == wanted
    world.end()
