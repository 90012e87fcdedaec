"""Brings what can still be read of a damaged SQLite journal into a sound store. Layer: pillar."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from operator import itemgetter
from typing import Final

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.base import Store
from relay_actors.journal.codec import decode, decode_session
from relay_actors.journal.entries import Entry, Session
from relay_actors.journal.replay import check_next
from relay_actors.journal.rounds import Forgotten, number_of, parts_of
from relay_actors.journal.sqlite_file import MOST_WRITERS, PAGE, explained, first_page, has_rounds, subject_in
from relay_actors.journal.writer_lock import WriterLock
from relay_actors.late_dataclasses import dataclass

__all__ = ["Found", "Salvaged", "bring_over", "look_through", "salvage"]

_SCAN: Final[Mapping[str, str]] = {
    "entries": "SELECT position, subject, body FROM entries",
    "rounds": "SELECT place AS position, number, body FROM rounds",
}
"""What gives position, subject and body of each row; of a round in place of a subject its number, for their order."""
_UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""SQLite quotes damaged texts in its messages, which then cannot be read either."""
_WIDEST_HOLE: Final = 1_000_000
"""How many positions between two readable ends are tried one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What `look_through` has found.

    Attributes:
        entries: those that follow each other without a gap, in order.
        session: what a resume needs; empty when there was none, or it is lost.
        epoch: the highest number of a writer that was seen anywhere.
        incomplete: see `Salvaged`.
        faults: see `Salvaged`.
    """

    entries: tuple[Entry, ...]
    session: Session
    epoch: int
    incomplete: Mapping[str, str]
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What `salvage` did.

    Attributes:
        entries: how many were brought over.
        subjects: whose, whole or in part, the one with the oldest entry first.
        incomplete: subjects whose later entries are lost, with the reason: they end in the middle, as after a crash at
            that moment. Of a subject whose beginning is lost nothing is brought over, and it is named here too.
        faults: what could not be read at all. The newest entries of any subject may have been among it.
    """

    entries: int
    subjects: tuple[str, ...]
    incomplete: Mapping[str, str]
    faults: tuple[str, ...]


def salvage(path: str | os.PathLike[str], *, into: Store) -> Salvaged:
    """Bring each subject's entries, up to its first damaged one, from the journal at ``path`` into a fresh store.

    The damaged file is not touched: a private copy is read. Entries get new sequence numbers, and are committed at the
    end. May take long for a long journal; to be called while no application runs on either of the two.

    Args:
        path: the damaged file, with its ``-wal`` still beside it if it has one.
        into: a store without entries.

    Raises:
        JournalError: ``into`` has entries already, ``path`` has a living writer or is of a newer release, or it cannot
            be copied.
    """
    _check_empty(into)
    source = os.path.realpath(path)
    with contextlib.ExitStack() as undo:
        undo.callback(WriterLock(source).release)
        return bring_over(look_through(source), into)


def bring_over(found: Found, into: Store) -> Salvaged:
    """Put what was found into a store without entries, and commit it.

    Raises:
        JournalError: there are entries in it already.
    """
    _check_empty(into)
    into.append(found.entries)
    into.put_session(found.session)
    into.commit()
    return Salvaged(
        entries=len(found.entries),
        subjects=tuple(into.subjects()),
        incomplete=found.incomplete,
        faults=found.faults,
    )


def look_through(path: str) -> Found:
    """Read all that can be read of the journal at ``path``, from a private copy. Whose turn it is, the caller knows.

    Raises:
        JournalError: it cannot be copied, or a record of it is of a newer release.
    """
    faults: list[str] = []
    with explained(path, "copied"), contextlib.ExitStack() as undo:
        copy = os.path.join(undo.enter_context(tempfile.TemporaryDirectory(prefix="relay-actors-")), "journal")
        _copy(path, copy)
        db = undo.enter_context(contextlib.closing(_connect(copy)))
        if why := _unreadable(db):
            faults.append(f"the first page: {why}")
            db.close()
            _put_first_page(copy)
            db = undo.enter_context(contextlib.closing(_connect(copy)))
        rows = _rows(db, "entries", faults)
        rounds = _rows(db, "rounds", faults) if has_rounds(db) else []
        session = _session(db, faults)
        epoch = _epoch(db, faults)
    entries, incomplete = _sound(_each(rows, rounds, faults), faults)
    return Found(
        entries=tuple(entries),
        session=session,
        epoch=max((epoch, *(entry.epoch for entry in entries))),
        incomplete=incomplete,
        faults=tuple(faults),
    )


def _check_empty(into: Store) -> None:
    if into.subjects():
        raise JournalError("salvage needs a store without entries: open a new one")


def _copy(source: str, copy: str) -> None:
    """Copy it with its WAL, and fill up with zeros what is missing at its end, or SQLite reads none of it."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(f"{source}-wal", f"{copy}-wal")
    try:
        shutil.copyfile(source, copy)
    except FileNotFoundError:
        if not os.path.exists(f"{copy}-wal"):
            raise
        open(copy, "wb").close()
    with open(copy, "r+b") as file:
        header = file.read(PAGE)
        if len(header) < PAGE:
            file.seek(0)
            file.write(first_page())
            return
        pages = int.from_bytes(header[28:32], "big")
        size = file.seek(0, os.SEEK_END)
        # A damaged number must not make a file of terabytes: no more than half as much again, and a hundred pages.
        if size < pages * PAGE <= size * 3 // 2 + 100 * PAGE:
            file.truncate(pages * PAGE)


def _connect(copy: str) -> sqlite3.Connection:
    db = sqlite3.connect(copy, isolation_level=None)
    db.text_factory = lambda text: text.decode("utf-8", "replace")
    return db


def _put_first_page(copy: str) -> None:
    """Take a sound first page for the damaged one: in each journal the tables begin on the same pages."""
    with open(copy, "r+b") as file:
        pages = -(-file.seek(0, os.SEEK_END) // PAGE)
        page = bytearray(first_page())
        page[28:32] = pages.to_bytes(4, "big")
        file.seek(0)
        file.write(page)
        file.truncate(pages * PAGE)


def _unreadable(db: sqlite3.Connection) -> str:
    try:
        db.execute("SELECT position, subject, sequence, epoch, body FROM entries LIMIT 0").fetchall()
    except _UNREADABLE as error:
        return str(error)
    return ""


def _rows(db: sqlite3.Connection, table: str, faults: list[str]) -> list[tuple[str, bytes]]:
    """Read from both ends: a damaged page in the middle must not cost what stands behind it."""
    found: dict[int, tuple[str, bytes]] = {}
    ends = [0, 0]
    scan = _SCAN[table]
    for place, direction in enumerate(("ASC", "DESC")):
        try:
            for position, subject, body in db.execute(f"{scan} ORDER BY position {direction}"):
                if body is None:
                    continue  # of a page that was cut off: its zeros look like rows, all of one number
                if position in found:
                    break
                found[position] = (_said(subject), body)
                ends[place] = position
        except _UNREADABLE as error:
            faults.append(f"{table}, {direction}: {error}")
        else:
            return [found[position] for position in sorted(found)]
    lower, upper = ends[0], ends[1] or _newest_position(db, table) + 1
    if upper - lower < _WIDEST_HOLE:  # there may be sound pages between two damaged ones
        for position in range(lower + 1, upper):
            with contextlib.suppress(*_UNREADABLE):
                for _, subject, body in db.execute(f"{scan} WHERE position = ?", (position,)):
                    found[position] = (_said(subject), body)
    return [found[position] for position in sorted(found)]


def _said(column: object) -> str:
    with contextlib.suppress(UnicodeDecodeError):
        return str(subject_in(column))
    return repr(column)


def _newest_position(db: sqlite3.Connection, table: str) -> int:
    with contextlib.suppress(*_UNREADABLE, ValueError):
        [(position,)] = db.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,))
        if isinstance(position, int):
            return position
    return 0


def _session(db: sqlite3.Connection, faults: list[str]) -> Session:
    try:
        row = db.execute("SELECT body FROM session").fetchone()
        return decode_session(row[0]) if row else Session()
    except (*_UNREADABLE, DamagedJournalError) as error:
        faults.append(f"session: {error}")
        return Session()


def _epoch(db: sqlite3.Connection, faults: list[str]) -> int:
    try:
        [(epoch,)] = db.execute("SELECT epoch FROM writer").fetchall()
    except (*_UNREADABLE, ValueError) as error:
        faults.append(f"writer: {error}")
        return 0
    if isinstance(epoch, int) and epoch < MOST_WRITERS:
        return epoch
    faults.append("writer: its number is none")
    return 0


def _each(
    rows: Iterable[tuple[str, bytes]], rounds: Iterable[tuple[str, bytes]], faults: list[str]
) -> Iterator[tuple[str, bytes | Forgotten]]:
    """Give what the rows hold, each with its subject; "" if that is not known before it is decoded.

    Who has rows of his own has the oldest of his entries there.
    """
    yield from rows
    for _, body in sorted(rounds, key=lambda row: _number(*row)):
        try:
            for part in parts_of(body):
                yield (part.subject if isinstance(part, Forgotten) else ""), part
        except DamagedJournalError as error:
            faults.append(f"a round: {error}")


def _number(said: str, body: object) -> int:
    """Return which round it is: as it says itself, if that can be read, or else as its row says."""
    with contextlib.suppress(DamagedJournalError):
        own = number_of(body) if isinstance(body, bytes) else None
        if own is not None:
            return own
    return int(said) if said.isdecimal() else 0


def _sound(parts: Iterable[tuple[str, bytes | Forgotten]], faults: list[str]) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries that follow each other without a gap, and the subjects that have others, with the reason."""
    sound: dict[str, list[tuple[int, Entry]]] = {}
    incomplete: dict[str, str] = {}
    for place, (subject, body) in enumerate(parts):
        if isinstance(body, Forgotten):
            sound.pop(subject, None)
            incomplete.pop(subject, None)
            continue
        if subject in incomplete:
            continue
        try:
            entry = decode(body)
        except DamagedJournalError as error:
            if subject:
                incomplete[subject] = str(error)
            else:
                faults.append(f"a record in a round: {error}")
            continue
        subject = subject or entry.subject
        if subject in incomplete:
            continue
        try:
            if entry.subject != subject:
                raise JournalError(f"a record of {entry.subject} stands where one of {subject} should")
            check_next(sound[subject][-1][1] if subject in sound else None, entry)
        except JournalError as error:
            incomplete[subject] = str(error)
        else:
            sound.setdefault(subject, []).append((place, entry))
    in_order = sorted(chain.from_iterable(sound.values()), key=itemgetter(0))
    return [entry for _, entry in in_order], incomplete
