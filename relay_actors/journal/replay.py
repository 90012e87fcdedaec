"""From entries to what was: checking their order, and a pure fold. Layer: pillar; pure.

Nothing here sends, waits, or calls the application: replaying a journal has no effect but its result (SEMANTICS J3).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Literal, TypeAlias

from relay_actors.errors import JournalError
from relay_actors.journal.entries import CommandIntended, CommandSettled, Entry, Outcome, Snapshot, SubjectEnded
from relay_actors.late_dataclasses import dataclass

__all__ = ["Checked", "History", "OldWriter", "apply", "check", "check_next", "pending_of", "replay"]

OldWriter: TypeAlias = Literal["fail", "drop_old_writer"]
"""What to do about entries of a writer that another one had already taken over from. Source: SEMANTICS J7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that the journal knows of one subject.

    Attributes:
        subject: whose; empty as long as nothing was applied.
        state: the newest snapshot's; empty when there was none.
        entries: what came after that snapshot, in order, the snapshot itself left out.
        pending: commands whose effect is unknown, oldest first: no outcome was noted, or the outcome is that nobody
            knows. They are to be reconciled, not sent again (SEMANTICS J5).
        ended: whether the subject is over.
        sequence: the number of the newest entry.
    """

    subject: str = ""
    state: Mapping[str, object] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    pending: tuple[CommandIntended, ...] = ()
    ended: bool = False
    sequence: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One subject's entries after `check`.

    Attributes:
        entries: those that count, in order.
        dropped: those of an old writer that were left out.
    """

    entries: tuple[Entry, ...]
    dropped: tuple[Entry, ...] = ()


def check(entries: Iterable[Entry], *, old_writer: OldWriter = "fail") -> Checked:
    """Make sure that one subject's entries, in the order stored, are all there, once, from one writer at a time.

    Raises:
        JournalError: an entry is missing, is there twice, or is of another subject; or there were two writers at a
            time and ``old_writer`` is ``"fail"``.
    """
    kept: list[Entry] = []
    dropped: list[Entry] = []
    for entry in entries:
        newest = kept[-1] if kept else None
        if (
            newest is not None and entry.sequence == newest.sequence + 1 and entry.epoch == newest.epoch
            and entry.subject == newest.subject
        ):  # fmt: skip
            kept.append(entry)  # as nearly always
            continue
        if old_writer == "drop_old_writer":
            if kept and entry.epoch < kept[-1].epoch:
                dropped.append(entry)
                continue
            # A new writer that did not see the last entries of the old one numbers on from what it saw.
            while kept and kept[-1].epoch < entry.epoch and entry.sequence <= kept[-1].sequence:
                dropped.append(kept.pop())
        check_next(kept[-1] if kept else None, entry)
        kept.append(entry)
    return Checked(entries=tuple(kept), dropped=tuple(dropped))


def check_next(newest: Entry | None, entry: Entry) -> None:
    """Make sure that ``entry`` may follow ``newest`` in the journal of one subject; None: that it may be the first.

    Raises:
        JournalError: see `check`.
    """
    if newest is None:
        # A snapshot stands for all before it, so it may have any number.
        if entry.sequence != 1 and not isinstance(entry, Snapshot):
            raise JournalError(
                f"the journal of {entry.subject} begins with entry {entry.sequence}: its beginning is missing"
            )
    elif entry.subject != newest.subject:
        raise JournalError(f"entries of {newest.subject} and {entry.subject} were given as one subject's")
    elif entry.epoch < newest.epoch:
        raise _two_writers(newest, entry)
    elif entry.epoch > newest.epoch and entry.sequence <= newest.sequence:
        raise _two_writers(entry, newest)
    elif entry.sequence <= newest.sequence:
        raise JournalError(f"entry {entry.sequence} of {entry.subject} is there twice, or out of order")
    elif entry.sequence > newest.sequence + 1:
        raise JournalError(
            f"the journal of {entry.subject} has a gap: entry {newest.sequence} is followed by {entry.sequence}"
        )


def apply(history: History, entry: Entry) -> History:
    """Return the history with one more entry. The one given is not changed."""
    history = replace(history, subject=entry.subject, sequence=entry.sequence)
    match entry:
        case Snapshot(state=state, pending=pending):
            return replace(history, state=state, entries=(), pending=pending)
        case CommandIntended():
            return replace(history, entries=(*history.entries, entry), pending=(*history.pending, entry))
        case CommandSettled(request_id=request_id, outcome=outcome) if outcome is not Outcome.UNKNOWN:
            pending = tuple(intent for intent in history.pending if intent.request_id != request_id)
            return replace(history, entries=(*history.entries, entry), pending=pending)
        case SubjectEnded():
            return replace(history, entries=(*history.entries, entry), ended=True)
        case _:
            return replace(history, entries=(*history.entries, entry))


def replay(entries: Iterable[Entry], *, old_writer: OldWriter = "fail") -> History:
    """Return the history that these entries of one subject tell, after `check`.

    Raises:
        JournalError: see `check`.
    """
    return functools.reduce(apply, check(entries, old_writer=old_writer).entries, History())


def pending_of(entries: Iterable[Entry]) -> tuple[CommandIntended, ...]:
    """Return what `replay` says is pending, and nothing else, which takes less time.

    Raises:
        JournalError: see `check`.
    """
    pending: list[CommandIntended] = []
    for entry in check(entries).entries:
        match entry:
            case Snapshot():
                pending = list(entry.pending)
            case CommandIntended():
                pending.append(entry)
            case CommandSettled(request_id=request_id, outcome=outcome) if outcome is not Outcome.UNKNOWN:
                pending = [intent for intent in pending if intent.request_id != request_id]
    return tuple(pending)


def _two_writers(newer: Entry, older: Entry) -> JournalError:
    return JournalError(
        f"two writers wrote the journal of {newer.subject} at a time: entry {older.sequence} is of writer "
        f"{older.epoch}, although writer {newer.epoch} had taken over. "
        "Replay with old_writer='drop_old_writer' to leave its entries out"
    )
