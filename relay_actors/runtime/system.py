"""One running system of actors: dispatcher, clock, registry, dead letters, and everybody in it. Layer: pillar."""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
from collections.abc import Hashable
from typing import Any, TypeVar, cast
from uuid import UUID

import pykka

from relay_actors.errors import ActorError, ConfigError, NameTaken, StartTimeout
from relay_actors.runtime.actor import DISPATCHERS, Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Clock, Dispatcher, Hooks, Runnable
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Ids, Random, SystemClock, fresh_random, uuid4_ids
from relay_actors.runtime.context import here
from relay_actors.runtime.dead_letters import DeadLetters
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.dispatcher_beside import BlockingDispatcher
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.dispatcher_loop import LoopDispatcher, LoopHost, LoopThread, VirtualLoopHost, new_watch_of
from relay_actors.runtime.dispatcher_own_thread import OwnThreads
from relay_actors.runtime.dispatcher_pinned import PinnedDispatcher
from relay_actors.runtime.event_stream import EventStream
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.hooks import Counters, GuardedHooks
from relay_actors.runtime.observed import Observation
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.registry import Registry
from relay_actors.runtime.restart_record import RestartLog
from relay_actors.runtime.seeing import Seeing
from relay_actors.runtime.signals import Adopt, Stop
from relay_actors.runtime.turns_beside import TurnsBeside
from relay_actors.runtime.unexpected import UnexpectedMessages
from relay_actors.runtime.validation import restart_warnings
from relay_actors.runtime.via_ref import Unrouted, ViaRef, WaitingMessages

__all__ = ["System", "default_system"]

A = TypeVar("A", bound=Actor)

_log = logging.getLogger("relay_actors.runtime")


class System(Seeing):
    """Actors that live together; two systems in one process share nothing (SEMANTICS L10).

    Args:
        dispatcher: who gives turns; a `BatonDispatcher` on the machine's clock by default.
        random: where randomness comes from.
        hooks: an observer; by default `Counters` of its own. What it raises detaches it.
        name: begins the names of threads and of actors.
        daemon: whether its threads let the process exit.
        blocking_report_s: a handler that holds a shared thread longer than this is reported (SEMANTICS A16); None: not.
        hang_report_s: a turn that lasts longer than this is reported, whatever it does (SEMANTICS O5); None: not. Both
            belong to the default dispatcher: one that is given has its own.
    """

    def __init__(
        self,
        *,
        dispatcher: Dispatcher | None = None,
        random: Random | None = None,
        hooks: Hooks | None = None,
        name: str = "actors",
        daemon: bool = True,
        blocking_report_s: float | None = 0.1,
        hang_report_s: float | None = 10.0,
    ) -> None:
        self.name = name
        self.random = random if random is not None else fresh_random()
        self.new_id: Ids = uuid4_ids(self.random)
        self.hooks: Hooks = GuardedHooks(hooks if hooks is not None else Counters())
        if dispatcher is None:
            dispatcher = BatonDispatcher(
                SystemClock(),
                name=name,
                daemon=daemon,
                blocking_report_s=blocking_report_s,
                hang_report_s=hang_report_s,
            )
        self.dispatcher: Dispatcher = dispatcher
        self.clock: Clock = dispatcher.clock
        self.registry = Registry()
        self.waiting_messages = WaitingMessages(self)
        self.registry.waiting_room = self.waiting_messages
        self.events = EventStream(self.hooks.count)
        self.dead_letters = DeadLetters(self.clock, self.events.publish, self.hooks.count)
        self.restarts = RestartLog()
        self.unexpected = UnexpectedMessages(self.hooks)
        self.observation = Observation(self)
        self._daemon = daemon
        # Guards whose threads there are, and whether there may be more. Re-entrant, because a finaliser may run in the
        # middle.
        self._lock = threading.RLock()
        self._serials = itertools.count(1)
        self._urn_family = UUID(int=self.random.getrandbits(64) << 64, version=4).int
        self._cells: dict[int, Cell] = {}
        self._pinned: set[PinnedDispatcher] = set()
        is_deterministic = isinstance(self.dispatcher, DeterministicDispatcher)
        self.own_threads = OwnThreads(self.clock, name=name, daemon=daemon, is_strict=is_deterministic)
        self._long_turns = self.dispatcher.long_turns if isinstance(self.dispatcher, BatonDispatcher) else None
        report_s = self._long_turns.blocking_report_s if self._long_turns is not None else None
        self.loop_host: LoopHost = (
            VirtualLoopHost(self.dispatcher)
            if is_deterministic
            else LoopThread(
                name=f"{name}-loop",
                daemon=daemon,
                # The turns of actors there are reported by themselves, with the actor and the message.
                new_watch=new_watch_of(self.dispatcher, report_s, lambda: bool(self._on_loop.turns())),
            )
        )
        self._on_loop: LoopDispatcher = LoopDispatcher(self.dispatcher, self.loop_host, self._long_turns)
        self._on_pool = BlockingDispatcher(self.dispatcher, self._long_turns)
        self.flow_turns = TurnsBeside(self.dispatcher, self._long_turns)
        self._is_stopping = False
        self._nobody_left = threading.Event()  # set by the last to end while the system stops

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` has been called: nobody can be started any more."""
        return self._is_stopping

    @property
    def actor_count(self) -> int:
        """How many actors live."""
        return len(self._cells)

    @property
    def living(self) -> list[Cell]:
        """The cells of all living actors, in the order in which they were made."""
        return list(self._cells.copy().values())  # a copy is made in one step, for all threads

    # -- seeing: see `Seeing` ----------------------------------------------------------------------------------------

    def turns(self) -> list[tuple[Runnable, float]]:
        """Return whose turns are under way, and when by the clock each began. Any thread."""
        with self._lock:
            pinned = list(self._pinned)
        dispatchers = (self.dispatcher, self._on_loop, self._on_pool, *pinned)
        return [*self.flow_turns.under_way(), *(turn for dispatcher in dispatchers for turn in dispatcher.turns())]

    # -- actors ------------------------------------------------------------------------------------------------------

    def start(self, actor_class: type[A], *args: Any, **kwargs: Any) -> ActorRef[A]:
        """Start an actor without a supervisor: when it fails it ends, as pykka's do. Any thread.

        Raises:
            ActorError: the system is stopping, or has been stopped.
            Exception: what the constructor raised; nothing is left then (SEMANTICS L1).
        """
        ref: ActorRef[A] = self.begin(actor_class, args, kwargs).ref
        return ref

    def start_within(self, timeout_s: float, actor_class: type[A], *args: Any, **kwargs: Any) -> ActorRef[A]:
        """Start an actor without a supervisor, and return when it has started: its ``on_start`` has returned.

        Args:
            timeout_s: seconds it may take, above 0; it is killed then.
            actor_class: its class.
            args: positional arguments of its constructor.
            kwargs: keyword arguments of its constructor.

        Raises:
            ActorError: the system is stopping, or has been stopped.
            ConfigError: a time that is not above 0.
            StartFailed: it has failed while it started; ``__cause__`` says why (SEMANTICS L2).
            StartTimeout: it has not started in time.
            Exception: what the constructor raised; nothing is left then (L1).
        """
        is_time = isinstance(timeout_s, int | float) and not isinstance(timeout_s, bool) and timeout_s > 0
        if not is_time:
            raise ConfigError(f"how long to wait for a start must be seconds above 0, not {timeout_s!r}")
        started: Future[bool] = Future(self.dispatcher)
        cell = self.begin(actor_class, args, kwargs, started)
        try:
            started.get(timeout=timeout_s)
        except WaitTimeout:
            cell.kill(f"start_timeout: it did not start within {timeout_s:g} s")
            raise StartTimeout(f"{cell} did not start within {timeout_s:g} s, and was killed") from None
        return cast("ActorRef[A]", cell.ref)

    def begin(
        self,
        actor_class: type[Actor],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        started: Future[bool] | None = None,
    ) -> Cell:
        """Start an actor as `start` does, and return its cell. For who has the arguments in hand.

        Args:
            actor_class: its class.
            args: positional arguments of its constructor.
            kwargs: keyword arguments of its constructor.
            started: settled when it has started, or will not.
        """
        self._refuse_if_stopping()
        cell = self.new_cell(actor_class, args, kwargs)
        if started is not None:
            cell.when_started(started)
        try:
            self._refuse_if_stopping()  # first it was counted among the living, then look: `stop` does the reverse
            cell.construct()
            with self._lock:  # `stop` begins before this, or after it: what it has stopped does not begin anew
                self._refuse_if_stopping()
                self.dispatcher.start()
                cell.start()
        except BaseException as error:
            cell.abandon(error)
            raise
        return cell

    def _refuse_if_stopping(self) -> None:
        if self._is_stopping:
            raise ActorError(f"system {self.name!r} has been stopped and starts no actors: make a new System")

    def validate(self) -> list[str]:
        """Look at the tree as it is, and warn of what would go wrong in it. Any thread.

        Returns:
            The warnings, which are logged as well: supervisors nested so that a fault far down can be restarted more
            than a hundred times before anybody gives up (SEMANTICS S9).
        """
        warnings = restart_warnings(self.living)
        for warning in warnings:
            _log.warning("%s", warning)
        return warnings

    def start_child(
        self,
        parent: pykka.ActorRef[Any],
        actor_class: type[A],
        *args: Any,
        spec: ChildSpec,
        keep: Any = None,
        keys: tuple[Hashable, ...] = (),
        **kwargs: Any,
    ) -> ActorRef[A]:
        """Start an actor as a child of ``parent``, from any thread.

        The ref, and the keys, are good at once: what is sent waits until the parent has taken the child, and the
        constructor runs in the child's own first turn, so that the caller is not harmed by it. If the parent is
        stopping or full, the child ends before it began, with `Down` for those who watch.

        Raises:
            NameTaken: another living actor owns one of the keys; ``error.owner`` is its ref. Nothing is started then.
        """
        cell = self.begin_child(parent, actor_class, args, kwargs, spec=spec, keep=keep, keys=keys)
        return cast("ActorRef[A]", cell.ref)

    def begin_child(
        self,
        parent: pykka.ActorRef[Any],
        actor_class: type[Actor],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        *,
        spec: ChildSpec,
        keep: Any = None,
        keys: tuple[Hashable, ...] = (),
        first: object = None,
    ) -> Cell:
        """Start a child as `start_child` does, and return its cell: for who needs no ref to it, of thousands.

        Args:
            parent: as for `start_child`, and so are the others.
            actor_class: what to start.
            args: for its constructor.
            kwargs: for its constructor.
            spec: how it is treated.
            keep: what is to survive restarts.
            keys: what it owns.
            first: told to it before its parent has it started, so that it is brought no turn in vain; None: nothing.
        """
        cell = self.new_cell(actor_class, args, kwargs or {}, keep=keep)
        owner = cell.register(*keys)
        if owner is not cell:
            taken = NameTaken(f"{', '.join(map(repr, keys))}: taken by {owner}", owner=owner.ref)
            cell.abandon(taken)
            raise taken
        if first is not None:
            cell.put_first(first)
        if isinstance(parent, ActorRef):
            parent._cell.signal(Adopt(cell, spec))  # noqa: SLF001  # the runtime's own other half
        else:
            cell.abandon(ActorError(f"{parent} is not an actor of this framework, so it has no children"))
        return cell

    def find(self, key: Hashable) -> ActorRef[Any] | None:
        """Return the living owner of a key, or None. Any thread.

        An actor's own name, ``ref.actor_urn``, is a key as well, without being registered (SEMANTICS R3).
        """
        cell: Any = self.registry.owners.get(key)  # as `Registry.find` does it
        if cell is not None and cell.stopped:
            return None
        if cell is None and isinstance(key, str) and key.startswith("urn:uuid:"):
            cell = self._cells.get(self._serial_in(key))
            cell = None if cell is None or cell.stopped else cell
        if cell is None:
            return None
        ref: ActorRef[Any] = cell.ref
        return ref

    def via(self, key: Hashable, *, unrouted: Unrouted = "dead_letter") -> ViaRef:
        """Return a ref by key, which is looked up at each send. Any thread. See `ViaRef`.

        Raises:
            ConfigError: ``unrouted`` is not ``dead_letter``, ``raise`` or ``buffer``.
        """
        return ViaRef(self, key, unrouted)

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Stop every actor, those without a parent first, then all threads; True if nothing was left over.

        What has not stopped after ``timeout_s`` is killed, and threads whose handlers do not come back then are given
        one more second. Idempotent; the system cannot be used again.

        Raises:
            ActorError: called inside one of its own actors, which would wait for itself.
        """
        if isinstance(here.turn, Cell) and here.turn.system is self:
            raise ActorError(f"{here.turn} cannot wait for the end of its own system: stop it from outside")
        with self._lock:
            self._is_stopping = True
        deadline = self.clock.now() + timeout_s
        for cell in self.living:
            if cell.parent is None:
                cell.signal(Stop(ExitReason("shutdown", "the system stops")))
        is_empty = self.dispatcher.wait_until(lambda: not self._cells, self._wait_until_empty, timeout_s)
        for cell in self.living:
            cell.kill("the system stops")
        self.waiting_messages.close()
        left = self.loop_host.stop(max(1.0, deadline - self.clock.now()))
        left += self.own_threads.stop(max(1.0, deadline - self.clock.now()))
        left += self.dispatcher.stop(max(1.0, deadline - self.clock.now()))
        with self._lock:
            pinned, self._pinned = self._pinned, set()
        left += sum(dispatcher.stop(max(0.1, deadline - self.clock.now())) for dispatcher in pinned)
        if left:
            _log.error("threads that would not end system=%s threads=%d", self.name, left)
        return is_empty and not left

    def _wait_until_empty(self, timeout_s: float | None) -> bool:
        until = None if timeout_s is None else self.clock.now() + timeout_s
        while True:
            # First clear, then look: who ends last takes itself out first, and then sets it.
            self._nobody_left.clear()
            if not self._cells:
                return True
            left = None if until is None else until - self.clock.now()
            if (left is not None and left <= 0) or not self._nobody_left.wait(left):
                return not self._cells

    def urn_of(self, cell: Cell) -> str:
        """Return the name of an actor: a random UUID, as pykka's.

        What is random is drawn once for the system, the rest is the actor's number: so nothing has to be kept to find
        the actor again, and a name costs nothing until somebody asks for it.
        """
        return UUID(int=self._urn_family | cell.serial).urn

    def _serial_in(self, urn: str) -> int:
        """Return the number of the actor with this name; 0, which none has, if it is not of this system."""
        with contextlib.suppress(ValueError):
            family_and_serial = UUID(urn).int ^ self._urn_family
            return family_and_serial if family_and_serial < 1 << 62 else 0
        return 0

    # -- for cells ---------------------------------------------------------------------------------------------------

    def next_serial(self) -> int:
        """Return a number that no other cell of this system has."""
        return next(self._serials)  # atomic

    def new_cell(
        self, actor_class: type[Actor], args: tuple[Any, ...], kwargs: dict[str, Any], *, keep: Any = None
    ) -> Cell:
        """Make a cell and count it among the living."""
        cell = Cell(self, actor_class, args, kwargs, keep=keep)
        self._cells[cell.serial] = cell
        if self.observation.observers:
            self.observation.dress_new(cell)
        return cell

    def on_cell_ended(self, cell: Cell) -> None:
        """Free the names of a cell that has ended, and count it out."""
        self.registry.release(cell)
        if self.events.is_used:
            self.events.forget(cell)
        self._cells.pop(cell.serial, None)
        if self._is_stopping and not self._cells:
            self._nobody_left.set()

    def dispatcher_for(self, actor_class: type[Actor], serial: int) -> Dispatcher:
        """Return who runs an actor of this class.

        Raises:
            ConfigError: its ``dispatcher`` is none that there is.
        """
        kind = actor_class.dispatcher
        if kind == "pooled":
            return self.dispatcher
        if kind not in DISPATCHERS:
            raise ConfigError(f"{actor_class.__name__}.dispatcher is {kind!r}: one of {', '.join(DISPATCHERS)}")
        if kind == "loop":
            return self._on_loop
        if isinstance(self.dispatcher, DeterministicDispatcher):
            return self.dispatcher
        if kind == "blocking":
            return self._on_pool
        pinned = PinnedDispatcher(
            self.dispatcher,
            name=f"{self.name}-pinned-{serial}",
            daemon=self._daemon,
            long_turns=self._long_turns,
        )
        pinned.start()
        with self._lock:
            self._pinned = {other for other in self._pinned if other.is_alive}
            self._pinned.add(pinned)
        return pinned

    def release_dispatcher(self, dispatcher: Dispatcher) -> None:
        """Let go of a dispatcher that belonged to one actor: its thread ends by itself after its last turn."""
        if dispatcher is not self.dispatcher:
            dispatcher.stop(0.0)


_default_lock = threading.Lock()  # guards the making of the process's own system
_default: list[System] = []


def default_system() -> System:
    """Return the system of actors that were started without one: ``MyActor.start()``, as with pykka.

    Its threads are daemons: unlike with stock pykka, an actor that is still running does not keep the process alive.
    """
    if _default and not _default[0].is_stopping:  # a look first: it is called for each actor that is started
        return _default[0]
    with _default_lock:
        if not _default or _default[-1].is_stopping:
            _default[:] = [System(name="default")]
        return _default[0]
