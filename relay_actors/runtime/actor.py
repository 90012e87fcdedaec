"""A pykka actor on a dispatcher. Layer: pillar. The only file that uses pykka's private names.

pykka gives the contract: `start`, `tell`, `ask`, `proxy`, `stop`, refs, futures, hooks. Replaced within it is what
makes stock actors expensive or fragile: a thread, a uuid4 and a `threading.Event` per actor, the linear registry, and
an inbox in which a message can be left behind when its actor stops.
"""

from __future__ import annotations

import inspect
import logging
import threading
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar, cast, overload

import pykka
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from relay_actors.errors import ActorError, NameTaken
from relay_actors.runtime.actor_timers import Repeat
from relay_actors.runtime.anatomy import AnySystem
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.context import here, process_system
from relay_actors.runtime.failures import ActorIsDead
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import STOP, Mailbox, Overflow
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signals import Stop

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Actor", "ActorRef"]

A = TypeVar("A", bound="Actor")
C = TypeVar("C", bound="Actor")

_constructing = threading.local()


class _StoppedFlag:
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
        return _StoppedFlag(self._cell)

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
            raise ActorIsDead(f"{self} not found")

    def tell_ahead(self, message: object) -> bool:
        """Send a message ahead of what users have sent; False if the actor is dead: then it is a dead letter (M7).

        For frameworks on top: what one sender sends in this way stays in order. Any thread.
        """
        return self._cell.tell_control(message)

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


class Actor(pykka.Actor):
    """An actor: a pykka actor that is cheap, can have children, and can be restarted in place.

    Subclass it, handle `on_receive`, start it with ``MyActor.start()`` or as a child with ``self.spawn(MyActor)``.
    Constructor arguments are kept: a restart constructs the same class with the same arguments.
    """

    dispatcher: ClassVar[Literal["pooled", "pinned"]] = "pooled"
    """``pooled`` shares the baton; ``pinned`` has a thread of its own (SEMANTICS D3)."""
    throughput: ClassVar[int] = 32
    """How many messages it may handle before others have their turn."""
    runs_late: ClassVar[bool] = False
    """Whether it runs after all others of a round."""
    mailbox_capacity: ClassVar[int | None] = None
    """Bound of the mailbox; None is unbounded (SEMANTICS M4)."""
    mailbox_overflow: ClassVar[Overflow] = "fail"
    """What happens beyond the bound."""
    mailbox_block_s: ClassVar[float] = 1.0
    """How many seconds ``block`` waits for room before the sender gets `MailboxFull`."""
    shutdown_s: ClassVar[float] = 5.0
    """How many seconds it may take to stop before its parent kills it, unless its spec says otherwise."""
    max_restarts: ClassVar[int] = 3
    """How often its children may be restarted within ``within_s``, those with a window of their own apart; once more
    stops it with all its children (SEMANTICS S8)."""
    within_s: ClassVar[float] = 5.0
    """Seconds."""
    max_children: ClassVar[int | None] = None
    """How many children it may have at a time; None is no bound (SEMANTICS S15)."""
    stops_in_order: ClassVar[bool] = False
    """Whether its children are stopped one after the other, last first (H1), or all at once (H2)."""

    _cell: Cell

    # -- made and started --------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.iscoroutinefunction(cls.__dict__.get("on_receive")):
            raise TypeError(f"{cls.__name__}.on_receive must be `def`: what awaits belongs in a flow (`async def run`)")

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Make the object of one incarnation, and give it its cell, before any constructor runs."""
        cell: Cell | None = getattr(_constructing, "cell", None)
        if cell is None:
            raise ActorError(f"{cls.__name__}() cannot be called: use {cls.__name__}.start() or self.spawn(...)")
        _constructing.cell = None
        self = super().__new__(cls)
        self._cell = cell
        return self

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:  # pykka's makes what here comes from the cell
        """Take the constructor's arguments, as pykka's does."""

    @property
    def _actor_ref(self) -> ActorRef[Any]:  # type: ignore[override]
        return cast("ActorRef[Any]", self._cell.ref)

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        """A name of the actor, unique in this process."""
        return self._cell.urn

    @property
    def actor_inbox(self) -> Any:  # type: ignore[override]
        """The mailbox: what waits."""
        return self._cell.mailbox

    @property
    def actor_stopped(self) -> Any:  # type: ignore[override]
        """A flag that says whether the actor takes no more messages."""
        return _StoppedFlag(self._cell)

    def __repr__(self) -> str:
        return repr(self._cell)

    @classmethod
    def construct(cls, cell: Cell) -> Self:
        """Make the object of one incarnation. For the cell."""
        _constructing.cell = cell
        try:
            return cls(*cell.args, **cell.kwargs)
        finally:
            _constructing.cell = None

    @classmethod
    def make_ref(cls, cell: Cell) -> ActorRef[Self]:
        """Make the ref of a cell. For the cell; a subclass may give its actors a richer one."""
        return ActorRef(cell)

    @classmethod
    def start(cls, *args: Any, **kwargs: Any) -> ActorRef[Self]:
        """Start an actor without a supervisor, in the system of the present turn or else the process's own.

        What the constructor raises, this raises, and nothing is left (SEMANTICS L1).
        """
        if not isinstance(here.turn, Cell) and not process_system:
            raise ActorError("import relay_actors before starting actors: it brings the system in which they run")
        system = here.turn.system if isinstance(here.turn, Cell) else process_system[0]()
        return cast("ActorRef[Self]", system.start(cls, *args, **kwargs))

    @staticmethod
    def _create_actor_inbox() -> Any:
        return Mailbox()

    @staticmethod
    def _create_future() -> Any:
        return Future(here.turn.dispatcher if here.turn is not None else None)

    def _start_actor_loop(self) -> None:
        """Nothing to do: the dispatcher is the loop. pykka calls it in its own ``start``, which is not used."""

    # -- what runs in turns ------------------------------------------------------------------------------------------

    def receive(self, message: object) -> Any:
        """Handle one message: pykka's own (stop, proxy calls), or else by `on_receive`. For subclasses to extend."""
        if isinstance(message, _ActorStop):
            self._cell.begin_stop(NORMAL)
            return None
        return self._handle_receive(message)

    def begin(self) -> None:
        """Start one incarnation: calls `on_start`. For frameworks on top to extend, so that users need no super()."""
        self.on_start()

    def finish(self) -> None:
        """End in order: calls `on_stop`. For frameworks on top to extend; not called after a failure or a kill."""
        self.on_stop()

    def after_batch(self) -> None:
        """Called at the end of each turn, after one or several messages. For subclasses."""

    def pre_restart(self, reason: ExitReason, message: object) -> None:
        """Last hook of an incarnation that is about to be replaced. For subclasses.

        Args:
            reason: why it failed.
            message: what it was handling, or None.
        """

    def on_child_started(self, ref: pykka.ActorRef[Any]) -> None:
        """A child has finished its start. For subclasses."""

    def on_child_ended(self, ref: pykka.ActorRef[Any], reason: ExitReason) -> None:
        """A child has ended for good. For subclasses."""

    def on_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Called once when a handler has raised, before anybody decides what to do. For subclasses."""

    @staticmethod
    def is_for_pykka(message: object) -> bool:
        """Return whether a message is one that pykka handles by itself: a stop, or a call through a proxy."""
        return isinstance(message, _ActorStop | ProxyCall | ProxyGetAttr | ProxySetAttr)

    # -- what an actor can do ----------------------------------------------------------------------------------------

    @property
    def system(self) -> AnySystem:
        """The system in which it runs."""
        return self._cell.system

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger that begins each line with who speaks."""
        return logging.LoggerAdapter(logging.getLogger(f"relay_actors.{type(self).__name__}"), {"actor": repr(self)})

    def stop(self) -> None:
        """Stop after the messages that wait already (pykka's meaning)."""
        self._cell.tell_user(STOP)

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
        return cast("ActorRef[C]", child.ref)

    def spawn_inline(
        self, actor_class: type[C], *args: Any, spec: ChildSpec | None = None, keep: Any = None, **kwargs: Any
    ) -> ActorRef[C]:
        """Start a child inside this turn, so that it runs before the next line; then feed it by `deliver_now`."""
        child = self._new_child(actor_class, args, kwargs, spec, keep)
        child.start_now()
        return cast("ActorRef[C]", child.ref)

    def spawn_started(
        self, actor_class: type[C], *args: Any, spec: ChildSpec | None = None, keep: Any = None, **kwargs: Any
    ) -> ActorRef[C]:
        """Start a child and return when it has started: its ``on_start`` has returned.

        Raises:
            StartFailed: it has not; ``__cause__`` says why. What becomes of it is decided by its spec.
        """
        child = self._new_child(actor_class, args, kwargs, spec, keep)
        started: Future[bool] = Future(child.dispatcher)
        child.started = started
        child.start_now()
        started.get()
        return cast("ActorRef[C]", child.ref)

    def _new_child(
        self, actor_class: type[C], args: tuple[Any, ...], kwargs: dict[str, Any], spec: ChildSpec | None, keep: Any
    ) -> Cell:
        self._cell.make_children().check_room()
        child: Cell = self.system.new_cell(actor_class, args, kwargs, keep=keep)
        try:
            child.construct()
            self._cell.make_children().add(child, spec or ChildSpec())
        except BaseException as error:
            child.abandon(error)
            raise
        return child

    def deliver_now(self, child: pykka.ActorRef[Any], message: object) -> None:
        """Have a child handle ``message`` inside this turn."""
        _cell_of(child).deliver_now(message)

    def stop_child(self, child: pykka.ActorRef[Any], detail: str = "") -> None:
        """Stop a child for good; it is not restarted."""
        if self._cell.children is not None:
            self._cell.children.stop(_cell_of(child), ExitReason("shutdown", detail))

    def watch(self, ref: pykka.ActorRef[Any]) -> int:
        """Have one `Down` told to this actor when ``ref`` ends for good; return a token for `unwatch`.

        Source: SEMANTICS W1.
        """
        return self._cell.watch(_cell_of(ref))

    def unwatch(self, token: int) -> None:
        """End a watch: its `Down` is not handled any more (SEMANTICS W3)."""
        self._cell.unwatch(token)

    def register(self, key: Hashable) -> None:
        """Claim a key, under which `System.find` finds this actor until it ends for good.

        Raises:
            NameTaken: another living actor owns it; ``error.owner`` is its ref (SEMANTICS R1).
        """
        owner = self._cell.register(key)
        if owner is not self._cell:
            raise NameTaken(f"{key!r} is taken by {owner}", owner=owner.ref)

    def start_timer(
        self,
        key: Hashable,
        message: object,
        delay_s: float,
        *,
        interval_s: float | None = None,
        repeat: Repeat = "fixed_delay",
    ) -> None:
        """Have ``message`` arrive after ``delay_s`` seconds, and then every ``interval_s`` if that is given.

        A timer with the same key is replaced. A restart and the end cancel all timers (SEMANTICS T1, T2, T3).
        """
        self._cell.timers.start(key, message, delay_s, interval_s, repeat)

    def cancel_timer(self, key: Hashable) -> bool:
        """Cancel a timer, also one whose message waits already; return whether there was one."""
        return self._cell.timers.cancel(key)


def _cell_of(ref: pykka.ActorRef[Any]) -> Cell:
    if not isinstance(ref, ActorRef):
        raise ActorError(f"{ref} is not an actor of this framework")
    return ref._cell
