"""A pykka actor on a dispatcher. Layer: pillar. Only this file and `actor_ref` use pykka's private names.

pykka gives the contract: `start`, `tell`, `ask`, `proxy`, `stop`, refs, futures, hooks. Replaced within it is what
makes stock actors expensive or fragile: a thread, a uuid4 and a `threading.Event` per actor, the linear registry, and
an inbox in which a message can be left behind when its actor stops.
"""

from __future__ import annotations

import inspect
import logging
import threading
import types
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self, cast

import pykka
from pykka.messages import _ActorStop

from relay_actors.errors import ActorError, ConfigError
from relay_actors.runtime.abilities.asking import Asking
from relay_actors.runtime.abilities.awaiting import Awaiting
from relay_actors.runtime.abilities.stashing import Stashing
from relay_actors.runtime.abilities.supervising import Supervising
from relay_actors.runtime.abilities.timing import Timing
from relay_actors.runtime.abilities.watching import Watching
from relay_actors.runtime.actor_log import ActorLog
from relay_actors.runtime.actor_ref import ActorRef, StoppedFlag
from relay_actors.runtime.anatomy import AnySystem
from relay_actors.runtime.async_handler import may_interleave
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.context import here, process_system
from relay_actors.runtime.directives import Directive, directives_problem
from relay_actors.runtime.future import Future
from relay_actors.runtime.mailbox import FOR_PYKKA, STOP, Mailbox, Overflow
from relay_actors.runtime.reasons import NORMAL, ExitReason
from relay_actors.runtime.signatures import has_parameter, takes_reason, wrong_parameters
from relay_actors.runtime.strategies import AutoShutdown, Strategy

if TYPE_CHECKING:
    from types import TracebackType

    from relay_actors.runtime.cell import Cell

__all__ = ["DISPATCHERS", "Actor"]

DISPATCHERS: Final = ("pooled", "pinned", "blocking", "loop")
"""What ``Actor.dispatcher`` may be."""

_MAY_NOT_AWAIT: Final = (
    "__init__", "on_start", "on_stop", "on_failure", "pre_restart", "after_batch", "on_child_started", "on_child_ended",
)  # fmt: skip

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})

_constructing = threading.local()

# Guards the classes that differ only in their dispatcher. Re-entrant, because making one runs the user's
# ``__init_subclass__``.
_variants_lock = threading.RLock()


class Actor(Asking, Supervising, Watching, Timing, Stashing, Awaiting, pykka.Actor):
    """An actor: a pykka actor that is cheap, can have children, and can be restarted in place.

    Subclass it, handle `on_receive`, start it with ``MyActor.start()`` or as a child with ``self.spawn(MyActor)``.
    Constructor arguments are kept: a restart constructs the same class with the same arguments.
    """

    dispatcher: ClassVar[Literal["pooled", "pinned", "blocking", "loop"]] = "pooled"
    """``pooled`` shares the baton; ``pinned`` has a thread of its own; ``blocking`` has turns on the threads for what
    blocks; ``loop`` has them on the asyncio loop (SEMANTICS D3). For some actors of a class only: `on_dispatcher`."""
    interleaves: ClassVar[tuple[type, ...]] = ()
    """Types of messages that may be handled while an ``async def on_receive`` awaits; others wait until it has
    returned. For methods that proxies call there is `interleave` (SEMANTICS A14)."""
    grace_s: ClassVar[float] = 1.0
    """How many seconds what awaits may take to clean up when the actor stops, before it is abandoned (SEMANTICS A15).
    Let it be less than ``shutdown_s``."""
    throughput: ClassVar[int] = 16
    """How many messages it may handle before others have their turn; after 2 ms they have it anyway (SEMANTICS D2)."""
    runs_late: ClassVar[bool] = False
    """Whether it runs after all others of a round."""
    mailbox_capacity: ClassVar[int | None] = None
    """Bound of the mailbox; None is unbounded (SEMANTICS M4)."""
    mailbox_overflow: ClassVar[Overflow] = "fail"
    """What happens beyond the bound: ``fail`` raises `MailboxFull` at who sends, ``drop_new`` drops what is sent,
    ``drop_old`` what has waited longest, and ``block`` has the sender wait for room. What is dropped is a dead
    letter."""
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

    stands_alone: ClassVar[bool] = True
    """Whether it can be made without an application around it; what works for a call cannot."""

    strategy: ClassVar[str] = Strategy.ONE_FOR_ONE
    """Who is restarted together with a child of its: see `Strategy` (SEMANTICS S4)."""
    auto_shutdown: ClassVar[str] = AutoShutdown.NEVER
    """Whether it ends when its significant children have: see `AutoShutdown` (SEMANTICS S14)."""
    directives: ClassVar[Mapping[type[BaseException], Directive]] = MappingProxyType({})
    """What follows what a child raises, by its class, the most specific first; by default a restart, as far as the
    child's restart type says so (SEMANTICS S12)."""

    receives_plainly: ClassVar[bool] = True
    """Whether the class hands a message to `on_receive` and does nothing else with it."""
    hears_of_batches: ClassVar[bool] = False
    """Whether the class has an `after_batch` of its own: noted when it is made, for it is asked in each turn."""
    hears_of_starts: ClassVar[bool] = False
    """Whether the class has an `on_child_started` of its own."""
    hears_of_ends: ClassVar[bool] = False
    """Whether the class has an `on_child_ended` of its own."""
    when_over: ClassVar[Callable[[Any], object] | None] = None
    """Called with the cell of each actor of the class when those are told who watch it: as good as a watch on each, and
    nothing has to be kept for it. Any thread. For frameworks on top."""
    on_refused: ClassVar[Callable[[Any], object] | None] = None
    """Called with each message that an actor of the class had accepted, and will not handle. Any thread. For frameworks
    on top, whose messages know who waits for an answer."""
    _on_stop_takes_reason: ClassVar[bool] = False
    _cell: Cell
    _variants: ClassVar[dict[str, Any]]

    # -- made and started --------------------------------------------------------------------------------------------

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not (isinstance(cls.interleaves, tuple) and all(isinstance(kind, type) for kind in cls.interleaves)):
            raise TypeError(f"{cls.__name__}.interleaves must be a tuple of classes, not {cls.interleaves!r}")
        for name in _MAY_NOT_AWAIT:
            if inspect.iscoroutinefunction(cls.__dict__.get(name)):
                raise TypeError(f"{cls.__name__}.{name} must be `def`: only handlers (`on_receive`) may be `async def`")
        if (problem := wrong_parameters(cls)) is not None:
            raise TypeError(problem)
        problem = directives_problem(cls.directives)
        if cls.strategy not in list(Strategy):
            raise TypeError(f"{cls.__name__}.strategy must be one of {', '.join(Strategy)}, not {cls.strategy!r}")
        if cls.auto_shutdown not in list(AutoShutdown):
            choices = ", ".join(AutoShutdown)
            raise TypeError(f"{cls.__name__}.auto_shutdown must be one of {choices}, not {cls.auto_shutdown!r}")
        if problem is not None:
            raise TypeError(f"{cls.__name__}.directives must be {problem}")
        cls._on_stop_takes_reason = takes_reason(cls.on_stop)
        cls.receives_plainly = (cls.receive, cls._handle_receive) == (Actor.receive, Actor._handle_receive)
        cls.hears_of_batches = cls.after_batch is not Actor.after_batch
        cls.hears_of_starts = cls.on_child_started is not Supervising.on_child_started
        cls.hears_of_ends = cls.on_child_ended is not Supervising.on_child_ended

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self:
        """Make the object of one incarnation, and give it its cell, before any constructor runs."""
        cell: Cell | None = getattr(_constructing, "cell", None)
        _constructing.cell = None
        if cell is None:
            cell = cls._cell_of_nobody()
        self = super().__new__(cls)
        self._cell = cell
        cell.actor = self  # now, not when it is made: a constructor may want a proxy of its own actor
        if cls._prepare_incarnation is not Actor._prepare_incarnation:
            self._prepare_incarnation()
        return self

    def _prepare_incarnation(self) -> None:
        """Set what an incarnation has before its constructor runs. For frameworks on top, in place of a `__new__`."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:  # pykka's makes what here comes from the cell
        """Take the constructor's arguments, as pykka's does."""

    @property
    def actor_ref(self) -> ActorRef[Self]:
        """The ref by which others speak to this actor, and it to itself."""
        ref: ActorRef[Self] | None = self._cell._ref
        return ref if ref is not None else self._cell.ref

    @property
    def _actor_ref(self) -> ActorRef[Any]:  # type: ignore[override]
        return cast("ActorRef[Any]", self._cell.ref)

    @property
    def actor_urn(self) -> str:  # type: ignore[override]
        """A name of the actor that no other has: ``urn:uuid:…``."""
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
    def _cell_of_nobody(cls) -> Cell:
        """Return a cell that is never started, for ``MyActor()``: pykka's way to test its methods one by one."""
        if not cls.stands_alone:
            raise ActorError(f"{cls.__name__}() cannot be called: the application starts it, for a call or a text")
        from relay_actors.runtime.cell import (
            Cell,  # with all that a running actor needs; a class alone needs none of it
        )

        return Cell(_system_here(cls), cls, (), {}, is_run=False)

    @classmethod
    def construct(cls, cell: Cell) -> Self:
        """Make the object of one incarnation. For the cell."""
        if cls.__new__ is Actor.__new__:  # as that and ``cls(…)`` do it, without a way round by the thread's own entry
            self = object.__new__(cls)
            self._cell = cell
            cell.actor = self
            if cls._prepare_incarnation is not Actor._prepare_incarnation:
                self._prepare_incarnation()
            if self.__init__(*cell.args, **cell.kwargs) is not None:  # type: ignore[misc]
                raise TypeError(f"{cls.__name__}.__init__() should return None")
            return self
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

        ``wait=2.0`` waits until ``on_start`` has returned, at most so many seconds (L2). A constructor that has a
        parameter ``wait`` itself is given it; to wait for such an actor, use `System.start_within`.

        Raises:
            StartFailed: with ``wait``: it has failed while it started; ``__cause__`` says why.
            StartTimeout: with ``wait``: it has not started in time, and was killed.
        """
        system = _system_here(cls)
        if "wait" in kwargs and not has_parameter(cls.__init__, "wait"):
            wait_s = kwargs.pop("wait")
            if wait_s is not None:
                return cast("ActorRef[Self]", system.start_within(wait_s, cls, *args, **kwargs))
        ref: ActorRef[Self] = system.begin(cls, args, kwargs).ref
        return ref

    @classmethod
    def on_dispatcher(cls, dispatcher: Literal["pooled", "pinned", "blocking", "loop"]) -> type[Self]:
        """Return this class with another dispatcher, to start some of its actors there: always the same one.

        ``Report.on_dispatcher("blocking").start()``, ``self.spawn(Report.on_dispatcher("pinned"))``.

        Raises:
            ConfigError: there is no such dispatcher.
        """
        if dispatcher not in DISPATCHERS:
            raise ConfigError(f"on_dispatcher({dispatcher!r}): one of {', '.join(DISPATCHERS)}")
        if dispatcher == cls.dispatcher:
            return cls
        with _variants_lock:
            variants: dict[str, Any] | None = cls.__dict__.get("_variants")
            if variants is None:
                variants = cls._variants = {}
            if dispatcher not in variants:
                names = {"dispatcher": dispatcher, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
                variants[dispatcher] = types.new_class(
                    cls.__name__, (cls,), exec_body=lambda space: space.update(names)
                )
            return cast("type[Self]", variants[dispatcher])

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
        if type(message) is _ActorStop:
            self._cell.begin_stop(NORMAL)
            return None
        return self._handle_receive(message)

    def _handle_receive(self, message: Any) -> Any:
        # pykka's asks for each class one after the other.
        return super()._handle_receive(message) if type(message) in FOR_PYKKA else self.on_receive(message)

    def on_receive(self, message: Any) -> Any:
        """Handle one message. Override it; for what you do not know, call ``super().on_receive(message)``.

        What comes here nobody has handled: it is counted as ``messages.unexpected``, and logged once per class and type
        (SEMANTICS M9); the `Down` of a death pact fails the actor (W6).
        """
        self._cell.on_ignored(message)
        self._cell.system.unexpected.report(self, message)

    def call_in_turn_later(self, delay_s: float, call: Callable[[], None]) -> TimerHandle:
        """Have ``call`` made after a while, for what a flow of this actor waits for. For frameworks on top to extend.

        Here it is made on the dispatcher's thread.
        """
        return self._cell.call_later(delay_s, call)

    def receive_again(self, message: object) -> Any:
        """Handle a message that was put aside. For frameworks on top, whose own part was done the first time."""
        return self.receive(message)

    def is_received_twice(self, message: object) -> bool:
        """Return whether a message is received once more when that has raised, where ``retries`` says so.

        For frameworks on top, whose own part is not to be done twice, so that they see to it where the user's begins.
        """
        return True

    def begin(self) -> None:
        """Start one incarnation. For frameworks on top to extend, so that users need no super()."""
        self.begin_code()

    def begin_code(self) -> None:
        """Run what the code of the class begins an incarnation with: `on_start`. For frameworks on top to extend."""
        self.on_start()

    def progress_to_keep(self) -> Mapping[str, object]:
        """Return how far it has come, for another process to go on; nothing for most. For frameworks on top."""
        return _NOTHING

    def take_kept_progress(self, progress: Mapping[str, Any]) -> None:
        """Go on from where another process was, as `progress_to_keep` has told. For frameworks on top."""

    def finish(self) -> None:
        """End an incarnation: calls `on_stop`. For frameworks on top to extend; not called on a restart or a kill.

        An ``on_stop`` that takes an argument is given the reason; pykka's takes none (SEMANTICS L7).
        """
        if self._on_stop_takes_reason:
            cast("Any", self).on_stop(self._cell.exit_reason)
        else:
            self.on_stop()

    def call_crash_hook(self, hook: Callable[..., object], *args: object) -> None:
        """Call `on_failure` or `pre_restart`, of an incarnation that has failed. For frameworks on top to extend."""
        hook(*args)

    def after_batch(self) -> None:
        """Called at the end of each turn, after one or several messages. For subclasses."""

    def after_handler(self) -> None:
        """Called when a handler that awaited is over, before the next message is taken. For frameworks on top."""

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
        return type(message) in FOR_PYKKA

    @staticmethod
    def is_notice(message: object) -> bool:
        """Return whether a message is one that a framework on top tells all such actors, wanted or not."""
        return False

    def may_interleave(self, message: object) -> bool:
        """Return whether a message may be handled while a handler awaits. For frameworks on top to extend."""
        return may_interleave(self, message)

    @staticmethod
    def is_machinery(message: object) -> bool:
        """Return whether a message is none of the user's, so that it is handled also while the actor ends.

        For frameworks on top to override.
        """
        return False

    def is_no_failure(self, error: BaseException) -> bool:
        """Return whether a handler that has awaited may end with this error, and no harm is done.

        For frameworks on top to override.
        """
        return False

    # -- what an actor can do ----------------------------------------------------------------------------------------

    @property
    def exit_reason(self) -> ExitReason:
        """Why it ends, in `on_stop`: after a failure that nobody mends, too."""
        return self._cell.exit_reason

    @property
    def system(self) -> AnySystem:
        """The system in which it runs."""
        return self._cell.system

    def label(self) -> str:
        """Return what tells it from others of its class, such as a call id; "" by default. For subclasses.

        Shown wherever actors are listed: `RelayApp.tree`, ``relay-actors top``, reports. Any thread may call it, also
        in the middle of a turn: it must be quick, and only read.
        """
        return ""

    def parts(self) -> Iterable[tuple[str, str]]:
        """Return what it is made of that is no actor of its own: of each its kind, and a label.

        Shown beneath it by `RelayApp.tree` and ``relay-actors top``; nothing by default. As for `label`.
        """
        return ()

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """A logger whose lines begin with who speaks, and whose records have `log_fields` as attributes."""
        fields = self.log_fields()
        return ActorLog(type(self).__name__, str(fields.get("call_id") or repr(self)), fields)

    def log_fields(self) -> dict[str, object]:
        """Return what `log` gives each record beside its text. For subclasses to extend; nothing secret belongs here.

        What logging itself calls an attribute of each record, such as ``name``, is there as ``name_``.

        Source: SEMANTICS O6.
        """
        return {"actor": repr(self), "incarnation": self._cell.incarnation}

    def stop(self) -> None:
        """Stop after the messages that wait already (pykka's meaning)."""
        self._cell.tell_user(STOP)


def _system_here(actor_class: type[Actor]) -> AnySystem:
    """Return the system of the present turn, or else the process's own."""
    system: AnySystem | None = getattr(here.turn, "system", None)
    if system is not None:
        return system
    if not process_system:
        raise ActorError(f"import relay_actors before {actor_class.__name__}: it brings the system in which actors run")
    system_of_the_process: AnySystem = process_system[0]()
    return system_of_the_process
