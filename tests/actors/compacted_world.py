"""Calls that are rebuilt from what a journal holds, to be looked at and compared. For tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from relay_actors import ActionCompleted, CallActor
from relay_actors.actors.compacting import compact
from relay_actors.config import Limits
from relay_actors.errors import JournalError
from relay_actors.events import CallReceiveEvent, CallStateEvent, CollectEvent, PlayEvent
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import CommandIntended, Entry, Snapshot
from relay_actors.journal.memory import MemoryStore
from tests.actors.mortal_world import MortalStore, MortalWorld

__all__ = ["SUMS_UP_OFTEN", "KeepingWorld", "Night", "rebuilt", "state_of", "summed_up"]

SUMS_UP_OFTEN = Limits(journal_entries_per_call=1)


class Night(CallActor):
    """A handler that goes on for long: a recording and a collection run all the time, and it speaks now and then."""

    rounds = 8

    def on_start(self) -> None:
        self.answer()

    def on_receive(self, message: object) -> None:
        match message:
            case CallReceiveEvent():
                pass
            case CallStateEvent(call_state="answered"):
                self.data["round"] = 0
                self.record({"end_silence_timeout": 100.0, "initial_timeout": 300.0}, control_id="tape")
                self.collect(digits={"max": 1}, initial_timeout=300.0, continuous=True, control_id="keys")
                self.play_tts("Round 0")
            case CollectEvent(digits=digits) if digits:
                self.data.setdefault("keys", []).append(digits)
            case ActionCompleted(event=PlayEvent()):
                self.data["round"] += 1
                self.start_timer("pause", "go on", 1.0, durable=True)
            case "go on" if self.data["round"] < self.rounds:
                self.denoise()
                self.play_tts(f"Round {self.data['round']}")
            case "go on":
                self.hangup()


class KeepingWorld(MortalWorld):
    """A world in which all is kept that the journal holds after each commit.

    Args:
        seed: the whole run follows from it.
        sums_up: whether the journal can be summed up.
        more: as for every world.

    Attributes:
        held: the entries of each call at each place.
    """

    def __init__(self, seed: int = 1, *, sums_up: bool = False, **more: Any) -> None:
        self.held: list[dict[str, list[Entry]]] = []
        self._sums_up = sums_up
        super().__init__(seed, **more)

    def place(self) -> None:
        """Look at what is there."""
        super().place()
        kept_of = self.medium.entries.items()
        self.held.append({subject: [decode(one.body) for one in kept] for subject, kept in kept_of})

    def new_store(self) -> MemoryStore:
        """Return the journal."""
        return (MortalStore if self._sums_up else _Unwilling)(self, self.medium)


class _Unwilling(MortalStore):
    def snapshot(
        self, subject: str, state: Mapping[str, object], *, at: float, pending: Iterable[CommandIntended] | None = None
    ) -> None:
        raise JournalError(f"not at {at}")


class _Rebuilt(MortalWorld):
    """A world without a server, whose application takes up one call.

    Attributes:
        leg: of the call.
        taken_up: the actor of the call.
    """

    def __init__(self, entries: Iterable[Entry], **more: Any) -> None:
        super().__init__(**more)
        store = MemoryStore(self.medium)
        for entry in entries:
            if isinstance(entry, Snapshot):
                store.snapshot(entry.subject, entry.state, at=entry.at)
            else:
                store.append([entry])
        store.commit()
        self.connector.refuse("there is no server")
        self.app = self._new_app()
        self.app.start(wait_s=None, system=self.system, connector=self.connector)
        [cell] = self.call_actors()
        self.leg, self.taken_up = cell.ref.kept.leg, cell.actor


def rebuilt(entries: Iterable[Entry], **more: Any) -> dict[str, Any]:
    """Return what a new process knows of a call whose journal holds that."""
    world = _Rebuilt(entries, **more)
    try:
        return state_of(world.leg, world.taken_up)
    finally:
        world.app._free()


def summed_up(entries: Iterable[Entry]) -> list[Entry] | None:
    """Return the same journal after its past was summed up; None if nothing can be."""
    before = list(entries)
    compacted = compact(before)
    if compacted is None:
        return None
    store = MemoryStore()
    store.append(before)
    store.snapshot(before[0].subject, compacted.state, at=before[-1].at)
    store.append(compacted.rest)
    return list(store.load())


def state_of(leg: Any, actor: Any) -> dict[str, Any]:
    """Return all of a call's state that matters for what comes, as plain values that can be compared."""
    course = leg.course
    return {
        "call": [leg.call_id, leg.node_id, leg.state, leg.device, leg.peer, leg.is_bridged, leg.begun, leg.is_ours],
        "end": [leg.end_reason, leg.expected_end, leg.left_because, leg.hang_up is None, leg.hand_on is None],
        "data": dict(leg.data),
        "timers": sorted((str(key), timer.due) for key, timer in course.timers.items() if key != "stall"),
        "durable": [(timer.key, timer.message, timer.due_wall) for timer in actor.durable_timers()],
        "running": {key: (one.command.method, one.state, one.is_settled) for key, one in leg.actions.items()},
        "open": [
            (order.command.method, known.number, known.is_shown, known.repeats, str(known.error))
            for order, known in leg.under_way.items()
        ],
        "counts": [course.told, course.commands, course.counts, course.saved, course.seed, course.beginnings],
        "class": [type(actor).__name__, actor._cell.keep.was_handed, str(actor._cell.keep.on_give_up)],
        "changed": str(leg.flow_changed),
    }
