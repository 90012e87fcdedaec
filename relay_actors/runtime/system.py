"""One running system of actors: dispatcher, clock, registry, dead letters, and everybody in it. Layer: pillar."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

import pykka

from relay_actors.errors import ActorError, ConfigError, NameTaken
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.base import Clock, Dispatcher, Hooks
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Ids, Random, SystemClock, fresh_random, uuid4_ids
from relay_actors.runtime.context import here, process_system
from relay_actors.runtime.dead_letters import DeadLetters
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.dispatcher_pinned import PinnedDispatcher
from relay_actors.runtime.hooks import Counters, GuardedHooks
from relay_actors.runtime.reasons import ExitReason
from relay_actors.runtime.registry import Registry
from relay_actors.runtime.signals import Adopt, Stop

__all__ = ["System", "default_system"]

A = TypeVar("A", bound=Actor)

_log = logging.getLogger("relay_actors.runtime")


class System:
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
        self.describe_waits: Callable[[Any], str] = _describes_nothing
        self.registry = Registry()
        self.dead_letters = DeadLetters(self.clock)
        self._daemon = daemon
        # Guards the serial, who lives, and whose threads there are. Re-entrant, because a finaliser may run in the
        # middle.
        self._lock = threading.RLock()
        self._serial = 0
        self._urn_prefix = f"urn:relay-actors:{name}:"
        self._cells: dict[int, Cell] = {}
        self._pinned: set[PinnedDispatcher] = set()
        self._is_stopping = False
        self._nobody_left = threading.Event()
        self._nobody_left.set()

    @property
    def clock(self) -> Clock:
        """Where time comes from."""
        return self.dispatcher.clock

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
        with self._lock:
            return list(self._cells.values())

    # -- actors ------------------------------------------------------------------------------------------------------

    def start(self, actor_class: type[A], *args: Any, **kwargs: Any) -> ActorRef[A]:
        """Start an actor without a supervisor: when it fails it ends, as pykka's do. Any thread.

        Raises:
            ActorError: the system is stopping, or has been stopped.
            Exception: what the constructor raised; nothing is left then (SEMANTICS L1).
        """
        if self._is_stopping:
            raise ActorError(f"system {self.name!r} has been stopped and starts no actors: make a new System")
        cell = self.new_cell(actor_class, args, kwargs)
        try:
            cell.construct()
        except BaseException as error:
            cell.abandon(error)
            raise
        self.dispatcher.start()
        cell.start()
        return cast("ActorRef[A]", cell.ref)

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
        cell = self.new_cell(actor_class, args, kwargs, keep=keep)
        for key in keys:
            owner = cell.register(key)
            if owner is not cell:
                taken = NameTaken(f"{key!r} is taken by {owner}", owner=owner.ref)
                cell.abandon(taken)
                raise taken
        if isinstance(parent, ActorRef):
            parent._cell.signal(Adopt(cell, spec))  # noqa: SLF001  # the runtime's own other half
        else:
            cell.abandon(ActorError(f"{parent} is not an actor of this framework, so it has no children"))
        return cast("ActorRef[A]", cell.ref)

    def find(self, key: Hashable) -> ActorRef[Any] | None:
        """Return the living owner of a key, or None. Any thread.

        An actor's own name, ``ref.actor_urn``, is a key as well, without being registered (SEMANTICS R3).
        """
        cell: Any = self.registry.find(key)
        if cell is None and isinstance(key, str) and key.startswith(self._urn_prefix):
            serial = key.removeprefix(self._urn_prefix)
            cell = self._cells.get(int(serial)) if serial.isascii() and serial.isdigit() else None
            cell = None if cell is None or cell.is_stopped else cell
        return None if cell is None else cast("ActorRef[Any]", cell.ref)

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Stop every actor, those without a parent first, then all threads; True if nothing was left over.

        What has not stopped after ``timeout_s`` is killed, and threads whose handlers do not come back then are given
        one more second. Idempotent; the system cannot be used again.

        Raises:
            ActorError: called inside one of its own actors, which would wait for itself.
        """
        if isinstance(here.turn, Cell) and here.turn.system is self:
            raise ActorError(f"{here.turn} cannot wait for the end of its own system: stop it from outside")
        self._is_stopping = True
        deadline = self.clock.now() + timeout_s
        for cell in self.living:
            if cell.parent is None:
                cell.signal(Stop(ExitReason("shutdown", "the system stops")))
        is_empty = self.dispatcher.wait_until(lambda: not self._cells, self._nobody_left.wait, timeout_s)
        for cell in self.living:
            cell.kill("the system stops")
        left = self.dispatcher.stop(max(1.0, deadline - self.clock.now()))
        with self._lock:
            pinned, self._pinned = self._pinned, set()
        left += sum(dispatcher.stop(max(0.1, deadline - self.clock.now())) for dispatcher in pinned)
        if left:
            _log.error("threads that would not end system=%s threads=%d", self.name, left)
        return is_empty and not left

    def urn_of(self, cell: Cell) -> str:
        """Return the name of an actor, unique in this process as far as the names of systems are."""
        return f"{self._urn_prefix}{cell.serial}"

    # -- for cells ---------------------------------------------------------------------------------------------------

    def next_serial(self) -> int:
        """Return a number that no other cell of this system has."""
        with self._lock:
            self._serial += 1
            return self._serial

    def new_cell(
        self, actor_class: type[Actor], args: tuple[Any, ...], kwargs: dict[str, Any], *, keep: Any = None
    ) -> Cell:
        """Make a cell and count it among the living."""
        cell = Cell(self, actor_class, args, kwargs, keep=keep)
        with self._lock:
            self._cells[cell.serial] = cell
            if len(self._cells) == 1:
                self._nobody_left.clear()
        return cell

    def on_cell_ended(self, cell: Cell) -> None:
        """Free the names of a cell that has ended, and count it out."""
        self.registry.release(cell)
        with self._lock:
            self._cells.pop(cell.serial, None)
            if not self._cells:
                self._nobody_left.set()

    def dispatcher_for(self, actor_class: type[Actor], serial: int) -> Dispatcher:
        """Return who runs an actor of this class.

        Raises:
            ConfigError: its ``dispatcher`` is none that there is.
        """
        if actor_class.dispatcher not in ("pooled", "pinned"):
            raise ConfigError(f"{actor_class.__name__}.dispatcher is {actor_class.dispatcher!r}: 'pooled' or 'pinned'")
        if actor_class.dispatcher == "pooled" or isinstance(self.dispatcher, DeterministicDispatcher):
            return self.dispatcher
        pinned = PinnedDispatcher(
            self.dispatcher,
            name=f"{self.name}-pinned-{serial}",
            daemon=self._daemon,
            long_turns=self.dispatcher.long_turns if isinstance(self.dispatcher, BatonDispatcher) else None,
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


def _describes_nothing(_cell: Cell) -> str:
    return ""


_default_lock = threading.Lock()  # guards the making of the process's own system
_default: list[System] = []


def default_system() -> System:
    """Return the system of actors that were started without one: ``MyActor.start()``, as with pykka.

    Its threads are daemons: unlike with stock pykka, an actor that is still running does not keep the process alive.
    """
    with _default_lock:
        if not _default or _default[-1].is_stopping:
            _default[:] = [System(name="default")]
        return _default[0]


process_system.append(default_system)
