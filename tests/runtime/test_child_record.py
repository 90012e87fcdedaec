"""What a parent remembers of one child."""

from typing import Any

import pytest

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.child_record import Child, ChildRecord, ChildState, Place
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.strategies import Phase


def record(phase: Phase, place: Place | None = None) -> ChildRecord:
    cell: Any = None
    return ChildRecord(cell, ChildSpec(), phase, place, None)


@pytest.mark.parametrize(
    ("phase", "state"),
    [
        (Phase.STARTING, ChildState.RUNNING),
        (Phase.RUNNING, ChildState.RUNNING),
        (Phase.RESTARTING, ChildState.RESTARTING),
        (Phase.REGROUPING, ChildState.RESTARTING),
        (Phase.TERMINATING, ChildState.RUNNING),
        (Phase.STOPPING, ChildState.RUNNING),
    ],
)
def test_what_is_said_about_a_child(phase: Phase, state: ChildState):
    """S17: it is running until it has ended, unless it is between two incarnations."""
    assert record(phase).state is state


def test_a_child_of_a_supervisor_is_permanent_unless_it_says_otherwise():
    """S3: as in OTP; its id is its own."""
    child = Child(id="a", actor_class=Actor)
    assert child.spec.restart is Restart.PERMANENT
    assert record(Phase.RUNNING, Place(child)).id == "a"
    assert record(Phase.RUNNING).id is None


def test_its_timer_is_cancelled_once():
    """B3: and then there is none."""
    cancelled: list[int] = []

    class Timer:
        def cancel(self) -> None:
            cancelled.append(1)

    one = record(Phase.RUNNING)
    one.timer = Timer()
    one.cancel_timer()
    one.cancel_timer()
    assert cancelled == [1]
