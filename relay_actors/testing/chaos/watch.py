"""What must hold after every step of a run, whatever the application is and whatever goes wrong. Layer: door.

Each invariant has a name, which a shrunk run must break again. Source: SEMANTICS V5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from relay_actors.app import RelayApp
from relay_actors.journal.entries import CommandIntended, Entry, EventReceived
from relay_actors.journal.memory import MemoryMedium, MemoryStore
from relay_actors.protocol import json_codec
from relay_actors.protocol.readers import read_object
from relay_actors.runtime.cell import Cell
from relay_actors.runtime.mailbox import STOP, Envelope
from relay_actors.runtime.reasons import DeadLetter, ExitReason
from relay_actors.runtime.restart_record import RestartRecord
from relay_actors.runtime.signals import Internal
from relay_actors.simulator.crossings import states_of
from relay_actors.testing.chaos.moments import call_of
from relay_actors.testing.chaos.people import Stage
from relay_actors.testing.lab import Lab

__all__ = ["INVARIANTS", "Broken", "Watch", "WatchedStore"]

INVARIANTS: Final = {
    "turns": "an actor has one turn at a time",
    "children": "a child never outlives its parent",
    "envelopes": "each message is handled, refused, or a dead letter",
    "deadlines": "no wait lasts beyond its deadline",
    "after the end": "no command follows the confirmed end of a call, and no hang-up one that was accepted",
    "once": "no command is carried out twice",
    "acknowledged": "each event is acknowledged, as often as it was sent",
    "durable": "no event is acknowledged before it is in the journal for good",
    "well formed": "every command is one that the wire has",
    "connection": "the framework's own actors never fail",
    "rest": "everything comes to rest",
    "calls up": "when everybody has hung up, no call is left up, here or at the server",
    "left over": "after the end no actor, key, timer or request is left",
    "judge": "what the application's own judge has said",
}
"""By their names: what must hold."""

_OF_CALLS: Final = ("request", "parked", "held", "known")
"""What of an application's residue can only belong to calls and texts: its services may have much of their own."""

_PILLARS: Final = ("ConnectionActor", "DeskActor", "ServicesSupervisor", "CallsSupervisor", "MessagesSupervisor")
"""Actors that run no code of an application: nothing that happens may make them fail."""

_STEPS_AT_A_MOMENT: Final = 20_000
_SECOND: Final = 1.0


@dataclass(frozen=True, slots=True)
class Broken:
    """An invariant that did not hold.

    Attributes:
        invariant: its name.
        how: what was seen.
        at: virtual seconds since the beginning.
    """

    invariant: str
    how: str
    at: float

    def __str__(self) -> str:
        return f"{self.invariant}: {self.how} (at {self.at:.3f}; {INVARIANTS[self.invariant]})"


class Watch:
    """Watches one run.

    Args:
        lab: where it happens.

    Attributes:
        broken: what did not hold, in the order in which it was noticed.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self.broken: list[Broken] = []
        self._events: dict[object, tuple[str, str, str]] = {}
        self._sent: Counter[object] = Counter()
        self._acks: Counter[object] = Counter()
        self._ended_at: dict[object, float] = {}
        self._hung_up_at: dict[object, float] = {}
        self._requests: dict[object, tuple[str, object, object]] = {}
        self._carried_out: Counter[tuple[str, object]] = Counter()
        self._durable: set[object] = set()
        self._appended: set[object] = set()
        self._moment = 0.0
        self._steps = 0
        self._mail: dict[int, tuple[object, list[str]]] = {}
        """By the identity of a message, which is kept so that no other one gets it: to whom it is on its way."""

    def complain(self, invariant: str, how: str) -> None:
        """Note that an invariant does not hold."""
        self.broken.append(Broken(invariant, how, self._lab.clock.now()))

    def follow(self, app: RelayApp) -> None:
        """Watch the actors of an application that was started, or is about to be."""
        system = app.system
        self._mail.clear()
        # What a former process had taken in and not committed died with it: it is to be kept anew, before it is
        # acknowledged.
        self._appended &= self._durable
        system.observation.add(self)
        system.dead_letters.subscribe(self._on_dead_letter)
        system.restarts.subscribe(self._on_restart)

    def after_step(self) -> None:
        """Look at what can be wrong only between two steps."""
        now = self._lab.clock.now()
        if now != self._moment:
            self._moment, self._steps = now, 0
            for app in self._lab.apps:
                if (late_s := app.overdue_s) > _SECOND:
                    self.complain("deadlines", f"the connection should have acted {late_s:g} s ago")
        self._steps += 1
        if self._steps == _STEPS_AT_A_MOMENT:
            self.complain("rest", f"{self._steps} steps at one moment of virtual time, and no end")

    # -- the wire, as the application sees it ------------------------------------------------------------------------

    def has_received(self, texts: Iterable[bytes]) -> None:
        """The application's end of a connection has given it these texts."""
        for text in texts:
            self._said(_frame_of(text))

    def has_sent(self, texts: Iterable[bytes]) -> None:
        """The application has written these texts."""
        for text in texts:
            frame = _frame_of(text)
            if "method" in frame:
                self._asked(frame)
            elif "result" in frame:
                self._acknowledged(frame.get("id"))

    def _said(self, frame: dict[str, Any]) -> None:
        """The server has said something."""
        if frame.get("method") == "signalwire.event":
            params = read_object(frame.get("params")) or {}
            details = read_object(params.get("params")) or {}
            frame_id = _scalar(frame.get("id"))
            self._events[frame_id] = (
                str(params.get("event_type")),
                str(details.get("call_id", "")),
                str(details.get("call_state")),
            )
            self._sent[frame_id] += 1
        elif (request := self._requests.pop(_scalar(frame.get("id")), None)) is not None:
            method, name, call_id = request
            if str((read_object(frame.get("result")) or {}).get("code", "")).startswith("2"):
                self._carried_out[method, name] += 1
                if self._carried_out[method, name] == 2:
                    self.complain("once", f"{method} of {name} was carried out twice")
                if method == "calling.end":
                    self._hung_up_at.setdefault(call_id, self._lab.clock.now())

    def _asked(self, frame: dict[str, Any]) -> None:
        """The application asks for something."""
        method, now = str(frame["method"]), self._lab.clock.now()
        params = read_object(frame.get("params")) or {}
        call_id = params.get("call_id")
        name = params.get("control_id") or params.get("tag")
        if name is not None and method.count(".") == 1:
            self._requests[_scalar(frame.get("id"))] = method, name, call_id
        elif method == "calling.end":
            self._requests[_scalar(frame.get("id"))] = method, call_id, call_id
        hung_up = self._hung_up_at if method == "calling.end" else {}
        for ends, why in ((self._ended_at, "the end was confirmed"), (hung_up, "it was hung up")):
            # At the same instant they may have crossed: what is confirmed has not been delivered yet (SEMANTICS J1).
            if now > ends.get(call_id, now):
                self.complain("after the end", f"{method} of call {call_id}, and {why} at {ends[call_id]:.3f}")

    def _acknowledged(self, frame_id: object) -> None:
        if frame_id not in self._events:
            return
        event_type, call_id, state = self._events[frame_id]
        self._acks[frame_id] += 1
        if self._acks[frame_id] > self._sent[frame_id]:
            self.complain(
                "acknowledged",
                f"{event_type} {frame_id} was sent {self._sent[frame_id]} times, and is acknowledged again",
            )
        if frame_id in self._appended and frame_id not in self._durable:
            self.complain("durable", f"{event_type} {frame_id} is acknowledged, and is not durable yet")
        if event_type == "calling.call.state" and state == "ended":
            self._ended_at.setdefault(call_id, self._lab.clock.now())

    # -- the journal -------------------------------------------------------------------------------------------------

    def has_appended(self, entries: Iterable[Entry]) -> None:
        """The journal is about to keep these entries."""
        for entry in entries:
            if isinstance(entry, EventReceived) and entry.frame_id is not None:
                self._appended.add(entry.frame_id)
                if self._acks[entry.frame_id] and entry.frame_id not in self._durable:
                    self.complain("durable", f"event {entry.frame_id} was acknowledged before it was in the journal")

    def has_committed(self) -> None:
        """The journal has kept for good what it had taken in."""
        self._durable |= self._appended

    # -- the actors (`runtime.observed.Observer`) --------------------------------------------------------------------

    def on_sent(self, cell: Cell, message: object) -> None:
        """A message is about to be put into a mailbox."""
        if not isinstance(message, Internal) and message is not STOP:  # the end of the actor is what becomes of that
            self._mail.setdefault(id(message), (message, []))[1].append(str(cell))

    def capture(self) -> object:
        """Nothing travels with the messages."""
        return None

    def on_handling(self, cell: Cell, envelope: Envelope) -> None:
        """A message is about to be handled."""
        self._arrives(envelope.message)
        turns = self._lab.dispatcher.turns()
        if len(turns) > 1:
            twice = [one for one, times in Counter(id(one) for one, _since in turns).items() if times > 1]
            if twice:
                self.complain("turns", f"{cell} is given a turn inside its own turn")

    def on_handled(
        self, cell: Cell, envelope: Envelope, begun: object, took_s: float, error: BaseException | None
    ) -> None:
        """A message has been handled."""

    def on_ended(self, cell: Cell, reason: ExitReason) -> None:
        """An actor has ended for good."""
        for system in self._lab.systems:
            for other in system.living:
                if other.parent is cell and not other.has_ended:
                    self.complain("children", f"{other} lives when the end of {cell} is told")

    def _on_restart(self, record: RestartRecord) -> None:
        """A failed actor is about to begin anew."""
        if record.child.partition("#")[0] in _PILLARS:
            self.complain("connection", f"{record.child} has failed: {record.reason}")

    def _on_dead_letter(self, letter: DeadLetter) -> None:
        """Somebody's message will not be handled."""
        self._arrives(letter.message)

    def _arrives(self, message: object) -> None:
        on_its_way = self._mail.get(id(message))
        if on_its_way is not None:
            on_its_way[1].pop()
            if not on_its_way[1]:
                del self._mail[id(message)]

    # -- the end -----------------------------------------------------------------------------------------------------

    def before_the_stop(self) -> None:
        """Everybody has hung up, and every time-out has passed: see that nothing goes on."""
        for call in self._lab.sim.calls_up():
            self.complain("calls up", f"the server has call {call.call_id} up ({call.state})")
        for violation in self._lab.sim.violations:
            self.complain("well formed", f"{violation.method}: {', '.join(violation.problems)}")
        for wrong in self._lab.sim.wrong_acks:
            self.complain("acknowledged", f"{wrong.name} {wrong.frame_id}: {wrong.problem}")
        for app in self._lab.apps:
            if app.calls_up:
                self.complain("calls up", f"the application has {app.calls_up} calls up")
            for key, what in app.residue().items():
                if isinstance(key, tuple) and key[0] in _OF_CALLS:
                    self.complain("left over", what)

    def after_the_stop(self, clean: Iterable[bool]) -> None:
        """All applications were stopped: see that nothing is left."""
        if not all(clean):
            self.complain("left over", "a stop had to wait in vain for an actor or a thread")
        for message, recipients in self._mail.values():
            self.complain("envelopes", f"{type(message).__name__} for {', '.join(recipients)} was not accounted for")
        if timers := self._lab.pending_timers:
            self.complain("left over", f"{timers} timers are still pending")
        for system in self._lab.systems:
            if system.actor_count:
                self.complain("left over", f"actors: {', '.join(sorted(map(str, system.living)))}")
            if len(system.registry):
                self.complain("left over", f"{len(system.registry)} keys of the registry")


def _frame_of(text: bytes) -> dict[str, Any]:
    """Return the frame; an empty one for what is none."""
    try:
        return read_object(json_codec.loads(text)) or {}
    except ValueError:
        return {}


def _scalar(value: object) -> object:
    """Return what can be a key: the id of a frame may be anything at all."""
    return value if isinstance(value, str | int | None) else str(value)


class WatchedStore(MemoryStore):
    """A journal in memory that tells a `Watch` what it keeps, and a `Stage` where the process may die."""

    def __init__(self, medium: MemoryMedium, watch: Watch, stage: Stage) -> None:
        super().__init__(medium)
        self._watch = watch
        self._stage = stage
        self._taken: list[Entry] = []

    def append(self, entries: Iterable[Entry]) -> None:
        """Take entries in. See `Store.append`."""
        entries = list(entries)
        self._watch.has_appended(entries)
        self._taken += entries
        super().append(entries)

    def commit(self) -> None:
        """Make everything durable. See `Store.commit`."""
        self._stage.place()
        super().commit()
        taken, self._taken = self._taken, []
        if not self._stage.is_dead:  # otherwise it was in the middle of this turn, and what is committed is on no disk
            self._watch.has_committed()
            for entry in taken:
                self._has_kept(entry)
        self._stage.place()

    def _has_kept(self, entry: Entry) -> None:
        if isinstance(entry, EventReceived):
            params = read_object(entry.payload.get("params")) or {}
            self._stage.kept(str(entry.payload.get("event_type")), states_of(params), call_of(params))
        elif isinstance(entry, CommandIntended):
            self._stage.kept(entry.method, frozenset(), call_of(entry.params))
