"""The ref of a supervisor: ask it about its children, and tell it what to do with one. Layer: pillar.

Source: SEMANTICS S17; OTP ``supervisor:which_children``, ``terminate_child``, ``restart_child``, ``delete_child``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, TypeVar

import pykka

from relay_actors.errors import RelayActorsError, WouldDeadlock
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_record import ChildCounts, ChildInfo, ChildState
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import Envelope
from relay_actors.runtime.signals import Internal

if TYPE_CHECKING:
    from relay_actors.runtime.cell import Cell
    from relay_actors.runtime.restart_record import RestartRecord

__all__ = ["DynamicSupervisorRef", "SupervisorRef"]

A = TypeVar("A", bound=pykka.Actor)
C = TypeVar("C", bound=pykka.Actor)

_PATIENCE_S = 5.0


class SupervisorRef(ActorRef[A]):
    """A reference to a supervisor. Any thread.

    What only looks does not wait, and does not hold the supervisor up. What changes something is done in the
    supervisor's turn, ahead of messages, and waits for that at most ``timeout`` seconds (None: as long as it takes);
    it raises `WaitTimeout` when the time is over, and `ActorDead` when the supervisor has ended.
    """

    # -- looking -----------------------------------------------------------------------------------------------------

    def child(self, child_id: Hashable) -> ActorRef[Any] | None:
        """Return the ref of a child, also while it is being restarted; None if it is stopped or not known.

        A child that was killed and begun anew has a new ref (SEMANTICS S3, H4): ask again, and do not keep it for ever.
        """
        children = self._cell.children
        cell: Any = None if children is None else children.cell_of(child_id)
        return None if cell is None else cell.ref

    def state_of(self, child_id: Hashable) -> ChildState:
        """Return whether a child is running, restarting, stopped or not found."""
        children = self._cell.children
        return ChildState.NOT_FOUND if children is None else children.state_of(child_id)

    def which_children(self) -> list[ChildInfo]:
        """Return a line for each child, in the order in which they are started."""
        children = self._cell.children
        return [] if children is None else children.describe()

    def count_children(self) -> ChildCounts:
        """Count the children by state."""
        lines = self.which_children()
        counts = Counter(line.state for line in lines)
        return ChildCounts(
            specs=len(lines),
            running=counts[ChildState.RUNNING],
            restarting=counts[ChildState.RESTARTING],
            stopped=counts[ChildState.STOPPED],
        )

    def restart_history(self) -> list[RestartRecord]:
        """Return the last fifty restarts of its children, oldest first (SEMANTICS S18)."""
        children = self._cell.children
        history = None if children is None else children.history
        return [] if history is None else list(history)

    # -- changing ----------------------------------------------------------------------------------------------------

    def terminate_child(self, child: Hashable | pykka.ActorRef[Any], *, timeout: float | None = _PATIENCE_S) -> None:
        """Stop a child and wait until it has ended; it is not restarted.

        One with an id is stopped then, and may be started again by `restart_child`, unless it is temporary.

        Args:
            child: its id, or its ref.
            timeout: seconds to wait.

        Raises:
            ChildStateError: there is no such child.
        """
        self._request(child, lambda actor, done: actor.terminate_child(child, done), timeout)

    def restart_child(self, child_id: Hashable, *, timeout: float | None = _PATIENCE_S) -> ActorRef[Any]:
        """Start a child that is stopped, wait until it has started, and return its ref, which is a new one.

        Args:
            child_id: its id.
            timeout: seconds to wait.

        Raises:
            ChildStateError: it is running, restarting or not known.
            StartFailed: its start has failed; it is stopped again.
        """
        ref: ActorRef[Any] = self._request(
            child_id, lambda actor, done: done.try_set(actor.restart_child(child_id)), timeout
        )
        return ref

    def delete_child(self, child_id: Hashable, *, timeout: float | None = _PATIENCE_S) -> None:
        """Forget a child that is stopped.

        Args:
            child_id: its id.
            timeout: seconds to wait.

        Raises:
            ChildStateError: it is running, restarting or not known.
        """
        self._request(child_id, lambda actor, done: done.try_set(actor.delete_child(child_id)), timeout)

    def _request(self, about: Hashable, do: Callable[[Any, Future[Any]], object], timeout: float | None) -> Any:
        """Have something done in the supervisor's turn about a child, and wait for the outcome."""
        cell = self._cell
        hash(about)  # an id that cannot be one is the caller's mistake, and is told here
        if here.turn is cell:
            raise WouldDeadlock(f"{cell} was about to wait for itself: call the method on self, not on its ref")
        done: Future[Any] = Future(cell.system.dispatcher)
        done.settled_by = cell
        if cell.mailbox.put_control(Envelope(_Request(cell, do, done), done)):
            cell.wake()
        else:
            done.try_fail(ActorIsDead(f"{self} not found"))
        try:
            return done.get(timeout=timeout)
        except WouldDeadlock as error:  # the supervisor waits for who asks this: when it comes to it, it leaves it
            done.try_fail(error)
            raise


class DynamicSupervisorRef(SupervisorRef[A]):
    """A reference to a `DynamicSupervisor`. Any thread."""

    def start_child(
        self,
        actor_class: type[C],
        *args: Any,
        spec: ChildSpec | None = None,
        keep: Any = None,
        keys: tuple[Hashable, ...] = (),
        **kwargs: Any,
    ) -> ActorRef[C]:
        """Give the supervisor a child without an id, and return its ref, which is good at once.

        Args:
            actor_class: its class.
            args: positional arguments of its constructor.
            spec: how it is treated; by default it is temporary: never restarted.
            keep: anything that is to survive its restarts.
            keys: names under which it can be found at once.
            kwargs: keyword arguments of its constructor.

        Raises:
            NameTaken: another living actor owns one of the keys. Nothing is started then.
        """
        system: Any = self._cell.system
        ref: ActorRef[C] = system.start_child(
            self, actor_class, *args, spec=spec if spec is not None else ChildSpec(), keep=keep, keys=keys, **kwargs
        )
        return ref


class _Request(Internal):
    """Something to be done in the supervisor's turn. If that has ended, its mailbox fails the future."""

    __slots__ = ("_cell", "_do", "_done")

    def __init__(self, cell: Cell, do: Callable[[Any, Future[Any]], object], done: Future[Any]) -> None:
        self._cell = cell
        self._do = do
        self._done = done

    def deliver(self) -> None:
        """Do it; what is wrong with the request is told to who has made it."""
        if self._done.is_settled:
            return
        try:
            self._do(self._cell.actor, self._done)
        except RelayActorsError as error:
            self._done.try_fail(error)
        except BaseException as error:  # a mistake of the supervisor's own: it fails, and nobody is left waiting
            self._done.try_fail(error)
            raise
