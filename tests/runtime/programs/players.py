"""The actors of a program: they do something random with each message, and see what happens to themselves."""

from typing import Any

from relay_actors.runtime.actor import Actor
from relay_actors.runtime.reasons import ChildFailed, Down
from tests.runtime.programs.actions import ACTIONS
from tests.runtime.programs.messages import Envelope, Piped, Tick

__all__ = ["CLASSES", "Player", "Witness"]

_DO = [one.do for one in ACTIONS]
_WEIGHTS = [one.weight for one in ACTIONS]


class Observed(Actor):
    """Sees to what one incarnation can see: one turn at a time, in order, from start to end."""

    def __init__(self, program: Any) -> None:
        super().__init__()
        self.program = program
        self.generations: dict[int, int] = {}
        self.due: dict[int, tuple[float, float | None]] = {}
        self.owed: list[tuple[int, Any]] = []
        self.number = -1
        self.phase = "new"
        cell = self._cell
        program.adopt(cell.ref)  # one that was killed and begins anew has nobody else to say so
        known = program.incarnations.get(cell.serial, -1)
        program.require(
            cell.incarnation == known + 1, f"{cell}: incarnation {cell.incarnation} comes after {known} (L4)"
        )
        program.incarnations[cell.serial] = cell.incarnation

    def on_start(self) -> None:
        self.program.note("starts", self, self._cell.incarnation)
        self.program.require(self.phase == "new", f"{self} starts, and is {self.phase} (L3)")
        self.phase = "running"

    def on_receive(self, message: Any) -> Any:
        program, serial = self.program, self._cell.serial
        program.require(serial not in program.inside, f"{self}: two turns at once (D1)")
        program.require(self.phase == "running", f"{self} handles {message}, and is {self.phase} (L3)")
        program.inside.add(serial)
        self.number = number = message.number if isinstance(message, Envelope) else -1
        program.handling.add(number)
        try:
            self.handle(message)
            return number  # and not the message: an answer that a pipe cannot bring any more is a dead letter as well
        finally:
            program.handling.discard(number)
            program.inside.discard(serial)

    def handle(self, message: Any) -> Any:
        """See to what a message says about order, generations and ends."""
        program = self.program
        if isinstance(message, Envelope):
            program.note("handles", self, message.number)
            program.settle(message.number, f"handled by {self}")
            pair = (message.sender, repr(self))
            program.require(
                message.sequence > program.heard.get(pair, 0), f"{message.sender} to {self}: out of order (M1)"
            )
            program.heard[pair] = message.sequence
        elif isinstance(message, Tick):
            program.note("ticks", self, message.key, message.generation)
            is_wanted = self.generations.get(message.key) == message.generation
            program.require(is_wanted, f"{self}: a tick of a timer that is no more (T1)")
        elif isinstance(message, Piped):
            program.note("is piped", self, message.number)
            program.require(message.number not in program.piped, f"{self}: pipe {message.number} brings twice (A12)")
            program.require(
                message.incarnation == self._cell.incarnation, f"{self} is piped what was for another one (A12)"
            )
            program.piped.add(message.number)
        elif isinstance(message, Down):
            program.note("hears of the end of", self, message.ref._cell, message.reason.kind)
            program.end_watch(self, message.ref)
        else:
            program.require(isinstance(message, ChildFailed), f"{self} got {message}")
        return message

    def on_child_ended(self, ref: Any, reason: Any) -> None:
        self.program.require(ref._cell.has_ended, f"{self} hears of the end of {ref}, which lives (L6)")

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.program.require(self.phase != "failed", f"{self} fails a second time in one incarnation (L3)")
        self.phase = "failed"

    def on_stop(self) -> None:
        self.program.note("stops", self)
        self.program.require(self.phase in ("running", "failed"), f"{self} stops, and is {self.phase} (L7)")
        self.phase = "stopped"

    def pre_restart(self, reason: Any, message: object) -> None:
        self.program.note("is restarted", self, reason.kind)
        self.program.require(self.phase in ("new", "failed"), f"{self} is replaced, and is {self.phase} (L7)")
        self.phase = "replaced"


class Player(Observed):
    """Does something random with each message, and fails now and then where it must not."""

    def __init__(self, program: Any) -> None:
        super().__init__(program)
        if program.chance(0.03):
            raise OSError("constructor")

    def on_start(self) -> None:
        super().on_start()
        if self.program.chance(0.1):
            raise OSError("on_start")

    def on_stop(self) -> None:
        super().on_stop()
        if self.program.chance(0.05):
            raise OSError("on_stop")

    def handle(self, message: Any) -> Any:
        super().handle(message)
        random = self.program.random
        for do in random.choices(_DO, weights=_WEIGHTS, k=random.choice([0, 1, 1, 2])):
            do(self)
        if isinstance(message, Tick):
            self._after_tick(message)
        return message

    def _after_tick(self, tick: Tick) -> None:
        if self.generations.get(tick.key) != tick.generation:
            return
        _due, interval_s = self.due.pop(tick.key)
        if interval_s is not None:
            self.due[tick.key] = self.program.now + interval_s, interval_s


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


CLASSES: tuple[type[Player], ...] = (Player, Player, Bounded, DropsOld, DropsNew, Ordered, Late, Few)


class Witness(Observed):
    """Watches everybody, several times, and is never ended by the program."""

    def handle(self, message: Any) -> Any:
        super().handle(message)
        program = self.program
        if isinstance(message, Envelope):
            target = program.anybody()
            if target is not program.witness:
                program.begin_watch(self, target)
                if program.chance(0.2):
                    token, _target = program.watches[self._cell.serial].pop(0)
                    self.unwatch(token)
        return message
