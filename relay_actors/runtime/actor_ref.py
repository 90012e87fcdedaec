"""A pykka ref that is valid over restarts. Layer: pillar. Like `actor` it uses pykka's private names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

import pykka

from relay_actors.errors import ActorError
from relay_actors.runtime.asking import ask
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.mailbox import STOP, Envelope
from relay_actors.runtime.reasons import NORMAL
from relay_actors.runtime.signals import Stop

if TYPE_CHECKING:
    from relay_actors.runtime.anatomy import AnyCell
    from relay_actors.runtime.cell import Cell
    from relay_actors.runtime.inspection import ActorStats

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

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the actor has ended, for at most ``timeout`` seconds; return whether it takes no more messages."""
        from relay_actors.runtime.watching import Watching  # here and below: with what only a running actor needs

        end: Future[None] = Future(self._cell.system.dispatcher)
        watching = Watching(cast("AnyCell", _Settler(end)))
        token = watching.watch(self._cell.watching)
        try:
            end.get(timeout=timeout)
        except WaitTimeout:
            watching.unwatch(token)
        return self.is_set()


class _Settler:
    """Stands where a watching actor would: what it is told settles a future."""

    __slots__ = ("_future",)

    def __init__(self, future: Future[None]) -> None:
        self._future = future

    def tell_control(self, _notice: object) -> bool:
        """Take the notice of the end."""
        return self._future.try_set(None)


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
        """A name of the actor that no other has: ``urn:uuid:…``."""
        return self._cell.urn

    @property
    def _actor_weakref(self) -> Callable[[], A | None]:  # type: ignore[override]  # proxies ask for the incarnation
        return lambda: cast("A | None", self._cell.actor)

    @property
    def incarnation(self) -> int:
        """0 for the first, and 1 more for each restart."""
        return self._cell.incarnation

    def stats(self) -> ActorStats:
        """Return how it is doing: what waits in each lane and for how long, its present message, its restarts.

        Any thread; the actor does not notice. How exact the ages are says `ActorStats` (SEMANTICS M8).
        """
        from relay_actors.runtime.inspection import stats_of

        return stats_of(self._cell)

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

    def tell_if_alive(self, message: object) -> bool:
        """Send a message; False if the actor is dead: then it is a dead letter. Otherwise as `tell` (SEMANTICS M7).

        True does not say that it is handled: the actor may end before its turn, and then it is a dead letter.

        Raises:
            MailboxFull: the mailbox is bounded and full.
        """
        is_taken = self._cell.tell_user(message)
        if not is_taken:
            self._cell.dead_letter(message, "dead")
        return is_taken

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
        return self._cell.offer(envelope)

    @overload
    def ask(self, message: Any, *, block: Literal[False], timeout: float | None = None) -> Future[Any]: ...

    @overload
    def ask(self, message: Any, *, block: Literal[True] = True, timeout: float | None = None) -> Any: ...

    @overload
    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]: ...

    def ask(self, message: Any, *, block: bool = True, timeout: float | None = None) -> Any | Future[Any]:
        """Send a message and wait for the reply, or return a future of it with ``block=False``. Any thread.

        Args:
            message: what to ask.
            block: whether to wait. A future fails by itself when the time is over; calls by a proxy have all the time
                that ``get(timeout=…)`` gives them, as with pykka.
            timeout: seconds; None is ``ask_timeout_s`` of the receiver's class, 5 by default, and `FOREVER` is no end.
                In a handler that itself answers a question there is no more time than is left for that (SEMANTICS A9).

        Raises:
            AskTimeout: no reply in time; the outcome is unknown (A3). An ask that waits too long in the mailbox is not
                handled any more, unless its class says ``expires = False`` (A2).
            ActorDead: the actor is dead, or died before it replied (A5).
            WouldDeadlock: the receiver waits for this very actor, or is it (A8); nothing was sent.
            MailboxFull: the mailbox is bounded and full; raised also with ``block=False``.
            ConfigError: ``timeout`` is no number of seconds.
            Exception: what the handler raised, with its traceback and a note of who raised it (A7).
        """
        return ask(self._cell, message, block=block, timeout=timeout)

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
            stopped.settled_by = self._cell
            self._cell.signal(Stop(NORMAL, stopped))
        elif not self._cell.tell_user(STOP, stopped):
            stopped.try_set(False)
        return stopped.get(timeout=timeout) if block else stopped

    def kill(self, detail: str = "") -> None:
        """End the actor at once with all its children, whatever it is doing, without any of its hooks. Any thread.

        For one that does not listen to `stop`. What it holds is not closed; a handler that is running cannot be
        interrupted, but nothing that it then does has an effect (SEMANTICS H4). This ref is dead after it. A supervisor
        begins a permanent or transient child anew, as another actor with a new ref (S3).

        Args:
            detail: why, for the log and for those who watch.
        """
        self._cell.kill(detail)


def cell_of(ref: pykka.ActorRef[Any]) -> Cell:
    """Return the cell behind a ref.

    Raises:
        ActorError: it is the ref of a stock pykka actor, which has none.
    """
    if not isinstance(ref, ActorRef):
        raise ActorError(f"{ref} is not an actor of this framework")
    return ref._cell
