"""A parent that is killed at any moment, on any thread: no child outlives it, no name and no timer is left."""

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from relay_actors.errors import ActorDead
from relay_actors.runtime import cell, child_record, children, restarting
from relay_actors.runtime.abilities import supervising
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.halting import Halt
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn, until

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
    until(lambda: parent._cell.is_resting and system.actor_count == 0)
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


class Named(Parent):
    """Claims its name when it starts."""

    def on_start(self) -> None:
        self.register(type(self).__name__)


class Grandchild(Named):
    pass


class Child(Named):
    def on_start(self) -> None:
        super().on_start()
        self.spawn_started(Grandchild)


def family_of(parent: ActorRef[Any]) -> list[Any]:
    """Return who is below ``parent`` now; not cells that nobody knows yet, because no actor was made in them."""
    living = parent._cell.system.living
    return [cell for cell in living if cell.actor is not None and is_below(cell, parent)]


def is_below(descendant: Any, parent: Any) -> bool:
    above = descendant.parent
    return above is not None and (above.ref == parent or is_below(above, parent))


def whom_it_left(parent: ActorRef[Any], family: list[Any]) -> list[str]:
    """Return who is below ``parent``, or was, and is there in any way, now that everybody is told of its end."""
    system: System = parent._cell.system
    below, living = {*family, *family_of(parent)}, system.living
    left = [f"{one} lives" for one in below if not one.has_ended or one.ref.is_alive() or one in living]
    names = {one: system.registry.keys_of(one) for one in {*below, *living, parent._cell}}
    return left + [f"{one} is {key!r}" for one, keys in names.items() for key in keys]


def kill_and_look(parent: ActorRef[Any]) -> list[str]:
    """Kill ``parent``, and return whom it has left."""
    family = family_of(parent)
    parent._cell.kill("in the middle")
    return whom_it_left(parent, family)


def test_a_child_that_is_just_being_killed_does_not_outlive_it(system: System):
    """L6, W4: the parent is killed before each line of the kill of its child, which has a child itself."""
    for number in range(1, 1000):
        halt = Halt(number, children, child_record, cell)
        parent = system.start(Parent)
        child = spawn(parent, Child)
        until(lambda: system.find("Grandchild") is not None)
        for one in system.living:
            assert one.watching is not None  # made now: the killer must not halt with the lock that guards this
        killer = halt.run(lambda child=child: child._cell.kill("by somebody else"))
        is_halted = halt.wait(lambda killer=killer: not killer.is_alive())

        left = kill_and_look(parent)
        halt.go_on()
        killer.join(DEADLINE_S)
        assert left == [], f"the kill of the child was before {halt.place}"
        if not is_halted:
            break
    assert 50 < number < 999


def have_one(actor: Any, _child: Any) -> None:
    actor.spawn(Named)


def take_one(actor: Any, _child: Any) -> None:
    actor._cell.children.adopt(actor._cell.system.new_cell(Named, (), {}), ChildSpec())


def begin_anew(actor: Any, child: ActorRef[Any]) -> None:
    actor._cell.children.on_ended(child._cell, ExitReason("killed"), ("its name",))


def be_called(actor: Any, _child: Any) -> None:
    actor.register("its own name")


@pytest.mark.parametrize(
    ("act", "module"),
    [(have_one, supervising), (take_one, child_record), (begin_anew, restarting), (be_called, cell)],
    ids=["spawn", "adopt", "revive", "register"],
)
def test_who_becomes_its_child_at_that_moment_does_not_outlive_it(system: System, act: Act, module: ModuleType):
    """L6, L9, W4: the kill comes between two lines of the parent's turn."""
    for number in range(1, 1000):
        halt, over = Halt(number, module, children), threading.Event()
        left: list[str] = []
        parent = system.start(Parent)
        child = spawn(parent, Recorder, spec=ChildSpec(restart=Restart.PERMANENT))
        assert parent._cell.watching is not None  # made now, as above

        def handler(actor: Any, child: Any = child, halt: Halt = halt, over: threading.Event = over) -> None:
            child._cell.kill("by the test")
            halt.begin()
            act(actor, child)
            halt.end()
            over.set()

        def look(place: str, parent: Any = parent, left: Any = left) -> None:
            left.extend(f"{what}, before {place}" for what in whom_it_left(parent, []))

        parent.tell(handler)
        is_halted = halt.wait(over.is_set)
        left += kill_and_look(parent)
        halt.go_on(look)

        check_that_nothing_is_left(system, parent, f"killed before {halt.place}")
        assert left == [], f"killed before {halt.place}"
        if not is_halted:
            break
    assert 3 < number < 999


def test_who_is_to_become_its_child_after_its_restart_is_told_at_that_moment(world: World):
    """L9, A5: the parent waits for its restart, and is killed while it notes a new child for afterwards."""
    grandparent = world.start(Parent)
    parent = spawn(grandparent, Parent, spec=ChildSpec(restart=Restart.TRANSIENT, backoff=SPEC.backoff))
    parent.tell(crash())
    world.settle()

    class Awaited(list[Any]):
        def append(self, child: Any) -> None:
            parent.kill()
            super().append(child)

    parent._cell.make_children()._held = Awaited()
    child = world.system.start_child(parent, Recorder, spec=ChildSpec())
    reply = child.ask("question", block=False)
    world.settle()
    assert isinstance(reply.error, ActorDead)
    assert world.system.living == [grandparent._cell]


class Early(Actor):
    """Has a child before it begins."""

    def __init__(self) -> None:
        super().__init__()
        self.spawn(Recorder)


def test_who_becomes_its_child_while_it_is_killed_itself_leaves_nobody(system: System):
    """L6: the parent takes one, and is killed, before each line of the kill of that one, which has a child already."""
    for number in range(1, 1000):
        halt = Halt(number, children, child_record, cell)
        parent = system.start(Parent)
        child = system.new_cell(Early, (), {})
        child.construct()
        family = [cell for cell in system.living if cell is not parent._cell]
        for one in system.living:
            assert one.watching is not None  # made now, as above
        killer = halt.run(lambda child=child: child.kill("by somebody else"))
        is_halted = halt.wait(lambda killer=killer: not killer.is_alive())

        parent.ask(lambda actor, child=child: actor._cell.make_children().add(child, ChildSpec()), timeout=DEADLINE_S)
        parent._cell.kill("in the middle")
        left = [one for one in family if one.ref.is_alive()]
        halt.go_on()
        killer.join(DEADLINE_S)
        assert left == [], f"the kill of the child was before {halt.place}"
        if not is_halted:
            break
    assert 30 < number < 999


def test_a_constructor_that_raises_leaves_none_of_its_children(world: World):
    """L1, L6: whoever was to be their parent never begins."""

    class Fails(Actor):
        def __init__(self) -> None:
            super().__init__()
            self.spawn(Recorder)
            raise ValueError("after all")

    parent = world.start(Parent)
    with pytest.raises(ValueError, match="after all"):
        world.system.start(Fails)
    with pytest.raises(ValueError, match="after all"):
        spawn(parent, Fails)
    world.settle()
    assert world.system.living == [parent._cell]


def test_who_ends_it_while_its_child_is_ended_leaves_nobody(world: World):
    """L6: on one thread, by a callback of whoever asked one of its grandchildren."""
    parent = world.start(Parent)
    child = spawn(parent, Parent)
    first, second = spawn(child, Recorder), spawn(child, Recorder)
    living: list[bool] = []

    def kill_all(_answer: object) -> None:
        parent.kill()
        living.extend(ref.is_alive() for ref in (child, first, second))

    first.ask("question", block=False).add_done_callback(kill_all)
    child.kill()
    assert living == [False, False, False]
