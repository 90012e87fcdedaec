"""Actors that only supervise. Layer: pillar. Source: OTP ``supervisor`` and ``DynamicSupervisor``; SEMANTICS S2, S8."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pykka

from relay_actors.errors import ConfigError, StartFailed
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.restart_policy import Restart

__all__ = ["Child", "DynamicSupervisor", "Supervisor"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """One child of a `Supervisor`.

    Attributes:
        id: its name among its siblings.
        actor_class: what to start.
        args: positional arguments of its constructor.
        kwargs: keyword arguments of its constructor.
        spec: how it is treated; by default it is permanent.
    """

    id: Hashable
    actor_class: type[Actor]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    spec: ChildSpec = field(default_factory=lambda: ChildSpec(restart=Restart.PERMANENT))


class Supervisor(Actor):
    """Has a fixed list of children, which it starts in order and stops in reverse, one after the other (S2, H1).

    A child that ends is restarted in place, as its spec says; the others do not notice. ``max_restarts`` within
    ``within_s``, of all of them together, are allowed; one more stops all of them, and then the supervisor itself with
    ``shutdown(reached_max_intensity)``, about which its own parent decides (S8).

    Args:
        children: in the order in which they are started.

    Raises:
        ConfigError: two of them have the same id.
    """

    stops_in_order: ClassVar[bool] = True
    shutdown_s: ClassVar[float] = math.inf

    def __init__(self, children: Sequence[Child]) -> None:
        super().__init__()
        self._children = tuple(children)
        self._refs: dict[Hashable, ActorRef[Any]] = {}
        ids = [child.id for child in self._children]
        if len(set(ids)) < len(ids):
            raise ConfigError(f"a supervisor's children need different ids, not {ids}")

    def on_start(self) -> None:
        """Start the children, each when the one before has started.

        Raises:
            StartFailed: one of them failed; it is not tried again, and those before it are stopped (S2).
        """
        for child in self._children:
            try:
                self._refs[child.id] = self.spawn_started(
                    child.actor_class, *child.args, spec=child.spec, **child.kwargs
                )
            except Exception as error:
                self._cell.make_children().stop_all()
                raise StartFailed(f"{self} could not start its child {child.id!r}: {error}") from error

    def child(self, child_id: Hashable) -> ActorRef[Any] | None:
        """Return the ref of a child, also while it is being restarted; None if it has ended for good. Any thread."""
        return self._refs.get(child_id)

    def on_child_ended(self, ref: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """Forget a child that will not come back."""
        for child_id in [child_id for child_id, known in self._refs.items() if known == ref]:
            del self._refs[child_id]


class DynamicSupervisor(Actor):
    """Has children that come and go: `System.start_child` gives it one, from any thread. They stop all at once (H2).

    A subclass may set ``max_children``: one more ends before it began, with ``start_failed`` by `TooManyChildren`
    for those who watch it, and `ActorDead` for those who ask it (S15).
    """

    shutdown_s: ClassVar[float] = math.inf
