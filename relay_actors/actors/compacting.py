"""Sums up the past of a call in the journal, so that one that lasts long does not grow. Layer: hall; pure.

What was before the last checkpoint of a call is not lived again by the code of its class, but only by the engine
(`replaying`). So what has no effect on the engine any more can go: operations that are over, commands whose outcome is
known, states that have been told again, and nearly all that was noted. What is left is lived again as if it were all.

The call itself says at a checkpoint what of it is not over (`still_open`): it knows, and nobody has to find out
afterwards. It says nothing while anything is in doubt, or about to end: that is soon over. Source: SEMANTICS J4.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

from relay_actors.actors.action_kinds import ACTION_HANDLES
from relay_actors.actors.history import CHECKPOINTS, Answered, Asked, Learnt, Line, Lived, Told, lived
from relay_actors.actors.leg import Leg
from relay_actors.journal.codec import decode, encode
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, EventReceived, Noted, Outcome, Snapshot
from relay_actors.late_dataclasses import dataclass
from relay_actors.protocol.commands import Dial
from relay_actors.protocol.completion import action_state, is_continuous
from relay_actors.protocol.events import CallReceiveEvent, CallStateEvent, ConnectEvent, DialEvent

__all__ = ["FRAME_IDS_KEPT", "Compacted", "compact", "spread_out", "still_open"]

FRAME_IDS_KEPT: Final = 256
"""So many of the newest events that went are still known when the server sends them again."""

_CERTAIN: Final = frozenset({Outcome.OK, Outcome.REJECTED, Outcome.NOT_SENT})


@dataclass(frozen=True, slots=True)
class Compacted:
    """A call in the journal after its past was summed up.

    Attributes:
        state: for the `Snapshot`; see `relay_actors.actors.history.Lived`.
        rest: what comes after it: the call has not lived it yet.
        count: how many entries there are in both.
    """

    state: Mapping[str, object]
    rest: Sequence[Entry]
    count: int


def still_open(leg: Leg) -> dict[str, object] | None:
    """Return what of a call is not over, for a note of it; None if that cannot be said in a few words now.

    ``from`` is the number of the oldest command without an answer, or 0; ``actions`` are the control ids of operations
    that run.
    """
    is_ending = (
        not leg.is_ours
        or leg.hang_up is not None
        or leg.hand_on is not None
        or bool(leg.expected_end or leg.left_because)
    )
    under_way = leg.under_way.values()
    is_doubtful = leg.is_cut_off or any(known.error is not None or known.repeats for known in under_way)
    if is_ending or is_doubtful or not leg.call_id or not leg.begun:
        return None
    # One without a number was never given: the code of the class has asked for it when the call was rebuilt.
    oldest = min((known.number for known in under_way if known.number), default=0)
    return {"from": oldest, "actions": list(leg.actions)}


def compact(entries: Iterable[Entry]) -> Compacted | None:
    """Return one call with its past summed up; None if there is no new checkpoint that says what is open.

    Args:
        entries: of one call, complete and in order (`relay_actors.journal.replay`).

    Raises:
        JournalError: its past was summed up in a form that is not known.
    """
    known = lived(entries)
    lines = known.lines
    end = _end_of_past(lines)
    if end <= known.summed_up:
        return None
    checkpoint = lines[end - 1]
    assert isinstance(checkpoint.item, Learnt)
    assert isinstance(checkpoint.entry, Noted)
    is_open: Mapping[str, Any] = checkpoint.item.values["open"]
    begin = _begin_of_window(lines[:end], is_open["from"])
    if begin is None:
        return None
    window = lines[begin:end]
    past = [*_beside(known), *_needed(lines[:begin], is_open["actions"], window), *(line.entry for line in window)]
    rest = [line.entry for line in lines[end:]]
    numbers = (line.item.number for line in lines[:end] if isinstance(line.item, Asked))
    state = {
        "form": 1,
        "past": [encode(entry) for entry in past],
        "told": max(known.told, checkpoint.entry.after),
        "commands": max(known.commands, *numbers, 0),
        "frame_ids": _frame_ids(known, [*past, *rest]),
    }
    return Compacted(state, rest, len(past) + len(rest))


def spread_out(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Give the entries with what is left of a past that was summed up before its `Snapshot`: for people to read."""
    for entry in entries:
        if isinstance(entry, Snapshot) and entry.state.get("form") == 1:
            yield from map(decode, cast("list[bytes]", entry.state["past"]))
        yield entry


def _end_of_past(lines: Sequence[Line]) -> int:
    """Return the place behind the last checkpoint that says what is open; 0 if there is none."""
    for at in range(len(lines) - 1, -1, -1):
        item = lines[at].item
        if isinstance(item, Learnt) and item.what in CHECKPOINTS and "open" in item.values:
            return at + 1
    return 0


def _begin_of_window(past: Sequence[Line], number: int) -> int | None:
    """Return the place from which on everything stays: of the first command without an answer, or the checkpoint."""
    if not number:
        return len(past) - 1
    asked = (at for at, line in enumerate(past) if isinstance(line.item, Asked) and line.item.number == number)
    return next(asked, None)


def _beside(known: Lived) -> Iterator[Entry]:
    """Give what is not in the order of what was lived."""
    if known.started is not None:
        yield known.started
    yield from known.last_words.values()


def _frame_ids(known: Lived, kept: Iterable[Entry]) -> list[object]:
    """Return the frame ids of the newest events that go."""
    held = {entry.frame_id for entry in kept if isinstance(entry, EventReceived)}
    return [frame_id for frame_id in dict.fromkeys(known.frame_ids) if frame_id not in held][-FRAME_IDS_KEPT:]


def _needed(lines: Sequence[Line], running: Iterable[str], window: Sequence[Line]) -> Iterator[Entry]:
    """Give those entries that still have an effect on the engine of the call.

    Args:
        lines: of a past in which no command is without an outcome.
        running: control ids of operations that run.
        window: what comes after it, and stays.
    """
    needed = _Needed(frozenset(running))
    for at, line in enumerate(lines):
        needed.look_at_command(at, line)
    needed.follow_commands(lines)
    for at, line in enumerate(lines):
        needed.look_at(at, line)
    for line in window:
        needed.replace_notes(line)
    kept = needed.places
    for at, line in enumerate(lines):
        if at in kept:
            yield line.entry
        if at in needed.accepted and isinstance(line.entry, CommandIntended):
            asked = line.entry
            yield CommandSettled(subject=asked.subject, at=asked.at, request_id=asked.request_id, outcome=Outcome.OK)


class _Needed:
    """Finds which entries still have an effect.

    Attributes:
        accepted: places of commands that the server has accepted, whatever its answer was: events have shown it.
    """

    def __init__(self, running: frozenset[str]) -> None:
        self.accepted: set[int] = set()
        self._running = running
        self._kept: set[int] = set()
        self._first: dict[Hashable, int] = {}
        self._last: dict[Hashable, int] = {}
        self._begun: dict[str, int] = {}
        self._early: list[int] = []
        self._answers: dict[int, int] = {}
        self._dials: set[int] = set()
        self._followed: dict[str, tuple[int, Asked]] = {}

    @property
    def places(self) -> set[int]:
        """Where they stand."""
        return {*self._kept, *self._first.values(), *self._last.values()}

    def look_at_command(self, at: int, line: Line) -> None:
        """Look at a command, or an answer."""
        match line:
            case Line(item=Asked(number=number, method=Dial.method)):
                self._dials.add(number)
                self._kept.add(at)
            case Line(item=Asked() as asked) if _begins(asked) in self._running:
                self._begun[_begins(asked)] = at  # the last one: before it the id may have been another operation's
            case Line(entry=CommandIntended(after=after), item=Asked()) if after <= 0:
                self._early.append(at)  # `on_start` will ask for it again
            case Line(item=Answered(number=number)) if number in self._dials:
                self._kept.add(at)
            case Line(entry=CommandSettled(outcome=outcome), item=Answered(number=number)) if outcome in _CERTAIN:
                self._answers[number] = at

    def follow_commands(self, lines: Sequence[Line]) -> None:
        """Keep the commands that have begun what runs, and those of `on_start`, with their answers."""
        for at in (*self._begun.values(), *self._early):
            asked = lines[at].item
            assert isinstance(asked, Asked)
            answer = self._answers.get(asked.number)
            if at in self._begun.values() and (answer is None or not _is_ok(lines[answer])):
                self.accepted.add(at)
            elif answer is not None:
                self._kept.add(answer)
            else:
                continue  # it was in doubt, and is not any more: `on_start` will ask in vain
            self._kept.add(at)
            if control_id := _begins(asked):
                self._followed[control_id] = at, asked

    def look_at(self, at: int, line: Line) -> None:
        """Look at an event or a note."""
        match line.item:
            case Told(event=CallReceiveEvent()):
                self._first.setdefault("offer", at)
            case Told(event=CallStateEvent(call_id=call_id, call_state=state)):
                self._first.setdefault(("state", call_id, state), at)
            case Told(event=DialEvent(dial_state=state, winner_call_id=winner)):
                self._first.setdefault(("dial", state, winner), at)
            case Told(event=ConnectEvent(peer=peer)):
                self._last["bridge"] = at
                if peer:
                    self._last["peer"] = at
            case Told(event=event) if event.control_id in self._followed:
                since, asked = self._followed[event.control_id]
                known = action_state(asked.method, event, continuous=is_continuous(asked.method, asked.params))
                if known is not None and at > since:
                    self._last["operation", event.control_id, known] = at
            case Learnt(what="arranged", values=values) if values["control_id"] in self._running:
                self._kept.add(at)
            case Learnt(what="now") if isinstance(line.entry, Noted) and line.entry.after <= 0:
                self._kept.add(at)
            case Learnt(what=what, values=values) as note:
                for name in note.newest:
                    self._last[name] = at
                if what == "restarted":
                    self._last[what] = self._last[what, values.get("actor")] = at  # who has had it matters, too

    def replace_notes(self, line: Line) -> None:
        """Look at a note that comes later: what was noted there was noted in vain before."""
        if isinstance(line.item, Learnt):
            for name in line.item.newest:
                self._last.pop(name, None)


def _begins(asked: Asked) -> str:
    """Return the control id of the operation that a command begins; "" if it begins none."""
    return str(asked.params.get("control_id", "")) if asked.method in ACTION_HANDLES else ""


def _is_ok(line: Line) -> bool:
    return isinstance(line.entry, CommandSettled) and line.entry.outcome is Outcome.OK
