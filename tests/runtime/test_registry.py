"""Finding actors by key."""

import threading
from typing import Any

import pytest

from relay_actors.errors import NameTaken
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.registry import Registry
from relay_actors.runtime.restart_policy import Restart
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn


class Stub:
    """As much of a cell as the registry looks at."""

    is_stopped = False


def cells(number: int) -> list[Any]:
    return [Stub() for _ in range(number)]


def test_a_key_has_one_owner():
    """R1: who comes second is given the first."""
    registry = Registry()
    first, second = cells(2)

    assert registry.register("key", first) is first
    assert registry.register("key", second) is first
    assert registry.register("key", first) is first
    assert (registry.find("key"), registry.keys_of(first), registry.keys_of(second)) == (first, ("key",), ())


@pytest.mark.usefixtures("eager_switches")
def test_of_claims_at_once_one_wins_and_all_agree():
    """R1: from several threads."""
    for _ in range(200):
        registry = Registry()
        claimants = cells(4)
        barrier = threading.Barrier(4)
        winners: list[Any] = []

        def claim(cell: Any, registry: Registry = registry, barrier: Any = barrier, winners: Any = winners) -> None:
            barrier.wait(DEADLINE_S)
            winners.append(registry.register("key", cell))

        threads = [threading.Thread(target=claim, args=(cell,)) for cell in claimants]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE_S)

        assert len(winners) == 4
        assert len(set(winners)) == 1
        assert registry.find("key") is winners[0]


def test_releasing_frees_all_keys_of_one():
    """R3: both sides change together; those of others stay."""
    registry = Registry()
    first, second = cells(2)
    for number in range(3):
        registry.register(("first", number), first)
    registry.register("second", second)
    registry.release(first)

    assert len(registry) == 1
    assert registry.find(("first", 0)) is None
    assert registry.find("second") is second
    registry.release(first)


def test_only_the_owner_gives_a_key_back():
    """A late clean-up of a former owner must not take it from the present one."""
    registry = Registry()
    first, second = cells(2)
    registry.register("key", first)
    registry.unregister("key", second)
    assert registry.find("key") is first
    registry.unregister("key", first)
    assert registry.find("key") is None
    assert registry.keys_of(first) == ()


def test_the_dead_are_not_found():
    """R2: also between the end and the release."""
    registry = Registry()
    [cell] = cells(1)
    registry.register("key", cell)
    cell.is_stopped = True
    assert registry.find("key") is None


def test_keys_stay_over_a_restart_and_go_with_the_end(world: World):
    """R2: for real actors; a second claim is told who has it."""
    child = spawn(world.start(Parent), Recorder, spec=ChildSpec(restart=Restart.TRANSIENT))
    child.ask(lambda actor: actor.register("key"), timeout=0)
    child.tell(crash())
    world.settle()
    assert child.incarnation == 1
    assert world.system.find("key") == child

    other = world.start(Recorder)
    with pytest.raises(NameTaken) as caught:
        other.ask(lambda actor: actor.register("key"), timeout=0)
    assert caught.value.owner == child
    child.stop(timeout=0)
    world.settle()
    other.ask(lambda actor: actor.register("key"), timeout=0)
    assert world.system.find("key") == other
