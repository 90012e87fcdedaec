"""What an actor can do with children. Layer: pillar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

import pykka

from relay_actors.errors import StartTimeout
from relay_actors.runtime.actor_ref import ActorRef, cell_of
from relay_actors.runtime.child_record import Child
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.reasons import ExitReason

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell

__all__ = ["C", "Supervising"]

C = TypeVar("C", bound=pykka.Actor)


_TEMPORARY: Final = ChildSpec()


class Supervising:
    """Starts and stops children, and is told what becomes of them. In the actor's turns only."""

    _cell: Cell

    def on_child_started(self, ref: pykka.ActorRef[Any]) -> None:
        """A child has finished its start. For subclasses."""

    def on_child_ended(self, ref: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """A child has ended for good. For subclasses."""

    def spawn(
        self, actor_class: type[C], *args: Any, spec: ChildSpec | None = None, keep: Any = None, **kwargs: Any
    ) -> ActorRef[C]:
        """Start a child.

        Args:
            actor_class: its class.
            args: positional arguments of its constructor.
            spec: how it is supervised; by default it is temporary: never restarted.
            keep: anything that is to survive its restarts.
            kwargs: keyword arguments of its constructor.

        Raises:
            ParentStopping: this actor is stopping (SEMANTICS L9).
            TooManyChildren: it has ``max_children`` already.
            Exception: what the constructor raised; nothing is left then (L1).
        """
        child = self._new_child(actor_class, args, kwargs, spec, keep)
        child.start()
        ref: ActorRef[C] = child.ref
        return ref

    def spawn_started(
        self,
        actor_class: type[C],
        *args: Any,
        spec: ChildSpec | None = None,
        keep: Any = None,
        within_s: float | None = None,
        **kwargs: Any,
    ) -> ActorRef[C]:
        """Start a child and return when it has started: its ``on_start`` has returned.

        Args:
            actor_class: its class.
            args: positional arguments of its constructor.
            spec: how it is supervised; by default it is temporary: never restarted.
            keep: anything that is to survive its restarts.
            within_s: seconds it may take; None: as long as it takes.
            kwargs: keyword arguments of its constructor.

        Raises:
            StartFailed: it has not; ``__cause__`` says why. What becomes of it is decided by its spec.
            StartTimeout: it has not in time; it was killed, and is not begun anew.
        """
        child = self._new_child(actor_class, args, kwargs, spec, keep)
        self._wait_for_start(child, within_s)
        return cast("ActorRef[C]", child.ref)

    def spawn_defined(self, child: Child) -> ActorRef[Any]:
        """Start a child that has an id, and return when it has started. For supervisors.

        Raises:
            StartFailed: it has not; it is not tried again.
        """
        cell = self._new_child(child.actor_class, child.args, dict(child.kwargs), child.spec, None, child)
        self._wait_for_start(cell, None)
        return cast("ActorRef[Any]", cell.ref)

    def _wait_for_start(self, child: Cell, within_s: float | None) -> None:
        started: Future[bool] = Future(child.dispatcher)
        started.settled_by = child
        child.when_started(started)
        if within_s is None:
            child.start_now()
        else:
            child.start()  # not on this thread: what runs on it cannot be left behind when the time is over
        try:
            started.get(timeout=within_s)
        except WaitTimeout:
            if self._cell.children is not None:
                self._cell.children.kill(child, f"start_timeout: it did not start within {within_s:g} s")
            raise StartTimeout(f"{child} did not start within {within_s:g} s, and was killed") from None

    def _new_child(
        self,
        actor_class: type[C],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        spec: ChildSpec | None,
        keep: Any,
        definition: Child | None = None,
    ) -> Cell:
        children = self._cell.children
        if children is None:
            children = self._cell.make_children()
        children.check_room()
        child: Cell = self._cell.system.new_cell(actor_class, args, kwargs, keep=keep)
        try:
            child.construct()
            children.add(child, spec or _TEMPORARY, definition=definition)
        except BaseException as error:
            child.abandon(error)
            raise
        return child

    def stop_child(self, child: pykka.ActorRef[Any], detail: str = "") -> None:
        """Stop a child for good; it is not restarted."""
        if self._cell.children is not None:
            self._cell.children.stop(cell_of(child), ExitReason("shutdown", detail))
