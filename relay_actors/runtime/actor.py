"""A pykka actor on a dispatcher. Layer: pillar. Only this file and `actor_ref` use pykka's private names.

pykka gives the contract: `start`, `tell`, `ask`, `proxy`, `stop`, refs, futures, hooks. Replaced within it is what
makes stock actors expensive or fragile: a thread, a uuid4 and a `threading.Event` per actor, the linear registry, and
an inbox in which a message can be left behind when its actor stops.
"""

from __future__ import annotations

import inspect
import logging
import threading
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, cast

import pykka
from pykka.messages import ProxyCall, ProxyGetAttr, ProxySetAttr, _ActorStop

from relay_actors.errors import ActorError
from relay_actors.runtime.abilities.supervising import Supervising
from relay_actors.runtime.abilities.timing import Timing
from relay_actors.runtime.abilities.watching import Watching
from relay_actors.runtime.actor_ref import ActorRef, StoppedFlag
from relay_actors.runtime.anatomy import AnySystem
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.context import here, process_system
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import STOP, Mailbox, Overflow
from relay_actors.runtime.reasons import NORMAL, ExitReason

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Actor"]

_constructing = threading.local()


class Actor(Supervising, Watching, Timing, pykka.Actor):
    """An actor: a pykka actor that is cheap, can have children, and can be restarted in place.

    Subclass it, handle `on_receive`, start it with ``MyActor.start()`` or as a child with ``self.spawn(MyActor)``.
    Constructor arguments are kept: a restart constructs the same class with the same arguments.
    """

    dispatcher: ClassVar[Literal["pooled", "pinned"]] = "pooled"
    """``pooled`` shares the baton; ``pinned`` has a thread of its own (SEMANTICS D3)."""
    throughput: ClassVar[int] = 16
    """How many messages it may handle before others have their turn; after 2 ms they have it anyway (SEMANTICS D2)."""
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
        return StoppedFlag(self._cell)

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

    def label(self) -> str:
        """Return what people call this actor, for reports: an order's number, a call's id. For subclasses.

        Called on any thread, also while a handler runs: it must only read, and be quick.
        """
        return ""

    def stop(self) -> None:
        """Stop after the messages that wait already (pykka's meaning)."""
        self._cell.tell_user(STOP)
