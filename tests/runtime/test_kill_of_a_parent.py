"""A parent that is killed while it sets a timer for a child: whichever comes first, no timer is left."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from relay_actors.runtime import cell, child_record, children, restarting
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.halting import Halt
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, spawn, until

SPEC = ChildSpec(restart=Restart.PERMANENT, backoff=Backoff(min_s=60.0, max_s=60.0))


class Group(Parent):
    strategy = "one_for_all"


def restart(actor: Any, child: ActorRef[Any]) -> None:
    """As if the child had just failed: it is to be restarted in a minute."""
    actor._cell.children.on_failed(child._cell, ExitReason("error"), None)


def stop(actor: Any, child: ActorRef[Any]) -> None:
    """The child is killed when it has not stopped in time."""
    actor._cell.children.stop(child._cell, ExitReason("shutdown"))


SETS_A_TIMER = pytest.mark.parametrize(
    ("parent_class", "act"), [(Parent, restart), (Group, restart), (Parent, stop)], ids=["restart", "group", "stop"]
)

Act = Callable[[Any, ActorRef[Any]], None]


def check_that_nothing_is_left(system: System, parent: ActorRef[Any], when: str) -> None:
    until(lambda: not parent._cell._scheduled.locked() and system.actor_count == 0)
    assert system.dispatcher.pending_timers == 0, when  # type: ignore[attr-defined]


@SETS_A_TIMER
def test_a_kill_before_any_step_of_setting_it_leaves_none(system: System, parent_class: type[Parent], act: Act):
    """L6, H4: the kill comes between two lines of the parent's turn."""
    for number in range(1, 1000):
        halt, over = Halt(number, restarting, children, child_record, cell), threading.Event()
        parent = system.start(parent_class)
        child = spawn(parent, Recorder, spec=SPEC)

        def handler(actor: Any, child: Any = child, halt: Halt = halt, over: threading.Event = over) -> None:
            halt.begin()
            act(actor, child)
            halt.end()
            over.set()

        parent.tell(handler)
        is_halted = halt.wait(over.is_set)
        parent._cell.kill("in the middle")
        halt.go_on()

        check_that_nothing_is_left(system, parent, f"killed before {halt.place}")
        if not is_halted:
            break
    assert 5 < number < 999


@SETS_A_TIMER
def test_setting_it_before_any_step_of_a_kill_leaves_none(system: System, parent_class: type[Parent], act: Act):
    """L6, H4: the parent's turn comes between two lines of the kill."""
    for number in range(1, 1000):
        halt, entered, goes_on = Halt(number, children, child_record, cell), threading.Event(), threading.Event()
        parent = system.start(parent_class)
        child = spawn(parent, Recorder, spec=SPEC)

        def handler(
            actor: Any, child: Any = child, entered: threading.Event = entered, goes_on: threading.Event = goes_on
        ) -> None:
            entered.set()
            assert goes_on.wait(DEADLINE_S)
            act(actor, child)

        parent.tell(handler)
        assert entered.wait(DEADLINE_S)
        killer = halt.run(lambda parent=parent: parent._cell.kill("in the middle"))
        is_halted = halt.wait(lambda killer=killer: not killer.is_alive())
        goes_on.set()
        until(lambda parent=parent: not parent._cell.is_running)
        halt.go_on()
        killer.join(DEADLINE_S)

        check_that_nothing_is_left(system, parent, f"the kill was before {halt.place}")
        if not is_halted:
            break
    assert 50 < number < 999
