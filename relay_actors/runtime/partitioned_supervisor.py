"""A dynamic supervisor in several partitions: no bottleneck, and no single fate. Layer: pillar.

Source: SEMANTICS S16; Elixir ``PartitionSupervisor``.
"""

from __future__ import annotations

import zlib
from collections.abc import Hashable
from typing import Any, Self, TypeVar, cast

import pykka

from relay_actors.errors import ChildStateError, ConfigError
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_record import Child
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.supervisor import DynamicSupervisor, Supervisor
from relay_actors.runtime.supervisor_ref import DynamicSupervisorRef, SupervisorRef

__all__ = ["PartitionedRef", "PartitionedSupervisor", "partition_of"]

A = TypeVar("A", bound=pykka.Actor)
C = TypeVar("C", bound=pykka.Actor)


def partition_of(key: object, partitions: int) -> int:
    """Return the number of the partition of ``key``, the same in every process and on every machine.

    Args:
        key: text, bytes, a number, a truth value, None, or a tuple of these.
        partitions: how many there are.

    Raises:
        ConfigError: ``key`` is something else, whose representation need not stay the same.
    """
    # Not hash(): that of a text differs from process to process.
    return zlib.crc32(_encode(key)) % partitions


def _encode(key: object) -> bytes:
    if isinstance(key, tuple):
        return b"(" + b",".join(_encode(part) for part in key) + b")"
    if key is None:
        return b"None"
    for kind in (str, bytes, bool, int, float):
        if isinstance(key, kind):
            # Not as a subclass writes itself: a member of a StrEnum is the same key as its text.
            return kind.__repr__(key).encode("utf-8", "surrogatepass")
    raise ConfigError(f"a key of partitions must be text, bytes, a number or a tuple of these, not {key!r}")


class PartitionedRef(SupervisorRef[A]):
    """A reference to a `PartitionedSupervisor`. Any thread."""

    def partition_for(self, key: Hashable, *, timeout: float | None = 5.0) -> DynamicSupervisorRef[DynamicSupervisor]:
        """Return the partition of ``key``: always the same one, also after it was restarted.

        Args:
            key: text, bytes, a number or a tuple of these.
            timeout: seconds to wait for a supervisor that is just starting.

        Raises:
            ConfigError: a key of another kind.
            ActorDead: the supervisor has ended.
            ChildStateError: that partition was terminated by hand.
        """
        _encode(key)  # what is wrong with it is told here, whatever the supervisor is doing
        actor: Any = self._cell.actor
        number = None if actor is None else partition_of(key, actor.partitions)
        ref: Any = None if number is None else self.child(number)
        if ref is None:  # it is being started: as soon as it answers, all partitions have
            ref = self._request(key, lambda actor, done: done.try_set(actor.partition_for(key)), timeout)
        return cast("DynamicSupervisorRef[DynamicSupervisor]", ref)

    def start_child(
        self,
        key: Hashable,
        actor_class: type[C],
        *args: Any,
        spec: ChildSpec | None = None,
        keep: Any = None,
        keys: tuple[Hashable, ...] = (),
        **kwargs: Any,
    ) -> ActorRef[C]:
        """Start a child in the partition of ``key``; all else is as in `DynamicSupervisorRef.start_child`."""
        partition = self.partition_for(key)
        return partition.start_child(actor_class, *args, spec=spec, keep=keep, keys=keys, **kwargs)


class PartitionedSupervisor(Supervisor):
    """Several dynamic supervisors; which of them has a child is decided by a key (SEMANTICS S16).

    Each partition counts the restarts of its own children, and one that gives up is restarted alone. Its ref is a
    `PartitionedRef`: ``ref.start_child(key, MyActor, …)``, ``ref.partition_for(key)``.

    Args:
        partitions: how many; at least 1. The same key has the same partition as long as this is the same.
        partition_class: what each of them is.

    Raises:
        ConfigError: fewer than one partition, or a class that is no dynamic supervisor.
    """

    def __init__(self, partitions: int = 8, *, partition_class: type[DynamicSupervisor] = DynamicSupervisor) -> None:
        if isinstance(partitions, bool) or not isinstance(partitions, int) or partitions < 1:
            raise ConfigError(f"partitions must be a whole number of at least 1, not {partitions!r}")
        if not (isinstance(partition_class, type) and issubclass(partition_class, DynamicSupervisor)):
            raise ConfigError(f"partition_class must be DynamicSupervisor or a subclass, not {partition_class!r}")
        super().__init__([Child(id=number, actor_class=partition_class) for number in range(partitions)])
        self.partitions = partitions

    @classmethod
    def make_ref(cls, cell: Cell) -> Any:
        """Make the ref of a partitioned supervisor. For the cell."""
        return PartitionedRef(cell)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> PartitionedRef[Self]:
        """Start it without a supervisor of its own: as `Actor.start`."""
        return cast("PartitionedRef[Self]", super().start(*args, **kwargs))

    def partition_for(self, key: Hashable) -> ActorRef[Any]:
        """Return the partition of ``key``. In its turn.

        Raises:
            ConfigError: a key that is not text, bytes, a number or a tuple of these.
            ChildStateError: that partition was terminated by hand.
        """
        number = partition_of(key, self.partitions)
        ref = self.child(number)
        if ref is None:
            state = self._cell.make_children().state_of(number)
            raise ChildStateError(f"partition {number} of {self} is {state}: restart_child({number})", state=state)
        return ref
