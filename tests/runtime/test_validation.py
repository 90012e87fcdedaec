"""What can be seen to go wrong in a tree before it does."""

import pytest

from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.supervisor import Child, Supervisor
from relay_actors.runtime.validation import restart_warnings
from tests.runtime.worlds import Parent, Recorder, World, spawn

PERMANENT = ChildSpec(restart=Restart.PERMANENT)


def supervisor(restarts: int) -> type[Supervisor]:
    return type(f"Allows{restarts}", (Supervisor,), {"max_restarts": restarts})


def nested(*restarts: int) -> Child:
    child = Child(id="leaf", actor_class=Recorder)
    for number in reversed(restarts):
        child = Child(id=number, actor_class=supervisor(number), args=([child],))
    return child


def tree(world: World, *restarts: int) -> None:
    child = nested(*restarts)
    world.start(child.actor_class, *child.args)


@pytest.mark.parametrize("restarts", [(10, 10), (100,), (3, 3, 3), (1000,), (1, 100), (0, 0, 0)])
def test_a_tree_that_gives_up_in_time_is_fine(world: World, restarts: tuple[int, ...]):
    """S9: up to a hundred over all levels; one level alone says what it means."""
    tree(world, *restarts)
    assert world.system.validate() == []


@pytest.mark.parametrize(
    ("restarts", "product"),
    [((10, 11), "10 x 11 = 110"), ((5, 5, 5), "5 x 5 x 5 = 125"), ((101, 0, 1), "101 x 1 x 1 = 101")],
)
def test_a_tree_that_multiplies_beyond_reason_is_warned_of(
    world: World, caplog: pytest.LogCaptureFixture, restarts: tuple[int, ...], product: str
):
    """S9: once, with the whole way and the numbers; also in the log. A level that allows none still is one."""
    tree(world, *restarts)
    warnings = world.system.validate()

    assert len([warning for warning in warnings if product in warning]) == 1
    assert warnings[-1] in caplog.text
    assert " / ".join(f"Allows{number}" for number in restarts) + " / Recorder" in warnings[-1]


def test_a_hundred_children_of_one_kind_are_one_warning(world: World):
    """S9: what is to be mended is one number in one class."""
    children = [Child(id=number, actor_class=Recorder) for number in range(100)]
    world.start(supervisor(20), [Child(id="inner", actor_class=supervisor(21), args=(children,))])

    assert len(world.system.validate()) == 1


def test_what_does_not_take_its_parent_along_does_not_multiply(world: World):
    """S9: a temporary child, and one with a window of its own, end there."""
    top = world.start(type("Top", (Parent,), {"max_restarts": 50}))
    middle = spawn(top, type("Middle", (Parent,), {"max_restarts": 50}), spec=PERMANENT)
    spawn(middle, Recorder)
    spawn(middle, Recorder, spec=ChildSpec(restart=Restart.PERMANENT, max_restarts=90))
    world.settle()
    assert world.system.validate() == []
    spawn(middle, Recorder, spec=PERMANENT)

    assert len(restart_warnings(world.system.living)) == 1
