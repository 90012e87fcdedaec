"""Actors that only supervise. Layer: pillar. Source: OTP ``supervisor`` and ``DynamicSupervisor``; SEMANTICS S2, S8."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self, cast

import pykka

from relay_actors.errors import ChildStateError, ConfigError, StartFailed
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.child_record import Child, ChildState
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import ChildFailed, ExitReason, words_of
from relay_actors.runtime.strategies import Strategy
from relay_actors.runtime.supervisor_ref import DynamicSupervisorRef, SupervisorRef

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["Child", "DynamicSupervisor", "Supervisor"]

_TERMINATED = ExitReason("shutdown", "terminated by hand")


class _Supervises(Actor):
    """What both kinds have in common."""

    shutdown_s: ClassVar[float] = math.inf

    @classmethod
    def make_ref(cls, cell: Cell) -> Any:
        """Make the ref of a supervisor. For the cell."""
        return SupervisorRef(cell)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> SupervisorRef[Self]:
        """Start it without a supervisor of its own: as `Actor.start`."""
        return cast("SupervisorRef[Self]", super().start(*args, **kwargs))

    def on_receive(self, message: object) -> Any:
        """Take the report of a child that was given up: it is in the log already. For subclasses."""
        if not isinstance(message, ChildFailed):
            super().on_receive(message)

    def terminate_child(self, child: Hashable | pykka.ActorRef[Any], done: Future[None] | None = None) -> None:
        """Stop a child for good, by its id or its ref. In its turn, which does not wait: ``done`` is settled then.

        Raises:
            ChildStateError: there is no such child.
        """
        children = self._cell.children
        is_ref = isinstance(child, pykka.ActorRef)
        cell: Any = None
        if children is not None:
            cell = cell_of(child) if isinstance(child, pykka.ActorRef) else children.cell_of(child)
            if cell is not None and children.spec_of(cell) is None:
                cell = None
        if children is not None and cell is not None:
            children.stop(cell, _TERMINATED, done)
        elif children is None or is_ref or children.state_of(child) is ChildState.NOT_FOUND:
            raise ChildStateError(f"{self} has no child {child!r}", state=ChildState.NOT_FOUND)
        elif done is not None:  # stopped already, which is what is wanted
            done.try_set(None)


class Supervisor(_Supervises):
    """Has a fixed list of children, which it starts in order and stops in reverse, one after the other (S2, H1).

    A child that ends is restarted in place, as its spec says; a subclass may say by ``strategy`` that those after it,
    or all, are restarted with it (S4). ``max_restarts`` within ``within_s``, of all of them together, are allowed; one
    more stops all of them, and then the supervisor itself with ``shutdown(reached_max_intensity)``, about which its own
    parent decides (S8). A subclass may also set ``auto_shutdown`` (S14) and ``directives`` (S12).

    Its ref is a `SupervisorRef`: look at the children, terminate, restart and delete them by id.

    Args:
        children: in the order in which they are started.

    Raises:
        ConfigError: two of them have the same id.
    """

    stops_in_order: ClassVar[bool] = True

    def __init__(self, children: Sequence[Child]) -> None:
        super().__init__()
        self._children = tuple(children)
        ids = [child.id for child in self._children]
        if len(set(ids)) < len(ids):
            raise ConfigError(f"a supervisor's children need different ids, not {ids}")

    def on_start(self) -> None:
        """Start the children, each when the one before has started.

        Raises:
            StartFailed: one of them failed; it is not tried again, and those before it are stopped (S2).
        """
        children = self._cell.make_children()
        for child in self._children:
            if children.cell_of(child.id) is not None:  # its spec says that they survive its restarts
                continue
            try:
                self.spawn_defined(child)
            except (Exception, SystemExit) as error:  # the latter of its constructor, which is run here
                children.stop_all()
                raise StartFailed(f"{self} could not start its child {child.id!r}: {words_of(error)}") from error

    def child(self, child_id: Hashable) -> ActorRef[Any] | None:
        """Return the ref of a child, also while it is being restarted; None if it is stopped or unknown. Any thread."""
        cell: Any = self._cell.make_children().cell_of(child_id)
        return None if cell is None else cell.ref

    def restart_child(self, child_id: Hashable) -> ActorRef[Any]:
        """Start a child that is stopped, and return its ref when it has started. In its turn.

        Raises:
            ChildStateError: it is running, restarting or not known.
            StartFailed: its start has failed; it is stopped again.
        """
        place = self._stopped(child_id, "it can be restarted only when it is stopped")
        try:
            return self.spawn_defined(place)
        except (Exception, SystemExit) as error:
            raise StartFailed(f"{self} could not start its child {child_id!r}: {words_of(error)}") from error

    def delete_child(self, child_id: Hashable) -> None:
        """Forget a child that is stopped. In its turn.

        Raises:
            ChildStateError: it is running, restarting or not known.
        """
        self._stopped(child_id, "terminate it before it is deleted")
        del self._cell.make_children().places[child_id]

    def _stopped(self, child_id: Hashable, otherwise: str) -> Child:
        children = self._cell.make_children()
        state = children.state_of(child_id)
        if state is ChildState.NOT_FOUND:
            raise ChildStateError(f"{self} has no child {child_id!r}", state=state)
        if state is not ChildState.STOPPED:
            raise ChildStateError(f"child {child_id!r} of {self} is {state}: {otherwise}", state=state)
        return children.places[child_id].child


class DynamicSupervisor(_Supervises):
    """Has children that come and go. They stop all at once (H2).

    Its ref is a `DynamicSupervisorRef`: ``ref.start_child(MyActor, …)`` gives it one, from any thread.

    A subclass may set ``max_children``: one more ends before it began, with ``start_failed`` by `TooManyChildren`
    for those who watch it, and `ActorDead` for those who ask it (S15). There is no order among its children, so the
    strategy is always ``one_for_one``.
    """

    @classmethod
    def make_ref(cls, cell: Cell) -> Any:
        """Make the ref of a dynamic supervisor. For the cell."""
        return DynamicSupervisorRef(cell)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> DynamicSupervisorRef[Self]:
        """Start it without a supervisor of its own: as `Actor.start`."""
        return cast("DynamicSupervisorRef[Self]", super().start(*args, **kwargs))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.strategy != Strategy.ONE_FOR_ONE:
            raise TypeError(
                f"{cls.__name__}.strategy must be one_for_one, because its children have no order: "
                "derive it from Supervisor for another one"
            )
