"""A pykka ref that is valid over restarts. Layer: pillar. Like `actor` it uses pykka's private names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar, cast, overload

import pykka

from relay_actors.errors import ActorError
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import STOP, Envelope
from relay_actors.runtime.reasons import NORMAL
from relay_actors.runtime.signals import Stop

__all__ = ["ActorRef", "StoppedFlag", "cell_of"]

A = TypeVar("A", bound=pykka.Actor)


class StoppedFlag:
    """What pykka has as a `threading.Event` per actor: a view of the cell's own state."""

    __slots__ = ("_cell",)

    def __init__(self, cell: Cell) -> None:
        self._cell = cell

    def is_set(self) -> bool:
        """Return whether the actor takes no more messages."""
        return self._cell.stopped


class ActorRef(pykka.ActorRef[A]):
    """A reference to an actor; valid over its restarts.

    Source: pykka's ``ActorRef``; SEMANTICS L4, M3.
    """

    def __init__(self, cell: Cell) -> None:  # not pykka's: there the ref is made from the actor, here before it
        self._cell = cell

    # pykka has attributes for these; here they are made when they are asked for, which is rarely.

    @property
    def actor_inbox(self) -> Any:  # type: ignore[override]
        """The mailbox: what waits, and nothing to put into; that is what `tell` and `ask` are for."""
        return self._cell.mailbox

    @property
    def actor_stopped(self) -> Any:  # type: ignore[override]
        """A flag that says whether the actor takes no more messages."""
        return StoppedFlag(self._cell)

    def is_alive(self) -> bool:
        """Return whether the actor takes messages. It may end right after. Any thread."""
        return not self._cell.stopped

    @property
    def actor_class(self) -> type[A]:  # type: ignore[override]  # an attribute there; here a restart may change it
        """The class of the present incarnation."""
        return cast("type[A]", self._cell.actor_class)

    @property
    def actor_urn(self) -> str:  # type: ignore[override]  # an attribute there; here made when asked for
        """A name of the actor, unique in this process."""
        return self._cell.urn

    @property
    def _actor_weakref(self) -> Callable[[], A | None]:  # type: ignore[override]  # proxies ask for the incarnation
        return lambda: cast("A | None", self._cell.actor)

    @property
    def incarnation(self) -> int:
        """0 for the first, and 1 more for each restart."""
        return self._cell.incarnation

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ActorRef) and other._cell is self._cell

    def __hash__(self) -> int:
        return hash(self._cell)

    def tell(self, message: object) -> None:
        """Send a message. Any thread; does not wait, but for a mailbox that blocks senders.

        Raises:
            ActorDead: the actor is dead (also a ``pykka.ActorDeadError``).
            MailboxFull: the mailbox is bounded and full.
        """
        if not self._cell.tell_user(message):
            self._cell.dead_letter(message, "dead")
            raise ActorIsDead(f"{self} not found")

    def tell_ahead(self, message: object) -> bool:
        """Send a message ahead of what users have sent; False if the actor is dead: then it is a dead letter (M7).

        For frameworks on top: what one sender sends in this way stays in order. Any thread.
        """
        return self._cell.tell_control(message)

    def send(self, message: object, reply: Future[Any] | None = None) -> bool:
        """Send a message, with the future of its answer if it is asked; False if the actor is dead: nothing was sent.

        For what chooses and looks up recipients, and tries another one. It raises what a bound raises.
        """
        return self._cell.tell_user(message, reply)

    def offer(self, envelope: Envelope) -> bool | None:
        """Send a message if that is possible at once; False if the actor is dead, None if there is no room.

        For the runtime, where nobody can wait: whatever the policy of the mailbox, none is dropped for it.
        """
        cell, limit = self._cell, self._cell.kept_limit
        if limit is not None and cell.mailbox.user_length >= limit:
            return None
        is_taken = cell.mailbox.offer(envelope)
        if is_taken:
            cell.wake()
        return is_taken

    @overload
    def ask(self, message: Any, *, block: Literal[False], timeout: float | None = None) -> Future[Any]: ...

    @overload
    def ask(self, message: Any, *, block: Literal[True] = True, timeout: float | None = None) -> Any: ...

    @overload
    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]: ...

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]:
        """Send a message and wait for the reply, or return a future of it with ``block=False``. Any thread.

        Raises:
            WaitTimeout: no reply within ``timeout`` seconds; the outcome is unknown (SEMANTICS A3).
            ActorDead: the actor is dead, or died before it replied (A5).
            Exception: what the handler raised.
        """
        reply: Future[Any] = Future(self._cell.system.dispatcher)
        if not self._cell.tell_user(message, reply):
            self._cell.dead_letter(message, "dead")
            reply.try_fail(ActorIsDead(f"{self} not found"))
        return reply.get(timeout=timeout) if block else reply

    @overload
    def stop(self, *, block: Literal[True] = True, timeout: float | None = None, now: bool = False) -> bool: ...

    @overload
    def stop(self, *, block: Literal[False], timeout: float | None = None, now: bool = False) -> Future[bool]: ...

    @overload
    def stop(self, *, block: bool = True, timeout: float | None = None, now: bool = False) -> bool | Future[bool]: ...

    def stop(self, *, block: bool = True, timeout: float | None = None, now: bool = False) -> bool | Future[bool]:
        """Stop the actor; True if this ended it, False if it was dead already. Any thread.

        Args:
            block: whether to wait.
            timeout: seconds to wait.
            now: ahead of all messages, instead of behind those that were sent before (SEMANTICS M3).
        """
        stopped: Future[bool] = Future(self._cell.system.dispatcher)
        if now:
            self._cell.signal(Stop(NORMAL, stopped))
        elif not self._cell.tell_user(STOP, stopped):
            stopped.try_set(False)
        return stopped.get(timeout=timeout) if block else stopped


def cell_of(ref: pykka.ActorRef[Any]) -> Cell:
    """Return the cell behind a ref.

    Raises:
        ActorError: it is the ref of a stock pykka actor, which has none.
    """
    if not isinstance(ref, ActorRef):
        raise ActorError(f"{ref} is not an actor of this framework")
    return ref._cell
