"""Signals: each says what it means to handle it, and to be refused."""

from typing import Any

import pytest

from relay_actors.errors import ParentStopping
from relay_actors.runtime import signals
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signals import Adopt, ChildFailedSignal, Internal, Stop
from tests.runtime.worlds import Parent, Recorder, World, crash, spawn


def test_every_signal_can_be_handled_and_refused():
    """M5: there is no third outcome."""
    classes = [getattr(signals, name) for name in signals.__all__ if name not in ("Internal", "Signal")]
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
