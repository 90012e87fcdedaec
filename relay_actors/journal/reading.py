"""Looks into a SQLite journal without changing it, also while an application writes to it. Layer: pillar.

The file is opened read-only, and no lock keeps the writer out. All that one reader reads is of one moment: what is
committed meanwhile it does not see. As long as it reads, SQLite cannot begin its WAL anew, so read and close.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from relay_actors.errors import DamagedJournalError, JournalError
from relay_actors.journal.codec import decode
from relay_actors.journal.entries import Entry
from relay_actors.journal.ledger import Record
from relay_actors.journal.replay import check_next
from relay_actors.journal.rounds import ReadRound, SeenRounds, sound_records_in
from relay_actors.journal.sqlite_file import (
    MOST_WRITERS,
    SCHEMA,
    check_format,
    damaged,
    entries_of,
    explained,
    has_rounds,
    is_fresh,
    own_entries_of,
    records_of,
    rounds_of,
    session_of,
    subjects_of,
)

__all__ = ["SqliteReader"]

_MOST_FAULTS: Final = 20
"""How many of SQLite's own findings are told; a file with more of them is as damaged."""

_MOST_POSITIONS: Final = 2**62


class SqliteReader:
    """What a journal holds, read-only. Use it in a ``with`` statement, on one thread.

    SQLite may leave an empty ``-wal`` and a ``-shm`` beside the file, which the next writer takes away.

    Args:
        path: the file, which must be there.

    Raises:
        DamagedJournalError: it is damaged so badly that nothing can be read.
        JournalError: there is no such file, it cannot be read, it is of a newer release, or somebody else's.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.realpath(path)
        with contextlib.ExitStack() as undo:
            with explained(self._path, "read"):
                if not stat.S_ISREG(os.stat(self._path).st_mode):
                    raise JournalError(f"the journal {self._path} is not a regular file: give the path of one")
                self._db = undo.enter_context(contextlib.closing(_connect(self._path)))
                self._db.execute("BEGIN")
                self._is_fresh = is_fresh(self._db)
                if not self._is_fresh:
                    check_format(self._db, self._path)
            self._free = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def size(self) -> int:
        """How many bytes it takes on the disk, its WAL included."""
        return sum(os.path.getsize(name) for name in (self._path, f"{self._path}-wal") if os.path.exists(name))

    @property
    def writers(self) -> int:
        """How many writers have opened it so far.

        Raises:
            JournalError: that cannot be read.
        """
        if self._is_fresh:
            return 0
        with explained(self._path, "read"):
            rows = self._db.execute("SELECT epoch FROM writer").fetchall()
        match rows:
            case [(int(epoch),)] if 0 <= epoch < MOST_WRITERS:
                return epoch
        raise damaged(self._path, "it does not say who its writer is")

    @property
    def has_session(self) -> bool:
        """Whether what a resume needs is there.

        Raises:
            JournalError: that cannot be read.
        """
        return not self._is_fresh and bool(session_of(self._db, self._path).protocol)

    def load(self, *, subject: str | None = None) -> Iterator[Entry]:
        """Give the entries of one subject, or of all, in the order in which they were appended.

        Raises:
            JournalError: an entry cannot be read; those before it were given.
        """
        return iter(()) if self._is_fresh else self._entries(subject)

    def subjects(self) -> list[str]:
        """Return the subjects that have entries, the one with the oldest entry first.

        Raises:
            JournalError: that cannot be read.
        """
        if self._is_fresh:
            return []
        in_rounds = (subject for subject, *_ in records_of(self._db, self._path))
        return list(dict.fromkeys([*subjects_of(self._db, self._path), *in_rounds]))

    def check(self, rounds: SeenRounds | None = None) -> list[str]:
        """Read everything, and return what is wrong with it; an empty list: it is sound.

        SQLite looks over its pages and its index; then each record's checksum and shape, that each subject has all its
        entries once and from one writer at a time, and that no writer comes after the newest.

        Args:
            rounds: told of those that were looked at. In those the shape is not looked at: whose entries are about to
                be read is told then, and ten thousand calls wait for that.

        Raises:
            JournalError: it could not be looked at: a record is of a newer release, or the disk gives an error.
        """
        faults = list(self._faults_of_pages())
        if self._is_fresh:
            return faults
        read = sound_records_in if rounds is None else rounds.look_at
        for look in (self._faults_of_tables, lambda: self._faults_of_entries(read)):
            try:
                faults += look()
            except DamagedJournalError as error:
                faults.append(error.why or str(error))
        return faults

    def close(self) -> None:
        """Free the file. Idempotent."""
        with explained(self._path, "closed"):
            self._free.close()

    def _entries(self, subject: str | None) -> Iterator[Entry]:
        yield from entries_of(self._db, self._path, subject)
        if subject is not None:
            yield from (decode(body) for owner, *_, body in records_of(self._db, self._path) if owner == subject)

    def _records(self, read: ReadRound) -> Iterator[Record]:
        for entry, body in own_entries_of(self._db, self._path):
            yield entry.subject, entry.sequence, entry.epoch, body
        for *_, records in rounds_of(self._db, self._path, read, itemgetter(0)):
            yield from records

    def _faults_of_pages(self) -> Iterable[str]:
        try:
            rows = self._db.execute(f"PRAGMA integrity_check({_MOST_FAULTS})").fetchall()
        except (sqlite3.Error, UnicodeDecodeError) as error:
            return [str(error)]
        return [text for (text,) in rows if text != "ok"]

    def _faults_of_tables(self) -> Iterable[str]:
        with explained(self._path, "read"):
            tables = self._db.execute("SELECT sql FROM sqlite_master WHERE sql LIKE 'CREATE TABLE %'").fetchall()
            expected = SCHEMA if has_rounds(self._db) else SCHEMA[:-1]
        if missing := set(expected) - {sql for (sql,) in tables}:
            return [f"there is no longer: {table}" for table in sorted(missing)]
        _ = self.writers, self.has_session
        with explained(self._path, "read"):
            given = self._db.execute("SELECT seq FROM sqlite_sequence").fetchall()
        if any(not isinstance(number, int) or number > _MOST_POSITIONS for (number,) in given):
            return ["the number of its newest entry is none"]
        return ()

    def _faults_of_entries(self, read: ReadRound) -> Iterable[str]:
        newest: dict[str, Record] = {}
        faults: dict[str, str] = {}
        writers = self.writers
        for record in self._records(read):
            subject, sequence, epoch, body = record
            if subject in faults:
                continue
            before = newest.get(subject)
            newest[subject] = record
            # As nearly always it is the next one, by the same writer. If not, its entry says whether it may follow.
            if (before[1:3] if before is not None else (0, epoch)) != (sequence - 1, epoch):
                try:
                    check_next(None if before is None else decode(before[3]), decode(body))
                except JournalError as error:
                    faults[subject] = str(error)
            if epoch > writers:
                faults[subject] = f"entry {sequence} of {subject} is of writer {epoch}, and the newest is {writers}"
        return faults.values()


def _connect(path: str) -> sqlite3.Connection:
    address = Path(path).as_uri()
    db = sqlite3.connect(f"{address}?mode=ro", uri=True, isolation_level=None)
    try:
        db.execute("PRAGMA schema_version")
    except sqlite3.OperationalError as error:
        db.close()
        # Where nothing may be written there can be no writer, and no `-shm` to share with one.
        is_cannot = getattr(error, "sqlite_errorname", "").startswith(("SQLITE_CANTOPEN", "SQLITE_READONLY"))
        if not is_cannot or os.path.exists(f"{path}-wal"):
            raise
        return sqlite3.connect(f"{address}?mode=ro&immutable=1", uri=True, isolation_level=None)
    except BaseException:
        db.close()
        raise
    return db
