"""An application with its RELAY server and the people on the phone, on one thread, from one seed. Layer: door.

Everything that can happen at one moment, in the application, in its connection, at the server, is drawn by lot, and the
lot follows from the seed: the same seed gives the same run, byte for byte. When nothing can happen, time jumps to the
next moment at which something can, so that a call of ten minutes takes milliseconds.

Source: DESIGN section 2; SEMANTICS V2 to V4, D4.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from relay_actors.app import RelayApp
from relay_actors.config import Timing
from relay_actors.errors import ConfigError, ConnectFailedError
from relay_actors.journal.base import Store
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.protocol import checks
from relay_actors.runtime.base import TimerHandle
from relay_actors.runtime.clock import ManualClock, Random
from relay_actors.runtime.dispatcher_deterministic import DeterministicDispatcher
from relay_actors.runtime.dispatcher_loop import VirtualLoopHost
from relay_actors.runtime.hooks import Counters
from relay_actors.runtime.system import System
from relay_actors.simulator.links import LinkDriver
from relay_actors.simulator.manners import Manners
from relay_actors.simulator.phones import Phone
from relay_actors.simulator.simulator import Simulator
from relay_actors.transport.base import Connector
from relay_actors.transport.memory import MemoryConnector, MemoryTransport

__all__ = ["MOST_AT_ONCE", "Lab", "check_can_start", "discard"]

PATIENCE_S: Final = 100.0
"""How long people wait for something, unless told, in virtual seconds: it costs nothing."""

LOG_IN_S: Final = 60.0
"""How long the first log in may take, in virtual seconds."""

MOST_AT_ONCE: Final = 200_000
"""How many turns may be given at one moment, without those of calls; it takes seconds."""

MOST_OF_A_CALL: Final = 1_000
"""How many more for each call; it needs some dozen."""

_log = logging.getLogger(__name__)


class Lab:
    """A deterministic world: nothing happens but while somebody waits in it, and everything on the waiting thread.

    Waits are those of phones (``hears``, ``is_hung_up`` …), `advance`, `settle`, `until`, and ``get(timeout=…)`` of a
    future. Seconds are virtual everywhere. One thread must do all of it.

    ::

        with Lab(seed=7) as lab:
            lab.start(app)
            lab.phone("+15550001111").dials(context="support").hears("press 1")

    Leaving the block stops the applications.

    Args:
        seed: the whole run follows from it.
        manners: of the server.
        pace: how long a simulated second is.
        lots: how many turns are drawn by lot; after that they come in order. None: all are drawn.

    Attributes:
        seed: see above.
        clock: virtual time; moved by this lab alone.
        dispatcher: gives actors their turns.
        counters: what the applications count.
        sim: the server.
        connector: how an application reaches it; put another one in its place before `start`, to come in between.
        disk: where journals lie that survive `kill`; each application has one if it keeps a journal at all.
    """

    def __init__(
        self, seed: int = 0, *, manners: Manners | None = None, pace: float = 1.0, lots: int | None = None
    ) -> None:
        self.seed = seed
        self._lots = lots
        self._is_dying = False
        # Calls that are to be made at some moment, also when the process has died meanwhile: by their numbers.
        self._appointments: dict[int, tuple[float, Callable[[], None]]] = {}
        self._appointments_made = 0
        self.clock = ManualClock()
        self.counters = Counters()
        self.sim = Simulator(clock=self.clock, random=Random(seed + 2), pace=pace, manners=manners)
        self.sim.drive = self.step
        self.sim.patience_s = PATIENCE_S
        self.sim.add_waker(self._arm)
        self._near_ends: list[MemoryTransport] = []
        self._links: list[LinkDriver] = []
        self.connector: Connector = _Remembering(self._accept, self._near_ends)
        self.disk: dict[RelayApp, MemoryMedium] = {}
        self.deaths = 0
        """How often the process of the applications was killed."""
        self._tick_timer: TimerHandle | None = None
        self._started: list[tuple[RelayApp, System]] = []
        self.dispatcher = self._new_dispatcher(seed)

    def __repr__(self) -> str:
        return f"Lab(seed={self.seed})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if self.is_stuck:
                self.kill()
            for app in reversed(self.apps):
                app.stop()
        finally:
            self.discard()

    @property
    def apps(self) -> list[RelayApp]:
        """The applications that were started and run, in the order in which they were started."""
        return [app for app, _system in self._started if app.is_running]

    @property
    def systems(self) -> list[System]:
        """The actors of each application that was started since the last `kill`."""
        return [system for _app, system in self._started]

    @property
    def is_stuck(self) -> bool:
        """Whether time was found to stand still, of which the wait has told: then nothing comes to an end here."""
        return self.dispatcher.is_stuck

    @property
    def pending_timers(self) -> int:
        """How many timers of applications are pending; the server's own and those of `at` do not count."""
        return self.dispatcher.pending_timers

    def phone(self, number: str) -> Phone:
        """Return the phone of a number, see `Simulator.phone`."""
        return self.sim.phone(number)

    # -- time --------------------------------------------------------------------------------------------------------

    def step(self) -> bool:
        """Let one thing happen, or time jump to the next one; return False when nothing is to come."""
        if self._turn():
            return True
        due = self.dispatcher.next_due()
        if due is not None:
            self.clock.advance_to(due)
        return due is not None

    def settle(self) -> None:
        """Let everything happen that can happen at this moment."""
        while self._turn():
            continue

    def advance(self, seconds: float) -> None:
        """Let so much time pass, and everything happen in it.

        Raises:
            ConfigError: time does not go back; or ``seconds`` is no number, or has no end.
        """
        if not checks.is_number(seconds):
            raise ConfigError(f"advance({seconds!r}): give a number of seconds")
        if seconds < 0:
            raise ConfigError(f"advance({seconds:g}): time only goes on")
        self.until(lambda: False, seconds)
        self.settle()

    def until(self, is_so: Callable[[], object], within: float = PATIENCE_S) -> bool:
        """Let things happen until ``is_so()``, at most for so many virtual seconds; return whether it came to be."""
        deadline = self.clock.now() + within
        while not is_so():
            if self._turn():
                continue
            due = self.dispatcher.next_due()
            if due is None or due > deadline:
                self.clock.advance_to(deadline)
                return bool(is_so())
            self.clock.advance_to(due)
        return True

    def _turn(self) -> bool:
        """Let one thing happen at this moment, if it can; who has died in it is dead."""
        has_run = self.dispatcher.step()
        if self._is_dying:
            self.kill()
        return has_run

    def at(self, when: float, call: Callable[[], None]) -> None:
        """Have ``call`` made when virtual time reaches ``when``, between two turns, and whoever has died meanwhile."""
        number = self._appointments_made = self._appointments_made + 1
        self._appointments[number] = (when, call)
        self._remind(number)

    def _remind(self, number: int) -> None:
        def keep() -> None:
            _when, call = self._appointments.pop(number)
            call()

        self.dispatcher.call_at(self._appointments[number][0], keep)

    # -- applications ------------------------------------------------------------------------------------------------

    def start(
        self,
        app: RelayApp,
        *,
        timing: Timing | None = None,
        journal: Store | None = None,
        wait_s: float | None = LOG_IN_S,
    ) -> RelayApp:
        """Start ``app``, with credentials that the server takes, and return it once it is logged in.

        Args:
            app: of any module; several may run beside each other.
            timing: its times for this run; by default its own: none is shortened, as none is waited for.
            journal: in place of its own; by default, if it keeps one in a file, one in memory, on a `disk` that
                survives `kill`. A `Store` that it was given itself stays in use.
            wait_s: how long the log in may take, in virtual seconds; None does not wait.

        Raises:
            ConfigError: it is no application, or runs already.
            TimeoutError: it was not logged in in time.
        """
        check_can_start(app)
        system = System(
            dispatcher=self.dispatcher,
            random=Random(f"{self.seed} {self.deaths} {len(self._started)}"),
            hooks=self.counters,
            name=app.name,
        )
        former, app.timing = app.timing, timing if timing is not None else app.timing
        self._started.append((app, system))
        try:
            app.start(
                wait_s=wait_s,
                system=system,
                connector=self.connector,
                journal=journal or self._journal_of(app),
                host="relay.example.com",
                project="test-project",
                token="test-token",
                jwt_token="",
                scheme="wss",
                ca_file="",
                max_connections=1_000_000,
            )
        finally:
            app.timing = former
        return app

    def kill(self) -> None:
        """Let the process of all applications die at once: what its journals have not committed is gone.

        The server sees broken connections; its calls stay up. `start` begins the next process. In the middle of a turn
        nothing that the turn still does has an effect, and the process is dead when it ends. What modules of an
        application keep in variables of their own survives here, as it would not in a process.
        """
        if not self._is_dying:
            self.deaths += 1
            self.disk = {app: copy.deepcopy(medium) for app, medium in self.disk.items()}
            while self._near_ends:
                self._near_ends.pop().abort()  # what it had written still arrives
        self._is_dying = bool(self.dispatcher.turns())
        if self._is_dying:
            return
        for app in self.apps:
            app.abandon()
        self.discard()
        self._started.clear()
        # What the dead one had in mind is never done: its actors get no turn any more.
        self.dispatcher = self._new_dispatcher(f"{self.seed} {self.deaths}")
        for number in self._appointments:
            self._remind(number)
        while self._links:
            self.dispatcher.run_blocking(self._links.pop().pump, "pump")  # what the former dispatcher was asked is lost
        self._tick_timer = None
        self._arm()

    def discard(self) -> None:
        """End what applications that were killed have left: their threads and asyncio's tasks. Idempotent."""
        for system in self.systems:
            discard(system)

    def medium(self, app: RelayApp) -> MemoryMedium:
        """Return where the journal of an application lies, for ``MemoryStore``: see `disk`."""
        return self.disk.setdefault(app, MemoryMedium())

    def _new_dispatcher(self, seed: int | str) -> DeterministicDispatcher:
        lots = _Lots(seed, self._lots)
        dispatcher = DeterministicDispatcher(
            lots, self.clock, most_at_once=lambda: MOST_AT_ONCE + MOST_OF_A_CALL * len(self.sim.calls)
        )
        dispatcher.timers_of_others = lambda: (self._tick_timer is not None) + len(self._appointments)
        return dispatcher

    def _accept(self, far: MemoryTransport) -> None:
        if self._is_dying:
            raise ConnectFailedError("tcp", "memory", "the process is dead")
        if not self.sim.is_accepting:
            raise ConnectFailedError("tcp", "memory", "the server's sockets are down")
        link = LinkDriver(self.sim, far, schedule=lambda pump: self.dispatcher.run_blocking(pump, "pump"))
        self._links.append(link)

    def _journal_of(self, app: RelayApp) -> Store | None:
        return None if app.journal_path is None else MemoryStore(self.medium(app))

    def _arm(self) -> None:
        if self._tick_timer is not None:
            self._tick_timer.cancel()
        due = self.sim.next_deadline()
        self._tick_timer = None if due is None else self.dispatcher.call_at(due, self._tick)

    def _tick(self) -> None:
        self._tick_timer = None
        try:
            self.sim.tick(self.clock.now())
        except Exception as error:
            # As at every front: what one person gets wrong must not stop the time of all others.
            _log.exception("something that was due has failed")
            self.sim.note_failure(error)
        self._arm()


def discard(system: System) -> None:
    """End what a system has left that gets no more turns: its threads and asyncio's tasks. Idempotent."""
    system.own_threads.abandon()
    if isinstance(system.loop_host, VirtualLoopHost):
        system.loop_host.abandon()


def check_can_start(app: object) -> None:
    """Check that a test has given an application that can be started.

    Raises:
        ConfigError: it is none, or runs already.
    """
    if not isinstance(app, RelayApp):
        name = getattr(app, "__name__", repr(app))
        raise ConfigError(f"relay_app({name}): give the application, the RelayApp to which the classes belong")
    if app.is_running:
        raise ConfigError(f"{app!r} runs already: a test starts it itself, by relay_app(app)")


class _Lots(Random):
    """Draws whose turn it is, so many times; after that it is always the turn of the first one."""

    def __init__(self, seed: int | str, most: int | None) -> None:
        super().__init__(seed)
        self._left = most

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                return 0
        return super().randrange(start, stop, step)


class _Remembering(MemoryConnector):
    """Remembers the application's ends."""

    def __init__(self, accept: Callable[[MemoryTransport], None], near_ends: list[MemoryTransport]) -> None:
        super().__init__(accept)
        self._near_ends = near_ends

    def connect(self) -> MemoryTransport:
        near = super().connect()
        self._near_ends.append(near)
        return near
