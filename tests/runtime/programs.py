"""Random programs of actors, run deterministically, with invariants that are checked at each step and at the end."""

import contextlib
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from relay_actors.errors import ActorDead, MailboxFull, NameTaken, ParentStopping, TooManyChildren
from relay_actors.runtime.actor import Actor
from relay_actors.runtime.actor_ref import ActorRef
from relay_actors.runtime.child_spec import ChildSpec
from relay_actors.runtime.clock import Random, SystemClock
from relay_actors.runtime.dispatcher_baton import BatonDispatcher
from relay_actors.runtime.future import Future, WaitTimeout
from relay_actors.runtime.reasons import ChildFailed, DeadLetter, Down
from relay_actors.runtime.restart_policy import Backoff, Restart
from relay_actors.runtime.system import System
from tests.runtime.worlds import DEADLINE_S, World, until

DEEPEST_WAIT = 4


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message with a number, and who sent it as which of his messages."""

    number: int
    sender: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Tick:
    """A timer's message; ``generation`` counts the timers with this key."""

    key: int
    generation: int


class Program:
    """One random program. All that is random comes from the seed."""

    def __init__(self, seed: int) -> None:
        self.world = World(seed)
        self.system: System = self.world.system
        self.random = Random(seed * 7919 + 1)
        self.log: list[str] = []
        self.outcomes: Counter[int] = Counter()
        self.sent = 0
        self.futures: dict[int, Future[Any]] = {}
        self.sequences: Counter[tuple[str, str]] = Counter()
        self.heard: dict[tuple[str, str], int] = {}
        self.refs: list[ActorRef[Any]] = []
        self.cells: dict[int, Any] = {}
        self.inside: set[int] = set()
        self.waits = 0
        self.watches: dict[tuple[str, int], ActorRef[Any]] = {}
        self.downs: Counter[tuple[str, int]] = Counter()
        self.incarnations: dict[int, int] = {}
        self.violations: list[str] = []
        self.system.dead_letters.subscribe(self._on_dead_letter)

    # -- running it --------------------------------------------------------------------------------------------------

    def run(self, steps: int = 150) -> None:
        """Run it to the end, checking all the way."""
        self.witness = self.adopt(self.system.start(Witness, self))
        for _ in range(3):
            self._start_alone()
        for _ in range(steps):
            self.random.choices(
                [self._send, self._start, self._end_one, self._pass_time, self._step],
                weights=[6, 2, 1, 1, 12],
            )[0]()
            self.check()
        self._wind_up()

    def _send(self) -> None:
        self.send("outside", self.anybody())

    def _start(self) -> None:
        parent = self.anybody()
        spec = self.spec()
        if parent is not self.witness and self.random.random() < 0.5:
            self.adopt(self.system.start_child(parent, self.random.choice(CLASSES), self, spec=spec))
        else:
            self._start_alone()

    def _start_alone(self) -> None:
        with contextlib.suppress(OSError):  # its constructor may raise
            self.adopt(self.system.start(self.random.choice(CLASSES), self))

    def _end_one(self) -> None:
        ref = self.anybody()
        if ref is self.witness:
            return
        how = self.random.randrange(4)
        self.note("ends", ref, how)
        if how == 0:
            ref._cell.kill("by the program")
        else:
            self.expect(ref.stop(block=False, now=how == 1))

    def _pass_time(self) -> None:
        self.world.advance(self.random.choice([0.0, 0.1, 1.0, 7.0]))

    def _step(self) -> None:
        self.world.dispatcher.step()

    def _wind_up(self) -> None:
        """Let everybody but the witness end, and then all."""
        self.world.advance(120.0)
        for ref in list(self.refs):
            if ref is not self.witness:
                self.expect(ref.stop(block=False, now=True))
        self.world.advance(120.0)
        for cell in self.system.living:
            if cell.ref is not self.witness and cell.parent is None:
                cell.kill("the end of the program")
        self.world.advance(120.0)
        self.check()
        assert self.system.living == [self.witness._cell]
        for watch, target in self.watches.items():
            assert self.downs[watch] == 1, f"{watch} of {target}: {self.downs[watch]} downs"
        assert len(self.witness._cell.watching._watched) == 0
        self.world.end()
        unresolved = [number for number, future in self.futures.items() if not future.is_settled]
        assert unresolved == []
        wrong = {number: self.outcomes[number] for number in range(self.sent) if self.outcomes[number] != 1}
        assert wrong == {}, "messages with no outcome, or with more than one"

    # -- what actors and the outside do ------------------------------------------------------------------------------

    def anybody(self) -> ActorRef[Any]:
        """Choose an actor, more often than not one that lives."""
        living = [ref for ref in self.refs if ref.is_alive()]
        return self.random.choice(living if self.random.random() < 0.8 else self.refs)

    def adopt(self, ref: ActorRef[Any]) -> ActorRef[Any]:
        """Know an actor from now on."""
        self.refs.append(ref)
        self.cells[ref._cell.serial] = ref._cell
        return ref

    def spec(self) -> ChildSpec:
        random = self.random
        return ChildSpec(
            restart=random.choice(list(Restart)),
            max_restarts=random.choice([None, 0, 2, 50]),
            within_s=random.choice([0.5, 5.0]),
            backoff=random.choice([None, None, Backoff(min_s=0.1, max_s=2.0)]),
            shutdown_s=random.choice([0.5, 5.0]),
            keep_children=random.random() < 0.3,
        )

    def expect(self, future: Future[Any]) -> Future[Any]:
        """A future that must be settled in the end."""
        self.futures[-len(self.futures) - 1] = future
        return future

    def send(self, sender: str, ref: ActorRef[Any]) -> None:
        """Tell or ask somebody something."""
        if self.random.random() < 0.4:
            try:
                self._ask(sender, ref)
            except MailboxFull:
                self.note("full", ref)
            return
        envelope = self.new_envelope(sender, ref)
        self.note("tells", sender, ref, envelope.number)
        try:
            ref.tell(envelope)
        except (ActorDead, MailboxFull) as error:  # and it is a dead letter: that is the outcome
            self.note(type(error).__name__, ref, envelope.number)

    def send_and_wait(self, sender: str, ref: ActorRef[Any], timeout_s: float) -> None:
        """Ask somebody something, and wait for the answer inside the turn."""
        self._ask(sender, ref).get(timeout=timeout_s)

    def _ask(self, sender: str, ref: ActorRef[Any]) -> Future[Any]:
        envelope = self.new_envelope(sender, ref)
        self.note("asks", sender, ref, envelope.number)
        future = ref.ask(envelope, block=False)
        self.futures[envelope.number] = future
        return future

    def new_envelope(self, sender: str, ref: ActorRef[Any]) -> Envelope:
        pair = (sender, str(ref))
        self.sequences[pair] += 1
        self.sent += 1
        return Envelope(self.sent - 1, sender, self.sequences[pair])

    def note(self, what: str, *about: object) -> None:
        self.log.append(f"{self.world.now:.3f} {what} " + " ".join(str(one) for one in about))

    def _on_dead_letter(self, letter: DeadLetter) -> None:
        if isinstance(letter.message, Envelope):
            self.note("dead letter", letter.message.number, letter.reason)
            self.outcomes[letter.message.number] += 1

    def require(self, is_true: bool, otherwise: str) -> None:
        """Note a violation: what an actor raised itself would only end that actor."""
        if not is_true:
            self.violations.append(otherwise)

    # -- what must always be true ------------------------------------------------------------------------------------

    def check(self) -> None:
        """Check what must be true between any two steps."""
        for cell in self.cells.values():
            parent = cell.parent
            if parent is not None and parent.has_ended:
                assert cell.has_ended, f"{cell} outlives {parent}"
            if cell.has_ended:
                assert not cell.ref.is_alive()
                assert cell.mailbox.empty()
            for key in self.system.registry.keys_of(cell):
                assert not cell.has_ended
                owner = self.system.find(key)
                assert owner is None or owner == cell.ref
        assert self.violations == []
        living = {cell.serial for cell in self.system.living}
        for serial, cell in self.cells.items():
            assert (serial in living) is not cell.has_ended
        assert all(count <= 1 for count in self.outcomes.values())
        assert all(count <= 1 for count in self.downs.values())


class ThreadedProgram(Program):
    """The same actors on threads: nothing can be said between steps, but everything at the end."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        dispatcher = BatonDispatcher(SystemClock(), name=f"seed-{seed}", handover_after_s=0.0005)
        self.system = System(dispatcher=dispatcher, name=f"seed-{seed}")
        self.system.dead_letters.subscribe(self._on_dead_letter)
        self.dispatcher = dispatcher

    def run(self, steps: int = 150) -> None:
        """Run it from three threads at once, and then let it end."""
        self.witness = self.adopt(self.system.start(Witness, self))
        for _ in range(10):
            self._start_alone()
        threads = [threading.Thread(target=self._play, args=(f"outside {number}", steps)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60.0)
        self._wind_up()

    def _play(self, name: str, steps: int) -> None:
        for _ in range(steps):
            self.random.choices([lambda: self.send(name, self.anybody()), self._start, self._end_one], [20, 2, 1])[0]()

    def _wind_up(self) -> None:
        until(lambda: self._has_ended_all())
        self.witness.ask("has begun all watches", timeout=DEADLINE_S)
        # Those who have ended are counted out before their watchers are told.
        until(lambda: sum(self.downs.values()) >= len(self.watches))
        assert self.violations == []
        assert {watch: self.downs[watch] for watch in self.watches} == dict.fromkeys(self.watches, 1)
        assert self.witness._cell.watching._watched == {}
        assert self.system.stop(DEADLINE_S), f"left over: {self.system.living}"
        assert (self.system.actor_count, self.dispatcher.pending_timers, len(self.system.registry)) == (0, 0, 0)
        assert [number for number, future in self.futures.items() if not future.is_settled] == []
        assert {number: self.outcomes[number] for number in range(self.sent) if self.outcomes[number] != 1} == {}

    def _has_ended_all(self) -> bool:
        for cell in self.system.living:
            if cell.parent is None and cell.ref is not self.witness:
                cell.ref.stop(block=False, now=True)
        return self.system.living == [self.witness._cell]


class Player(Actor):
    """Does something random with each message."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.generations: dict[int, int] = {}
        self.tokens: list[int] = []
        cell = self._cell
        known = program.incarnations.get(cell.serial, -1)
        program.require(cell.incarnation > known, f"{cell}: an incarnation was used twice")
        program.incarnations[cell.serial] = cell.incarnation
        if program.random.random() < 0.03:
            raise OSError("constructor")

    def on_start(self) -> None:
        self.program.note("starts", self)
        if self.program.random.random() < 0.1:
            raise OSError("on_start")

    def on_stop(self) -> None:
        self.program.note("stops", self)
        if self.program.random.random() < 0.05:
            raise OSError("on_stop")

    def on_child_ended(self, ref: Any, reason: Any) -> None:
        self.program.note("hears of the end of", self, ref, reason.kind)
        self.program.require(ref._cell.has_ended, f"{self} hears of the end of {ref}, which lives")

    def on_receive(self, message: Any) -> Any:
        program, serial = self.program, self._cell.serial
        program.require(serial not in program.inside, f"{self}: two turns at once")
        program.inside.add(serial)
        try:
            return self._handle(message)
        finally:
            program.inside.discard(serial)

    def _handle(self, message: Any) -> Any:
        program = self.program
        if isinstance(message, Envelope):
            program.note("handles", self, message.number)
            program.outcomes[message.number] += 1
            pair = (message.sender, str(self.actor_ref))
            program.require(message.sequence > program.heard.get(pair, 0), f"{pair}: out of order")
            program.heard[pair] = message.sequence
        elif isinstance(message, Tick):
            is_wanted = self.generations.get(message.key) == message.generation
            program.require(is_wanted, f"{self}: a tick of a timer that is no more")
        elif isinstance(message, Down):
            program.require(message.ref._cell.has_ended, f"{self} is told the end of {message.ref}, which lives")
        else:
            program.require(isinstance(message, ChildFailed), f"{self} got {message}")
        for _ in range(program.random.choice([0, 1, 1, 2])):
            program.random.choices(ACTIONS, weights=WEIGHTS)[0](self)
        return message

    # -- actions -----------------------------------------------------------------------------------------------------

    def send(self) -> None:
        self.program.send(repr(self), self.program.anybody())

    def wait_for_answer(self) -> None:
        program = self.program
        if program.waits >= DEEPEST_WAIT:
            return
        program.waits += 1
        program.note("waits", self)
        try:
            program.send_and_wait(repr(self), program.anybody(), 0.2)
        except (ActorDead, MailboxFull, WaitTimeout) as error:
            program.note("has waited", self, type(error).__name__)
        finally:
            program.waits -= 1

    def make_child(self) -> None:
        make: Callable[..., Any] = self.program.random.choice([self.spawn, self.spawn_inline])
        try:
            child = make(self.program.random.choice(CLASSES), self.program, spec=self.program.spec())
        except (OSError, ParentStopping, TooManyChildren):
            return
        self.program.adopt(child)
        if self.program.random.random() < 0.5:
            self.deliver_now(child, self.program.new_envelope(f"{self} now", child))

    def stop_a_child(self) -> None:
        if self._cell.children is not None:
            for cell in list(self._cell.children)[:1]:
                self.stop_child(cell.ref, "by the program")

    def crash(self) -> None:
        raise ValueError("crash")

    def exit(self) -> None:
        raise SystemExit(1)

    def stop_itself(self) -> None:
        self.stop()

    def watch_somebody(self) -> None:
        self.tokens.append(self.watch(self.program.anybody()))

    def unwatch_somebody(self) -> None:
        if self.tokens:
            self.unwatch(self.tokens.pop())

    def claim_a_name(self) -> None:
        try:
            self.register(self.program.random.randrange(5))
        except NameTaken as taken:
            self.program.require(taken.owner != self.actor_ref, f"{self} cannot have what it owns")

    def begin_timer(self) -> None:
        key = self.program.random.randrange(3)
        self.generations[key] = generation = self.generations.get(key, 0) + 1
        interval = self.program.random.choice([None, None, 0.7])
        self.start_timer(key, Tick(key, generation), self.program.random.choice([0.0, 0.3, 2.0]), interval_s=interval)

    def end_timer(self) -> None:
        key = self.program.random.randrange(3)
        self.cancel_timer(key)
        self.generations[key] = self.generations.get(key, 0) + 1


class Bounded(Player):
    """Refuses what is too much."""

    mailbox_capacity = 2


class DropsOld(Player):
    """Drops the oldest of what is too much."""

    mailbox_capacity = 2
    mailbox_overflow = "drop_old"


class DropsNew(Player):
    """Drops the newest of what is too much."""

    mailbox_capacity = 2
    mailbox_overflow = "drop_new"


class Ordered(Player):
    """Stops its children one after the other."""

    stops_in_order = True
    max_restarts = 1


class Late(Player):
    """Runs after the others."""

    runs_late = True


class Few(Player):
    """Takes two children only."""

    max_children = 2


CLASSES: list[type[Player]] = [Player, Player, Bounded, DropsOld, DropsNew, Ordered, Late, Few]

ACTIONS: list[Callable[[Any], None]] = [
    Player.send, Player.make_child, Player.crash, Player.exit, Player.stop_itself, Player.watch_somebody,
    Player.unwatch_somebody, Player.claim_a_name, Player.begin_timer, Player.end_timer, Player.stop_a_child,
    Player.wait_for_answer,
]  # fmt: skip
WEIGHTS = [20, 6, 3, 1, 1, 4, 2, 2, 6, 2, 1, 2]


class Witness(Actor):
    """Watches everybody, several times, and is never ended by the program."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self.program = program
        self.tokens: list[tuple[int, ActorRef[Any]]] = []

    def on_receive(self, message: Any) -> Any:
        program = self.program
        if isinstance(message, Down):
            for cell in list(program.cells.values()):
                ancestor = cell.parent
                while ancestor is not None and ancestor.ref != message.ref:
                    ancestor = ancestor.parent
                program.require(
                    ancestor is None or cell.has_ended, f"{cell} lives when the end of {message.ref} is told"
                )
            [token, *_] = [token for token, ref in self.tokens if ref == message.ref]
            self.tokens.remove((token, message.ref))
            program.downs["witness", token] += 1
            return None
        if not isinstance(message, Envelope):
            return message
        program.outcomes[message.number] += 1
        target = program.anybody()
        if target is not program.witness:
            token = self.watch(target)
            self.tokens.append((token, target))
            program.watches["witness", token] = target
            if self.tokens and program.random.random() < 0.2:
                token, target = self.tokens.pop(program.random.randrange(len(self.tokens)))
                self.unwatch(token)
                del program.watches["witness", token]
        return message
