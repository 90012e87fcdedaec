"""Signals: each says what it means to handle it, and to be refused."""

from typing import Any

import pytest

from relay_actors.errors import ParentStopping
from relay_actors.runtime import signals
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signals import Adopt, ChildFailedSignal, Internal, Stop, Unwrapped
from tests.runtime.worlds import Parent, Recorder, World, crash, spawn


def test_every_signal_can_be_handled_and_refused():
    """M5: there is no third outcome."""
    classes = [getattr(signals, name) for name in signals.__all__ if name not in ("Internal", "Signal", "Unwrapped")]
    assert len(classes) == 11
    for signal_class in classes:
        assert callable(signal_class.handle)
        assert callable(signal_class.refuse)
        assert signal_class.__doc__


def test_a_stop_that_is_refused_is_answered(world: World):
    """M3: False, for it was dead already."""
    ref = world.start(Recorder)
    ref.stop(timeout=0)
    reply: Future[bool] = Future(world.dispatcher)
    ref._cell.signal(Stop(NORMAL, reply))
    ref._cell.signal(Stop(NORMAL))

    assert reply.get(timeout=0) is False


def test_a_child_whose_adoption_is_refused_ends(world: World):
    """L9: and says why."""
    parent = world.start(Parent)
    parent.stop(timeout=0)
    cell: Any = world.system.new_cell(Recorder, (), {})
    parent._cell.signal(Adopt(cell, ChildSpec()))

    assert isinstance(cell.exit_reason.cause, ParentStopping)
    assert world.system.actor_count == 0


def test_a_failed_child_whose_parent_is_gone_ends_with_its_own_reason(world: World):
    """L5: the reason is the failure, not that nobody decided."""
    parent = world.start(Parent)
    child = spawn(parent, Recorder)
    child.tell(crash())
    world.dispatcher.step()
    while child._cell.state.name != "FAILED":
        world.dispatcher.step()
    reason = ExitReason("error", "the one")
    ChildFailedSignal(child._cell, reason, None).refuse(parent._cell)
    world.settle()

    assert child._cell.exit_reason == reason


def test_an_internal_message_must_say_how_it_is_delivered():
    """A mistake of ours, told where it is made."""

    class Mute(Internal):
        pass

    with pytest.raises(TypeError, match="Mute"):
        Mute().deliver()


class Knocks(Unwrapped):
    """Notes each time that it is delivered."""

    __slots__ = ("times",)

    def __init__(self) -> None:
        self.times = 0

    def deliver(self) -> None:
        self.times += 1


def test_a_message_without_an_envelope_is_delivered_as_often_as_it_was_put(world: World):
    """Ahead of what users tell, in between other messages, and also while many wait."""
    ref = world.start(Recorder)
    knocks = Knocks()
    for _ in range(3):
        ref._cell.tell_control(knocks)
        ref.tell("a")
        ref._cell.tell_control("b")
    assert (knocks.message, knocks.reply_to, knocks.sender) == (knocks, None, None)
    world.settle()
    assert knocks.times == 3


def test_a_message_without_an_envelope_is_nothing_to_who_has_ended(world: World):
    """M5: whether it waits when the actor ends, or comes later; it is no user's message, so it is no dead letter."""
    ref = world.start(Recorder)
    world.settle()
    knocks = Knocks()
    ref._cell.tell_control(knocks)
    ref.stop(block=False, now=True)
    world.settle()
    assert not ref._cell.tell_control(knocks)
    assert world.system.dead_letters.counts == {}
    assert ref._cell.mailbox.user_length == 0
