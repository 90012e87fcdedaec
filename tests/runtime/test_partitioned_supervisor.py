"""A dynamic supervisor in several partitions."""

import subprocess
import sys
from collections import Counter
from enum import IntEnum, StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay_actors.errors import ActorDead, ChildStateError, ConfigError
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.partitioned_supervisor import PartitionedSupervisor, partition_of
from relay_actors.runtime.restart_policy import Restart
from relay_actors.runtime.supervisor import DynamicSupervisor
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, Parent, Recorder, World, crash, spawn

KEYS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3).map(tuple),
)


@given(KEYS, st.integers(1, 64))
def test_every_key_has_one_partition(key: Any, partitions: int):
    """S16."""
    assert 0 <= partition_of(key, partitions) < partitions
    assert partition_of(key, partitions) == partition_of(key, partitions)


def test_the_partition_of_a_key_is_the_same_in_every_process():
    """S16: unlike ``hash()``, which is salted anew each time."""
    assert [partition_of(key, 8) for key in ("a", "b", b"a", 1, ("a", 1), None)] == [2, 1, 4, 7, 3, 1]
    code = "from relay_actors.runtime.partitioned_supervisor import partition_of as p; print(p(('call', 'x'), 10**6))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert int(run.stdout) == partition_of(("call", "x"), 10**6)


class Queue(StrEnum):
    """Keys that are texts, and are written in another way."""

    SALES = "sales"


class Floor(IntEnum):
    """Keys that are numbers, and are written in another way."""

    FIRST = 1


@pytest.mark.parametrize(
    ("one", "other"), [(Queue.SALES, "sales"), (Floor.FIRST, 1), (("q", Queue.SALES), ("q", "sales"))]
)
def test_keys_that_are_equal_have_the_same_partition_whatever_they_are_written_as(one: Any, other: Any):
    """S16: a member of an enumeration is its value."""
    assert one == other
    assert partition_of(one, 10**6) == partition_of(other, 10**6)


def test_keys_spread():
    """S16: no partition of ten gets twice its share of ten thousand."""
    shares = Counter(partition_of(f"call-{number}", 10) for number in range(10_000))
    assert set(shares) == set(range(10))
    assert max(shares.values()) < 2000


@pytest.mark.parametrize("key", [object(), ["a"], {"a"}, ("a", object())])
def test_a_key_whose_text_need_not_stay_the_same_is_refused(world: World, key: Any):
    """S16: the same object would have another partition in the next process."""
    ref: Any = world.start(PartitionedSupervisor, 2)
    with pytest.raises(ConfigError, match="a key of partitions"):
        ref.start_child(key, Recorder)
    assert ref.is_alive()


@pytest.mark.parametrize(
    ("partitions", "settings", "says"),
    [
        (0, {}, "partitions must be"),
        (-1, {}, "partitions must be"),
        (True, {}, "partitions must be"),
        ("8", {}, "partitions must be"),
        (2, {"partition_class": Recorder}, "partition_class must be"),
        (2, {"partition_class": None}, "partition_class must be"),
    ],
)
def test_what_makes_no_sense_is_refused(world: World, partitions: Any, settings: dict[str, Any], says: str):
    """Early."""
    with pytest.raises(ConfigError, match=says):
        world.system.start(PartitionedSupervisor, partitions, **settings)


def test_children_of_one_key_are_together(world: World):
    """S16: same key, same partition, for the life of the system: also after that partition was restarted or killed."""
    ref: Any = world.start(PartitionedSupervisor, 4)
    partition = ref.partition_for("call")
    children = [ref.start_child("call", Recorder) for _ in range(3)]
    world.settle()
    assert {child._cell.parent for child in children} == {partition._cell}
    assert [ref.partition_for(key) for key in ("call", "call")] == [partition] * 2

    number = partition_of("call", 4)
    partition.tell(lambda _: None)
    partition.stop(block=False)
    world.settle()
    assert ref.partition_for("call") == partition == ref.child(number)
    partition.kill()
    world.settle()
    assert ref.partition_for("call") == ref.child(number) != partition
    fresh = ref.start_child("call", Recorder)
    world.settle()
    assert fresh._cell.parent is ref.child(number)._cell


def test_a_storm_in_one_partition_is_not_counted_in_another(world: World):
    """S16: the partition gives up and is restarted alone; the others and their counts are as they were."""
    spec = ChildSpec(restart=Restart.PERMANENT)
    ref: Any = world.start(PartitionedSupervisor, 2)
    here, there = (next(f"k{n}" for n in range(99) if partition_of(f"k{n}", 2) == wanted) for wanted in (0, 1))
    calm = ref.start_child(there, Recorder, spec=spec)
    for _ in range(3):
        calm.tell(crash())
    world.settle()
    assert calm.incarnation == 3  # one more would be too much for its partition
    stormy = ref.start_child(here, Recorder, spec=spec)
    for _ in range(4):
        stormy.tell(crash())
    world.settle()

    assert not stormy.is_alive()
    assert (calm.is_alive(), calm.incarnation) == (True, 3)
    assert [ref.partition_for(key).incarnation for key in (here, there)] == [1, 0]
    assert {record.child for record in ref.partition_for(there).restart_history()} == {repr(calm._cell)}
    again = ref.start_child(here, Recorder, spec=spec)
    for _ in range(3):
        again.tell(crash())
    world.settle()
    assert again.is_alive()


def test_partitions_may_be_of_ones_own_class(world: World):
    """S15, S16: with a bound for each."""

    class Few(DynamicSupervisor):
        max_children = 1

    ref: Any = world.start(PartitionedSupervisor, 2, partition_class=Few)
    assert {line.actor_class for line in ref.which_children()} == {Few}
    first, second = ref.start_child("a", Recorder), ref.start_child("a", Recorder)
    world.settle()
    assert (first.is_alive(), second.is_alive()) == (True, False)


def test_it_can_be_used_at_once_from_any_thread(system: System):
    """S16: also while it is just starting: the caller waits until its partitions are there."""
    ref: Any = system.start(PartitionedSupervisor, 3)
    children = [ref.start_child(number, Recorder) for number in range(20)]

    assert [child.ask(number, timeout=DEADLINE_S) for number, child in enumerate(children)] == list(range(20))


def test_a_partition_that_was_terminated_by_hand_is_missed_by_name(world: World):
    """S17: that is no reason to put its children somewhere else."""
    ref: Any = world.start(PartitionedSupervisor, 2)
    number = partition_of("a", 2)
    ref.terminate_child(number)
    with pytest.raises(ChildStateError, match=f"partition {number} .*stopped: restart_child"):
        ref.partition_for("a")
    ref.restart_child(number)
    assert ref.partition_for("a").is_alive()


def test_a_partitioned_supervisor_that_has_ended_says_so(world: World):
    """A5."""
    ref = spawn(world.start(Parent), PartitionedSupervisor, 2)
    world.settle()
    ref.stop(timeout=1.0)
    with pytest.raises(ActorDead):
        ref.partition_for("a")  # type: ignore[attr-defined]
