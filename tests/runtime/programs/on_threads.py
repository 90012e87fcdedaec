"""The same actors on threads: nothing can be said between two steps, but what they see themselves, and the end."""

import threading
from typing import Any

from relay_actors.errors import ActorError, MailboxFull
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.clock import SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.system import System
from tests.runtime.programs.invariants import AT_THE_END
from tests.runtime.programs.players import CLASSES, Player
from tests.runtime.programs.program import Program
from tests.runtime.worlds import DEADLINE_S, until

__all__ = ["ThreadedProgram"]


class Pinned(Player):
    """Has a thread of its own."""

    dispatcher = "pinned"


class ThreadedProgram(Program):
    """One random program on threads. The seed is only a number: nothing repeats itself here.

    Args:
        seed: by which it is told from others.
        players: how many threads play, beside those of the actors.
        patience_s: how long it waits for what must come.
    """

    classes = (*CLASSES, Pinned)

    def __init__(self, seed: int, *, players: int = 3, patience_s: float = DEADLINE_S) -> None:
        super().__init__(seed)
        self._players = players
        self._patience_s = patience_s

    def make_system(self, seed: int) -> System:
        """Make a system whose baton changes hands as often as possible."""
        self.dispatcher = BatonDispatcher(SystemClock(), name=f"seed-{seed}", handover_after_s=0.0005)
        return System(dispatcher=self.dispatcher, name=f"seed-{seed}")

    @property
    def replay(self) -> str:
        """The command that runs others like it."""
        return "make stress ARGS=programs"

    def _run(self, steps: int) -> None:
        self.begin(10)
        threads = [
            threading.Thread(target=self._play, args=(f"outside {number}", steps)) for number in range(self._players)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60.0)
            self.require(not thread.is_alive(), "a thread of the outside hangs")
        self.wind_up()

    def _play(self, name: str, steps: int) -> None:
        try:
            for _ in range(steps):
                self.random.choices([self._send, self._start, self._end_one], [20, 2, 1])[0](name)
        except BaseException as error:  # noqa: BLE001  # on this thread nobody would hear of it
            self.require(False, f"{name} raised {error!r}")

    def _send(self, name: str) -> None:
        ref = self.anybody()
        if self.chance(0.6):
            self.tell(name, ref)
            return
        try:
            self.ask(name, ref)
        except MailboxFull:
            self.note("full", ref._cell)

    def _start(self, _name: str) -> None:
        parent = self.anybody()
        if parent is self.witness or self.chance(0.5):
            self.start_alone()
            return
        try:
            self.adopt(self.system.start_child(parent, self.a_class(), self, spec=self.spec()))
        except (OSError, ActorError) as error:
            self.note("no child", type(error).__name__)

    def _end_one(self, _name: str) -> None:
        ref = self.anybody()
        if ref is self.witness:
            return
        how = self.random.choice(["kill", "stop", "stop now"])
        self.note(how, ref._cell)
        if how == "kill":
            ref._cell.kill("by the program")
        else:
            self.stops.append(ref.stop(block=False, now=how == "stop now"))

    def anybody(self) -> ActorRef[Any]:
        """Choose an actor, more often than not one that lives."""
        refs = list(self.refs)
        living = [ref for ref in refs if ref.is_alive()]
        return self.random.choice(living if living and self.chance(0.8) else refs)

    def require_in_time(self, latest: float, otherwise: str) -> None:
        """Nothing: how long a thread waits for a processor is not the runtime's doing."""

    def end_watch(self, actor: Any, target: ActorRef[Any]) -> None:
        """As in a deterministic program; others may begin watches meanwhile, but only for themselves."""
        for cell in list(self.cells.values()):
            ancestor = cell.parent
            while ancestor is not None and ancestor.ref != target:
                ancestor = ancestor.parent
            self.require(
                ancestor is None or cell.has_ended, f"{cell} lives when the end of {target._cell} is told (L6)"
            )
        self.end_one_watch(actor, target)

    def wind_up(self) -> None:
        """Let everybody but the witness end, and then all."""
        until(self._has_ended_all, within_s=self._patience_s)
        # Those who have ended are counted out before those who watch and ask are told.
        until(self._is_quiet, within_s=self._patience_s)
        assert self.system.stop(self._patience_s), f"left over: {self.system.living}"
        until(lambda: self.dispatcher.pending_timers == 0, within_s=self._patience_s)
        assert (self.system.actor_count, len(self.system.registry)) == (0, 0)
        self.check_end()

    def check_end(self) -> None:
        """Check what must be true when everybody but the witness has ended."""
        if self.violations:
            self.fail(self.violations[0])
        for invariant in AT_THE_END:
            for problem in invariant(self):
                self.fail(f"{invariant.__name__}: {problem}")

    def _has_ended_all(self) -> bool:
        for cell in self.system.living:
            if cell.parent is None and cell.ref is not self.witness:
                cell.ref.stop(block=False, now=True)
        return self.system.living == [self.witness._cell]

    def _is_quiet(self) -> bool:
        if self.violations:
            return True
        watches = self.watches.get(self.witness._cell.serial)
        is_settled = all(future.is_settled for future in list(self.open_asks.values()))
        return is_settled and not watches and not self.pending and not self.inside
