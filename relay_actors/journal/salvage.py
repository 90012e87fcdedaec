"""Brings what can still be read of a damaged SQLite journal into a sound store. Layer: pillar."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from relay_actors.errors import JournalError
from relay_actors.journal.base import Store
from relay_actors.journal.codec import decode, decode_session
from relay_actors.journal.entries import Entry, Session
from relay_actors.journal.replay import check_next
from relay_actors.journal.writer_lock import WriterLock

__all__ = ["Salvaged", "salvage"]

_SCAN: Final = "SELECT position, subject, body FROM entries ORDER BY position"
_UNREADABLE: Final = (sqlite3.Error, UnicodeDecodeError)
"""SQLite quotes damaged texts in its messages, which then cannot be read either."""


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
        JournalError: ``into`` has entries already, ``path`` has a living writer, or it cannot be copied.
    """
    if into.subjects():
        raise JournalError("salvage needs a store without entries: open a new one")
    source = os.path.realpath(path)
    faults: list[str] = []
    with contextlib.ExitStack() as undo:
        undo.callback(WriterLock(source).release)
        copy = os.path.join(undo.enter_context(tempfile.TemporaryDirectory(prefix="relay-actors-")), "journal")
        try:
            shutil.copyfile(source, copy)
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{source}-wal", f"{copy}-wal")
        except OSError as error:
            raise JournalError(f"the journal {source} could not be copied: {error.strerror}") from error
        db = undo.enter_context(contextlib.closing(sqlite3.connect(copy, isolation_level=None)))
        db.text_factory = lambda text: text.decode("utf-8", "replace")
        rows = _rows(db, faults)
        session = _session(db, faults)
    entries, incomplete = _sound(rows)
    into.append(entries)
    into.put_session(session)
    into.commit()
    return Salvaged(entries=len(entries), subjects=tuple(into.subjects()), incomplete=incomplete, faults=tuple(faults))


def _rows(db: sqlite3.Connection, faults: list[str]) -> list[tuple[str, bytes]]:
    """Read from both ends: a damaged page in the middle must not cost what stands behind it."""
    found: dict[int, tuple[str, bytes]] = {}
    for direction in ("ASC", "DESC"):
        try:
            for position, subject, body in db.execute(f"{_SCAN} {direction}"):
                if position in found:
                    break
                found[position] = (subject, body)
        except _UNREADABLE as error:
            faults.append(f"entries, {direction}: {error}")
        else:
            break
    return [found[position] for position in sorted(found)]


def _session(db: sqlite3.Connection, faults: list[str]) -> Session:
    try:
        row = db.execute("SELECT body FROM session").fetchone()
        return decode_session(row[0]) if row else Session()
    except (*_UNREADABLE, JournalError) as error:
        faults.append(f"session: {error}")
        return Session()


def _sound(rows: Iterable[tuple[str, bytes]]) -> tuple[list[Entry], dict[str, str]]:
    """Return the entries that follow each other without a gap, and the subjects that have others, with the reason."""
    sound: list[Entry] = []
    newest: dict[str, Entry] = {}
    incomplete: dict[str, str] = {}
    for subject, body in rows:
        if subject in incomplete:
            continue
        try:
            entry = decode(body)
            if entry.subject != subject:
                raise JournalError(f"a record of {entry.subject} stands where one of {subject} should")
            check_next(newest.get(subject), entry)
        except JournalError as error:
            incomplete[subject] = str(error)
        else:
            newest[subject] = entry
            sound.append(entry)
    return sound, incomplete
