"""One random program, run deterministically: what is known of it, and how it is run and checked."""

import hashlib
import itertools
from collections import Counter
from typing import Any, NoReturn

from relay_actors.errors import ActorDead, MailboxFull
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random
from relay_actors.runtime.future import Future
from relay_actors.runtime.reasons import DeadLetter
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.programs.invariants import ALWAYS, AT_THE_END
from tests.runtime.programs.messages import Envelope
from tests.runtime.programs.moves import MOVES
from tests.runtime.programs.players import CLASSES, Player, Witness
from tests.runtime.worlds import World

__all__ = ["Program", "Violation"]

_SHOWN_LINES = 60


class Violation(AssertionError):  # noqa: N818  # the word of SEMANTICS V5
    """Something was not true that must be; with the events up to it, and how to see it again."""


class Program:
    """One random program. All that is random comes from the seed.

    Attributes:
        log: what has happened, line by line.
        refs: all actors that were ever started, in that order.
        open_cells: by serial, those that have not been seen ended yet.
        pending: numbers of the messages that have had no outcome, with who is to handle each.
        handling: numbers of the messages that are being handled, in the turns on the stack.
        open_asks: futures of asks, by the number of the message, that have not been seen settled yet.
        stops: futures of stops.
        heard: per sender and receiver, the last sequence number that was handled.
        watches: per watcher's serial, its open watches in the order in which they were begun: token and target.
        incarnations: per serial, the last incarnation that was constructed.
        inside: serials of those whose turns are on the stack.
        waits: how many waits for answers are on the stack.
    """

    classes: tuple[type[Player], ...] = CLASSES

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.system: System = self.make_system(seed)
        self.random = Random(seed * 7919 + 1)
        self.log: list[str] = []
        self.steps = 0
        self.witness: ActorRef[Any]
        self.refs: list[ActorRef[Any]] = []
        self.open_cells: dict[int, Any] = {}
        self.cells: dict[int, Any] = {}
        self.numbers = itertools.count()
        self.pending: dict[int, str] = {}
        self.handling: set[int] = set()
        self.open_asks: dict[int, Future[Any]] = {}
        self.deferred: dict[int, Any] = {}
        self.pipes = itertools.count()
        self.piped: set[int] = set()
        self.stops: list[Future[Any]] = []
        self.sequences: Counter[tuple[str, str]] = Counter()
        self.heard: dict[tuple[str, str], int] = {}
        self.watches: dict[int, list[tuple[int, ActorRef[Any]]]] = {}
        self.incarnations: dict[int, int] = {}
        self.inside: set[int] = set()
        self.waits = 0
        self.violations: list[str] = []
        self.system.dead_letters.subscribe(self._on_dead_letter)

    def make_system(self, seed: int) -> System:
        """Make the system in which it runs."""
        self.world = World(seed)
        return self.world.system

    # -- running it --------------------------------------------------------------------------------------------------

    def run(self, steps: int = 130) -> None:
        """Run it to the end, checking all the way.

        Raises:
            Violation: something was not true.
        """
        try:
            self._run(steps)
        except Violation:
            raise
        except BaseException as error:  # noqa: BLE001  # whatever it is, it is told with the events before it
            self.fail(f"raised {error!r}", error)

    def _run(self, steps: int) -> None:
        self.begin(3)
        moves = self.random.choices([one.do for one in MOVES], weights=[one.weight for one in MOVES], k=steps)
        for move in moves:
            self.steps += 1
            move(self)
            self.check()
        self.wind_up()

    def begin(self, players: int) -> None:
        """Start who is there from the beginning."""
        self.witness = self.adopt(self.system.start(Witness, self))
        for _ in range(players):
            self.start_alone()

    def wind_up(self) -> None:
        """Let everybody but the witness end, and then all."""
        self.world.advance(120.0)
        self.check()
        for ref in list(self.refs):
            if ref is not self.witness:
                self.stops.append(ref.stop(block=False, now=True))
        self.world.advance(120.0)
        for cell in self.system.living:
            if cell.ref is not self.witness and cell.parent is None:
                cell.kill("the end of the program")
        self.world.advance(120.0)
        self.check()
        self.check_end()
        self.world.end()

    def check(self) -> None:
        """Check what must be true between any two steps.

        An actor that has ended is checked once more, at the end of the program.
        """
        for invariant in ALWAYS:
            for problem in invariant(self):
                self.fail(f"{invariant.__name__}: {problem}")
        if self.violations:
            self.fail(self.violations[0])
        for serial in [serial for serial, cell in self.open_cells.items() if cell.has_ended]:
            del self.open_cells[serial]
        for number in [number for number, future in self.open_asks.items() if future.is_settled]:
            del self.open_asks[number]

    def check_end(self) -> None:
        """Check what must be true when everybody but the witness has ended."""
        self.open_cells = dict(self.cells)
        self.check()
        for invariant in AT_THE_END:
            for problem in invariant(self):
                self.fail(f"{invariant.__name__}: {problem}")

    def fail(self, what: str, cause: BaseException | None = None) -> NoReturn:
        """Say what was not true, after which events, and how to see all of them."""
        left_out = max(0, len(self.log) - _SHOWN_LINES)
        lines = [f"... {left_out} events before ...", *self.log[-_SHOWN_LINES:]] if left_out else self.log
        raise Violation(
            "\n".join(
                [*lines, f"step {self.steps}: VIOLATION: {what}", f"seed {self.seed}; see it again with: {self.replay}"]
            )
        ) from cause

    @property
    def replay(self) -> str:
        """The command that runs it again."""
        return f"make seeds SEED={self.seed}"

    @property
    def digest(self) -> str:
        """A fingerprint of the log: equal logs, byte for byte, have equal ones."""
        return hashlib.sha256("\n".join(self.log).encode()).hexdigest()

    def require(self, is_true: bool, otherwise: str) -> None:
        """Note a violation: what an actor raised itself would only end that actor."""
        if not is_true:
            self.violations.append(otherwise)

    def note(self, what: str, *about: object) -> None:
        """Write down what happens."""
        words = " ".join([one if type(one) is str else repr(one) for one in about])
        self.log.append(f"{self.steps:4} {self.now:8.3f} {what} {words}")

    @property
    def now(self) -> float:
        """Virtual seconds."""
        return self.system.clock.now()

    # -- what actors and the outside do ------------------------------------------------------------------------------

    def chance(self, probability: float) -> bool:
        """Decide by chance."""
        return self.random.random() < probability

    def anybody(self) -> ActorRef[Any]:
        """Choose an actor, more often than not one that lives."""
        if self.chance(0.8):
            living = [cell.ref for cell in self.open_cells.values() if not cell.stopped]
            if living:
                return self.random.choice(living)
        return self.random.choice(self.refs)

    def a_class(self) -> type[Player]:
        """Choose a class."""
        return self.random.choice(self.classes)

    def spec(self) -> ChildSpec:
        """Choose how a child is supervised."""
        random = self.random
        return ChildSpec(
            restart=random.choice(list(Restart)),
            max_restarts=random.choice([None, 0, 2, 50]),
            within_s=random.choice([0.5, 5.0]),
            backoff=random.choice([None, None, Backoff(min_s=0.1, max_s=2.0)]),
            shutdown_s=random.choice([0.5, 5.0]),
            keep_children=self.chance(0.3),
        )

    def start_alone(self) -> None:
        """Start an actor without a parent, unless its constructor raises."""
        try:
            self.adopt(self.system.start(self.a_class(), self))
        except OSError:
            self.note("could not start one")

    def adopt(self, ref: ActorRef[Any]) -> ActorRef[Any]:
        """Know an actor from now on."""
        cell = ref._cell
        if cell.serial not in self.cells:
            self.refs.append(ref)
            self.cells[cell.serial] = self.open_cells[cell.serial] = cell
        return ref

    def new_envelope(self, sender: str, ref: ActorRef[Any]) -> Envelope:
        """Make a message, which has to have exactly one outcome from now on."""
        pair = (sender, repr(ref._cell))
        self.sequences[pair] += 1
        envelope = Envelope(next(self.numbers), sender, self.sequences[pair])
        self.pending[envelope.number] = pair[1]
        return envelope

    def settle(self, number: int, how: str) -> None:
        """Note the outcome of a message: handled, a dead letter, or told to the sender."""
        if self.pending.pop(number, None) is None:
            self.require(False, f"message {number} has a second outcome: {how}")

    def tell(self, sender: str, ref: ActorRef[Any]) -> None:
        """Tell somebody something."""
        envelope = self.new_envelope(sender, ref)
        self.note("tells", sender, ref._cell, envelope.number)
        try:
            ref.tell(envelope)
        except (ActorDead, MailboxFull) as error:  # and a dead letter: that is the outcome
            self.note(type(error).__name__, ref._cell, envelope.number)

    def ask(self, sender: str, ref: ActorRef[Any]) -> Future[Any]:
        """Ask somebody something.

        Raises:
            MailboxFull: there is no room; the message is a dead letter.
        """
        envelope = self.new_envelope(sender, ref)
        number = envelope.number
        self.note("asks", sender, ref._cell, number)
        future = ref.ask(envelope, block=False)
        self.open_asks[number] = future
        return future

    def begin_watch(self, actor: Any, target: ActorRef[Any]) -> None:
        """Have an actor watch another one."""
        self.watches.setdefault(actor._cell.serial, []).append((actor.watch(target), target))

    def end_watch(self, actor: Any, target: ActorRef[Any]) -> None:
        """Note that an actor is told an end: one of its watches is over. In the order in which they were begun."""
        self.require(target._cell.has_ended, f"{actor} is told the end of {target._cell}, which lives (W1)")
        for cell in self.open_cells.values():
            ancestor = cell.parent
            while ancestor is not None and ancestor.ref != target:
                ancestor = ancestor.parent
            self.require(
                ancestor is None or cell.has_ended, f"{cell} lives when the end of {target._cell} is told (L6)"
            )
        self.end_one_watch(actor, target)

    def end_one_watch(self, actor: Any, target: ActorRef[Any]) -> None:
        """Note that the first of an actor's watches of ``target`` is over; there must be one."""
        watches = self.watches.get(actor._cell.serial, [])
        for number, (_token, watched) in enumerate(watches):
            if watched == target:
                del watches[number]
                return
        self.require(False, f"{actor} is told the end of {target._cell} without a watch, or once too often (W1, W3)")

    def require_in_time(self, latest: float, otherwise: str) -> None:
        """Require that virtual time is not past ``latest``."""
        self.require(self.now <= latest + 1e-6, f"{otherwise}, and should not later than {latest:.3f} (A10)")

    def _on_dead_letter(self, letter: DeadLetter) -> None:
        if isinstance(letter.message, Envelope):
            self.note("dead letter", letter.message.number, letter.reason)
            self.settle(letter.message.number, f"a dead letter, {letter.reason}")
